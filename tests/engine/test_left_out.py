"""A training tells which views it leaves out."""

import json
import shutil

from rhobin.engine.fit import fit


def test_a_run_says_how_many_views_it_left_out_and_why(smoke, tree, tmp_path, capsys):
    root = shutil.copytree(tree, tmp_path / "tree")
    config = smoke(tmp_path / "run", f"data.root={root}", "trainer.max_steps=2")
    train = json.loads((root / "split.json").read_text())["train"]
    lost = sorted(root.glob(f"sequences/{train[0]}/*/person/fit02/person_fit.pkl"))[0]
    views = len(list(lost.parents[2].glob("k*.color.jpg")))
    lost.unlink()
    run_dir = fit(config)
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert f"left out {views} views ({views}: a frame has no fitted body), named in left_out.json" in said
    assert json.loads((run_dir / "run.json").read_text())["left_out"] == {"missing_person_fit": views}
    (named,) = json.loads((run_dir / "left_out.json").read_text())["files"]
    assert named["file"] == lost.relative_to(root).as_posix()
