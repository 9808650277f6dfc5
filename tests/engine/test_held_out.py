"""Validation views are predicted and stored with their truth, for ensembles."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from rhobin.body.load import load_body
from rhobin.engine.build import build_datamodule
from rhobin.engine.held_out import evaluate_views
from rhobin.engine.trusted import read_config
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.scoring.store import HELD_OUT, read_further, read_results


def config(run, *overrides):
    with initialize_config_dir(str(Path(__file__).parents[2] / "configs"), version_base="1.3"):
        return compose("eval", [f"run={run}", "views=val", "threads=1", *overrides])


@pytest.fixture
def run(reference, tmp_path):
    return shutil.copytree(reference, tmp_path / "run")


def test_every_view_of_kinect_1_is_stored_with_its_truth(run, capsys):
    folder = evaluate_views(config(run))
    assert folder == run / HELD_OUT
    results, provenance = read_results(folder)
    further = read_further(folder)
    assert provenance.body == "stand-in"
    dataset = build_datamodule(read_config(run)).val_dataset
    views = [dataset.key(i) for i in range(len(dataset))]
    wanted = sorted((key.sequence, key.frame) for key in views if key.camera == 1)
    assert len(wanted) < len(views)
    assert list(zip(further.sequence.tolist(), further.frame.tolist(), strict=True)) == wanted
    assert sorted((s, f) for s, record in results.items() for f in record["frames"]) == wanted
    for row, (sequence, frame) in enumerate(wanted):
        body = load_body(results[sequence]["gender"])
        poses, betas, trans = (
            torch.from_numpy(further.arrays[f"truth.{key}"][row]).float()
            for key in ("poses", "betas", "trans")
        )
        found = body.kinematics(rotvec_to_rotmat(poses.view(52, 3)), betas, trans).joints[list(body.joints24)]
        key = next(key for key in views if (key.sequence, key.frame, key.camera) == (sequence, frame, 1))
        true = dataset.targets.joints[dataset.views[key.index], :24]
        np.testing.assert_allclose(found.numpy(), true, atol=1e-4)
    evaluate_views(config(run))
    assert "is up to date" in re.sub(r"\s+", " ", capsys.readouterr().out)


def test_a_moved_root_is_found_and_thinning_is_undone(run):
    trained = read_config(run)
    moved = shutil.copytree(trained.data.root, run.parent / "moved")
    evaluate_views(config(run, f"data.root={moved}"))
    results, _ = read_results(run / HELD_OUT)
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("views: null", "views: 1"))
    assert read_config(run).data.validation.views == 1
    with pytest.raises(ValueError, match=r"data\.validation\.views"):
        evaluate_views(config(run))  # the checkpoint is of another config
    assert sum(len(record["frames"]) for record in results.values()) > 1


def test_a_config_of_another_version_names_the_missing_key(run):
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text("".join(line for line in text.splitlines(True) if "sizes:" not in line))
    with pytest.raises(ValueError, match=r"config\.yaml has no data\.view\.sizes: another version"):
        evaluate_views(config(run, "views=test"))


def test_a_run_without_validation_says_so(run):
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("fraction: 0.1", "fraction: 0.0"))
    with pytest.raises(ValueError, match=r"no validation views: data\.validation\.fraction is 0"):
        evaluate_views(config(run))


def test_other_views_are_refused(run):
    with pytest.raises(ValueError, match="views is 'train'; expected one of test, val"):
        evaluate_views(config(run, "views=train"))
