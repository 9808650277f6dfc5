"""Validation scores of the human and object tracks against the pure functions, and methods of one part."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rhobin.behave.ref import RefTemplate, SequenceAnnotation
from rhobin.body.load import load_body
from rhobin.engine.build import build_datamodule, build_module, ordered_templates, validation_views
from rhobin.engine.callbacks import JointEvaluator
from rhobin.geometry.rotation import rotmat_to_rotvec
from rhobin.metrics.human_track import score_human
from rhobin.metrics.object_track import object_points, score_object
from rhobin.metrics.protocol import OBJECT_MODES
from rhobin.types import Prediction


@pytest.fixture
def parts(smoke, tmp_path):
    config = smoke(tmp_path / "run")
    datamodule = build_datamodule(config)
    torch.manual_seed(0)
    module = build_module(config, datamodule)
    module.eval()
    return module, validation_views(datamodule, 4), ordered_templates(datamodule)


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

            truth[name] = SequenceAnnotation(
                ["t"], gender, turned(view.target), plain(view.target, "beta"), plain(view.target, "trans"),
                rotmat_to_rotvec(view.target.obj_R[i].double()).numpy()[None], plain(view.target, "obj_t"),
                np.ones(1),
            )  # fmt: skip
            results[name] = {
                "frames": ["t"], "gender": gender, "poses": turned(pred), "betas": plain(pred, "beta"),
                "trans": plain(pred, "trans"), "obj_rots": plain(pred, "obj_R"),
                "obj_trans": plain(pred, "obj_t"),
            }  # fmt: skip
            mesh = RefTemplate(template.verts, template.faces, [])
            points[name] = template, object_points(mesh, template.name, OBJECT_MODES["official"])
    return truth, results, points


def test_validation_scores_are_the_scorers(parts):
    module, views, templates = parts
    found = JointEvaluator(views, templates, 1, samples=50, seed=0).score(module)
    truth, results, points = as_challenge(module, views, templates)
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
    module, views, templates = parts
    found = JointEvaluator(views, templates, 1, samples=50, seed=0, tracks=()).score(module)
    assert "val/joint_mm" in found
    assert not {"val/MPJPE", "val/AR_all"} & set(found)
    with pytest.raises(ValueError, match=r"callbacks\.evaluator\.tracks.*'joints'"):
        JointEvaluator(views, templates, 1, samples=50, seed=0, tracks=("joints",))


@pytest.mark.parametrize(
    ("kept", "tracked", "absent"),
    [
        (("theta", "beta", "trans"), "val/MPJPE", "val/AR_all"),
        (("obj_R", "obj_t"), "val/MSSD", "val/MPJPE"),
    ],
)
def test_methods_of_one_part_are_scored_for_it(parts, kept, tracked, absent, monkeypatch):
    module, views, templates = parts
    whole = module.predict
    monkeypatch.setattr(
        module, "predict", lambda batch: Prediction(**{k: getattr(whole(batch), k) for k in kept})
    )
    evaluator = JointEvaluator(views, templates, 1, samples=50, seed=0, tracked=tracked)
    found = evaluator.score(module)
    assert np.isfinite(found[tracked])
    assert absent not in found
    assert "val/joint_mm" not in found
    with pytest.raises(ValueError, match=r"tracked is 'val/joint_mm'"):
        JointEvaluator(views, templates, 1, samples=50, seed=0).score(module)
