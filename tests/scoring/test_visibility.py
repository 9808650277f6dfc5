"""What is seen of a person: a joint counts where its own pixel shows the person, or as good as."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from behave_tree import make_cameras, make_tree, write_ground_truth
from preparing import run

from rhobin.behave.read import read_release
from rhobin.data.images.on_mask import near_mask, on_person
from rhobin.data.prepare.prepared import read_prepared
from rhobin.data.splits import read_test_split
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.metrics.submission import Example
from rhobin.metrics.tracks import TRACKS
from rhobin.scoring.challenge import read_challenge
from rhobin.scoring.compare import read_frame_scores
from rhobin.scoring.document import JOINTS_VISIBLE, read_scores, write_scores
from rhobin.scoring.rows import score_rows
from rhobin.scoring.visibility import band, seen_joints, with_visibility

OFFICIAL = {"human": TRACKS["human"].modes["official"]}


@pytest.fixture
def root(tmp_path):
    root = make_tree(tmp_path / "root", 3)
    write_ground_truth(root)
    return root


def mask_file(release, view):
    return release.view_files(view)[1]


def joint_pixels(annotation, row, bodies):
    """Pixels of the true joints, by a body posed with its own code path and a plain pinhole."""
    body = bodies[annotation.gender]
    theta = rotvec_to_rotmat(torch.from_numpy(annotation.poses[row].reshape(1, 52, 3)))
    posed = body(theta, torch.from_numpy(annotation.betas[[row]]), torch.from_numpy(annotation.trans[[row]]))
    points = posed.joints[0, [*range(22), 22, 37]].numpy() @ make_cameras()[1].K.T
    return points[:, :2] / points[:, 2:]


def examples_of(challenge):
    return [
        Example(name, frame, "backpack", row, row, 1.0)
        for name, annotation in challenge.annotations.items()
        for row, frame in enumerate(annotation.frames)
    ]


def test_a_joint_counts_where_the_mask_covers_its_pixel(root):
    release, challenge = read_test_split(root), read_challenge(root)
    (annotation,) = challenge.annotations.values()
    halves, expected = [(0, 0), (0, 85), (55, 0)], []
    for row, (top, left) in enumerate(halves):  # all of the image, its right part, its lower part
        mask = np.zeros((120, 160), np.uint8)
        mask[top:, left:] = 255
        cv2.imwrite(str(mask_file(release, row)), mask, [cv2.IMWRITE_JPEG_QUALITY, 100])
        u, v = joint_pixels(annotation, row, challenge.bodies).T
        beside = 1.0  # pixels: the tree's images are 160 wide
        inside = (u > left - beside) & (v > top - beside) & (u < 160) & (v < 120) & (u > -1) & (v > -1)
        expected.append(inside)
    found = seen_joints(examples_of(challenge), challenge, read_release(root, "test", (1,)))
    np.testing.assert_array_equal(found, expected)
    assert 0.1 < np.mean(expected[1:]) < 0.9


def test_a_point_beside_the_mask_counts_up_to_the_distance():
    mask = np.zeros((9, 12), bool)
    mask[4, 5] = True
    points = np.array([[5, 4], [7, 4], [7.01, 4], [6.4, 5.4], [6.5, 5.5], [5, 4.0 + 2.0], [-40, 4], [5, 900]])
    found = near_mask(mask, points.astype(float), 2.0)
    np.testing.assert_array_equal(found, [True, True, False, True, False, True, False, False])
    assert near_mask(np.ones((2, 2), bool), np.array([[2.0, 1.0]]), 1.0).all()
    assert not near_mask(np.zeros((0, 0), bool), points.astype(float), 2.0).any()


def test_the_lens_is_looked_through(root):
    release = read_test_split(root)
    ray = np.array([[0.5, 0.3, 1.0]])
    mask = np.zeros((120, 160), np.uint8)
    bent = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), make_cameras()[1].K, np.array([0.4, 0, 0, 0]))[0]
    u, v = np.round(bent.ravel()).astype(int)
    cv2.circle(mask, (int(u), int(v)), 2, 255, -1)
    cv2.imwrite(str(mask_file(release, 0)), mask)
    lens = np.array([0.4, 0, 0, 0, 0, 0, 0, 0])
    camera = replace(release.cameras[release.views.camera[0]], distortion=lens)
    seen = replace(release, cameras=[camera] * len(release.cameras))
    assert on_person(seen, 0, ray).all()
    assert not on_person(release, 0, ray).any()
    assert not on_person(seen, 0, -ray).any()


def test_a_prepared_root_says_the_same(root, tmp_path):
    out, challenge = tmp_path / "prepared", read_challenge(root)
    run(root, out)
    raw, stored = (
        seen_joints(examples_of(challenge), challenge, release)
        for release in (read_test_split(root), read_prepared(out, "test"))
    )
    np.testing.assert_array_equal(raw, stored)
    assert 0 < raw.mean() < 1


def test_scores_are_split_by_it_and_a_frame_without_a_mask_has_none(root, tmp_path):
    release, challenge = read_test_split(root), read_challenge(root)
    (name,) = challenge.annotations
    truth = challenge.annotations[name]
    results = {name: {"frames": truth.frames, "gender": truth.gender, "betas": truth.betas}}
    results[name] |= {"poses": truth.poses + 0.1 * np.arange(3)[:, None], "trans": truth.trans}
    mask_file(release, 0).unlink()
    cv2.imwrite(str(mask_file(release, 1)), np.zeros((120, 160), np.uint8))
    cv2.imwrite(str(mask_file(release, 2)), np.full((120, 160), 255, np.uint8))
    scored = score_rows(challenge, {"human": {"ours": results}}, OFFICIAL)
    scores = with_visibility(scored, challenge, release)
    write_scores(tmp_path / "out", scores, {"row": "ours"})
    document, frames = read_scores(tmp_path / "out")
    assert [frame.errors.get(JOINTS_VISIBLE) for frame in frames["ours"]] == [None, 0.0, 1.0]
    told = document["tracks"]["human"]["ours"]["by_joints_visible"]
    assert {key: row["frames"] for key, row in told.items()} == {"0-50 %": 1, "100 %": 1}
    for key, frame in (("0-50 %", 1), ("100 %", 2)):
        assert told[key]["MPJPE"] == pytest.approx(frames["ours"][frame].errors["mpjpe_mm"], abs=1e-5)
    assert json.loads((tmp_path / "out" / "scores.json").read_text()) == document
    single = document["tracks"]["human"]["ours"]["by_joint_seen"]
    assert {key: row["joints"] for key, row in single.items()} == {"hidden": 24, "seen": 24}
    assert single["hidden"]["MPJPE_PA"] == pytest.approx(told["0-50 %"]["MPJPE_PA"])
    hidden = read_frame_scores(tmp_path / "out", "human", seen_below=0.9)
    assert list(hidden.visible) == [(name, truth.frames[1])]
    assert hidden.scores["MPJPE"] == [frames["ours"][1].errors["mpjpe_mm"]]
    with pytest.raises(ValueError, match=r"expected frames with joints_visible below 0, found none.*force"):
        read_frame_scores(tmp_path / "out", "human", seen_below=0)


def test_other_tracks_are_left_as_they_are(root):
    scores = {"object": {}}
    assert with_visibility(scores, read_challenge(root), read_test_split(root)) == scores


@pytest.mark.parametrize(
    ("share", "name"),
    [(0.0, "0-50 %"), (0.5, "50-70 %"), (22 / 24, "90-99 %"), (23 / 24, "90-99 %"), (1.0, "100 %")],
)
def test_bands(share, name):
    assert band(share) == name
