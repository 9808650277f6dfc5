"""The bodies of a sequence: vertices for the picture, parameters for the files, clothes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rhobin.body.bodyset import BodySet
from rhobin.body.transform import change_camera
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat
from rhobin.synthetic.paint.looks import landmarks, look_of
from rhobin.synthetic.people.subjects import SUBJECTS
from rhobin.synthetic.places.cameras import Rig, date_number
from rhobin.synthetic.plan import SequencePlan
from rhobin.synthetic.render.actors import Costume
from rhobin.synthetic.scene import SceneFrame
from rhobin.types import GENDERS


@dataclass(frozen=True)
class Posed:
    """Bodies of a sequence: vertices in the room, parameters in the world.

    Attributes:
        room_verts: (T, V, 3) metres.
        room_joints: (T, 24, 3) metres.
        pose: (T, 156) axis-angle, root orientation in the world.
        trans: (T, 3) metres, world.
    """

    room_verts: np.ndarray
    room_joints: np.ndarray
    pose: np.ndarray
    trans: np.ndarray


def posed_bodies(bodies: BodySet, frames: Sequence[SceneFrame], rig: Rig) -> Posed:
    """Pose the bodies of a sequence in the room and carry their parameters to the world.

    Args:
        bodies: body models.
        frames: frames of one subject, room frame.
        rig: the day's cameras, which define the world.

    Returns:
        Vertices in the room, parameters in the world (kinect 1).
    """
    pose = torch.as_tensor(np.stack([f.pose for f in frames]), dtype=torch.float64).view(len(frames), 52, 3)
    beta = torch.as_tensor(np.stack([f.betas for f in frames]), dtype=torch.float64)
    trans = torch.as_tensor(np.stack([f.trans for f in frames]), dtype=torch.float64)
    gender = torch.full((len(frames),), GENDERS.index(frames[0].gender))
    theta = rotvec_to_rotmat(pose)
    posed = bodies(theta.float(), beta.float(), trans.float(), gender)
    joints = posed.joints[:, list(bodies[frames[0].gender].joints24)]
    pelvis = bodies.rest_joints(beta.float(), gender)[:, 0].double()
    R, t = torch.as_tensor(rig.R), torch.as_tensor(rig.t)
    root, moved = change_camera(theta[:, 0], trans, pelvis, R, t)
    pose[:, 0] = rotmat_to_rotvec(root)
    return Posed(posed.verts.numpy(), joints.numpy(), pose.view(len(frames), 156).numpy(), moved.numpy())


def costume_of(bodies: BodySet, plan: SequencePlan, gender: str) -> Costume:
    """The subject's costume on the plan's recording day."""
    subject = SUBJECTS[plan.subject]
    body = bodies[gender]
    rest = body.template.numpy().reshape(-1, 3)
    joints = body.rest_joints(torch.zeros(1, 10))[0].numpy()
    look = look_of(subject.clothes_seed, gender, date_number(plan.date))
    return Costume(
        body.faces.numpy().astype(np.int32), rest.astype(np.float32), landmarks(rest, joints), look
    )
