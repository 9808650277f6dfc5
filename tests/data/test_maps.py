"""Object maps: pytorch3d's answer, GDR-Net's answer, and every pixel back where it came from."""

import multiprocessing
import pickle

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from rhobin.data.targets.maps import MapConfig, ObjectMapper
from rhobin.geometry.backend import rasterise
from rhobin.geometry.camera import crop_intrinsics, crop_matrix, project
from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.nocs import from_nocs, to_nocs
from rhobin.objects.regions import nearest_region

KINECT = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])
NAMES = ("chairblack", "keyboard", "stool", "trashbin", "yogaball", "boxlong")
ID = {name: index for index, name in enumerate(OBJECT_NAMES)}
WHITE = np.full((256, 256), 255, np.uint8)


@pytest.fixture(scope="module")
def mapper():
    return ObjectMapper({ID[name]: built_in(name) for name in OBJECT_NAMES}, MapConfig())


def place(name, seed=0, depth=2.4):
    """A pose and the intrinsics of a crop about the projected object."""
    rng = np.random.default_rng(seed)
    R = Rotation.random(random_state=rng).as_matrix()
    t = np.array([rng.uniform(-0.8, 0.8), rng.uniform(-0.4, 0.4), depth])
    pixels = project(built_in(name).verts @ R.T + t, KINECT)
    side = 1.3 * float(np.ptp(pixels, axis=0).max())
    return R, t, crop_intrinsics(KINECT, (pixels.min(axis=0) + pixels.max(axis=0)) / 2, side, 256)


def shrunk(mask):
    """The mask without its rim."""
    return cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0


@pytest.mark.parametrize("name", OBJECT_NAMES)
def test_coordinates_agree_with_pytorch3d(mapper, name):
    pytest.importorskip("pytorch3d")
    template = built_in(name)
    R, t, K_crop = place(name, seed=2)
    maps = mapper(ID[name], R, t, K_crop, WHITE)
    mesh = template.verts @ R.T + t, template.faces
    depth = rasterise([mesh], maps.K.double().numpy(), 64, 64, "pytorch3d").distance.reshape(64, 64)
    seen = np.isfinite(depth)
    rim = shrunk(seen) != seen
    rim |= shrunk(~seen) != ~seen
    differ = seen != (maps.amodal.numpy() > 0)
    assert (differ & ~rim).sum() <= 0.005 * seen.sum()
    assert differ.sum() <= 0.05 * rim.sum(), "even on the rim only centres on an edge may differ"
    inner = shrunk(seen) & (maps.amodal.numpy() > 0)
    rows, columns = np.nonzero(inner)
    rays = np.stack([columns, rows, np.ones(len(rows))], axis=1) @ np.linalg.inv(maps.K.double().numpy()).T
    points = (rays * depth.astype(np.float64)[inner][:, None] - t) @ R
    ours = from_nocs(maps.nocs.double().numpy()[:, inner].T, maps.box.double().numpy())
    error = np.linalg.norm(points - ours, axis=1) / template.diameter
    assert len(error) > 40
    assert (error < 1e-3).mean() >= 0.995


@pytest.mark.parametrize("shape", ["box", "cube"])
@pytest.mark.parametrize("name", NAMES)
def test_coordinates_project_back_to_their_pixels(name, shape):
    mapper = ObjectMapper({ID[name]: built_in(name)}, MapConfig(nocs=shape, stride=2))
    R, t, K_crop = place(name, seed=4)
    maps = mapper(ID[name], R, t, K_crop, WHITE)
    rows, columns = np.nonzero(maps.amodal.numpy())
    points = from_nocs(maps.nocs.double().numpy()[:, rows, columns].T, maps.box.double().numpy())
    pixels = project(points @ R.T + t, K_crop)  # of the crop, where a map pixel is two wide
    expected = np.stack([columns, rows], axis=1) * 2 + 0.5
    assert np.abs(pixels - expected).max() < 0.01
    nocs = maps.nocs.numpy()
    assert nocs.min() >= 0
    assert nocs.max() <= 1
    assert (nocs[:, maps.amodal.numpy() == 0] == 0.5).all()


def test_points_lie_on_the_near_side_of_the_surface(mapper):
    name = "chairwood"
    template, (R, t, K_crop) = built_in(name), place("chairwood", seed=5)
    maps = mapper(ID[name], R, t, K_crop, WHITE)
    inner = maps.amodal.numpy() > 0
    points = from_nocs(maps.nocs.double().numpy()[:, inner].T, maps.box.double().numpy())
    assert np.abs(template.sdf(points)).max() < 2e-3  # facets of round bars
    nearer = points - 0.02 * (points - (-R.T @ t)) / np.linalg.norm(points - (-R.T @ t), axis=1)[:, None]
    assert (template.sdf(nearer) > -2e-3).all(), "towards the camera there is nothing"


def test_region_labels_name_the_nearest_centre(mapper):
    name = "stool"
    R, t, K_crop = place(name, seed=6)
    maps = mapper(ID[name], R, t, K_crop, WHITE)
    inner = maps.region.numpy() > 0
    assert np.array_equal(inner, maps.amodal.numpy() > 0)
    points = from_nocs(maps.nocs.double().numpy()[:, inner].T, maps.box.double().numpy())
    centres = mapper._shape(ID[name]).regions.centres
    gaps = cdist(points, centres)
    chosen = maps.region.numpy()[inner] - 1
    assert (gaps[np.arange(len(points)), chosen] <= gaps.min(axis=1) + 1e-6).all()
    assert len(np.unique(chosen)) > 20


def test_maps_are_those_of_gdr_net(oracle):
    """From its own coordinate picture: same labels, coordinates, background and visible mask."""
    vectors = oracle("gdr_targets")
    for sample in range(3):
        given = {k.split("/")[2]: v for k, v in vectors.items() if k.startswith(f"train{sample}/in/")}
        wanted = {k.split("/")[2]: v for k, v in vectors.items() if k.startswith(f"train{sample}/out/")}
        x1, y1, x2, y2 = given["xyxy"]
        picture = np.zeros((*given["segmentation"].shape, 3), np.float32)
        picture[y1 : y2 + 1, x1 : x2 + 1] = given["xyz_crop_f16"]
        crop = crop_matrix(wanted["bbox_center"].astype(np.float64), float(wanted["scale"]), 16)
        crop[:2, 2] += 0.5  # GDR-Net counts from the first pixel's corner
        points = cv2.warpAffine(picture, crop[:2], (16, 16), flags=cv2.INTER_NEAREST).astype(np.float64)
        mask = cv2.warpAffine(given["segmentation"], crop[:2], (16, 16), flags=cv2.INTER_NEAREST)
        seen = (points != 0).any(axis=2)
        assert np.array_equal(seen, wanted["roi_mask_obj"] > 0)
        visible = seen & (mask > 0)
        assert np.array_equal(visible, wanted["roi_mask_visib"] > 0)
        region = np.zeros(seen.shape, np.int64)
        region[seen] = nearest_region(points[seen], given["fps_points"])
        assert np.array_equal(region, wanted["roi_region"])
        box = np.stack([np.zeros(3), given["extent"].astype(np.float64)])
        nocs = to_nocs(points, box).transpose(2, 0, 1)
        if "roi_xyz" in wanted:
            assert np.abs(nocs - wanted["roi_xyz"]).max() < 1e-5
        else:
            bins = np.where(visible, np.clip(np.floor(nocs * 64), 0, 63), 64)
            assert np.array_equal(bins, wanted["roi_xyz_bin"])


def test_visible_is_the_mask_on_the_object(mapper):
    """Half a map pixel counts, a mask beside the object does not, and hiding changes nothing else."""
    name = "boxlarge"
    R, t, K_crop = place(name, seed=7)
    free = mapper(ID[name], R, t, K_crop, WHITE)
    assert torch.equal(free.visible, free.amodal)
    half = WHITE.copy()
    half[:, :130] = 0  # ends in the middle of map column 32
    shown = mapper(ID[name], R, t, K_crop, half)
    assert torch.equal(shown.visible[:, 32:], free.amodal[:, 32:])
    assert not shown.visible[:, :32].any()
    half[:, :131] = 0
    assert not mapper(ID[name], R, t, K_crop, half).visible[:, :33].any()
    assert 0 < shown.visible.sum() < free.amodal.sum()
    for member in ("nocs", "region", "amodal"):
        assert torch.equal(getattr(shown, member), getattr(free, member))


def test_an_object_across_the_border_is_cut_there(mapper):
    """Moving the crop moves the maps, pixel for pixel."""
    name = "tablesmall"
    R, t, K_crop = place(name, seed=8)
    moved = np.array([[1, 0, 4 * 24.0], [0, 1, 0], [0, 0, 1]]) @ K_crop
    whole, cut = mapper(ID[name], R, t, K_crop, WHITE), mapper(ID[name], R, t, moved, WHITE)
    assert cut.amodal[:, -1].any(), "the object crosses the border"
    differ = cut.region[:, 24:] != whole.region[:, :-24]
    assert differ.float().mean() < 0.002  # rounding at edges of triangles
    same = ~differ & (cut.region[:, 24:] > 0)
    gap = (cut.nocs[:, :, 24:] - whole.nocs[:, :, :-24])[:, same].abs()
    assert gap.max() < 1e-4


@pytest.mark.parametrize("depth", [-2.0, 0.0, 0.15])
def test_objects_at_and_behind_the_camera(mapper, depth):
    """Empty behind it; around it, finite and in range."""
    _, _, K_crop = place("boxlarge")
    maps = mapper(ID["boxlarge"], np.eye(3), np.array([0.0, 0.0, depth]), K_crop, WHITE)
    assert torch.isfinite(maps.nocs).all()
    assert bool(maps.amodal.any()) == (depth >= 0)


def test_a_far_corner_of_the_image_shows_nothing(mapper):
    R, t, K_crop = place("keyboard")
    away = np.array([[1, 0, 5000.0], [0, 1, 0], [0, 0, 1]]) @ K_crop
    maps = mapper(ID["keyboard"], R, t, away, WHITE)
    assert not maps.amodal.any()
    assert (maps.nocs == 0.5).all()


def digest(mapper):
    maps = mapper(ID["chairwood"], *place("chairwood", seed=9), WHITE)
    return [value.numpy().tobytes() for value in vars(maps).values()]


def send(mapper, queue):
    queue.put(digest(mapper))


def test_same_bits_in_a_forked_worker_and_after_pickling(mapper):
    here = digest(mapper)  # the parent has cast rays before it forks
    assert digest(pickle.loads(pickle.dumps(mapper))) == here
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    worker = context.Process(target=send, args=(mapper, queue))
    worker.start()
    assert queue.get(timeout=60) == here
    worker.join(timeout=60)


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r"data.targets.maps.nocs is 'ball'; expected one of box, cube"):
        MapConfig(nocs="ball")
    with pytest.raises(ValueError, match=r"data.targets.maps.regions is 0; expected at least 1"):
        MapConfig(regions=0)
