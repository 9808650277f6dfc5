"""A scene before one camera, and the same scene turned about it."""

import cv2
import numpy as np
import torch
from behave_tree import TEST, make_parameters, posed, silhouette

from rhobin.behave.layout import frame_name, parse_sequence, subject_gender
from rhobin.behave.writers.templates import write_templates
from rhobin.behave.writers.tree import write_calibs, write_frame, write_info, write_split
from rhobin.body.load import load_bodies
from rhobin.body.transform import change_camera
from rhobin.geometry.camera import world_to_camera
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat
from rhobin.objects.load import load_templates
from rhobin.types import GENDERS, Camera

SIZE = (512, 384)
K = np.array([[245.0, 0, 254.7], [0, 245, 194.9], [0, 0, 1]])
SEQUENCE = "Date01_Sub01_boxlarge_lift"
STRIPES = np.array([[9.0, 2, 4], [-3, 11, 1], [5, -6, 8]])


def write_scene(root, R=None, frames=1, split="train"):
    """A person and an object before four cameras in one place, turned about them by R (3, 3)."""
    R, rng = np.eye(3) if R is None else R, np.random.default_rng(4)
    bodies, templates = load_bodies(), load_templates()
    cameras = [Camera(K, np.eye(3), np.zeros(3), *SIZE)] * 4
    other = TEST[0]
    write_templates(root, templates)
    write_calibs(root, {SEQUENCE[:6]: cameras, other[:6]: cameras})
    names = ([SEQUENCE], [other]) if split == "train" else ([other], [SEQUENCE])
    write_split(root, *names)
    for name in (SEQUENCE, other):
        parsed = parse_sequence(name)
        gender, folder = subject_gender(parsed.subject), root / "sequences" / name
        for number in range(frames):
            values = turned(make_parameters(rng), R, gender, bodies)
            body, obj = posed(values, gender, bodies, templates[parsed.object_name])
            view = draw(cameras[1], body, obj, R)
            images = dict.fromkeys(range(4), view)
            write_frame(folder / frame_name(3 + number), parsed.object_name, **values, images=images)
        write_info(folder, parsed.object_name, gender)
    return root


def turned(values, R, gender, bodies):
    """Parameters of the same person and object after X' = R X."""
    R = torch.tensor(R)
    pelvis = bodies.rest_joints(
        torch.tensor(values["betas"]).float()[None], torch.tensor([GENDERS.index(gender)])
    )[0, 0].double()
    root, trans = change_camera(
        rotvec_to_rotmat(torch.tensor(values["pose"][:3])), torch.tensor(values["trans"]), pelvis, R,
        torch.zeros(3, dtype=torch.float64),
    )  # fmt: skip
    return {
        "pose": np.concatenate([rotmat_to_rotvec(root).numpy(), values["pose"][3:]]),
        "betas": values["betas"],
        "trans": trans.numpy(),
        "obj_angle": rotmat_to_rotvec(R @ rotvec_to_rotmat(torch.tensor(values["obj_angle"]))).numpy(),
        "obj_trans": (R @ torch.tensor(values["obj_trans"])).numpy(),
    }


class _View(dict):
    __getattr__ = dict.__getitem__


def draw(camera, body, obj, R):
    """Silhouettes, before stripes that turn with the scene."""
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    rays = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.linalg.inv(camera.K).T @ R
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    color = np.round(127 + 100 * np.sin(rays @ STRIPES)).astype(np.uint8)
    assert (world_to_camera(body, camera)[:, 2] > 0).all()
    person, shown = fine_silhouette(body, camera), fine_silhouette(obj, camera)
    return _View(
        color=color,
        person_mask=person & ~shown,
        object_mask=shown,
        person_full=person,
        object_full=shown,
    )


def fine_silhouette(points, camera, fine=8):
    """The outline of `silhouette`, which is exact to an eighth of a pixel."""
    sharp = np.array([[fine, 0, (fine - 1) / 2], [0, fine, (fine - 1) / 2], [0, 0, 1]]) @ camera.K
    big = Camera(sharp, camera.R, camera.t, camera.width * fine, camera.height * fine)
    share = cv2.resize(silhouette(points, big).astype(np.float32), SIZE, interpolation=cv2.INTER_AREA)
    return share >= 0.5
