"""The challenge's joint metric: human and object surface errors after one similarity alignment.

Official code: ``evaluate_joint.py`` of the RHOBIN 2023 challenge. Both directed mean distances are
un-squared and *summed*; prediction and target are sampled independently, so even a perfect prediction
has an error (the sampling floor, about the square root of area over samples).
"""

import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from rhobin.geometry.align import rigid_align
from rhobin.geometry.backend import BackendName
from rhobin.geometry.mesh import chamfer_sum, points_at, sample_barycentric
from rhobin.metrics.protocol import SAMPLES

Verts = Float[np.ndarray, "V 3"]
Faces = Integer[np.ndarray, "F 3"]
ObjVerts = Float[np.ndarray, "N 3"]
ObjFaces = Integer[np.ndarray, "G 3"]


@dataclass(frozen=True)
class SurfaceSamples:
    """Points of a triangle mesh.

    Attributes:
        face: (S,) triangle indices.
        weights: (S, 3) weights of the triangles' corners.
    """

    face: Integer[np.ndarray, " S"]
    weights: Float[np.ndarray, "S 3"]

    def on(self, verts: Verts, faces: Faces) -> Float[np.ndarray, "S 3"]:
        """The points' positions on a mesh, (S, 3), in the unit and frame of its vertices."""
        return points_at(verts, faces, self.face, self.weights)


@dataclass(frozen=True)
class FrameMeshes:
    """Everything the metric needs of one frame; vertices in metres, one frame for all.

    Attributes:
        name: ``sequence/frame``; seeds the surface samples.
        pred_body: (V, 3) predicted body vertices.
        pred_obj: (M, 3) predicted object vertices; M is N but for a mesh of its own.
        target_body: (V, 3) true body vertices.
        target_obj: (N, 3) true object vertices.
        body_faces: (F, 3) triangles of both bodies.
        obj_faces: (G, 3) triangles of the true object.
        own_faces: triangles of a predicted object that is not the true one's mesh; None where it is.
    """

    name: str
    pred_body: Verts
    pred_obj: Float[np.ndarray, "M 3"]
    target_body: Verts
    target_obj: ObjVerts
    body_faces: Faces
    obj_faces: ObjFaces
    own_faces: Integer[np.ndarray, "H 3"] | None = None

    @property
    def pred_obj_faces(self) -> Integer[np.ndarray, "H 3"]:
        """Triangles of the predicted object."""
        return self.obj_faces if self.own_faces is None else self.own_faces


Samples = tuple[SurfaceSamples, SurfaceSamples, SurfaceSamples, SurfaceSamples]
"""Points on the target body, target object, predicted body and predicted object."""


def draw_samples(verts: Verts, faces: Faces, count: int, rng: np.random.Generator) -> SurfaceSamples:
    """Draw surface points with density proportional to area, sorted by triangle.

    Args:
        verts: (V, 3) vertices.
        faces: (F, 3) triangles.
        count: number of points.
        rng: source of randomness.

    Returns:
        ``count`` points.
    """
    return SurfaceSamples(*sample_barycentric(verts, faces, count, rng, ordered=True))


def align_to_target(
    pred: Verts, target: Verts
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, " 3"], float]:
    """The similarity that maps predicted vertices onto true ones; never a reflection.

    Args:
        pred: (V, 3) concatenated body and object vertices of the prediction.
        target: (V, 3) the same vertices of the target.

    Returns:
        Rotation (3, 3), translation (3,) and scale: ``aligned = scale * pred @ R.T + t``.
    """
    a, b = (torch.from_numpy(np.asarray(p, dtype=np.float64))[None] for p in (pred, target))
    R, t, scale = rigid_align(a, b, scale=True)
    return R[0].numpy(), t[0].numpy(), float(scale[0])


def aligned_meshes(frame: FrameMeshes) -> tuple[Verts, Float[np.ndarray, "M 3"]]:
    """Predicted body and object after the joint alignment to the target.

    Objects of other vertices than the true ones' cannot be paired: the bodies alone are aligned, as CHORE's
    evaluation does.

    Args:
        frame: vertices of prediction and target.

    Returns:
        Body (V, 3) and object (N, 3) vertices in the target's frame, metres.
    """
    if len(frame.pred_obj) == len(frame.target_obj):
        pred = np.concatenate([frame.pred_body, frame.pred_obj])
        R, t, scale = align_to_target(pred, np.concatenate([frame.target_body, frame.target_obj]))
    else:
        R, t, scale = align_to_target(frame.pred_body, frame.target_body)
    return scale * frame.pred_body @ R.T + t, scale * frame.pred_obj @ R.T + t


def errors_at_samples(
    frame: FrameMeshes, samples: Samples, using: BackendName | None = "cpu", align: bool = True
) -> tuple[float, float]:
    """Joint errors of a frame at given surface points.

    Args:
        frame: vertices of prediction and target.
        samples: points on the target body, target object, predicted body and predicted object.
        using: implementation of the nearest-point search; None takes the process's own.
        align: align the prediction first.

    Returns:
        SMPL and object error in millimetres.
    """
    body, obj = aligned_meshes(frame) if align else (frame.pred_body, frame.pred_obj)
    target_body = samples[0].on(frame.target_body, frame.body_faces)
    target_obj = samples[1].on(frame.target_obj, frame.obj_faces)
    pred_body = samples[2].on(body, frame.body_faces)
    pred_obj = samples[3].on(obj, frame.pred_obj_faces)
    return (
        1000.0 * chamfer_sum(pred_body, target_body, using),
        1000.0 * chamfer_sum(pred_obj, target_obj, using),
    )


def joint_errors(
    pred_body: Verts | Float[Tensor, "V 3"],
    pred_obj: ObjVerts | Float[Tensor, "N 3"],
    target_body: Verts | Float[Tensor, "V 3"],
    target_obj: ObjVerts | Float[Tensor, "N 3"],
    body_faces: Faces | Integer[Tensor, "F 3"],
    obj_faces: ObjFaces | Integer[Tensor, "G 3"],
    rng: np.random.Generator,
    samples: int = SAMPLES,
) -> tuple[float, float]:
    """The official joint errors of one frame, at random surface points; tensors or arrays.

    Args:
        pred_body: (V, 3) predicted body vertices, metres.
        pred_obj: (N, 3) predicted object vertices, metres, same frame as the body.
        target_body: (V, 3) true body vertices, metres.
        target_obj: (N, 3) true object vertices, metres.
        body_faces: (F, 3) triangles of the body.
        obj_faces: (G, 3) triangles of the object.
        rng: source of the surface points.
        samples: points on each mesh.

    Returns:
        SMPL and object error in millimetres.

    Raises:
        ValueError: a vertex is not finite.
    """
    meshes = (pred_body, pred_obj, target_body, target_obj, body_faces, obj_faces)
    return _errors(FrameMeshes("", *map(_array, meshes)), rng, samples)


def joint_errors_of_frames(
    frames: Iterable[FrameMeshes],
    seed: int = 0,
    samples: int = SAMPLES,
    workers: int = 2,
    using: BackendName | None = "cpu",
) -> list[tuple[float, float]]:
    """The official joint errors of many frames; the same for any order and number of workers.

    Args:
        frames: meshes of each frame.
        seed: seed of the surface points; each frame draws from its own stream.
        samples: points on each mesh.
        workers: threads (the searches run outside Python's lock).
        using: implementation of the nearest-point search. published scores take the CPU's, in double
            precision, so that every machine finds the same digits; None takes the process's own.

    Returns:
        SMPL and object error in millimetres, one pair a frame.
    """
    with ThreadPoolExecutor(workers) as pool:
        return list(
            pool.map(lambda frame: _errors(frame, frame_rng(seed, frame.name), samples, using), frames)
        )


def frame_rng(seed: int, name: str) -> np.random.Generator:
    """The random stream of one frame.

    Args:
        seed: seed of the protocol.
        name: ``sequence/frame``.

    Returns:
        A generator that depends on both and on nothing else.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def frame_samples(frame: FrameMeshes, rng: np.random.Generator, samples: int) -> Samples:
    """Points of a frame's four surfaces, as many on each.

    Raises:
        ValueError: a vertex is not finite.
    """
    _require_finite(frame)
    target_body = draw_samples(frame.target_body, frame.body_faces, samples, rng)
    target_obj = draw_samples(frame.target_obj, frame.obj_faces, samples, rng)
    pred_body = draw_samples(frame.pred_body, frame.body_faces, samples, rng)
    return (
        target_body,
        target_obj,
        pred_body,
        draw_samples(frame.pred_obj, frame.pred_obj_faces, samples, rng),
    )


def _errors(
    frame: FrameMeshes, rng: np.random.Generator, samples: int, using: BackendName | None = "cpu"
) -> tuple[float, float]:
    return errors_at_samples(frame, frame_samples(frame, rng, samples), using)


def _require_finite(frame: FrameMeshes) -> None:
    parts: Sequence[tuple[str, Verts]] = (
        ("predicted body", frame.pred_body),
        ("predicted object", frame.pred_obj),
        ("true body", frame.target_body),
        ("true object", frame.target_obj),
    )
    for part, verts in parts:
        if not np.isfinite(verts).all():
            where = f" of {frame.name}" if frame.name else ""
            raise ValueError(
                f"The {part}{where} has vertices that are not finite numbers; it cannot be scored."
            )


def _array(value: np.ndarray | Tensor) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
