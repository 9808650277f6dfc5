"""Evaluating the last checkpoint leaves what was scored of the best one as it is."""

import json

from rhobin.__main__ import main
from rhobin.engine.evaluate import evaluate

DEAD = 2**22 + 1  # above the largest number of a process


def test_the_last_checkpoint_s_scores_and_page_are_in_a_folder_of_their_own(own_run, capsys):
    run, last = own_run.run, own_run.run / "last"
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    last.mkdir()
    (last / f".results.pkl.{DEAD}.part").write_bytes(b"half")
    assert evaluate(own_run.config("checkpoint=last")) == last
    assert {path: path.read_bytes() for path in before} == before
    assert not list(last.glob(".*.part"))
    origin = json.loads((last / "scores.json").read_text())["origin"]
    assert origin["checkpoint"] == "checkpoints/last.ckpt"
    page, ours = ((folder / "report.html").read_text() for folder in (last, run))
    assert json.loads((run / "run.json").read_text())["started"] in page
    assert page.count("<svg") == ours.count("<svg")
    capsys.readouterr()
    evaluate(own_run.config("checkpoint=last"))
    assert "up to date" in " ".join(capsys.readouterr().out.split())
    assert main(["tables", str(run), str(last)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for folder in (run, last):
        assert any(line.startswith(f"KHOR, {folder.name}: rhobin-2023-joint") for line in lines)
