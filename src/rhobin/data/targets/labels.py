"""The ground truth of one crop: what is known of its view, after the camera rolled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from rhobin.data.targets.extras import Extras
from rhobin.data.targets.views import ViewTargets
from rhobin.objects.canonical import canonical_pose
from rhobin.objects.names import names_by_id
from rhobin.objects.template import Template
from rhobin.types import Target

_NEAR = 1e-3  # metres; what is nearer counts as behind the camera


class Labeller:
    """Makes the targets of crops.

    Attributes:
        truth: ground truth of the views.
        templates: object templates by name.
        input_size: width of the crop, pixels.
        depth_range: metres of depth that heatmap coordinates span.
        canonical: replace an object's pose by the canonical one among those that look the same.
        extras: optional targets.
    """

    def __init__(
        self,
        truth: ViewTargets,
        templates: Mapping[str, Template],
        input_size: int,
        depth_range: float,
        canonical: bool,
        extras: Extras,
    ):
        self.truth, self.templates, self.extras = truth, templates, extras
        self.names = names_by_id(templates)
        self.input_size, self.depth_range, self.canonical = input_size, depth_range, canonical

    def __call__(self, view: int, Q: np.ndarray, K_crop: np.ndarray, mask: np.ndarray) -> Target:
        """Targets of one crop, without a batch axis.

        Args:
            view: its row in the ground truth.
            Q: (3, 3) roll of the camera, X' = Q X.
            K_crop: (3, 3) intrinsics of the crop.
            mask: (H, W) uint8 object mask of the crop.
        """
        truth, frame = self.truth, int(self.truth.frame[view])
        name = self.names[int(truth.object_id[frame])]
        joints = truth.joints[view] @ Q.T
        theta = truth.theta[frame].copy()
        theta[0] = Q @ truth.root_R[view]
        # SMPL's translation moves the rest pelvis to the pelvis, and only the latter turns with the camera
        rest_pelvis = truth.joints[view, 0] - truth.trans[view]
        values = {
            "theta": theta,
            "beta": truth.beta[frame],
            "trans": joints[0] - rest_pelvis,
            "joints": joints,
            "twist": truth.twist[frame],
            "twist_weight": truth.twist_weight[frame],
            **self._object(name, view, Q),
        }
        for points in ("joints", "kpts"):
            uvd, weight = self.heatmap_coordinates(values[points], joints[0, 2], K_crop)
            values |= {f"{points}_uvd": uvd, f"{points}_weight": weight}
        tensors: dict[str, Any] = {
            member: torch.from_numpy(value.astype(np.float32)) for member, value in values.items()
        }
        return Target(**tensors, **self.extras(name, values, K_crop, mask))

    def _object(self, name: str, view: int, Q: np.ndarray) -> dict[str, np.ndarray]:
        """Pose and keypoints of the object in the rolled camera."""
        truth = self.truth
        R, t = Q @ truth.obj_R[view], Q @ truth.obj_t[view]
        if not self.canonical:
            return {"obj_R": R, "obj_t": t, "kpts": truth.kpts[view] @ Q.T}
        R, t = canonical_pose(self.templates[name], R, t)
        return {"obj_R": R, "obj_t": t, "kpts": self.templates[name].kpts @ R.T + t}

    def heatmap_coordinates(
        self, points: np.ndarray, pelvis_depth: float, K_crop: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points (J, 3) as (u, v, d), and 1 for those that lie in front of the camera and in range."""
        pixels = points @ K_crop.T
        depth = np.maximum(pixels[:, 2:], _NEAR)
        uvd = np.empty_like(pixels)
        uvd[:, :2] = pixels[:, :2] / depth / self.input_size - 0.5
        uvd[:, 2] = (points[:, 2] - pelvis_depth) / self.depth_range
        inside = ((uvd >= -0.5) & (uvd < 0.5)).all(axis=1) & (points[:, 2] > _NEAR)
        return uvd, inside
