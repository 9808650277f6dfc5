"""A slow joint score in the official evaluator's style: one frame at a time, plain NumPy, no product code.

Only the surface points are shared with the product: given as triangle and corner weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Points = tuple[np.ndarray, np.ndarray]
Sampler = Callable[[str, list[tuple[np.ndarray, np.ndarray]]], list[Points]]


VARIANTS = (
    "exact",
    "low72",
    "mid_scale",
    "high72_sym",
    "mid_sym",
    "gender_mismatch",
    "missing_shuffled",
    "verts",
)


def nested(flat: dict[str, np.ndarray]) -> dict:
    """Keys with slashes as dicts of dicts."""
    tree: dict = {}
    for key, value in flat.items():
        *path, last = key.split("/")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return tree


def rodrigues(rotvec: np.ndarray) -> np.ndarray:
    """Rotation matrix of one rotation vector, from the series of the matrix exponential's closed form."""
    angle = float(np.sqrt(rotvec @ rotvec))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = rotvec / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def skin(model: dict[str, np.ndarray], pose: np.ndarray, betas: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """SMPL-H vertices (V, 3) of one pose (156 or 72 numbers), joint after joint."""
    if len(pose) == 72:
        full = np.zeros(156)
        full[:69], full[111:114] = pose[:69], pose[69:]
        pose = full
    arrays = {
        key: np.asarray(model[key], np.float64) for key in ("v_template", "shapedirs", "posedirs", "weights")
    }
    shaped = arrays["v_template"] + arrays["shapedirs"] @ betas
    joints = np.asarray(model["J_regressor"], np.float64) @ shaped
    local = [rodrigues(pose[3 * j : 3 * j + 3]) for j in range(52)]
    feature = np.concatenate([(R - np.eye(3)).ravel() for R in local[1:]])
    bent = shaped + arrays["posedirs"] @ feature
    parents = model["kintree_table"][0].astype(np.int64)
    world = [np.eye(4) for _ in range(52)]
    for j in range(52):
        step = np.eye(4)
        step[:3, :3] = local[j]
        step[:3, 3] = joints[j] if j == 0 else joints[j] - joints[parents[j]]
        world[j] = step if j == 0 else world[parents[j]] @ step
    verts = np.zeros_like(bent)
    for j in range(52):
        moved = (bent - joints[j]) @ world[j][:3, :3].T + world[j][:3, 3]
        verts += arrays["weights"][:, j : j + 1] * moved
    return verts + trans


def similarity(a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation and translation of Procrustes a -> b without reflections."""
    mean_a, mean_b = a.mean(0), b.mean(0)
    x, y = (a - mean_a).T, (b - mean_b).T
    U, _, Vh = np.linalg.svd(x @ y.T)
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(U @ Vh))])
    R = Vh.T @ sign @ U.T
    scale = np.trace(R @ x @ y.T) / (x**2).sum()
    return scale, R, mean_b - scale * R @ mean_a


def both_ways(a: np.ndarray, b: np.ndarray) -> float:
    """Mean nearest distance a to b plus b to a, by comparing every pair."""
    distance = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))
    return distance.min(1).mean() + distance.min(0).mean()


def slow_score(ref: dict, results: dict, models: dict, sampler: Sampler) -> tuple[float, float, int]:
    """Mean SMPL and object error in millimetres, and the number of frames."""
    errors = []
    for sequence, truth in ref["annotations"].items():
        template = ref["templates"][sequence.split("_")[2]]
        record = results[sequence]
        for i, frame in enumerate(truth["frames"]):
            if truth["occ_ratios"][i] < 0.3 or frame not in record["frames"]:
                continue
            k = list(record["frames"]).index(frame)
            model = models[truth["gender"]]
            body = skin(model, truth["poses"][i], truth["betas"][i], truth["trans"][i])
            obj = template["verts"] @ rodrigues(truth["obj_rots"][i]).T + truth["obj_trans"][i]
            pred = skin(model, record["poses"][k], record["betas"][k], record["trans"][k])
            pred_obj = template["verts"] @ record["obj_rots"][k].T + record["obj_trans"][k]
            if "obj_scales" in record:
                pred_obj = pred_obj * record["obj_scales"][k]
            s, R, t = similarity(np.concatenate([pred, pred_obj]), np.concatenate([body, obj]))
            pred, pred_obj = s * pred @ R.T + t, s * pred_obj @ R.T + t
            meshes = [
                (verts, faces)
                for verts, faces in (
                    (body, model["f"]),
                    (obj, template["faces"]),
                    (pred, model["f"]),
                    (pred_obj, template["faces"]),
                )
            ]
            points = [
                np.einsum("nk,nkc->nc", weights, verts[np.asarray(faces, np.int64)[face]])
                for (verts, faces), (face, weights) in zip(
                    meshes, sampler(f"{sequence}/{frame}", meshes), strict=True
                )
            ]
            errors.append((both_ways(points[2], points[0]), both_ways(points[3], points[1])))
    mean = 1000 * np.mean(errors, axis=0)
    return float(mean[0]), float(mean[1]), len(errors)
