"""The check of a GPU in its reduced form, on the CPU: every part runs, and what cannot be shown is said."""

import json

import pytest
from commands import ROOT, call


@pytest.fixture(scope="module")
def checked(tree_with_truth, tmp_path_factory):
    """The folder with the figures and the page."""
    out = tmp_path_factory.mktemp("gpu_check")
    words = ("--device", "cpu", "--reduced", "--data", str(tree_with_truth), "--out", str(out))
    done = call("benchmarks/gpu_check.py", *words, path=("benchmarks",))
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
    return out


def test_every_part_ran(checked):
    written = json.loads((checked / "gpu_check.json").read_text())
    parts = written["parts"]
    assert list(parts) == ["Kernels", "Memory and speed", "Losses", "Loading", "Seconds a frame"]
    assert not [row for rows in parts.values() for row in rows if row["state"] == "failed"]
    assert {row["state"] for row in parts["Kernels"]} == {"ok"}
    assert set(written["figures"]["steps"]) == {"khor/smoke", "g2dr/smoke", "bev_hybrik/smoke"}
    assert list(written["figures"]["curves"]) == ["float32", "bfloat16"]
    (compiled,) = (row for row in parts["Losses"] if row["what"] == "losses, compiled")
    assert (compiled["state"], compiled["found"][:12]) == ("not run", "compile=true")


def test_the_page_has_every_part(checked):
    html = (checked / "gpu_check.html").read_text()
    for head in ("Kernels", "Memory and speed", "Losses", "Loading", "Seconds a frame"):
        assert f"<h2>{head}</h2>" in html
    assert "<svg" in html
    assert "http://" not in html.replace("http://www.w3.org", "")


def test_a_wrong_kernel_differs_and_a_failure_ends_no_other_part(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from gpu_agreement import CLOSE, below
    from gpu_check import Findings
    from rich.console import Console

    findings = Findings(Console(quiet=True), minutes=1)
    findings.look(
        "Kernels", lambda: [below("skinning", 2 * CLOSE, CLOSE, "m"), below("nan", float("nan"), 1, "")]
    )
    findings.look("Losses", lambda: 1 / 0)
    findings.end = 0
    findings.look("Loading", list)
    states = {part: [row.state for row in rows] for part, rows in findings.parts.items()}
    assert states == {"Kernels": ["differs", "differs"], "Losses": ["failed"], "Loading": ["not run"]}
    assert len(findings.bad) == 3


def test_without_cuda_the_next_step_is_told():
    done = call("benchmarks/gpu_check.py", path=("benchmarks",))
    assert done.returncode == 2
    assert "python benchmarks/gpu_check.py --device cpu --reduced" in done.stderr
