"""`rhobin predict` in batches, in half precision, compiled: the same, computed as asked."""

import cv2
import numpy as np
import pytest
import torch
from photo_runs import METHODS, draw_photo, write_photos

from rhobin.__main__ import main
from rhobin.engine.photo_network import open_network
from rhobin.engine.photo_speed import sped_up

FITTED = ("theta", "poses", "poses_smpl", "trans", "joints", "joints_sigma_mm", "body_joints", "R")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Four photographs, one of another size, one turned by its pixels."""
    root = write_photos(tmp_path_factory.mktemp("photos"), "abc")
    for part, picture in zip(("photos", "person", "object"), draw_photo(3), strict=True):
        ending = "jpg" if part == "photos" else "png"
        cv2.imwrite(str(root / part / f"d.{ending}"), cv2.resize(picture, (200, 260)))
    return root


def predicted(run, photos, out, *options):
    """Arrays of each photograph by name."""
    people = () if run.name == "g2dr" else ("--mask", photos / "person")
    objects = () if run.name == "bev_hybrik" else ("--object-mask", photos / "object", "--object", "stool")
    arguments = (run, photos / "photos", *people, *objects, *options, "--device", "cpu", "--out", out)
    assert main(["predict", *map(str, arguments)]) == 0
    return {file.stem: dict(np.load(file)) for file in sorted(out.glob("*.npz"))}


@pytest.fixture(scope="module")
def alone(photo_runs, photos, tmp_path_factory):
    """Of each method, what it says of photographs one by one."""
    out = tmp_path_factory.mktemp("alone")
    return {method: predicted(photo_runs[method], photos, out / method) for method in METHODS}


def same(found, expected):
    """Within 1e-4; fitted bodies within 1e-3, for the joints of an untrained network nearly coincide."""
    assert list(found) == list(expected)
    for name, arrays in found.items():
        for key, array in arrays.items():
            if array.dtype.kind == "f":
                near = 1e-3 if key in FITTED else 1e-4
                np.testing.assert_allclose(array, expected[name][key], rtol=near, atol=near, err_msg=key)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_has_the_numbers_of_its_photographs(alone, photo_runs, photos, tmp_path, method):
    found = predicted(photo_runs[method], photos, tmp_path, "--batch", 3)
    assert list(found) == ["a", "b", "c", "d"]
    same(found, alone[method])


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("16", torch.float16)])
def test_half_precision_is_the_networks_alone(
    alone, photo_runs, photos, tmp_path, monkeypatch, precision, dtype
):
    seen = set()
    conv2d = torch.nn.functional.conv2d

    def spy(image, *rest):
        result = conv2d(image, *rest)
        seen.add(result.dtype)
        return result

    monkeypatch.setattr(torch.nn.functional, "conv2d", spy)
    found = predicted(photo_runs["khor"], photos, tmp_path, "--precision", precision)
    assert seen == {dtype}
    for name, arrays in found.items():
        assert {array.dtype for array in arrays.values()} <= {
            np.dtype(t) for t in ("f4", "f8", *_texts(arrays))
        }
        for R in (arrays["R"], *arrays["theta"]):
            np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-5)
        apart = np.abs(arrays["beta"] - alone["khor"][name]["beta"]).max()
        assert 0 < apart < 0.05


def _texts(arrays):
    return {array.dtype for array in arrays.values() if array.dtype.kind == "U"}


def test_a_compiled_network_is_the_one_that_predicts(alone, photo_runs, photos, tmp_path, monkeypatch):
    """What `torch.compile` returns is run once a batch; its own work would take a minute."""
    batches = []

    class Compiled(torch.nn.Module):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, *inputs):
            batches.append(len(inputs[0]))
            return self.net(*inputs)

    monkeypatch.setattr(torch, "compile", Compiled)
    monkeypatch.setattr("rhobin.engine.speed.missing_for_compiling", lambda device: "")
    found = predicted(photo_runs["g2dr"], photos, tmp_path, "--compile", "--batch", 3)
    assert batches == [3, 1]
    same(found, alone["g2dr"])


def test_what_needs_cuda_is_told(photo_runs, monkeypatch):
    with pytest.raises(ValueError, match=r"--compile: expected a CUDA device, found cpu.*Leave --compile"):
        sped_up(open_network(photo_runs["g2dr"], device="cpu"), compiled=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="finds no CUDA device here"):
        open_network(photo_runs["g2dr"], device="cuda")


def test_files_say_how_they_were_computed(photo_runs):
    network = sped_up(open_network(photo_runs["g2dr"], device="cpu"), "bf16")
    assert {key: network.origin[key] for key in ("precision", "compiled", "device")} == {
        "precision": "bf16", "compiled": False, "device": "cpu",
    }  # fmt: skip
