"""Writing the per-image layout of the 2024 and 2025 challenges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rhobin.behave.layout import TEST_KINECT
from rhobin.behave.readers.challenge2024 import HUMAN_MASK, OBJECT_MASK, image_id
from rhobin.behave.ref import template_entries
from rhobin.behave.release import Release
from rhobin.behave.video import split_frame
from rhobin.behave.writers.files import copy_image, read_mask, write_image
from rhobin.behave.writers.tree import write_lens
from rhobin.body.bodyset import BodySet
from rhobin.body.transform import change_camera
from rhobin.files import write_bytes
from rhobin.geometry.camera import extrinsics
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.objects.names import names_by_id
from rhobin.objects.template import Template
from rhobin.pickles.write import pickled, single
from rhobin.types import GENDERS, Camera


def write_2024(out: Path, releases: Sequence[Release], bodies: BodySet) -> None:
    """Write every view as an image of its own, annotated in its camera's frame.

    `ref.pkl` lists the test images of kinect 1, as the challenge's do: its MSPD knows no other camera, and
    methods predict no other view. The published packages know one lens, the challenge's kinect 1; the others
    go to `calibs/intrinsics`.
    """
    annotations = {}
    lenses: dict[int, Camera] = {}
    templates: dict[str, Template] = {}
    for release in releases:
        templates.update(release.templates)
        for view in range(len(release.views.frame)):
            name = _name(release, view)
            gt = single(_annotation(release, view, bodies))
            _write_files(out / release.split, name, release, view)
            write_bytes(out / release.split / "gt" / f"{name}.pkl", pickled(gt))
            kinect = int(release.views.kinect[view])
            lenses.setdefault(kinect, release.cameras[release.views.camera[view]])
            if release.split == "test" and kinect == TEST_KINECT:
                annotations[name] = _reference(release, view, gt)
    for kinect, camera in lenses.items():
        write_lens(out, kinect, camera)
    content = {"annotations": annotations, "templates": template_entries(templates)}
    write_bytes(out / "ref.pkl", pickled(content))


def _name(release: Release, view: int) -> str:
    frame = release.views.frame[view]
    sequence = release.sequences[release.frames.sequence[frame]]
    return image_id(sequence, str(release.frames.name[frame]), int(release.views.kinect[view]))


def _write_files(part: Path, name: str, release: Release, view: int) -> None:
    color, person, obj = release.complete_files(view)
    ending = ".jpg" if split_frame(color) is not None else color.suffix
    copy_image(color, part / "images" / f"{name}{ending}")
    write_image(part / "masks" / f"{name}{HUMAN_MASK}", read_mask(person))
    write_image(part / "masks" / f"{name}{OBJECT_MASK}", read_mask(obj))


def _annotation(release: Release, view: int, bodies: BodySet) -> dict[str, object]:
    """`gt/<id>.pkl` of a view: parameters and vertices in its camera's frame."""
    frames, row = release.frames, int(release.views.frame[view])
    camera = release.cameras[release.views.camera[view]]
    R, t = extrinsics(camera)
    pose, trans = _moved_body(release, row, R, t, bodies)
    obj_R = R @ Rotation.from_rotvec(frames.obj_angle[row]).as_matrix()
    obj_t = R @ frames.obj_trans[row] + t
    template = release.templates[names_by_id(release.templates)[frames.object_id[row]]]
    return {
        "pose": pose,
        "betas": frames.betas[row].copy(),
        "trans": trans,
        "gender": GENDERS[frames.gender[row]],
        "obj_angle": Rotation.from_matrix(obj_R).as_rotvec(),
        "obj_trans": obj_t,
        "verts_smpl": _body_verts(pose, frames.betas[row], trans, int(frames.gender[row]), bodies),
        "verts_obj": template.verts @ obj_R.T + obj_t,
    }


def _moved_body(
    release: Release, row: int, R: np.ndarray, t: np.ndarray, bodies: BodySet
) -> tuple[np.ndarray, np.ndarray]:
    """Pose (156,) and translation (3,) of a body after x -> R x + t."""
    frames = release.frames
    pose, beta = frames.pose[row].copy(), torch.from_numpy(frames.betas[row])[None]
    gender = torch.tensor([int(frames.gender[row])])
    pelvis = bodies.rest_joints(beta.to(_dtype(bodies)), gender)[:, 0].double()
    root = torch.from_numpy(Rotation.from_rotvec(pose[:3]).as_matrix())[None]
    trans = torch.from_numpy(frames.trans[row])[None]
    root, trans = change_camera(root, trans, pelvis, torch.from_numpy(R), torch.from_numpy(t))
    pose[:3] = Rotation.from_matrix(root[0].numpy()).as_rotvec()
    return pose, trans[0].numpy()


def _body_verts(
    pose: np.ndarray, betas: np.ndarray, trans: np.ndarray, gender: int, bodies: BodySet
) -> np.ndarray:
    dtype = _dtype(bodies)
    theta = rotvec_to_rotmat(torch.from_numpy(pose).reshape(1, 52, 3)).to(dtype)
    beta, shift = (torch.from_numpy(values)[None].to(dtype) for values in (betas, trans))
    with torch.no_grad():
        return bodies(theta, beta, shift, torch.tensor([gender])).verts[0].double().numpy()


def _dtype(bodies: BodySet) -> torch.dtype:
    return next(buffer.dtype for buffer in bodies.buffers() if buffer.is_floating_point())


def _reference(release: Release, view: int, gt: dict[str, Any]) -> dict[str, Any]:
    """A test image's entry in `ref.pkl`: the numbers of its `gt/<id>.pkl`, with 64 bits."""
    object_id = release.frames.object_id[release.views.frame[view]]
    return {
        **{key: np.asarray(gt[key], np.float64) for key in ("pose", "betas", "trans", "obj_trans")},
        "obj_rot": Rotation.from_rotvec(gt["obj_angle"]).as_matrix(),
        "meta": ("behave", gt["gender"], names_by_id(release.templates)[object_id]),
    }
