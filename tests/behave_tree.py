"""A small tree in the layout of the raw release: stand-in bodies, drawn masks, noise for colour."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import torch

from rhobin.behave.layout import SYNTHETIC, frame_name, parse_sequence, subject_gender
from rhobin.behave.own_body import made_with
from rhobin.behave.read import read_release
from rhobin.behave.ref import SequenceAnnotation, write_ref
from rhobin.behave.writers.templates import write_templates
from rhobin.behave.writers.tree import write_calibs, write_frame, write_info, write_split
from rhobin.body.load import load_bodies
from rhobin.files import write_json
from rhobin.geometry.camera import project, world_to_camera
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.objects.load import load_templates
from rhobin.types import GENDERS, Camera

WIDTH, HEIGHT = 160, 120
TRAIN = (
    "Date01_Sub01_boxlarge_lift",
    "Date01_Sub01_chairblack_sit",
    "Date02_Sub06_yogaball_hold",
    "Date04_Sub05_stool",
)
TEST = ("Date03_Sub04_backpack_back",)


def make_cameras(tilt: float = 0.35) -> list[Camera]:
    """Four cameras around a point 2.6 m before kinect 1; the vertical is tilted against their axes."""
    K = np.array([[76.5, 0, 79.6], [0, 76.5, 60.9], [0, 0, 1]])
    lean = cv2.Rodrigues(np.array([tilt, 0.0, 0.0]))[0]
    middle = np.array([0.0, 0.0, 2.6])
    cameras = []
    for kinect, yaw in enumerate((0.5 * np.pi, 0.0, np.pi, -0.5 * np.pi)):
        turn = lean @ cv2.Rodrigues(np.array([0.0, yaw, 0.0]))[0] @ lean.T
        turn = np.eye(3) if kinect == 1 else turn
        cameras.append(Camera(K + kinect * np.diag([1.0, 1, 0]), turn, middle - turn @ middle, WIDTH, HEIGHT))
    return cameras


def make_parameters(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """An upright person about 2.6 m before kinect 1, an object beside it."""
    pose = rng.normal(0, 0.15, 156)
    upright = (
        cv2.Rodrigues(np.array([np.pi, 0.0, 0.0]))[0] @ cv2.Rodrigues(np.array([0, rng.uniform(-3, 3), 0]))[0]
    )
    pose[:3] = cv2.Rodrigues(upright)[0].ravel()
    return {
        "pose": pose,
        "betas": rng.normal(0, 0.8, 10),
        "trans": np.array([rng.normal(0, 0.15), 0.1, 2.6]),
        "obj_angle": rng.normal(0, 1, 3),
        "obj_trans": np.array([rng.normal(0, 0.2), 0.2, 2.3 + rng.normal(0, 0.1)]),
    }


def silhouette(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Convex outline of world points in a camera."""
    pixels = project(world_to_camera(points, camera), camera.K)
    mask = np.zeros((camera.height, camera.width), np.uint8)
    hull = cv2.convexHull(np.round(pixels).astype(np.int32))
    return cv2.fillConvexPoly(mask, hull, 1).astype(bool)


def make_tree(
    root: Path, frames: int = 2, train: tuple[str, ...] = TRAIN, test: tuple[str, ...] = TEST, seed: int = 0
) -> Path:
    """Write a tree with all four views of `frames` frames of every sequence."""
    rng = np.random.default_rng(seed)
    cameras, templates, bodies = make_cameras(), load_templates(), load_bodies()
    write_templates(root, templates)
    write_calibs(root, dict.fromkeys(sorted({name[:6] for name in train + test}), cameras))
    write_split(root, train, test)
    write_json(root / SYNTHETIC, made_with(None))
    for name in train + test:
        parsed = parse_sequence(name)
        gender = subject_gender(parsed.subject)
        folder = root / "sequences" / name
        for number in range(frames):
            values = make_parameters(rng)
            points = posed(values, gender, bodies, templates[parsed.object_name])
            views = {kinect: draw_view(camera, *points, rng) for kinect, camera in enumerate(cameras)}
            write_frame(folder / frame_name(3 + number), parsed.object_name, **values, images=views)
        write_info(folder, parsed.object_name, gender)
    return root


def posed(values, gender, bodies, template) -> tuple[np.ndarray, np.ndarray]:
    """World vertices of the person and of the object."""
    tensors = {key: torch.tensor(value, dtype=torch.float32)[None] for key, value in values.items()}
    theta = rotvec_to_rotmat(tensors["pose"].reshape(1, 52, 3))
    index = torch.tensor([GENDERS.index(gender)])
    body = bodies(theta, tensors["betas"], tensors["trans"], index).verts[0].double().numpy()
    R = cv2.Rodrigues(values["obj_angle"])[0]
    return body, template.verts @ R.T + values["obj_trans"]


def draw_view(camera: Camera, body: np.ndarray, obj: np.ndarray, rng: np.random.Generator) -> SimpleNamespace:
    """A view with convex silhouettes, the object in front of the person, on smooth noise."""
    person_full, object_full = silhouette(body, camera), silhouette(obj, camera)
    color = rng.integers(0, 256, (camera.height // 8, camera.width // 8, 3), dtype=np.uint8)
    return SimpleNamespace(
        color=cv2.resize(color, (camera.width, camera.height), interpolation=cv2.INTER_CUBIC),
        person_mask=person_full & ~object_full,
        object_mask=object_full,
        person_full=person_full,
        object_full=object_full,
    )


def write_ground_truth(root: Path) -> None:
    """The challenge's ref.pkl of a tree's test split; one frame is too occluded to count."""
    release, annotations = read_release(root, "test", (1,)), {}
    frames = release.frames
    for index, name in enumerate(release.sequences):
        rows = np.flatnonzero(frames.sequence == index)
        visible = np.linspace(0.9, 0.31, len(rows))
        visible[1] = 0.29 if index == 0 else 0.3
        annotations[name] = SequenceAnnotation(
            frames=[str(n) for n in frames.name[rows]],
            gender=GENDERS[frames.gender[rows[0]]],
            poses=frames.pose[rows],
            betas=frames.betas[rows],
            trans=frames.trans[rows],
            obj_rots=frames.obj_angle[rows],
            obj_trans=frames.obj_trans[rows],
            occ_ratios=visible,
        )
    write_ref(root / "ref.pkl", annotations, load_templates())
