"""`rhobin predict` in batches, in half precision, compiled: the same bodies and objects, computed as asked."""

from functools import partial

import cv2
import numpy as np
import pytest
import torch
from photo_runs import METHODS, draw_photo, write_photos

from rhobin.__main__ import main
from rhobin.engine.photo_network import open_network
from rhobin.engine.photo_speed import require_compiler, sped_up


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


def same(found, expected, tolerance):
    assert list(found) == list(expected)
    for name, arrays in found.items():
        for key, array in arrays.items():
            if array.dtype.kind == "f":
                wanted = expected[name][key]
                np.testing.assert_allclose(array, wanted, rtol=tolerance, atol=tolerance, err_msg=key)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_has_the_numbers_of_its_photographs(alone, photo_runs, photos, tmp_path, method):
    found = predicted(photo_runs[method], photos, tmp_path, "--batch", 3)
    assert list(found) == ["a", "b", "c", "d"]
    same(found, alone[method], 1e-4)


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
        apart = np.abs(arrays["joints"] - alone["khor"][name]["joints"]).max()
        assert 0 < apart < 0.5


def _texts(arrays):
    return {array.dtype for array in arrays.values() if array.dtype.kind == "U"}


@pytest.mark.parametrize("method", METHODS)
def test_a_compiled_network_says_the_same(alone, photo_runs, photos, tmp_path, monkeypatch, method):
    traced = []

    def backend(graph, inputs):
        traced.append(graph)
        return graph.forward

    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    found = predicted(photo_runs[method], photos, tmp_path, "--compile", "--batch", 2)
    assert traced
    same(found, alone[method], 1e-4)


def test_a_missing_compiler_or_device_is_told(photo_runs, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ValueError, match="needs a C\\+\\+ compiler.*or leave --compile out"):
        require_compiler(torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="finds no CUDA device here. Predict with --device cpu"):
        open_network(photo_runs["g2dr"], device="cuda")


def test_files_say_how_they_were_computed(photo_runs):
    network = sped_up(open_network(photo_runs["g2dr"], device="cpu"), "bf16")
    assert {key: network.origin[key] for key in ("precision", "compiled", "device")} == {
        "precision": "bf16", "compiled": False, "device": "cpu",
    }  # fmt: skip
