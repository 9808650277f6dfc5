"""Links that plain markdown does not write: paths of pages, numbers of records, files of the repository."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

RECORD = re.compile(r"(?<![\w./-])(0\d{3})(?!\w|\.\d)")
INCLUDED = {
    "data/README.md": "data-roots",
    "src/rhobin/methods/khor/README.md": "methods/khor",
    "src/rhobin/methods/g2dr/README.md": "methods/g2dr",
    "src/rhobin/methods/bev_hybrik/README.md": "methods/bev-hybrik",
    "src/rhobin/methods/chore/README.md": "methods/chore",
    "src/rhobin/methods/phosa/README.md": "methods/phosa",
}
"""Pages that are made of a file elsewhere in the repository."""


def page_of(path: str, pages: set[str]) -> str | None:
    """The page that a path of the repository is shown on; None where there is none."""
    page = INCLUDED.get(path, path.removeprefix("docs/").removesuffix(".md"))
    return page if page in pages and path.endswith(".md") else None


def find_included(app: Sphinx, tree: nodes.document) -> None:
    """Let links to files that a page is made of lead to that page."""
    for node in tree.findall(addnodes.pending_xref):
        target = Path(node.get("reftarget", ""))
        if node.get("refdomain") == "doc" and target.is_absolute():
            path = f"{target.relative_to(Path(app.srcdir).parent).as_posix()}.md"
            node["reftarget"] = INCLUDED.get(path, node["reftarget"])


def link(app: Sphinx, tree: nodes.document, here: str) -> None:
    """Make links of paths in backticks and of the numbers of records."""
    pages = set(app.env.found_docs)
    records = {page.split("/")[1][:4]: page for page in pages if page.startswith("decisions/0")}

    def reference(page: str, shown: nodes.Node) -> nodes.reference:
        return nodes.reference("", "", shown, internal=True, refuri=app.builder.get_relative_uri(here, page))

    for literal in list(tree.findall(nodes.literal)):
        page = page_of(literal.astext(), pages)
        if page and page != here and not isinstance(literal.parent, nodes.reference):
            literal.replace_self(reference(page, literal.deepcopy()))
    for text in list(tree.findall(nodes.Text)):
        if is_prose(text):
            parts = RECORD.split(text.astext())
            made = [
                reference(records[part], nodes.Text(part)) if i % 2 and part in records else nodes.Text(part)
                for i, part in enumerate(parts)
            ]
            if len(made) > 1:
                text.parent.replace(text, made)


def is_prose(text: nodes.Text) -> bool:
    """Whether a text stands in a paragraph or a cell, and neither in code nor in a link or a heading."""
    parent, kinds = text.parent, (nodes.literal, nodes.literal_block, nodes.reference, nodes.title)
    while parent is not None:
        if isinstance(parent, kinds):
            return False
        parent = parent.parent
    return True


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-read", find_included)
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
