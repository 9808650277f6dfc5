"""The challenge's three scores written plainly, in the official style: one frame at a time, NumPy and loops.

Bodies are skinned a sequence at a time with dense matrices, points are all 10,000 of the template, and the
nearest neighbours come from scikit-learn's k-d tree with leaves of one point, as in the evaluators of 2023.
Written from the description in docs/protocol.md; no code of `rhobin.metrics` is used.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import trimesh
from scipy.integrate import quad
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation
from sklearn.neighbors import NearestNeighbors

JOINTS24 = [*range(23), 37]
MAJOR = [1, 2, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21]
PARTS = [0, 1, 2, 4, 5, 16, 17, 18, 19]
K = np.array([[979.784, 0, 1018.952], [0, 979.840, 779.486], [0, 0, 1]])
STEPS = np.arange(0.05, 0.51, 0.05)

Arrays = Mapping[str, np.ndarray]
Sampler = Callable[[str, list[tuple[np.ndarray, np.ndarray]]], list[np.ndarray]]


def pose_body(model: Arrays, poses: np.ndarray, betas: np.ndarray, trans: np.ndarray) -> Arrays:
    """SMPL-H vertices (T, V, 3), joints (T, 52, 3) and global rotations (T, 52, 3, 3) of a sequence."""
    count = len(poses)
    local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(count, 52, 3, 3)
    shaped = model["v_template"] + np.tensordot(betas, model["shapedirs"], axes=(1, 2))
    joints = np.matmul(model["J_regressor"], shaped)
    feature = (local[:, 1:] - np.eye(3)).reshape(count, -1)
    bent = shaped + (feature @ model["posedirs_rows"]).reshape(count, -1, 3)
    parents = model["kintree_table"][0].astype(np.int64)
    world = np.tile(np.eye(4), (count, 52, 1, 1))
    for j in range(52):
        step = np.tile(np.eye(4), (count, 1, 1))
        step[:, :3, :3] = local[:, j]
        step[:, :3, 3] = joints[:, j] - (joints[:, parents[j]] if j else 0)
        world[:, j] = world[:, parents[j]] @ step if j else step
    posed, rotations = world[:, :, :3, 3] + trans[:, None], world[:, :, :3, :3].copy()
    world[:, :, :3, 3] -= np.einsum("tjab,tjb->tja", rotations, joints)
    verts = np.empty_like(bent)
    for t in range(count):
        blended = (model["weights"] @ world[t, :, :3].reshape(52, 12)).reshape(-1, 3, 4)
        verts[t] = np.einsum("vab,vb->va", blended[:, :, :3], bent[t]) + blended[:, :, 3]
    return {"verts": verts + trans[:, None], "joints": posed, "rotations": rotations}


def procrustes(a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation and translation of the similarity a -> b, never a reflection."""
    mean_a, mean_b = a.mean(0), b.mean(0)
    x, y = (a - mean_a).T, (b - mean_b).T
    covariance = x @ y.T
    U, _, Vh = np.linalg.svd(covariance)
    R = Vh.T @ np.diag([1.0, 1.0, np.sign(np.linalg.det(U @ Vh))]) @ U.T
    scale = np.trace(R @ covariance) / (x**2).sum()
    return scale, R, mean_b - scale * R @ mean_a


def human_scores(truth: Mapping[str, Any], results: Mapping[str, Any], model: Arrays) -> dict[str, float]:
    """The six scores of the human track."""
    mpjpe, aligned, major = [], [], []
    angles: list[np.ndarray] = []
    angles_pa: list[np.ndarray] = []
    for name in sorted(truth):
        bodies = []
        for part in (truth[name], results[name]):
            body = pose_body(model, part["poses"], part["betas"], part["trans"])
            bodies.append((1000 * body["joints"][:, JOINTS24], body["rotations"][:, JOINTS24]))
        (target, target_R), (pred, pred_R) = bodies
        for i in range(len(target)):
            a, b = pred[i] - pred[i, 0], target[i] - target[i, 0]
            distance = np.linalg.norm(a - b, axis=1)
            scale, R, t = procrustes(a, b)
            mpjpe.append(distance.mean())
            aligned.append(np.linalg.norm(scale * a @ R.T + t - b, axis=1).mean())
            major.append(distance[MAJOR])
            for turn, found in ((np.eye(3), angles), (R, angles_pa)):
                between = turn @ pred_R[i, PARTS] @ target_R[i, PARTS].swapaxes(1, 2)
                found.append(np.degrees(np.linalg.norm(Rotation.from_matrix(between).as_rotvec(), axis=1)))
    errors = np.array(major)
    curve = np.array([np.mean([(e <= threshold).mean() for e in errors]) for threshold in range(200)])
    area = quad(lambda x: np.interp(x, np.arange(200) / 199, curve), 0, 1, full_output=1)[0]
    means = [np.mean(values) for values in (mpjpe, aligned, angles, angles_pa)]
    names = ("MPJPE", "MPJPE_PA", "PCK", "AUC", "MPJAE", "MPJAE_PA")
    return dict(zip(names, (*means[:2], 100 * curve[50], area, *means[2:]), strict=True))


def pixels(points: np.ndarray) -> np.ndarray:
    """Image points (P, 2) of points in the camera frame (P, 3)."""
    image = points @ K.T
    return image[:, :2] / image[:, 2:]


def pose_errors(
    points: np.ndarray, R: np.ndarray, t: np.ndarray, target_R: np.ndarray, target_t: np.ndarray, symmetries
) -> tuple[float, float, float]:
    """MSSD in mm, MSPD in pixels and RE in degrees of one pose, over every symmetry and every point."""
    pred, surface, image, angle = points @ R.T + t, [], [], []
    seen = pixels(pred)
    for S, s in symmetries:
        turned = target_R @ S
        target = points @ turned.T + (target_R @ s + target_t)
        surface.append(np.linalg.norm(pred - target, axis=1).max())
        image.append(np.linalg.norm(seen - pixels(target), axis=1).max())
        angle.append(np.degrees(np.arccos(np.clip((np.trace(R @ turned.T) - 1) / 2, -1, 1))))
    return 1000 * min(surface), min(image), min(angle)


def object_scores(
    truth: Mapping[str, Any], results: Mapping[str, Any], template: Mapping[str, Any], sample: Sampler
) -> dict[str, float]:
    """The seven scores of the object track."""
    errors, diameters = [], []
    for name in sorted(truth):
        annotation, record = truth[name], results[name]
        points = sample(name, [(template["verts"], template["faces"])])[0]
        diameter = 1000 * pdist(points[ConvexHull(points).vertices]).max()
        turns = Rotation.from_rotvec(annotation["obj_rots"]).as_matrix()
        for i in range(len(turns)):
            pose = record["obj_rots"][i], record["obj_trans"][i], turns[i], annotation["obj_trans"][i]
            errors.append(pose_errors(points, *pose, template["symmetries"]))
            diameters.append(diameter)
    mssd, mspd, angle = np.array(errors).T
    recalls = [
        np.mean([(e < step * limit).mean() for step in STEPS])
        for e, limit in ((mssd, np.array(diameters)), (mspd, 200.0), (angle, 40.0))
    ]
    names = ("MSSD", "MSPD", "RE", "MSSD_AR", "MSPD_AR", "RE_AR", "AR_all")
    return dict(zip(names, (mssd.mean(), mspd.mean(), angle.mean(), *recalls, np.mean(recalls)), strict=True))


def chamfer(a: np.ndarray, b: np.ndarray) -> float:
    """Both mean nearest distances, summed."""
    total = 0.0
    for x, y in ((a, b), (b, a)):
        tree = NearestNeighbors(n_neighbors=1, leaf_size=1, algorithm="kd_tree", metric="l2").fit(x)
        total += tree.kneighbors(y)[0].mean()
    return total


def draw_points(_: str, meshes: list[tuple[np.ndarray, np.ndarray]], count: int = 6000) -> list[np.ndarray]:
    """Random surface points of meshes, by trimesh."""
    return [trimesh.sample.sample_surface(trimesh.Trimesh(*m, process=False), count)[0] for m in meshes]


def joint_scores(
    truth: Mapping[str, Any],
    results: Mapping[str, Any],
    model: Arrays,
    template: Mapping[str, Any],
    sample: Sampler = draw_points,
) -> dict[str, float]:
    """Both scores of the joint track."""
    errors = []
    for name in sorted(truth):
        annotation, record = truth[name], results[name]
        parts = (annotation, record)
        bodies = [pose_body(model, p["poses"], p["betas"], p["trans"])["verts"] for p in parts]
        turns = Rotation.from_rotvec(annotation["obj_rots"]).as_matrix()
        for i, frame in enumerate(annotation["frames"]):
            body, pred = bodies[0][i], bodies[1][i]
            obj = template["verts"] @ turns[i].T + annotation["obj_trans"][i]
            pred_obj = template["verts"] @ record["obj_rots"][i].T + record["obj_trans"][i]
            s, R, t = procrustes(np.concatenate([pred, pred_obj]), np.concatenate([body, obj]))
            meshes = [(m, model["f"]) for m in (body, s * pred @ R.T + t)]
            meshes += [(m, template["faces"]) for m in (obj, s * pred_obj @ R.T + t)]
            body, pred, obj, pred_obj = sample(f"{name}/{frame}", meshes)
            errors.append((1000 * chamfer(pred, body), 1000 * chamfer(pred_obj, obj)))
    return dict(zip(("SMPL", "Object"), np.mean(errors, axis=0), strict=True))
