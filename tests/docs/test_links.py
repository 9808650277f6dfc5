"""Links, anchors, paths and numbers of records in documents lead somewhere in the repository."""

import re

import pytest
from pages import PAGES, ROOT, anchors, inline, links, name

RECORDS = {path.name[:4] for path in (ROOT / "docs/decisions").glob("0*.md")}
FOLDERS = "configs|docs|src|tests|tools/trials|tools/standin|benchmarks"


def test_links_lead_to_files_and_headings():
    wrong = []
    for page in PAGES:
        for target in links(page.read_text()):
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
                wrong.append(f"{name(page)}: {target}")
    assert wrong == []


def test_paths_in_backticks_exist():
    """All but what is written there, and the folder of the built site."""
    wrong = []
    for page in PAGES:
        text = page.read_text()
        for code in inline(text):
            path = re.fullmatch(rf"(?:{FOLDERS})/[a-z0-9_./-]+", code)
            if (
                path
                and "_build" not in code
                and f"**`{code}`**" not in text
                and not list(ROOT.glob(f"{code.rstrip('/')}*"))
            ):
                wrong.append(f"{name(page)}: {code}")
    assert wrong == []


def test_documents_that_are_named_exist():
    wrong = []
    for page in PAGES:
        named = re.findall(r"\bdocs/[\w/-]+\.md\b", page.read_text())
        wrong += [f"{name(page)}: {path}" for path in named if not (ROOT / path).is_file()]
    assert wrong == []


def test_records_that_are_named_exist():
    wrong = []
    for page in PAGES:
        text = page.read_text()
        named = re.findall(r"\((0\d{3}(?:, 0\d{3})*)\)", text)
        named += re.findall(r"[Dd]ecisions? (0\d{3}(?:(?:, | and )0\d{3})*)", text)
        numbers = {number for group in named for number in re.findall(r"0\d{3}", group)}
        wrong += [f"{name(page)}: {number}" for number in sorted(numbers - RECORDS)]
    assert wrong == []


@pytest.mark.parametrize("method", ["khor", "g2dr", "bev_hybrik", "chore"])
def test_what_differs_has_every_record_of_a_method_s_table(method):
    readme = (ROOT / "src/rhobin/methods" / method / "README.md").read_text()
    table = re.search(r"\| stated in the paper .+?\n\n", readme, re.DOTALL)[0]
    collected = (ROOT / "docs/differs.md").read_text()
    named = set(re.findall(r"\b0\d{3}\b", table))
    assert len(named) >= 4
    assert {number for number in named if f"[{number}](" not in collected} == set()


def test_every_page_is_in_the_index_of_the_site():
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    trees = re.findall(r"```\{toctree\}.+?```", (ROOT / "docs/index.md").read_text(), re.DOTALL)
    assert pages <= {word for tree in trees for word in tree.split()}
