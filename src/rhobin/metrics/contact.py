"""Contact of body and object: CONTHO's labels and scores, and how far both are in each other or apart."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer

from rhobin.geometry.backend import nearest_distances
from rhobin.geometry.inside import inside, surface_distances

Verts = Float[np.ndarray, "V 3"]
ObjVerts = Float[np.ndarray, "N 3"]
Faces = Integer[np.ndarray, "F 3"]
Points = Float[np.ndarray, "P 3"]

CLOSEST = 64
"""Points whose exact distances are taken; the closest of all is among them."""


@dataclass(frozen=True)
class Contact:
    """Contact of one frame; a value that the frame does not count for is NaN.

    Attributes:
        precision: share of the predicted contact vertices that are true ones; NaN where none is predicted.
        recall: share of the true contact vertices that are predicted; NaN where there is none.
        penetration_mm: distance of the object's deepest point inside the body from its skin; 0 outside.
        penetration_percent: share of the object's surface inside the body.
        floating_mm: least distance of the surfaces; 0 where they meet, NaN where the truth has no contact.
    """

    precision: float
    recall: float
    penetration_mm: float
    penetration_percent: float
    floating_mm: float


def touching(body: Verts, obj: ObjVerts, limit_m: float) -> Bool[np.ndarray, " V"]:
    """Which vertices of a body are in contact: nearer to a vertex of the object than the limit.

    Args:
        body: (V, 3) vertices of the body, metres.
        obj: (N, 3) vertices of the object, metres.
        limit_m: the limit; CONTHO's is 5 cm, not included.
    """
    return nearest_distances(body, obj, "cpu") < limit_m


def agreement(predicted: Bool[np.ndarray, " V"], true: Bool[np.ndarray, " V"]) -> tuple[float, float]:
    """Precision and recall of a frame's contact vertices, as in `Contact`."""
    common, told, there = (int(np.sum(mask)) for mask in (predicted & true, predicted, true))
    return _ratio(common, told), _ratio(common, there)


def f1_of(precision: float, recall: float) -> float:
    """F1 of mean precision and mean recall, as HOI-TG (CVPR 2025) forms it of CONTHO's scores."""
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def f1_values(precision: Float[np.ndarray, " N"], recall: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Values of frames whose mean is F1, and which differ between frames as much as F1 does, to first order.

    Args:
        precision: (N,) of frames; NaN where one does not count.
        recall: (N,) likewise.
    """
    both = [of_all_frames(values) for values in (precision, recall)]
    if any(np.isnan(values).all() for values in both):
        return np.full(len(precision), np.nan)
    means = [float(values.mean()) for values in both]
    if not sum(means):
        return np.zeros(len(precision))
    slopes = [2 * (other / sum(means)) ** 2 for other in reversed(means)]
    parts = [slope * (values - mean) for slope, values, mean in zip(slopes, both, means, strict=True)]
    return f1_of(*means) + parts[0] + parts[1]


def of_all_frames(values: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Values whose mean over all frames is the mean of those that count, and which vary as it does.

    Args:
        values: (N,) of frames; NaN where one does not count. They stay as they are where all or none count.
    """
    counts = ~np.isnan(values)
    if counts.all() or not counts.any():
        return values
    mean = values[counts].mean()
    return mean + np.where(counts, values - mean, 0.0) / counts.mean()


def frame_contact(
    pred: tuple[Verts, Float[np.ndarray, "M 3"]],
    target: tuple[Verts, ObjVerts],
    body_faces: Faces,
    surface: Points,
    limit_m: float,
) -> Contact:
    """Contact of one frame.

    Args:
        pred: predicted vertices of body and object, metres, before any alignment: a scale would move them
            towards each other.
        target: the true ones.
        body_faces: (F, 3) triangles of the body.
        surface: (P, 3) points of the predicted object's surface, in the frame of `pred`.
        limit_m: distance below which a vertex touches the object.
    """
    true = touching(*target, limit_m)
    held = inside(surface, pred[0], body_faces)
    depth = surface_distances(surface[held], pred[0], body_faces).max() if held.any() else 0.0
    gap = np.nan if not true.any() else 0.0 if held.any() else least_distance(surface, pred[0], body_faces)
    scores = agreement(touching(*pred, limit_m), true)
    return Contact(*scores, 1000.0 * float(depth), 100.0 * float(held.mean()), 1000.0 * float(gap))


def least_distance(surface: Points, verts: Verts, faces: Faces) -> float:
    """Least distance of points (P, 3) to a surface, in its unit."""
    rough = nearest_distances(surface, verts, "cpu")
    closest = np.argsort(rough, kind="stable")[:CLOSEST]
    return float(surface_distances(surface[closest], verts, faces).min())


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
