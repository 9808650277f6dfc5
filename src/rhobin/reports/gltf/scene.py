"""A predicted person and object as one glTF 2.0 binary: rigged, and animated for a video.

Numbers stay in the frame that they are told in, that of the photograph's camera: x right, y down, z forward.
One root node turns it by half a turn about x into glTF's: y up, the camera looks along -z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rhobin.body.joints import SMPLH_NAMES
from rhobin.body.model import N_BETAS
from rhobin.reports.gltf.checks import check_arrays, check_frames, check_rotations, check_times
from rhobin.reports.gltf.document import Document
from rhobin.reports.gltf.motion import HELD, Motion, key_frames
from rhobin.reports.gltf.person import GltfPerson, add_person
from rhobin.reports.gltf.rigid import GltfObject, add_object

HALF_TURN = [1.0, 0.0, 0.0, 0.0]
TURNED = "this node turns that frame by half a turn about x: y up, the camera looks along -z"


@dataclass(frozen=True, eq=False)
class GltfScene:
    """What a file shows; at least one of person and object.

    Attributes:
        frame: the frame of all numbers in words, and their unit.
        person: the person; None where there is none.
        object: the object; None where there is none.
        times: (T,) seconds of all frames of a video, with a prediction or without; None for a photograph.
    """

    frame: str
    person: GltfPerson | None = None
    object: GltfObject | None = None
    times: np.ndarray | None = None


def to_glb(scene: GltfScene) -> bytes:
    """Write a scene as a GLB file.

    A person is a skinned mesh with its 52 joints as nodes; an object is a node with a mesh. Both are posed as
    in their first frame. With several frames, one animation has key frames at the times of the frames that
    have a prediction; extras say what is shown in between.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: there is nothing to show, or an array that glTF cannot hold; names it.
    """
    if scene.person is None and scene.object is None:
        raise ValueError("expected a person, an object or both to write as glTF, found neither")
    times = np.zeros(1) if scene.times is None else np.asarray(scene.times, np.float64)
    check_times(times)
    document, motions, inside, outside = Document(), [], [], []
    root = document.add("nodes", name="camera_frame", rotation=HALF_TURN)
    if scene.person is not None:
        motions.append(_person_motion(document, scene.person, times))
        pelvis, mesh = add_person(document, scene.person, motions[-1])
        inside.append(pelvis)
        outside.append(mesh)
    if scene.object is not None:
        motions.append(_object_motion(document, scene.object, times))
        inside.append(add_object(document, scene.object, motions[-1]))
    document.lists["nodes"][root] |= {"children": inside, "extras": {"frame": scene.frame, "turn": TURNED}}
    _add_animation(document, motions)
    return document.to_bytes([root, *outside], {"frame": scene.frame})


def _person_motion(document: Document, person: GltfPerson, times: np.ndarray) -> Motion:
    joints = person.body.n_joints
    if joints != len(SMPLH_NAMES):
        raise ValueError(f"person.body: expected SMPL-H's {len(SMPLH_NAMES)} joints, found {joints}")
    n_poses = len(person.theta)
    motion = _motion(document, "person", person.frames, n_poses, times)
    theta, trans = (person.theta, (n_poses, joints, 3, 3)), (person.trans, (n_poses, 3))
    check_arrays("person", beta=(person.beta, (N_BETAS,)), theta=theta, trans=trans)
    check_rotations("person.theta", person.theta)
    return motion


def _object_motion(document: Document, item: GltfObject, times: np.ndarray) -> Motion:
    n_poses = len(item.R)
    motion = _motion(document, "object", item.frames, n_poses, times)
    check_arrays("object", R=(item.R, (n_poses, 3, 3)), t=(item.t, (n_poses, 3)))
    check_rotations("object.R", item.R)
    if not (np.isfinite(item.scale) and item.scale > 0):
        raise ValueError(f"object.scale: expected a positive number, found {item.scale}")
    return motion


def _motion(
    document: Document, part: str, frames: np.ndarray | None, n_poses: int, times: np.ndarray
) -> Motion:
    shown = np.arange(len(times)) if frames is None else np.asarray(frames)
    check_frames(part, shown, n_poses, len(times))
    return Motion(document, part, key_frames(shown, times))


def _add_animation(document: Document, motions: list[Motion]) -> None:
    """One animation of all parts, so that a viewer plays them together."""
    channels: list[dict[str, Any]] = []
    samplers: list[dict[str, Any]] = []
    for motion in motions:
        channels += [
            {**channel, "sampler": channel["sampler"] + len(samplers)} for channel in motion.channels
        ]
        samplers += motion.samplers
    if channels:
        gaps = {motion.part: motion.gaps for motion in motions}
        extras = {"gaps": HELD, "seconds_without_prediction": gaps}
        document.add("animations", name="video", channels=channels, samplers=samplers, extras=extras)
