"""Turning a whole sequence so that the person hides a wanted share of the object from kinect 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rhobin.behave.layout import TEST_KINECT
from rhobin.body.bodyset import BodySet
from rhobin.body.transform import change_camera
from rhobin.geometry.camera import resize_intrinsics
from rhobin.geometry.raycast import Scene, camera_rays
from rhobin.objects.template import Template
from rhobin.synthetic.dressed import posed_bodies
from rhobin.synthetic.people.pose import rot_y
from rhobin.synthetic.places.cameras import Rig
from rhobin.synthetic.scene import SceneFrame
from rhobin.types import GENDERS, Camera

_TURNS = 24
_WIDTH = 128  # pixels of the image that silhouettes are counted in


def turned_to_hide(
    frames: list[SceneFrame], visible: tuple[float, float], bodies: BodySet, template: Template, rig: Rig
) -> list[SceneFrame]:
    """A sequence turned about the middle of the room: contact, motion and the room stay as they are.

    Args:
        frames: the sequence, room frame.
        visible: least and largest share of the object that kinect 1 should see.
        bodies: body models.
        template: the object.
        rig: the day's cameras.

    Returns:
        The frames at the one of some turns whose shares miss `visible` least, on average over the frames; as
        they are where no turn is better.
    """
    people = posed_bodies(bodies, frames, rig).room_verts
    faces = bodies[frames[0].gender].faces.numpy()
    camera = rig.in_room(TEST_KINECT)
    turns = [rot_y(angle) for angle in np.linspace(0, 2 * np.pi, _TURNS, endpoint=False)]
    missed = np.zeros(_TURNS)
    for frame, verts in zip(frames, people, strict=True):
        thing = (template.verts @ frame.obj_R.T + frame.obj_t, template.faces)
        seen = _seen_fractions((verts, faces), thing, camera, turns)
        missed += np.maximum(0, np.maximum(visible[0] - seen, seen - visible[1]))
    best = int(missed.argmin())
    return [_turned(frame, turns[best], bodies) for frame in frames] if best else frames


def _seen_fractions(
    person: tuple[np.ndarray, np.ndarray],
    thing: tuple[np.ndarray, np.ndarray],
    camera: Camera,
    turns: Sequence[np.ndarray],
) -> np.ndarray:
    """Shares of a thing's silhouette that a camera sees past a person, for each turn of both."""
    both, alone = Scene([person, thing]), Scene([thing])
    rays = coarse_rays(camera)
    seen = np.zeros(len(turns))
    for index, turn in enumerate(turns):
        origin, directions = camera.t @ turn, rays @ turn  # the camera turned the other way
        directions = directions[alone.occluded(origin, directions)]
        if len(directions):
            seen[index] = (both.cast(origin, directions).geom_id == 1).mean()
    return seen


def coarse_rays(camera: Camera) -> np.ndarray:
    """(N, 3) directions through the pixels of a small image of a camera, of depth 1, in its world."""
    scale = _WIDTH / camera.width
    K = resize_intrinsics(camera.K, scale, scale)
    return camera_rays(K, _WIDTH, round(camera.height * scale)).reshape(-1, 3) @ camera.R.T


def _turned(frame: SceneFrame, turn: np.ndarray, bodies: BodySet) -> SceneFrame:
    theta = frame.pose.reshape(52, 3).copy()
    betas, gender = torch.as_tensor(frame.betas)[None].float(), torch.tensor([GENDERS.index(frame.gender)])
    root, trans = change_camera(
        torch.as_tensor(Rotation.from_rotvec(theta[0]).as_matrix())[None],
        torch.as_tensor(frame.trans)[None],
        bodies.rest_joints(betas, gender)[:, 0].double(),
        torch.as_tensor(turn),
        torch.zeros(3, dtype=torch.float64),
    )
    theta[0] = Rotation.from_matrix(root[0].numpy()).as_rotvec()
    return replace(
        frame,
        pose=theta.reshape(-1),
        trans=trans[0].numpy(),
        obj_R=turn @ frame.obj_R,
        obj_t=turn @ frame.obj_t,
    )
