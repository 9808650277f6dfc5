"""Properties of the joint metric that do not need the official code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh
from joint_reference import similarity

from rhobin.geometry import backend
from rhobin.metrics.joint import (
    FrameMeshes,
    align_to_target,
    aligned_meshes,
    draw_samples,
    frame_rng,
    joint_errors,
    joint_errors_of_frames,
)


@pytest.fixture(scope="module")
def frames() -> list[FrameMeshes]:
    """Six frames of a capsule 'body' and a box, predicted with growing errors."""
    body = trimesh.creation.capsule(height=1.2, radius=0.2, count=[20, 20])
    box = trimesh.creation.box((0.5, 0.4, 0.3)).subdivide()
    rng = np.random.default_rng(3)
    made = []
    for i in range(6):
        target, thing = np.array(body.vertices), np.array(box.vertices) + np.array([0.6, 0.1, 0.4])
        pred = target + rng.normal(0, 0.01 * i, 3) + rng.normal(0, 0.004 * i, target.shape)
        made.append(
            FrameMeshes(
                f"Date03_Sub04_boxlarge/t{i:04d}.000",
                pred,
                thing + rng.normal(0, 0.03 * i, 3),
                target,
                thing,
                np.array(body.faces),
                np.array(box.faces),
            )
        )
    return made


def one(frame: FrameMeshes, seed: int = 0, samples: int = 2000) -> tuple[float, float]:
    return joint_errors(
        frame.pred_body,
        frame.pred_obj,
        frame.target_body,
        frame.target_obj,
        frame.body_faces,
        frame.obj_faces,
        frame_rng(seed, frame.name),
        samples,
    )


def test_same_numbers_for_any_order_and_number_of_workers(frames):
    forward = joint_errors_of_frames(frames, samples=500, workers=1)
    backward = joint_errors_of_frames(frames[::-1], samples=500, workers=4)
    assert forward == backward[::-1]
    assert forward == [one(frame, samples=500) for frame in frames]
    assert forward != joint_errors_of_frames(frames, seed=1, samples=500)


def test_global_similarity_of_the_prediction_is_not_an_error(frames):
    frame = frames[4]
    turn = trimesh.transformations.random_rotation_matrix(np.array([0.2, 0.7, 0.5]))[:3, :3]
    moved = FrameMeshes(
        frame.name,
        0.4 * frame.pred_body @ turn.T + [3, -2, 9],
        0.4 * frame.pred_obj @ turn.T + [3, -2, 9],
        *(frame.target_body, frame.target_obj, frame.body_faces, frame.obj_faces),
    )
    np.testing.assert_allclose(one(moved), one(frame), atol=1e-6)


def test_a_mirrored_prediction_does_not_align(frames):
    frame = frames[0]
    rng = np.random.default_rng(0)
    # the capsule alone is its own mirror image; bend it
    bent = frame.target_body + 0.15 * np.sin(5 * frame.target_body[:, [2, 0, 1]]) + rng.normal(0, 1e-3, 3)
    mirror = np.array([-1.0, 1, 1])
    shared = (bent, frame.target_obj, frame.body_faces, frame.obj_faces)
    mirrored = FrameMeshes(frame.name, bent * mirror, frame.target_obj * mirror, *shared)
    R, _, _ = align_to_target(
        np.concatenate([mirrored.pred_body, mirrored.pred_obj]),
        np.concatenate([mirrored.target_body, mirrored.target_obj]),
    )
    assert np.linalg.det(R) == pytest.approx(1.0)
    perfect = FrameMeshes(frame.name, bent, frame.target_obj, *shared)
    assert one(mirrored)[0] > 1.5 * one(perfect)[0]
    assert one(mirrored)[1] > 2 * one(perfect)[1]


def test_alignment_is_procrustes_with_scale(frames):
    frame = frames[5]
    pred = np.concatenate([frame.pred_body, frame.pred_obj])
    target = np.concatenate([frame.target_body, frame.target_obj])
    scale, R, t = similarity(pred, target)
    found_R, found_t, found_scale = align_to_target(pred, target)
    np.testing.assert_allclose(found_R, R, atol=1e-10)
    np.testing.assert_allclose(found_t, t, atol=1e-10)
    assert found_scale == pytest.approx(scale, abs=1e-12)
    body, obj = aligned_meshes(frame)
    np.testing.assert_allclose(np.concatenate([body, obj]), scale * pred @ R.T + t, atol=1e-9)


def test_perfect_prediction_scores_the_sampling_floor(frames):
    frame = frames[0]
    area = trimesh.Trimesh(frame.target_body, frame.body_faces, process=False).area
    smpl, _ = one(frame, samples=6000)
    # two random samples of n points: mean nearest distance 0.5 sqrt(A / n) each way
    assert smpl == pytest.approx(1000 * np.sqrt(area / 6000), rel=0.05)


def test_points_are_spread_by_area():
    verts = np.array([[0, 0, 0], [3, 0, 0], [0, 1, 0], [0, 0, 5], [1, 0, 5], [0, 1, 5.0]])
    faces = np.array([[0, 1, 2], [3, 4, 5]])
    samples = draw_samples(verts, faces, 40_000, np.random.default_rng(0))
    assert (samples.face == 0).mean() == pytest.approx(0.75, abs=0.01)
    points = samples.on(verts, faces)[samples.face == 0]
    np.testing.assert_allclose(points.mean(0), [1, 1 / 3, 0], atol=0.02)
    assert (np.diff(samples.face) >= 0).all()


def test_vertices_that_are_not_numbers_are_refused(frames):
    frame = frames[1]
    broken = frame.pred_obj.copy()
    broken[0, 0] = np.nan
    bad = FrameMeshes(
        frame.name,
        frame.pred_body,
        broken,
        *(frame.target_body, frame.target_obj, frame.body_faces, frame.obj_faces),
    )
    with pytest.raises(ValueError, match=r"predicted object of Date03_Sub04_boxlarge/t0001\.000 .* not"):
        joint_errors_of_frames([bad], samples=10)


def test_torch_and_numpy_inputs_agree(frames):
    frame = frames[0]
    meshes = [
        np.asarray(getattr(frame, name))
        for name in ("pred_body", "pred_obj", "target_body", "target_obj", "body_faces", "obj_faces")
    ]
    tensors = [torch.from_numpy(np.ascontiguousarray(mesh)) for mesh in meshes]
    ours = joint_errors(*meshes, np.random.default_rng(0), 300)
    assert joint_errors(*tensors, np.random.default_rng(0), 300) == ours


def test_both_backends_score_alike_and_published_scores_take_the_cpu_s(frames, monkeypatch):
    pytest.importorskip("pytorch3d")
    cpu = joint_errors_of_frames(frames, samples=500)
    monkeypatch.setattr(backend, "backend", lambda: backend.Backend("pytorch3d", "as on CUDA"))
    assert joint_errors_of_frames(frames, samples=500) == cpu
    own = joint_errors_of_frames(frames, samples=500, using=None)
    assert own != cpu
    np.testing.assert_allclose(own, cpu, atol=1e-3)
