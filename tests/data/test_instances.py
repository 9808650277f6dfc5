"""Mask R-CNN of torchvision: weights from files, what it finds, and which of it is meant."""

import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from mask_photo import rectangle, write_photo

from rhobin.data.photos.instances import Instance, choose_masks, find_instances
from rhobin.data.photos.mask_network import class_names, mask_network
from rhobin.data.photos.photo import PhotoError

pytest.importorskip("torchvision")
PERSON_CLASS = 1


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights in a file, with which everything is a person."""
    from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

    with torch.device("meta"):
        shapes = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None).state_dict()
    chance = torch.Generator().manual_seed(0)
    state = {name: 0.02 * torch.randn(value.shape, generator=chance) for name, value in shapes.items()}
    norms = [
        name for name, value in shapes.items() if name.endswith(("running_var", "weight")) and value.ndim == 1
    ]
    state |= {name: torch.ones(shapes[name].shape) for name in norms}
    state["roi_heads.box_predictor.cls_score.bias"][PERSON_CLASS] = 20
    file = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(state, file)
    return file


@pytest.fixture(scope="module")
def network(weights):
    """That network, on small images."""
    network = mask_network(weights, "cpu")
    network.transform.min_size, network.transform.max_size = (64,), 64
    network.roi_heads.detections_per_img = 3
    return network


@pytest.fixture
def photo(tmp_path):
    return write_photo(tmp_path)


def thing(name, score, x, y, width, height):
    return Instance(
        name, score, np.array([x, y, width, height]), rectangle(x, y, width, height) * np.uint8(255)
    )


def blank(file):
    """Weights of the same shapes, all one number, which take no room in a file."""
    state = torch.load(file)
    return {name: torch.full((), 3, dtype=value.dtype).expand(value.shape) for name, value in state.items()}


def columns(found, part):
    return np.flatnonzero(found[part].pixels.any(axis=0))[[0, -1]].tolist()


def test_weights_of_a_file_find_what_torchvision_finds_with_them(network, photo):
    found = find_instances(photo, network)
    colors = torch.from_numpy(photo.pixels[..., ::-1].copy()).permute(2, 0, 1) / 255
    with torch.no_grad():
        truth = network([colors])[0]
    assert 0 < len(found) <= 3
    assert {one.name for one in found} == {"person"}
    for number, one in enumerate(found):
        x, y, right, bottom = truth["boxes"][number].tolist()
        assert one.box == pytest.approx([x, y, right - x, bottom - y], abs=1e-4)
        assert np.array_equal(one.mask, (truth["masks"][number, 0] > 0.5).numpy() * np.uint8(255))
        assert one.score == pytest.approx(truth["scores"][number].item())


def test_boxes_and_masks_of_a_large_photograph_are_at_its_size(network, tmp_path, monkeypatch):
    photo = write_photo(tmp_path, size=(160, 120))
    monkeypatch.setattr("rhobin.data.photos.instances.LONGEST", 80)
    found = find_instances(photo, network)
    assert found
    for one in found:
        assert one.mask.shape == (120, 160)
        inside = np.zeros((120, 160), bool)
        low, high = np.floor(one.box[:2]).astype(int), np.ceil(one.box[:2] + one.box[2:]).astype(int)
        inside[max(0, low[1] - 4) : high[1] + 4, max(0, low[0] - 4) : high[0] + 4] = True
        assert not (one.mask[~inside] > 0).any()
    assert max((one.box[:2] + one.box[2:]).max() for one in found) > 81


def test_files_without_these_weights_are_refused(weights, tmp_path):
    state = blank(weights)
    other = {**state, "roi_heads.box_predictor.cls_score.bias": torch.zeros(2)}
    few = dict(list(state.items())[3:])
    torch.save({"model": {}}, tmp_path / "other.pth")
    torch.save(torch.nn.Linear(1, 1), tmp_path / "module.pth")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    (tmp_path / "cut.pth").write_bytes(weights.read_bytes()[:1000])
    for name, content in (("few.pth", few), ("shape.pth", other)):
        torch.save(content, tmp_path / name)
    for name, said in (
        ("none.pth", "no such file, set by --mask-weights"),
        ("few.pth", r"3 are missing, .* first backbone\.body\.bn1"),
        ("shape.pth", r"1 are missing, unknown or of another shape, first roi_heads\.box_predictor"),
        ("other.pth", "weights of another network"),
        ("module.pth", "expected a state dict. Give torchvision's file"),
        ("tensor.pth", "found a Tensor; expected a state dict"),
        ("cut.pth", "expected a state dict"),
    ):
        with pytest.raises(PhotoError, match=said) as error:
            mask_network(tmp_path / name)
        assert str(error.value).startswith(str(tmp_path / name))


def test_offline_the_error_says_what_to_put_where(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise urllib.request.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("torch.hub.download_url_to_file", fail)
    with pytest.raises(PhotoError) as error:
        mask_network()
    name = "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"
    kept = tmp_path / "torch" / "hub" / "checkpoints" / name
    address = f"https://download.pytorch.org/models/{name}"
    for text in ("--masks auto", "be downloaded", "no route", address, str(kept), "--mask-weights FILE"):
        assert text in str(error.value)
    kept.write_bytes(b"half a file")
    with pytest.raises(PhotoError, match=r"cannot be read .* Remove that file"):
        mask_network()


def test_weights_that_torchvision_has_kept_are_read(weights, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    kept = Path(torch.hub.get_dir()) / "checkpoints" / "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"
    kept.parent.mkdir(parents=True)
    torch.save(blank(weights), kept)
    network = mask_network()
    assert (network.roi_heads.box_predictor.cls_score.bias == 3).all()
    assert not network.training


def test_the_person_has_the_largest_score_times_area_or_is_in_the_box(photo):
    found = [
        thing("person", 0.9, 0, 0, 5, 20),
        thing("person", 0.6, 20, 0, 9, 20),
        thing("dog", 0.99, 0, 0, 40, 30),
    ]
    assert columns(choose_masks(found, photo, ("person",)), "person") == [20, 28]
    assert columns(choose_masks(found, photo, ("person",), box=(1, 1, 5, 15)), "person") == [0, 4]
    with pytest.raises(PhotoError, match=r"in the boxes 0,0,5,20 and 20,0,9,20, none of which .* 34,2,5,5"):
        choose_masks(found, photo, ("person",), box=(34, 2, 5, 5))


@pytest.mark.parametrize(
    ("asked", "box", "taken"),
    [
        (None, None, [15, 17]),  # touches the person
        ("chairwood", None, [22, 30]),
        ("chairblack", (30, 0, 9, 9), [35, 38]),
        ("monitor", None, None),
    ],
)
def test_the_object_is_the_nearest_of_the_classes_that_may_be_meant(photo, asked, box, taken):
    found = [
        thing("person", 0.9, 5, 0, 10, 30),
        thing("person", 0.8, 31, 0, 4, 20),
        thing("dog", 0.9, 15, 0, 5, 30),
        thing("backpack", 0.6, 15, 5, 3, 9),
        thing("backpack", 0.6, 15, 5, 2, 2),
        thing("chair", 0.6, 22, 5, 9, 9),
        thing("chair", 0.9, 35, 5, 4, 18),
    ]
    if taken is None:
        with pytest.raises(
            PhotoError, match=r"no object \(found: person 0\.90, .* and 2 more\); .* of tv with"
        ):
            choose_masks(found, photo, asked=asked, box=box)
        assert choose_masks(found, photo, ("person",), ("object",), box, asked).keys() == {"person"}
    else:
        assert columns(choose_masks(found, photo, asked=asked, box=box), "object") == taken


def test_what_is_not_found_or_not_known_is_said(photo):
    chair = thing("chair", 0.7, 0, 0, 5, 20)
    with pytest.raises(PhotoError, match=r"photo\.png: Mask R-CNN finds no person \(found: chair 0\.70\)"):
        choose_masks([chair], photo)
    with pytest.raises(PhotoError, match=r"finds no person \(found: none\)"):
        choose_masks([], photo, box=(0, 0, 5, 5))
    with pytest.raises(PhotoError, match=r"knows no boxlarge; .* backpack, suitcase, .* --mask FILE"):
        choose_masks([chair], photo, ("object",), asked="boxlarge")
    found = choose_masks([chair], photo, ("object",))["object"]
    assert (found.name, found.how) == ("chair", "chair by Mask R-CNN, score 0.70")
    assert "person" in class_names()
