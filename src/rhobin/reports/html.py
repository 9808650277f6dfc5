"""A few words of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape, unescape

DASH, MINUS = "&ndash;", "&minus;"
NO_BREAK = "\u202f"
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|mm|cm|m|px|deg|ms|s|min|images/s)(?!\w))")


def tag(name: str, *children: str, **attributes: str) -> str:
    """An element.

    Args:
        name: its tag.
        children: HTML inside.
        attributes: by name; ``class_`` is ``class``, other underscores become dashes.

    Returns:
        HTML.
    """
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    opening = " ".join([name, *(f'{key}="{escape(value, quote=True)}"' for key, value in pairs)])
    return f"<{opening}>{''.join(children)}</{name}>"


def text(value: object) -> str:
    """Anything as text that cannot be mistaken for HTML."""
    return escape(str(value))


def plain(html: str) -> str:
    """What HTML says without its tags; not HTML any more."""
    return unescape(re.sub(r"<[^>]*>", "", html))


def keep_units(html: str) -> str:
    """The same HTML with numbers and their units on one line: the space between them never breaks."""
    parts = re.split(r"(<[^>]*>)", html)
    return "".join(part if part.startswith("<") else _BEFORE_UNIT.sub(NO_BREAK, part) for part in parts)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int], **attributes: str
) -> str:
    """A table whose columns of numbers are aligned to the right.

    Args:
        heads: HTML of the heads.
        rows: HTML of the cells.
        numbers: which columns hold numbers.
        attributes: of the body.

    Returns:
        HTML that scrolls sideways where it is too wide.
    """
    body = [tag("tr", *cells("td", row, numbers)) for row in rows]
    head = tag("thead", tag("tr", *cells("th", heads, numbers)))
    return tag("div", tag("table", head, tag("tbody", *body, **attributes)), class_="scroll")


def cells(name: str, values: Sequence[str], numbers: Sequence[int]) -> list[str]:
    """Cells of a row, those of numbers marked."""
    return [tag(name, v, **({"class_": "n"} if i in numbers else {})) for i, v in enumerate(values)]


def meter(percent: float, style: str) -> str:
    """A horizontal bar filled to a percentage, which is its name too."""
    filled, name = tag("i", class_=style, style=f"width:{min(max(percent, 0), 100):.1f}%"), f"{percent:.0f} %"
    return tag("span", filled, class_="meter", role="img", aria_label=name, title=name)


def change(value: float | None, reference: float | None) -> str:
    """How far a value is from a reference, as a signed number of percent."""
    if value is None or not reference:
        return DASH
    percent = 100.0 * (value / reference - 1.0)
    return DASH if abs(percent) < 0.05 else f"{MINUS if percent < 0 else '+'}{abs(percent):.0f}"
