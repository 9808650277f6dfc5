"""The documents of the repository, and what is in them: code, links, headings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "data/README.md", "docs/**/*.md", "src/rhobin/methods/*/README.md")
    for page in ROOT.glob(pattern)
    if "_build" not in page.parts
)
FENCE = re.compile(r"^( *)(`{3,})([^\n`]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}[^\s|*-].*\n)+", re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PROGRAMS = ("rhobin", "train.py", "eval.py")
STARTS = re.compile(r"\s*(rhobin|srun|torchrun|(\S+/)?python) (?!-c )")


def name(page: Path) -> str:
    """Its path in the repository."""
    return str(page.relative_to(ROOT))


def blocks(text: str) -> list[tuple[str, str]]:
    """The language, if any, and the code of each block."""
    fenced = [(language.strip(), code) for _, _, language, code in FENCE.findall(text)]
    return fenced + [("", code) for code in INDENTED.findall(FENCE.sub("", text))]


def inline(text: str) -> list[str]:
    """What stands in backticks outside of blocks."""
    return INLINE.findall(FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """What GitHub names the headings: small letters, digits, hyphens."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """Targets of links that stay in the repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", INLINE.sub("", FENCE.sub("", text)))
    return [target for target in found if not re.match(r"\w+:", target)]


def commands(code: str) -> Iterator[list[str]]:
    """The words of each command of ours in a block, or in backticks: the program, then its arguments."""
    for line in re.sub(r"\\\n\s*", " ", code).splitlines():
        if not STARTS.match(line):
            continue
        rest = shlex.split(line, comments=True)
        while rest:
            end = next((i for i, word in enumerate(rest) if word in {"||", "&&"}), len(rest))
            words, rest = rest[:end], rest[end + 1 :]
            place = next((i for i, word in enumerate(words) if word in PROGRAMS), None)
            if place is not None:
                yield words[place:]
