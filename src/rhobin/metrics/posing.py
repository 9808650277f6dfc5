"""From the parameters in challenge files to the meshes that are compared."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from rhobin.behave.ref import RefTemplate, SequenceAnnotation
from rhobin.body.model import BodyModel
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.metrics.joint import FrameMeshes
from rhobin.metrics.submission import Annotations, Example, Results, SubmissionError, check_results


def pose_examples(
    examples: Sequence[Example],
    annotations: Annotations,
    templates: Mapping[str, RefTemplate],
    results: Results,
    bodies: Mapping[str, BodyModel],
    source: str = "results",
    own_objects: bool = False,
) -> list[FrameMeshes]:
    """Turn parameters into the meshes that are compared, in the camera frame.

    Both bodies use the ground truth's gender. Vertices given in the results (``smpl_verts``, ``obj_verts``)
    stand in for parameters. The predicted scale multiplies the object after its translation.

    Args:
        examples: frames to pose; all in memory at once.
        annotations: ground truth by sequence name.
        templates: centred object templates by name.
        results: predictions by sequence name.
        bodies: float64 body models by gender.
        source: what to call the results in messages.
        own_objects: ``obj_verts`` may have other vertices than the template's where ``obj_faces`` (G, 3) of
            the sequence come with them.

    Returns:
        Meshes in the order of `examples`, metres.

    Raises:
        SubmissionError: a key or template is missing, or an array is malformed.
    """
    check_results(results, examples, source)
    meshes: list[FrameMeshes] = []
    for sequence, group in groupby(examples, key=lambda e: e.sequence):
        rows = list(group)
        truth, record = annotations[sequence], results[sequence]
        body = body_of(bodies, truth.gender, sequence)
        template = template_of(templates, rows[0])
        own = own_faces(record, sequence, source) if own_objects and "obj_faces" in record else None
        meshes += _pose_sequence(rows, truth, record, body, template, source, own)
    return meshes


def expand_pose(poses: Float[np.ndarray, "T P"]) -> Float[np.ndarray, "T 156"]:
    """SMPL poses (72) as SMPL-H poses (156), as the official evaluator does.

    The first 69 numbers are copied, the last three (right hand) move to the first joint of the right index
    finger; all other fingers are flat.

    Args:
        poses: (T, 72) or (T, 156) axis-angle.

    Returns:
        (T, 156) axis-angle.
    """
    if poses.shape[1] == 156:
        return poses
    expanded = np.zeros((len(poses), 156))
    expanded[:, :69] = poses[:, :69]
    expanded[:, 111:114] = poses[:, 69:72]
    return expanded


def posed_people(
    examples: Sequence[Example],
    truth: SequenceAnnotation,
    record: Mapping[str, Any],
    body: BodyModel,
    source: str = "results",
) -> tuple[Float[np.ndarray, "T V 3"], Float[np.ndarray, "T V 3"]]:
    """Predicted and true body vertices of frames of one sequence, metres, camera frame.

    Raises:
        SubmissionError: vertices in the results are not the body's.
    """
    target_rows, pred_rows = [e.target for e in examples], [e.pred for e in examples]
    target = skinned(body, truth.poses[target_rows], truth.betas[target_rows], truth.trans[target_rows])
    if "smpl_verts" in record:
        pred = _rows(record, "smpl_verts", pred_rows)
    else:
        poses, betas, trans = (_rows(record, key, pred_rows) for key in ("poses", "betas", "trans"))
        pred = skinned(body, expand_pose(poses), betas, trans)
    _same_count("smpl_verts", pred, target, examples, source)
    return pred, target


def placed_objects(
    examples: Sequence[Example],
    truth: SequenceAnnotation,
    record: Mapping[str, Any],
    template: RefTemplate,
    source: str = "results",
    other: bool = False,
) -> tuple[Float[np.ndarray, "T M 3"], Float[np.ndarray, "T N 3"]]:
    """Predicted and true object vertices of frames of one sequence, metres, camera frame.

    Raises:
        SubmissionError: vertices in the results are not the template's, and `other` ones are not allowed.
    """
    target_rows, pred_rows = [e.target for e in examples], [e.pred for e in examples]
    target_R = rotvec_to_rotmat(torch.from_numpy(truth.obj_rots[target_rows])).numpy()
    target = placed(template.verts, target_R, truth.obj_trans[target_rows])
    if "obj_verts" in record:
        pred = _rows(record, "obj_verts", pred_rows)
    else:
        pose = (_rows(record, key, pred_rows) for key in ("obj_rots", "obj_trans"))
        pred = placed(template.verts, *pose)
    if "obj_scales" in record:
        pred = pred * _rows(record, "obj_scales", pred_rows)[:, None, None]
    if not other:
        _same_count("obj_verts", pred, target, examples, source)
    return pred, target


def own_faces(record: Mapping[str, Any], sequence: str, source: str) -> np.ndarray:
    """Triangles (G, 3) of a sequence's predicted objects, which are not the template's.

    Raises:
        SubmissionError: they are no triangles of ``obj_verts``.
    """
    where = f"{source}: sequence {sequence}: key 'obj_faces'"
    if "obj_verts" not in record:
        raise SubmissionError(f"{where}: expected key 'obj_verts' beside it, found {sorted(record)}.")
    faces, count = np.asarray(record["obj_faces"]), np.shape(record["obj_verts"])[1]
    fits = faces.ndim == 2 and faces.shape[1:] == (3,) and faces.dtype.kind in "iu" and len(faces)
    if not fits or faces.min() < 0 or faces.max() >= count:
        found = f"{faces.dtype} of shape {faces.shape}"
        raise SubmissionError(f"{where}: expected integers (G, 3) from 0 to {count - 1}, found {found}.")
    return faces.astype(np.int64)


def _pose_sequence(
    examples: list[Example],
    truth: SequenceAnnotation,
    record: Mapping[str, Any],
    body: BodyModel,
    template: RefTemplate,
    source: str,
    own: np.ndarray | None,
) -> list[FrameMeshes]:
    pred_body, target_body = posed_people(examples, truth, record, body, source)
    pred_obj, target_obj = placed_objects(examples, truth, record, template, source, own is not None)
    faces, obj_faces = body.faces.cpu().numpy(), np.asarray(template.faces)
    return [
        FrameMeshes(e.name, pred_body[i], pred_obj[i], target_body[i], target_obj[i], faces, obj_faces, own)
        for i, e in enumerate(examples)
    ]


def _same_count(
    key: str, pred: np.ndarray, target: np.ndarray, examples: Sequence[Example], source: str
) -> None:
    if pred.shape != target.shape:
        raise SubmissionError(
            f"{source}: sequence {examples[0].sequence}: key {key!r}: "
            f"expected {target.shape[1]} vertices, found {pred.shape[1]}."
        )


def _rows(record: Mapping[str, Any], key: str, rows: list[int]) -> Float[np.ndarray, "T ..."]:
    return np.asarray(record[key], dtype=np.float64)[rows]


def placed(
    verts: Float[np.ndarray, "N 3"], R: Float[np.ndarray, "T 3 3"], t: Float[np.ndarray, "T 3"]
) -> Float[np.ndarray, "T N 3"]:
    """Vertices (T, N, 3) of a template under poses, metres."""
    return np.einsum("tij,nj->tni", R, np.asarray(verts, dtype=np.float64)) + t[:, None]


@torch.no_grad()
def skinned(
    body: BodyModel,
    poses: Float[np.ndarray, "T 156"],
    betas: Float[np.ndarray, "T 10"],
    trans: Float[np.ndarray, "T 3"],
) -> Float[np.ndarray, "T V 3"]:
    """Vertices (T, V, 3) of bodies, metres, from axis-angle poses, shapes and translations."""
    theta = rotvec_to_rotmat(torch.from_numpy(poses.reshape(len(poses), 52, 3)))
    return body(theta, torch.from_numpy(betas), torch.from_numpy(trans)).verts.numpy()


def body_of(bodies: Mapping[str, BodyModel], gender: str, sequence: str) -> BodyModel:
    """The body model of a gender.

    Args:
        bodies: body models by gender.
        gender: which one.
        sequence: sequence it is for.

    Returns:
        The body model.

    Raises:
        SubmissionError: there is none.
    """
    if gender not in bodies:
        raise SubmissionError(f"Sequence {sequence} needs gender {gender!r}; body models: {sorted(bodies)}.")
    return bodies[gender]


def template_of(templates: Mapping[str, RefTemplate], example: Example) -> RefTemplate:
    """The template that a frame shows.

    Args:
        templates: templates by object name.
        example: the frame.

    Returns:
        The template.

    Raises:
        SubmissionError: the ground truth has none of that name.
    """
    if example.object_name not in templates:
        raise SubmissionError(
            f"Sequence {example.sequence} shows object {example.object_name!r}, "
            f"which has no template in the ground truth: {sorted(templates)}."
        )
    return templates[example.object_name]
