"""A few words of HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

DASH, MINUS = "&ndash;", "&minus;"


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
    """A horizontal bar filled to a percentage."""
    filled = tag("i", class_=style, style=f"width:{min(max(percent, 0), 100):.1f}%")
    return tag("span", filled, class_="meter")


def change(value: float | None, reference: float | None) -> str:
    """How far a value is from a reference, as a signed percentage."""
    if value is None or not reference:
        return DASH
    percent = 100.0 * (value / reference - 1.0)
    return DASH if abs(percent) < 0.05 else f"{MINUS if percent < 0 else '+'}{abs(percent):.0f}&thinsp;%"
