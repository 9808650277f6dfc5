"""The part of a dataset build that runs in every process: one room layer, or one sequence, to files."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.behave.layout import frame_name
from rhobin.behave.writers.depth import write_depth
from rhobin.behave.writers.tree import write_frame, write_info
from rhobin.body.bodyset import BodySet
from rhobin.body.load import load_bodies
from rhobin.files import write_bytes
from rhobin.geometry.raycast import Scene
from rhobin.objects.load import load_templates
from rhobin.objects.template import Template
from rhobin.synthetic.covering import covering_piece
from rhobin.synthetic.dressed import Posed, costume_of, posed_bodies
from rhobin.synthetic.hiding import turned_to_hide
from rhobin.synthetic.light.shading import tone
from rhobin.synthetic.places.cameras import Rig, camera_rig
from rhobin.synthetic.places.rooms import Room, furnished_room
from rhobin.synthetic.plan import SequencePlan
from rhobin.synthetic.render.actors import Actors, Prop
from rhobin.synthetic.render.layers import RoomLayer, room_layer, room_scene
from rhobin.synthetic.render.stage import Stage
from rhobin.synthetic.render.view import RenderedView, render_view
from rhobin.synthetic.scene import SceneFrame
from rhobin.synthetic.sequence import generate_sequence

FIRST_SECOND = 3.0


@dataclass(frozen=True)
class Settings:
    """What every process of a build must know.

    Attributes:
        out: dataset root.
        rooms: folder of the cached room layers.
        width: image width in pixels.
        meshes: write the posed body and object meshes beside the parameters.
        body: folder of licensed SMPL-H files; None for the stand-in.
        depth: write depth images.
    """

    out: Path
    rooms: Path
    width: int
    meshes: bool
    body: Path | None
    depth: bool = False


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
    """Ray-cast and cache the empty room of one camera, and write it as the day's background."""
    rig, room, scene = _room(date, settings.width)
    layer = room_layer(room, scene, rig.in_room(kinect))
    layer.save(layer_folder(settings, date, kinect))
    _, code = cv2.imencode(".jpg", cv2.cvtColor(tone(layer.radiance() * layer.exposure()), cv2.COLOR_RGB2BGR))
    empty = settings.out / "calibs" / date / "background"
    write_bytes(empty / f"k{kinect}.color.jpg", code.tobytes())
    if settings.depth:
        write_depth(empty / frame_name(FIRST_SECOND), kinect, layer.depth)


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
    rig, room, scene = _room(plan.date, settings.width)
    frames = generate_sequence(plan, bodies, templates)
    if plan.visible is not None:
        frames = turned_to_hide(frames, plan.visible, bodies, templates[plan.object_name], rig)
    if plan.shown is not None:
        piece = covering_piece(plan, frames, bodies, templates[plan.object_name], rig, room, scene)
        room = replace(room, surfaces=[*room.surfaces, *piece])
        scene = room_scene(room)
    clock.lap("contact")
    stages = _stages(settings, plan, rig, room, scene)
    clock.lap("stages")
    posed = posed_bodies(bodies, frames, rig)
    costume = costume_of(bodies, plan, frames[0].gender)
    clock.lap("bodies")
    for number, frame in enumerate(frames):
        actors = Actors(costume, posed.room_verts[number], props[plan.object_name], frame.obj_R, frame.obj_t)
        clock.lap("actors")
        views = {}
        for kinect, stage in stages.items():
            views[kinect] = render_view(stage, actors, np.random.default_rng([plan.seed, 57, number, kinect]))
        clock.lap("render")
        _write(settings, folder, frame, posed, number, views, rig, templates[plan.object_name], costume.faces)
        clock.lap("write")
    extra = {"synthetic": {"seed": plan.seed, "action": plan.action, "subject": plan.subject}}
    write_info(folder, plan.object_name, frames[0].gender, frames[0].betas, extra)
    return SequenceReport(plan.name, len(frames), len(frames) * len(stages), clock.seconds)


def _stages(settings: Settings, plan: SequencePlan, rig: Rig, room: Room, scene: Scene) -> dict[int, Stage]:
    """By kinect; a room with a piece of furniture of the sequence's own is cast anew."""
    stages = {}
    for kinect in plan.kinects:
        camera = rig.in_room(kinect)
        if plan.shown is None:
            layer = RoomLayer.load(layer_folder(settings, plan.date, kinect))
        else:
            layer = room_layer(room, scene, camera)
        rng = np.random.default_rng([plan.seed, 56, kinect])
        stages[kinect] = Stage(room, scene, layer, camera, rng)
    return stages


def _write(
    settings: Settings,
    folder: Path,
    frame: SceneFrame,
    posed: Posed,
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
        {kinect: view.depth for kinect, view in views.items()} if settings.depth else None,
    )
