"""A page of sections with tables and charts that holds everything inside."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from string import Template

from rhobin.reports.html import keep_units, tag, text


def plain_page(title: str, eyebrow: str, lead: str, sections: Mapping[str, str]) -> str:
    """A page that needs no network.

    Args:
        title: of the page.
        eyebrow: a line above it.
        lead: HTML: what is shown, in a sentence.
        sections: HTML by heading; empty ones are left out.

    Returns:
        HTML.
    """
    shown = {head: html for head, html in sections.items() if html}
    parts = [tag("section", tag("h2", text(head)), html, id=_id(head)) for head, html in shown.items()]
    slots = {
        "title": text(title),
        "eyebrow": text(eyebrow),
        "lead": lead,
        "nav": "".join(tag("a", text(head), href=f"#{_id(head)}") for head in shown),
        "sections": "\n".join(parts),
    }
    slots = {name: keep_units(html) for name, html in slots.items()}
    slots |= {"style": _asset("page.css"), "script": _asset("charts.js")}
    return Template(_asset("plain.html")).substitute(slots)


def _id(head: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in head.lower())


def _asset(name: str) -> str:
    return (files("rhobin.reports") / "assets" / name).read_text(encoding="utf-8")
