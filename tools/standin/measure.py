"""What the finished model reaches: skinning errors, joints, sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from trimesh.triangles import closest_point

from .bodies import Bodies
from .posedirs import pose_features
from .posing import Rig, anny_posed, joint_transforms, random_poses, rotations
from .shape import ShapeSpace
from .skeleton import NAMES
from .tpose import skin

DENSITY = 985.0  # kg per cubic metre of a living body


@dataclass(frozen=True)
class Model:
    """A finished body in float64: shape space, (52, V) regressor, (V, 52) weights, (V, 3, 459) posedirs."""

    space: ShapeSpace
    regressor: np.ndarray
    weights: np.ndarray
    posedirs: np.ndarray


# degrees about x, y, z for the left joint; the right one is the mirror image unless named itself
POSES = {
    "sit": {"hip": (-85, 0, 8), "knee": (85, 0, 0), "shoulder": (10, -15, -65), "elbow": (0, -50, 0)},
    "lift": {
        "spine": (22, 0, 0),
        "hip": (-60, 0, 6),
        "knee": (55, 0, 0),
        "ankle": (-15, 0, 0),
        "shoulder": (0, -75, -30),
        "elbow": (0, -20, 0),
        "finger": (0, 0, -25),
    },
    "carry": {"shoulder": (0, -20, -68), "elbow": (0, -85, 0), "finger": (0, 0, -20)},
    "squat": {
        "hip": (-100, 20, 15),
        "knee": (120, 0, 0),
        "ankle": (-25, 0, 0),
        "spine": (10, 0, 0),
        "shoulder": (0, -80, -10),
    },
    "walk": {
        "left_hip": (-30, 0, 0),
        "right_hip": (20, 0, 0),
        "left_knee": (10, 0, 0),
        "right_knee": (40, 0, 0),
        "shoulder": (0, 0, -70),
        "left_elbow": (0, -10, 0),
        "right_elbow": (0, 35, 0),
        "finger": (0, 0, -15),
    },
    "reach": {
        "left_shoulder": (0, -60, 55),
        "right_shoulder": (0, 0, 75),
        "spine": (0, 12, 6),
        "head": (-20, 0, 0),
        "collar": (0, 0, 10),
    },
}


def named_pose(name: str) -> np.ndarray:
    """(52, 3) rotation vectors of one of `POSES`."""
    pose = np.zeros((len(NAMES), 3))
    for joint, full in enumerate(NAMES):
        stem = full.removeprefix("left_").removeprefix("right_").rstrip("123")
        key = "finger" if stem in ("index", "middle", "pinky", "ring") else stem
        table = POSES[name]
        if full in table:
            pose[joint] = table[full]
        elif key in table:
            pose[joint] = np.multiply(table[key], (1, -1, -1) if full.startswith("right_") else 1)
    return np.radians(pose)


def skinning_errors(people: Bodies, rig: Rig, model: Model, poses: np.ndarray) -> dict[str, dict[str, float]]:
    """Vertex distances in mm between the model and Anny's own skinning about the model's joints.

    Args:
        people: N bodies the model was not fitted to.
        rig: Anny's skinning.
        model: the finished body.
        poses: (P, 52, 3) rotation vectors, each tried on all people.

    Returns:
        mean, p99 and max of "plain" (no pose blend shapes) and "corrected" skinning.
    """
    rest = model.space.bodies(model.space.coefficients(people.verts))
    joints = np.einsum("jv,nvc->njc", model.regressor, rest)
    errors: dict[str, list[np.ndarray]] = {"plain": [], "corrected": []}
    for pose in poses:
        local = np.repeat(rotations(pose[None]), len(rest), 0)
        world, shift = joint_transforms(local, joints)
        target = anny_posed(people, rig, world, shift)
        bent = rest + np.tensordot(pose_features(local), model.posedirs, (1, 2))
        for key, verts in (("plain", rest), ("corrected", bent)):
            posed = skin(verts, model.weights, world, shift)
            errors[key].append(np.linalg.norm(posed - target, axis=-1) * 1e3)
    return {key: summary(np.array(value)) for key, value in errors.items()}


def figures(people: Bodies, rig: Rig, model: Model, faces: np.ndarray, rng: np.random.Generator) -> dict:
    """Everything recorded about one finished body; lengths in mm unless the key says otherwise."""
    named = np.stack([named_pose(name) for name in POSES])
    space, few = model.space, people[: len(POSES)]
    residual = np.linalg.norm(space.bodies(space.coefficients(people.verts)) - people.verts, axis=-1)
    joints = np.einsum("jv,nvc->njc", model.regressor, people.verts)
    noise = model.regressor @ rng.normal(0, 5, people.verts.shape[1:])
    return {
        "explained_variance": round(space.explained, 5),
        "shape_residual": summary(residual * 1e3),
        "regressor": summary(np.linalg.norm(joints - people.joints, axis=-1) * 1e3)
        | {"mean_error_of_5mm_noise": round(float(np.linalg.norm(noise, axis=1).mean()), 2)},
        "skinning_six_poses": skinning_errors(few, rig, model, named),
        "skinning_random_poses": skinning_errors(few, rig, model, random_poses(20, rng)),
        **sizes(space, faces, rng),
    }


def summary(values: np.ndarray) -> dict[str, float]:
    """Mean, 99th percentile and maximum, rounded to a hundredth."""
    numbers = {"mean": values.mean(), "p99": np.percentile(values, 99), "max": values.max()}
    return {key: round(float(value), 2) for key, value in numbers.items()}


def sizes(space: ShapeSpace, faces: np.ndarray, rng: np.random.Generator) -> dict[str, list[float]]:
    """Lowest, mean-body and highest height (m) and mass (kg) of 300 bodies with betas within two."""
    bodies = np.concatenate([space.template[None], space.bodies(rng.uniform(-2, 2, (300, 10)))])
    a, b, c = (bodies[:, faces[:, k]] for k in range(3))
    mass = DENSITY * np.einsum("nfi,nfi->n", a, np.cross(b, c)) / 6
    height = np.ptp(bodies[..., 1], axis=1)
    return {
        key: [round(float(x), digits) for x in (value.min(), value[0], value.max())]
        for key, value, digits in (("height_m", height, 3), ("mass_kg", mass, 1))
    }


def surface_distance(
    points: np.ndarray, verts: np.ndarray, faces: np.ndarray, near: int = 60
) -> dict[str, float]:
    """Distances in mm from points (N, 3) to the closest of their `near` nearest triangles."""
    corners = verts[faces]
    ids = cKDTree(corners.mean(1)).query(points, near)[1]
    closest = closest_point(corners[ids.ravel()], np.repeat(points, near, 0)).reshape(len(points), near, 3)
    return summary(np.linalg.norm(closest - points[:, None], axis=-1).min(1) * 1e3)
