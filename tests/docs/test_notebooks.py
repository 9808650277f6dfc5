"""The notebooks of the site, executed from their text on a small tree."""

import re

import pytest
from pages import ROOT

NOTEBOOKS = {path.stem: path for path in (ROOT / "docs/notebooks").glob("*.md")}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder for notebooks that finds data where the repository would have them."""
    from behave_tree import make_tree, write_ground_truth

    checkout = tmp_path_factory.mktemp("checkout")
    root = checkout / "data/behave_tiny"
    make_tree(root, test=("Date03_Sub04_backpack_back", "Date03_Sub05_boxlarge_lift"))
    write_ground_truth(root)
    (checkout / "docs/notebooks").mkdir(parents=True)
    return checkout / "docs/notebooks"


def executed(name, place):
    """What a notebook prints and shows, in one text."""
    from myst_nb.core.config import NbParserConfig
    from myst_nb.core.read import create_nb_reader
    from myst_parser.config.main import MdParserConfig
    from nbclient import NotebookClient

    text = NOTEBOOKS[name].read_text()
    reader = create_nb_reader(str(NOTEBOOKS[name]), MdParserConfig(), NbParserConfig(), text)
    notebook = reader.read(text)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(place)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/html", "") for output in outputs)


def test_both_are_run_here():
    assert set(NOTEBOOKS) == {"one-sample", "scores"}


def test_one_sample_is_learnt_decoded_and_drawn(place):
    said = executed("one-sample", place)
    joints, kpts = map(int, re.search(r"joints (\d+) mm, keypoints (\d+) mm", said).groups())
    assert max(joints, kpts) < 150
    assert said.count("data:image/jpeg") == 4


def test_scores_grow_with_the_noise_and_intervals_are_told(place):
    said = executed("scores", place)
    rows = re.findall(r"(\d+) mm: \{'SMPL': ([\d.]+), 'Object': ([\d.]+)\}", said)
    assert [int(row[0]) for row in rows] == [0, 20, 50, 100]
    for part in (1, 2):
        values = [float(row[part]) for row in rows]
        assert values == sorted(values)
    assert "scores {'SMPL': inf, 'Object': inf}" in said
    pairs = re.search(r"difference, in pairs +-[\d.]+ mm, +(-[\d.]+) to +(-[\d.]+)", said)
    assert float(pairs[1]) < -4 < float(pairs[2]) < 0
