"""The site of docs/ is built without a warning, and its pages link to each other."""

import re

import pytest
from commands import succeed
from pages import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages, in a plain theme: furo's sidebar takes a third of the time."""
    out = tmp_path_factory.mktemp("site")
    plain = ("-D", "html_theme=basic", "-D", "nb_execution_mode=off", "-d", str(out / "doctrees"))
    succeed("-m", "sphinx", "-qW", "--keep-going", *plain, "docs", str(out / "html"))
    return out / "html"


def test_a_page_is_made_of_every_document(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    made = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    assert {page for page in pages if "_build" not in page.parts} <= made


def test_readmes_elsewhere_are_pages_and_their_records_are_links(site):
    text = (site / "methods/khor.html").read_text()
    assert "keypoint-based human and object reconstruction" in text
    assert re.search(r'href="\.\./decisions/0070-khor-open-points\.html">\s*(<[^>]+>)?0070', text)
    assert "From registration to training" in (site / "data-roots.html").read_text()
    assert 'href="data-roots.html#objects-of-your-own"' in (site / "own-object.html").read_text()


def test_docstrings_are_in_the_reference(site):
    text = (site / "api/geometry.html").read_text()
    assert 'id="rhobin.geometry.rotation.rotvec_to_rotmat"' in text
    assert "The rotation whose first column is the first vector" in text
