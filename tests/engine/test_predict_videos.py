"""`rhobin predict` on a video: its frames as photographs, gaps where masks lack, an optional smoother."""

import json

import cv2
import numpy as np
import pytest
import torch
from photo_runs import write_video
from scipy.spatial.transform import Rotation

from rhobin.__main__ import main
from rhobin.body.load import load_body
from rhobin.engine.photo_smooth import stretches
from rhobin.geometry.smooth import smooth_points, smooth_rotations


@pytest.fixture(scope="module")
def filmed(photo_runs, tmp_path_factory):
    """A video of seven frames whose fourth lacks its masks, and what KHOR says of it, plain and smooth."""
    root = tmp_path_factory.mktemp("filmed")
    video = write_video(root)
    for name, options in (("plain", ()), ("smooth", ("--smooth", "1.5"))):
        assert predict(photo_runs, video, root, root / name, "--batch", "4", *options) == 0
    return root


def predict(photo_runs, what, masks, out, *options):
    arguments = (
        photo_runs["khor"], what, "--mask", masks / "person", "--object-mask", masks / "object",
        "--object", "stool", "--focal", 150, "--out", out, *options,
    )  # fmt: skip
    return main(["predict", *map(str, arguments)])


def test_frames_are_predicted_as_photographs_and_gaps_are_kept(filmed, photo_runs, tmp_path):
    found, capture = np.load(filmed / "plain" / "clip.npz"), cv2.VideoCapture(str(filmed / "clip.avi"))
    pictures = [capture.read()[1] for _ in range(7)]
    assert found["frames"].tolist() == [0, 1, 2, 4, 5, 6]
    for part in ("person", "object"):
        (tmp_path / part).mkdir()
    for row, frame in ((1, 1), (3, 4)):
        cv2.imwrite(str(tmp_path / f"{frame}.png"), pictures[frame])
        for part in ("person", "object"):
            mask = cv2.imread(str(filmed / part / "clip" / f"{frame:06d}.png"))
            cv2.imwrite(str(tmp_path / part / f"{frame}.png"), mask)
        assert predict(photo_runs, tmp_path / f"{frame}.png", tmp_path, tmp_path) == 0
        photo = np.load(tmp_path / f"{frame}.npz")
        for name in set(photo.files) - {"K", "gender", "body", "object", "frame"}:
            np.testing.assert_allclose(found[name][row], photo[name], rtol=1e-4, atol=1e-4, err_msg=name)


def test_the_files_of_a_video_say_what_they_hold(filmed):
    told, arrays = (
        json.loads((filmed / "plain" / "clip.json").read_text()),
        np.load(filmed / "plain" / "clip.npz"),
    )
    assert (told["gaps"], told["frames_decoded"], told["frames_promised"]) == ([[3, 3]], 7, 7)
    assert (told["fps"], told["smoother"], told["object"]) == (10, None, "stool")
    assert told["person_from"] == f"masks by frame in {filmed / 'person'}"
    assert told["frame"] == str(arrays["frame"])
    for name in ("frames", "K", "theta", "R", "t", "trans", "confidence_person"):
        np.testing.assert_allclose(told[name], arrays[name], rtol=1e-6, atol=1e-7)
    mask = cv2.imread(str(filmed / "object" / "clip" / "000004.png"), cv2.IMREAD_GRAYSCALE)
    assert told["object_box"][3] == list(cv2.boundingRect(mask))


def test_the_overlay_is_a_video_with_meshes_where_there_are_some(filmed):
    plain, drawn = (cv2.VideoCapture(str(filmed / name)) for name in ("clip.avi", "plain/clip.overlay.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 7
    apart = [np.abs(plain.read()[1].astype(float) - drawn.read()[1].astype(float)).mean() for _ in range(7)]
    assert apart[3] < 3
    assert min(apart[:3] + apart[4:]) > apart[3] + 0.5


def test_the_smoother_takes_means_of_poses_within_stretches_and_says_so(filmed):
    plain, smooth = (np.load(filmed / name / "clip.npz") for name in ("plain", "smooth"))
    told = json.loads((filmed / "smooth" / "clip.json").read_text())
    assert "Gaussian mean over 1.5 frames" in told["smoother"]
    assert str(smooth["smoother"]) == told["smoother"]
    assert "smoother" not in plain
    weight = np.exp(-0.5 * (np.arange(3)[:, None] - np.arange(3)) ** 2 / 1.5**2)
    for rows in (slice(0, 3), slice(3, 6)):
        for row in range(3):
            mean = Rotation.from_matrix(plain["R"][rows]).mean(weight[row]).as_matrix()
            np.testing.assert_allclose(smooth["R"][rows][row], mean, atol=1e-5)
            knee = Rotation.from_matrix(plain["theta"][rows, 4]).mean(weight[row]).as_matrix()
            np.testing.assert_allclose(smooth["theta"][rows][row, 4], knee, atol=1e-5)
            expected = weight[row] @ plain["trans"][rows] / weight[row].sum()
            np.testing.assert_allclose(smooth["trans"][rows][row], expected, atol=1e-5)
    body, told = load_body("neutral"), (torch.from_numpy(smooth[name]) for name in ("theta", "beta", "trans"))
    np.testing.assert_allclose(smooth["body_joints"], body(*told).joints, atol=1e-4)
    assert np.array_equal(smooth["kpts"], plain["kpts"])


def test_a_smoother_keeps_what_stands_still_and_quiets_noise():
    still = torch.from_numpy(Rotation.random(1, random_state=0).as_matrix()).repeat(9, 1, 1)
    torch.testing.assert_close(smooth_rotations(still, 2.0), still)
    torch.testing.assert_close(smooth_points(torch.full((5, 3), 2.0), 0.7), torch.full((5, 3), 2.0))
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 3)))
    assert smooth_points(noise, 2.0).std() < 0.45 * noise.std()
    assert stretches(np.array([0, 1, 2, 4, 7, 8])) == [slice(0, 3), slice(3, 4), slice(4, 6)]
