"""What is known of each template, to be kept beside trained networks: hash, keypoints, symmetries."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.files import read_json
from rhobin.objects.canonical import nearest_member
from rhobin.objects.keypoints import condition
from rhobin.objects.scans import RELEASE_VERTS
from rhobin.objects.symmetry import ASYMMETRIC, Rotations, SymmetryGroup, shape_errors
from rhobin.objects.template import Template

ALIKE_SHAPE = 0.025  # of the diameter: lids, handles and folds that a symmetry is meant to overlook
ALIKE_DEG = 6.0  # scans and their axes are not exact
COARSE_DEG = 46.0  # continuous symmetries are listed in steps, of 90 degrees at most


def keypoint_record(templates: Mapping[str, Template]) -> dict[str, dict[str, Any]]:
    """By object: the mesh's hash, its and the release's vertices, the eight keypoints and their condition."""
    return {
        name: {
            "sha256": template.sha256,
            "vertices": len(template.verts),
            "release_vertices": RELEASE_VERTS.get(name),
            "keypoints": template.kpt_ids.tolist(),
            "condition": round(condition(template.kpts), 4),
            "symmetries": len(template.symmetries),
        }
        for name, template in templates.items()
    }


def check_record(path: Path, templates: Mapping[str, Template]) -> list[str]:
    """How templates differ from those that a keypoint file was written of, one line each.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"expected a keypoint file at {path}; write one with rhobin templates --out")
    try:
        known = read_json(path)
        pairs = {name: (entry["sha256"], entry["keypoints"]) for name, entry in known.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected sha256 and keypoints by object ({error!r})") from error
    lines = []
    for name, template in templates.items():
        if name not in pairs:
            lines.append(f"{name}: not in the file")
        elif pairs[name][0] != template.sha256:
            lines.append(f"{name}: another mesh")
        elif pairs[name][1] != template.kpt_ids.tolist():
            lines.append(f"{name}: keypoints {template.kpt_ids.tolist()}, the file has {pairs[name][1]}")
    return lines


def with_symmetries(template: Template, rotations: Rotations, translations: np.ndarray) -> Template:
    """A template with symmetries that another source lists.

    Args:
        template: the object.
        rotations: (S, 3, 3) that keep its shape; the identity is put first, and added if it is missing.
        translations: (S, 3) that belong to them, metres.

    Returns:
        The template itself where it lists the same; otherwise one with the new list. The closed form, by
        which equal poses get one label, is kept only where it means the same rotations.

    Raises:
        ValueError: a motion is no rotation, or moves the surface by more than 2.5 % of its diameter.
    """
    known, shifts = _identity_first(rotations, translations)
    if known.shape == template.symmetries.shape and np.allclose(known, template.symmetries, atol=1e-5):
        return template
    if not np.allclose(known @ known.transpose(0, 2, 1), np.eye(3), atol=1e-4):
        raise ValueError(f"{template.name}: a symmetry is no rotation")
    error = shape_errors(template.verts, template.faces, known, shifts)
    worst = int(error.argmax())
    if error[worst] > ALIKE_SHAPE * template.diameter:
        raise ValueError(
            f"{template.name}: symmetry {worst} moves its surface by {error[worst] * 1e3:.0f} mm"
        )
    group = template.group if _same_group(template.group, known) else ASYMMETRIC
    return replace(template, symmetries=known, symmetry_offsets=shifts, group=group)


def _identity_first(rotations: np.ndarray, translations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    others = np.abs(rotations - np.eye(3)).max(axis=(1, 2)) > 1e-4
    first = np.eye(3)[None], np.zeros((1, 3))
    return np.concatenate([first[0], rotations[others]]), np.concatenate([first[1], translations[others]])


def _same_group(group: SymmetryGroup, listed: np.ndarray) -> bool:
    """Whether a closed form has every listed rotation, and the list every rotation of the closed form."""
    nearest = np.stack([nearest_member(group, rotation.T) for rotation in listed])
    steps = COARSE_DEG if group.sphere or not group.order else ALIKE_DEG
    members = group.rotations()
    gaps = np.stack([_angles_deg(members, np.broadcast_to(one, members.shape)) for one in listed])
    return bool(_angles_deg(nearest, listed).max() <= ALIKE_DEG and gaps.min(axis=0).max() <= steps)


def _angles_deg(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Angle between rotations (N, 3, 3), pairwise."""
    cosine = (np.einsum("nij,nij->n", these, those) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))
