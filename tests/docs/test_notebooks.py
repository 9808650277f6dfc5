"""The notebooks of the site, executed on a small tree from their text, in a fork and not in a kernel."""

import re

import pytest
from commands import succeed
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
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


def read(name):
    """A notebook, as the site reads it."""
    from myst_nb.core.config import NbParserConfig
    from myst_nb.core.read import create_nb_reader
    from myst_parser.config.main import MdParserConfig

    text = NOTEBOOKS[name].read_text()
    return create_nb_reader(str(NOTEBOOKS[name]), MdParserConfig(), NbParserConfig(), text).read(text)


RUN = """
import ast, os, sys

os.chdir(sys.argv[1])
for cell in sys.argv[2:]:
    *body, last = ast.parse(cell).body
    shown = isinstance(last, ast.Expr)
    exec(compile(ast.Module(body if shown else [*body, last], []), "cell", "exec"))
    if shown:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"))
        print(value._repr_html_() if hasattr(value, "_repr_html_") else value)
"""


def executed(name, place):
    """What the cells of a notebook print and show, in one text."""
    script = place / "run.py"
    script.write_text(RUN)
    cells = [cell.source for cell in read(name).cells if cell.cell_type == "code"]
    return succeed(str(script), str(place), *cells)


def test_both_are_run_here_and_ask_for_the_kernel_that_there_is():
    assert set(NOTEBOOKS) == {"one-sample", "scores"}
    assert {read(name).metadata.kernelspec.name for name in NOTEBOOKS} == {NATIVE_KERNEL_NAME}


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
