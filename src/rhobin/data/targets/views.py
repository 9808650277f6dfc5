"""Ground truth of every view in its own camera's frame, computed once for a whole split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.behave.read import Release
from rhobin.body.bodyset import BodySet
from rhobin.body.transform import change_camera
from rhobin.body.twist import twist_targets
from rhobin.geometry.rotation import rotvec_to_rotmat

_CHUNK = 4096


@dataclass(frozen=True)
class ViewTargets:
    """Ground truth of F frames and N views, float32, metres, camera frames.

    Attributes:
        assets: bodies and templates that it was computed with.
        frame: (N,) row of each view's frame.
        theta: (F, 52, 3, 3) local rotations; joint 0 is replaced by `root_R` of the view.
        beta: (F, 10).
        twist: (F, 23, 2) cosine and sine.
        twist_weight: (F, 23).
        gender: (F,) index into `GENDERS`.
        object_id: (F,) index into the assets' names; -1 where no object is shown.
        has_human: (F,) bool, whether the person of each frame is known.
        has_object: (F,) bool, whether the object is.
        root_R: (N, 3, 3) body orientation.
        trans: (N, 3) SMPL translation.
        joints: (N, 29, 3) HybrIK joints; the first is the pelvis.
        obj_R: (N, 3, 3).
        obj_t: (N, 3).
        kpts: (N, 8, 3) object keypoints.
    """

    assets: Assets
    frame: np.ndarray
    theta: np.ndarray
    beta: np.ndarray
    twist: np.ndarray
    twist_weight: np.ndarray
    gender: np.ndarray
    object_id: np.ndarray
    has_human: np.ndarray
    has_object: np.ndarray
    root_R: np.ndarray
    trans: np.ndarray
    joints: np.ndarray
    obj_R: np.ndarray
    obj_t: np.ndarray
    kpts: np.ndarray


def build_targets(release: Release, assets: Assets) -> ViewTargets:
    """Compute the ground truth of every view of a release.

    Bodies are posed once per frame in the world, then moved to each camera; SMPL's translation moves with
    the pelvis offset (`change_camera`).

    Args:
        release: what was read.
        assets: body models of the genders in it, and templates of the objects.
    """
    frames, views = release.frames, release.views
    world = _pose_all(release, assets.bodies)

    index = torch.from_numpy(views.frame.astype(np.int64))
    R = _tensor(np.stack([camera.R.T for camera in release.cameras]))[views.camera]
    t = _tensor(np.stack([-camera.R.T @ camera.t for camera in release.cameras]))[views.camera]
    root_R, trans = change_camera(
        world["theta"][index, 0], world["trans"][index], world["pelvis"][index], R, t
    )
    obj_R = R @ rotvec_to_rotmat(_tensor(frames.obj_angle))[index]
    obj_t = _move(R, t, _tensor(frames.obj_trans)[index][:, None])[:, 0]
    template_kpts = _template_kpts(assets, set(frames.object_id[frames.has_object].tolist()))
    kpts = _move(obj_R, obj_t, template_kpts[torch.from_numpy(frames.object_id)[index]])
    joints = _move(R, t, world["joints"][index])
    per_view = {
        "root_R": root_R,
        "trans": trans,
        "joints": joints,
        "obj_R": obj_R,
        "obj_t": obj_t,
        "kpts": kpts,
    }
    return ViewTargets(
        assets=assets,
        frame=views.frame,
        theta=_array(world["theta"]),
        beta=frames.betas.astype(np.float32),
        twist=_array(world["twist"]),
        twist_weight=_array(world["twist_weight"]),
        gender=frames.gender,
        object_id=frames.object_id,
        has_human=frames.has_body,
        has_object=frames.has_object & np.isfinite(frames.obj_trans).all(axis=1),
        **{key: _array(value) for key, value in per_view.items()},
    )


def _pose_all(release: Release, bodies: BodySet) -> dict[str, Tensor]:
    """Bodies of all frames in the world frame; frames without one get zeros and the rotation of nothing."""
    count, known = len(release.frames.name), np.flatnonzero(release.frames.has_body)
    nobody = {
        "theta": torch.eye(3, dtype=torch.float64).repeat(1, 52, 1, 1),
        "trans": torch.zeros(1, 3, dtype=torch.float64),
        "pelvis": torch.zeros(1, 3, dtype=torch.float64),
        "joints": torch.zeros(1, 29, 3, dtype=torch.float64),
        "twist": torch.zeros(1, 23, 2, dtype=torch.float64),
        "twist_weight": torch.zeros(1, 23, dtype=torch.float64),
    }
    world = {key: value.expand(count, *value.shape[1:]) for key, value in nobody.items()}
    if not len(known):
        return world  # one row that stands for all
    world = {key: value.clone(memory_format=torch.contiguous_format) for key, value in world.items()}
    for chunk in _chunks(len(known)):
        for key, value in _pose_frames(release, bodies, known[chunk]).items():
            world[key][known[chunk]] = value
    return world


def _pose_frames(release: Release, bodies: BodySet, rows: np.ndarray) -> dict[str, Tensor]:
    """Bodies of some frames in the world frame."""
    frames = release.frames
    dtype = next(buffer.dtype for buffer in bodies.buffers() if buffer.is_floating_point())
    beta, trans = (_tensor(array[rows]).to(dtype) for array in (frames.betas, frames.trans))
    gender = torch.from_numpy(frames.gender[rows])
    theta = rotvec_to_rotmat(_tensor(frames.pose[rows]).reshape(-1, 52, 3)).to(dtype)
    output = bodies.kinematics(theta, beta, trans, gender)
    twist, weight = twist_targets(theta, bodies.rest29(beta, gender))
    values = {
        "theta": theta,
        "trans": trans,
        "pelvis": bodies.rest_joints(beta, gender)[:, 0],
        "joints": bodies.joints29(output, beta, gender),
        "twist": twist,
        "twist_weight": weight,
    }
    return {key: value.double() for key, value in values.items()}


def _template_kpts(assets: Assets, used: set[int]) -> Tensor:
    """Keypoints (O, 8, 3) of all objects; zero for those that no frame uses."""
    kpts = torch.zeros(len(assets.names), 8, 3, dtype=torch.float64)
    for object_id in used:
        kpts[object_id] = torch.from_numpy(np.asarray(assets.templates[object_id].kpts))
    return kpts


def _move(R: Tensor, t: Tensor, points: Tensor) -> Tensor:
    return points @ R.mT + t[:, None]


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(array, np.float64))


def _array(tensor: Tensor) -> np.ndarray:
    """As float32; rows that share their memory go on sharing it."""
    shared = len(tensor) > 1 and tensor.stride(0) == 0
    array = (tensor[:1] if shared else tensor).numpy().astype(np.float32)
    return np.broadcast_to(array, tensor.shape) if shared else array


def _chunks(length: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, length, _CHUNK)]
