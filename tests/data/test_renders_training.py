"""Training on rendered objects, before the rooms of another root."""

import cv2
import numpy as np
import pytest
import torch
from prepared_roots import make_prepared
from render_tree import make_renders

from rhobin.assets import Assets
from rhobin.behave.read import read_release
from rhobin.data.augment.donors import Donors
from rhobin.data.augment.other_root import OtherRooms
from rhobin.data.datamodule import BehaveDataModule
from rhobin.data.targets import views as targets_module
from rhobin.engine.validation import view_intrinsics

OBJECT = {"parts": ["object"], "crop": "object", "targets": ["maps"]}


@pytest.fixture(scope="module")
def renders(tmp_path_factory):
    return make_renders(tmp_path_factory.mktemp("renders") / "root", size=128)


def datamodule(root, **options):
    usual = {
        "view": {"input_size": 128},
        "reads": OBJECT,
        "batch_size": 4,
        "workers": 0,
        "validation": {"fraction": 0},
        "targets": {"maps": {"stride": 1, "nocs": "cube"}},
    }
    module = BehaveDataModule(root, **usual | options)
    module.setup()
    return module


def test_targets_drawn_are_the_coordinates_that_were_rendered(renders):
    dataset = datamodule(renders).train_dataset
    assert len(dataset) == 12
    for index in range(12):
        sample, maps = dataset[index], dataset[index].target.maps
        file = dataset.release.view_files(index)[0]
        nocs = (
            cv2.imread(str(file).replace("color.jpg", "nocs.png"), cv2.IMREAD_UNCHANGED)[..., ::-1] / 65535.0
        )
        matrix = sample.K_crop.numpy() @ np.linalg.inv(dataset.release.cameras[index].K)
        moved = cv2.warpPerspective(nocs, matrix, (128, 128), flags=cv2.INTER_LINEAR)
        solid = cv2.erode((maps.visible.numpy() > 0.5).astype(np.uint8), np.ones((3, 3))) > 0
        apart = np.abs(maps.nocs.numpy().transpose(1, 2, 0) - moved)[solid]
        assert np.quantile(apart, 0.95) < 0.02
        assert solid.sum() > 200


def test_the_crop_of_a_picture_is_nearly_the_picture(renders):
    dataset = datamodule(renders).train_dataset
    for index in range(12):
        scale = dataset[index].K_crop.numpy()[0, 0] / dataset.release.cameras[index].K[0, 0]
        assert scale == pytest.approx(1, abs=0.03)


def test_validation_holds_out_parts_of_objects_and_no_object(tmp_path, monkeypatch):
    from rhobin.behave import renders as layout
    from rhobin.synthetic.renders import build

    for module in (layout, build):
        monkeypatch.setattr(module, "PART", 2)
    module = datamodule(make_renders(tmp_path / "root", size=32), validation={"fraction": 0.3})
    shown = {module.train_dataset.key(i).sequence.split("_")[1] for i in range(len(module.train_dataset))}
    assert shown == {"boxtiny", "chairwood"}
    assert 2 <= len(module.val_dataset) <= 6


def test_a_prepared_root_gives_the_same_targets(renders, tmp_path):
    stored = make_prepared(renders, tmp_path / "out", around="object")
    raw, prepared = datamodule(renders).train_dataset, datamodule(stored).train_dataset
    for index in (0, 7):
        assert torch.equal(raw[index].target.object.R, prepared[index].target.object.R)
        assert (raw[index].image.float() - prepared[index].image.float()).abs().mean() < 4


def test_backgrounds_come_from_the_rooms_of_another_root(renders, release_root):
    augment = {
        "background_p": 1,
        "background_from": str(release_root),
        "rotation_p": 0,
        "colour": 0,
        "scale": 0,
    }
    plain, pasted = datamodule(renders).train_dataset, datamodule(renders, augment=augment).train_dataset
    for index in range(12):
        before, after = (dataset[index] for dataset in (plain, pasted))
        visible = before.target.maps.visible.numpy() > 0.5
        inner = cv2.erode(visible.astype(np.uint8), np.ones((5, 5))) > 0
        outer = cv2.dilate(visible.astype(np.uint8), np.ones((13, 13))) == 0
        assert torch.equal(before.image[:, inner], after.image[:, inner])
        assert before.image[:, outer].max() < 16  # what JPEG leaves near the outline
        assert (after.image[:, outer].float().mean(dim=0) > 3).float().mean() > 0.95
        assert "background room of another root" in pasted.describe(0, index)
    first, again = pasted[3].image, datamodule(renders, augment=augment).train_dataset[3].image
    assert torch.equal(first, again)


def test_a_room_is_the_same_however_often_and_in_whatever_order_it_is_drawn(release_root):
    rooms, others = OtherRooms(release_root), OtherRooms(release_root)
    drawn = [rooms.draw(np.random.default_rng(seed), 64) for seed in range(30)]
    again = [others.draw(np.random.default_rng(seed), 64) for seed in reversed(range(30))][::-1]
    for first, second in zip(drawn, again, strict=True):
        assert (first is None) == (second is None)
        assert first is None or np.array_equal(first, second)
    assert sum(room is not None for room in drawn) > 15
    assert len({room.tobytes() for room in drawn if room is not None}) > 15


def test_nobody_stays_in_rooms_of_another_root(release_root):
    rooms = OtherRooms(release_root)
    views = [rooms.donors._try(view) for view in range(4)]
    assert all(view.masks_on_color().any() for view in views)
    assert all(view.color.size[0] > view.side * view.color.from_image[0, 0] for view in views)


def test_patches_show_the_background_without_people(renders):
    augment = {
        "background_p": 1,
        "background_from": "noise",
        "rotation_p": 0,
        "colour": 0,
        "scale": 0,
        "occluder": {"p": 1, "kinds": ["patch"], "count": 1},
    }
    without = {**augment, "occluder": {"p": 0}}
    patched, whole = (datamodule(renders, augment=value).train_dataset for value in (augment, without))
    covered = 0
    for index in range(12):
        after, before = patched[index], whole[index]
        lost = (before.target.maps.visible > 0.5) & (after.target.maps.visible < 0.5)
        covered += int(lost.sum())
        assert after.target.maps.visible.sum() >= 0.3 * before.target.maps.visible.sum()
        assert torch.equal(after.target.maps.amodal, before.target.maps.amodal)
        same = (after.image == before.image).all(dim=0)
        assert (
            same[before.target.maps.visible < 0.5].float().mean() > 0.97
        )  # the background goes on through it
    assert covered > 1000


@pytest.mark.parametrize("kind", ["object", "person", "template", "rectangle"])
def test_every_occluder_does_without_people(renders, kind):
    augment = {"occluder": {"p": 1, "kinds": [kind], "count": 1}}
    dataset = datamodule(renders, augment=augment).train_dataset
    notes = [dataset.describe(0, index) for index in range(6)]
    assert all(("person: no room" if kind == "person" else kind) in note for note in notes)


@pytest.mark.parametrize("augment", [{"background_p": 1}, {"occluder": {"p": 1}}])
def test_renders_have_no_rooms_of_their_own(renders, augment):
    with pytest.raises(
        ValueError, match=r"stand in no room; set data.augment.background_from to a BEHAVE root"
    ):
        datamodule(renders, augment=augment)


def test_other_renders_have_no_rooms_either(renders):
    augment = {"background_p": 1, "background_from": str(renders)}
    with pytest.raises(ValueError, match=r"data.augment.background_from: .* stand in no room"):
        datamodule(renders, augment=augment)


def test_rows_without_bodies_share_their_memory(renders):
    release = read_release(renders)
    targets = targets_module.build_targets(release, Assets.of({}, release.templates))
    assert targets.theta.shape == (12, 52, 3, 3)
    assert targets.theta.strides[0] == 0
    assert (targets.theta == np.eye(3, dtype=np.float32)).all()


def test_views_of_a_room_are_those_of_its_camera():
    names, cameras = ["Date02_a", "Date01_a", "Date02_b", "Date01_b", "Date02_a"], [0, 0, 0, 1, 1]
    donors = Donors(names, cameras, lambda index: index)
    expected = {0: {2}, 1: set(), 2: {0}, 3: set(), 4: set()}
    for index, others in expected.items():
        assert set(donors.same_room(np.random.default_rng(0), index, 9)) == others


def test_a_picture_counts_as_the_part_of_a_frame_that_it_is(renders):
    """Sizes of blur and dropout follow pixels of a frame 640 wide, whose focal length kinect 1 has."""
    dataset = datamodule(renders, augment={"background_from": "noise"}).train_dataset
    for index in range(12):
        focal = dataset.release.cameras[index].K[0, 0]
        assert dataset._frame_width(index, 128) / focal == pytest.approx(2048 / 979.784)
        assert view_intrinsics(dataset)(dataset[index].key)[0, 0] == pytest.approx(979.784)


@pytest.mark.parametrize("scenes", [False, True])
def test_a_crops_window_is_counted_in_frame_widths(renders, release_root, scenes):
    """Its side is its field of view over the frame's, of a render as of a photograph."""
    dataset = datamodule(release_root if scenes else renders).train_dataset
    for index in range(12):
        sample, view = dataset[index], int(dataset.views[index])
        camera = dataset.release.cameras[dataset.release.views.camera[view]]
        frame = camera.width / camera.K[0, 0] if scenes else 2048 / 979.784
        assert sample.window[2].item() == pytest.approx(128 / sample.K_crop[0, 0].item() / frame, rel=1e-4)
        assert sample.window[2].item() == pytest.approx(1.5 * sample.window[:2].max().item(), rel=0.05)
