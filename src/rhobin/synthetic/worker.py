"""The part of a dataset build that runs in every process: one room layer, or one sequence, to files."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from rhobin.behave.layout import frame_name
from rhobin.behave.write import write_frame, write_info
from rhobin.body.bodyset import BodySet
from rhobin.body.load import load_bodies
from rhobin.body.transform import change_camera
from rhobin.geometry.raycast import Scene
from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat
from rhobin.objects.load import load_templates
from rhobin.objects.template import Template
from rhobin.synthetic.actors import Actors, Costume, Prop
from rhobin.synthetic.appearance import landmarks, look_of
from rhobin.synthetic.cameras import Rig, camera_rig, date_number
from rhobin.synthetic.layers import RoomLayer, room_layer, room_scene
from rhobin.synthetic.people import SUBJECTS
from rhobin.synthetic.plan import SequencePlan
from rhobin.synthetic.render import RenderedView, render_view
from rhobin.synthetic.rooms import Room, furnished_room
from rhobin.synthetic.scene import SceneFrame
from rhobin.synthetic.sequence import generate_sequence
from rhobin.synthetic.stage import Stage
from rhobin.types import GENDERS

FIRST_SECOND = 3.0
WATCH_SECONDS = 2.0


@dataclass(frozen=True)
class Settings:
    """What every process of a build must know.

    Attributes:
        out: dataset root.
        rooms: folder of the cached room layers.
        width: image width in pixels.
        meshes: write the posed body and object meshes beside the parameters.
        body: folder of licensed SMPL-H files; None for the stand-in.
    """

    out: Path
    rooms: Path
    width: int
    meshes: bool
    body: Path | None


def start_worker(parent: int | None = None) -> None:
    """Make a process single-threaded, and end it when the process that started it is gone.

    Args:
        parent: process id to watch; None to watch nothing.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


@lru_cache(maxsize=2)
def _cast(body: Path | None) -> tuple[BodySet, dict[str, Template], dict[str, Prop]]:
    """Bodies, templates and props of this process."""
    templates = load_templates()
    return load_bodies(body), templates, {name: Prop.of(template) for name, template in templates.items()}


@lru_cache(maxsize=8)
def _room(date: str, width: int) -> tuple[Rig, Room, Scene]:
    rig = camera_rig(date, width)
    room = furnished_room(rig)
    return rig, room, room_scene(room)


def layer_folder(settings: Settings, date: str, kinect: int) -> Path:
    """Where the cached room layer of a camera lies."""
    return settings.rooms / f"{date}_k{kinect}_{settings.width}"


def make_layer(settings: Settings, date: str, kinect: int) -> None:
    """Ray-cast and cache the empty room of one camera."""
    rig, room, scene = _room(date, settings.width)
    room_layer(room, scene, rig.in_room(kinect)).save(layer_folder(settings, date, kinect))


@dataclass(frozen=True)
class SequenceReport:
    """What became of a sequence: its name, frames, views, and processor seconds per stage."""

    name: str
    frames: int
    views: int
    seconds: dict[str, float]


class _Clock:
    """Processor seconds per named stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, stage: str) -> None:
        now = time.process_time()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def make_sequence(settings: Settings, plan: SequencePlan) -> SequenceReport:
    """Generate, render and write one sequence; an unfinished one of that name is replaced.

    Args:
        settings: the build's settings.
        plan: what happens in the sequence; with the settings it decides every byte.

    Returns:
        Counts and times.
    """
    clock = _Clock()
    bodies, templates, props = _cast(settings.body)
    folder = settings.out / "sequences" / plan.name
    shutil.rmtree(folder, ignore_errors=True)
    frames = generate_sequence(plan, bodies, templates)
    clock.lap("contact")
    rig, room, scene = _room(plan.date, settings.width)
    stages = _stages(settings, plan, rig, room, scene)
    clock.lap("stages")
    posed = _posed(bodies, frames, rig)
    costume = _costume(bodies, plan, frames[0].gender)
    clock.lap("bodies")
    for number, frame in enumerate(frames):
        actors = Actors(costume, posed.room_verts[number], props[plan.object_name], frame.obj_R, frame.obj_t)
        clock.lap("actors")
        views = {}
        for kinect, stage in enumerate(stages):
            views[kinect] = render_view(stage, actors, np.random.default_rng([plan.seed, 57, number, kinect]))
        clock.lap("render")
        _write(settings, folder, frame, posed, number, views, rig, templates[plan.object_name], costume.faces)
        clock.lap("write")
    extra = {"synthetic": {"seed": plan.seed, "action": plan.action, "subject": plan.subject}}
    write_info(folder, plan.object_name, frames[0].gender, frames[0].betas, extra)
    return SequenceReport(plan.name, len(frames), len(frames) * len(stages), clock.seconds)


def _stages(settings: Settings, plan: SequencePlan, rig: Rig, room: Room, scene: Scene) -> list[Stage]:
    stages = []
    for kinect in range(len(rig.cameras)):
        layer = RoomLayer.load(layer_folder(settings, plan.date, kinect))
        rng = np.random.default_rng([plan.seed, 56, kinect])
        stages.append(Stage(room, scene, layer, rig.in_room(kinect), rng))
    return stages


@dataclass(frozen=True)
class _Posed:
    """Bodies of a sequence: vertices in the room, parameters in the world.

    Attributes:
        room_verts: (T, V, 3) metres.
        pose: (T, 156) axis-angle, root orientation in the world.
        trans: (T, 3) metres, world.
    """

    room_verts: np.ndarray
    pose: np.ndarray
    trans: np.ndarray


def _posed(bodies: BodySet, frames: Sequence[SceneFrame], rig: Rig) -> _Posed:
    pose = torch.as_tensor(np.stack([f.pose for f in frames]), dtype=torch.float64).view(len(frames), 52, 3)
    beta = torch.as_tensor(np.stack([f.betas for f in frames]), dtype=torch.float64)
    trans = torch.as_tensor(np.stack([f.trans for f in frames]), dtype=torch.float64)
    gender = torch.full((len(frames),), GENDERS.index(frames[0].gender))
    theta = rotvec_to_rotmat(pose)
    verts = bodies(theta.float(), beta.float(), trans.float(), gender).verts.numpy()
    pelvis = bodies.rest_joints(beta.float(), gender)[:, 0].double()
    R, t = torch.as_tensor(rig.R), torch.as_tensor(rig.t)
    root, moved = change_camera(theta[:, 0], trans, pelvis, R, t)
    pose[:, 0] = rotmat_to_rotvec(root)
    return _Posed(verts, pose.view(len(frames), 156).numpy(), moved.numpy())


def _costume(bodies: BodySet, plan: SequencePlan, gender: str) -> Costume:
    subject = SUBJECTS[plan.subject]
    body = bodies[gender]
    rest = body.template.numpy().reshape(-1, 3)
    joints = body.rest_joints(torch.zeros(1, 10))[0].numpy()
    look = look_of(subject.clothes_seed, gender, date_number(plan.date))
    return Costume(
        body.faces.numpy().astype(np.int32), rest.astype(np.float32), landmarks(rest, joints), look
    )


def _write(
    settings: Settings,
    folder: Path,
    frame: SceneFrame,
    posed: _Posed,
    number: int,
    views: dict[int, RenderedView],
    rig: Rig,
    template: Template,
    faces: np.ndarray,
) -> None:
    obj_R, obj_t = rig.R @ frame.obj_R, rig.R @ frame.obj_t + rig.t
    body_mesh = object_mesh = None
    if settings.meshes:
        body_mesh = (posed.room_verts[number] @ rig.R.T + rig.t, faces)
        object_mesh = (template.verts @ obj_R.T + obj_t, template.faces)
    write_frame(
        folder / frame_name(FIRST_SECOND + number),
        frame.object_name,
        posed.pose[number],
        frame.betas,
        posed.trans[number],
        Rotation.from_matrix(obj_R).as_rotvec(),
        obj_t,
        views,
        body_mesh,
        object_mesh,
    )
