"""Validation scores of the human and object tracks against the pure functions, and methods of one part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rhobin.behave.ref import RefTemplate, SequenceAnnotation
from rhobin.body.load import load_body
from rhobin.clock import Clock
from rhobin.engine.build import build_datamodule, build_module, validation_views
from rhobin.engine.evaluator import Evaluator
from rhobin.engine.monitor import Monitor
from rhobin.geometry.rotation import rotmat_to_rotvec
from rhobin.metrics.human_track import score_human
from rhobin.metrics.object_track import object_points, score_object
from rhobin.metrics.protocol import OBJECT_MODES

JOINT = Monitor("val/joint_mm", higher_is_better=False)


@pytest.fixture
def parts(smoke, tmp_path):
    config = smoke(tmp_path / "run")
    datamodule = build_datamodule(config)
    torch.manual_seed(0)
    module = build_module(config, datamodule.assets)
    module.eval()
    return module, validation_views(datamodule, 4), datamodule.assets


def as_challenge(module, views, templates):
    """Truth and predictions as files of the challenge hold them: a sequence a view."""
    truth, results, points = {}, {}, {}
    for view in views:
        pred = module.predict(view)
        for i in range(len(view)):
            template, name = templates[int(view.object_id[i])], f"D_S_{len(truth)}"
            gender = ("male", "female")[int(view.gender[i])]

            def plain(part, key, i=i):
                return getattr(part, key)[i].detach().double().numpy()[None]

            def turned(part, i=i):
                return rotmat_to_rotvec(part.theta[i].detach().double()).numpy().reshape(1, -1)

            human, pose = view.target.human, view.target.object
            truth[name] = SequenceAnnotation(
                ["t"], gender, turned(human), plain(human, "beta"), plain(human, "trans"),
                rotmat_to_rotvec(pose.R[i].double()).numpy()[None], plain(pose, "t"),
                np.ones(1),
            )  # fmt: skip
            results[name] = {
                "frames": ["t"], "gender": gender, "poses": turned(pred.human),
                "betas": plain(pred.human, "beta"),
                "trans": plain(pred.human, "trans"), "obj_rots": plain(pred.object, "R"),
                "obj_trans": plain(pred.object, "t"),
            }  # fmt: skip
            mesh = RefTemplate(template.verts, template.faces, [])
            points[name] = template, object_points(mesh, template.name, OBJECT_MODES["official"])
    return truth, results, points


def score(parts, monitor=JOINT, **options):
    module, views, assets = parts
    return Evaluator(Clock(1), views, assets, 1, 50, 0, monitor, **options).score(module)


def test_validation_scores_are_the_scorers(parts):
    module, views, assets = parts
    found = score(parts)
    truth, results, points = as_challenge(module, views, assets.templates)
    bodies = {gender: load_body(gender, None, torch.float64) for gender in ("male", "female")}
    expected = score_human(truth, results, bodies).metrics()
    meshes = {
        name: RefTemplate(t.verts, t.faces, list(zip(t.symmetries, t.symmetry_offsets, strict=True)))
        for name, (t, _) in points.items()
    }
    meshes = {name.split("_")[2]: mesh for name, mesh in meshes.items()}
    drawn = {name: value for name, (_, value) in points.items()}
    expected |= score_object(truth, meshes, results, points=drawn).metrics()
    assert {f"val/{name}" for name in expected} <= set(found)
    for name, value in expected.items():
        assert found[f"val/{name}"] == pytest.approx(value, rel=1e-3, abs=1e-3), name


def test_tracks_can_be_left_out(parts):
    found = score(parts, tracks=("joint",))
    assert "val/joint_mm" in found
    assert not {"val/MPJPE", "val/AR_all"} & set(found)
    with pytest.raises(ValueError, match=r"callbacks\.evaluator\.tracks.*'joints'"):
        score(parts, tracks=("joints",))


@pytest.mark.parametrize(
    ("lost", "monitored", "absent"),
    [("object", "val/MPJPE", "val/AR_all"), ("human", "val/MSSD", "val/MPJPE")],
)
def test_methods_of_one_part_are_scored_for_it(parts, lost, monitored, absent, monkeypatch):
    module = parts[0]
    whole = module.decode
    monkeypatch.setattr(module, "decode", lambda *args: replace(whole(*args), **{lost: None}))
    found = score(parts, Monitor(monitored, higher_is_better=False))
    assert np.isfinite(found[monitored])
    assert absent not in found
    assert "val/joint_mm" not in found
    with pytest.raises(ValueError, match=r"monitor\.name is 'val/joint_mm'"):
        score(parts)
