"""The ground truth of one crop: what is known of its view, after the camera rolled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from rhobin.data.targets.extras import Extras
from rhobin.data.targets.views import ViewTargets
from rhobin.objects.canonical import canonical_pose
from rhobin.objects.names import names_by_id
from rhobin.objects.template import Template
from rhobin.types import HumanTarget, ObjectTarget, Target


class Labeller:
    """Makes the targets of crops.

    Attributes:
        truth: ground truth of the views.
        templates: object templates by name.
        canonical: replace an object's pose by the canonical one among those that look the same.
        extras: optional targets.
    """

    def __init__(
        self,
        truth: ViewTargets,
        templates: Mapping[str, Template],
        canonical: bool,
        extras: Extras,
    ):
        self.truth, self.templates, self.extras = truth, templates, extras
        self.names = names_by_id(templates)
        self.canonical = canonical

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
        human, thing = self._human(view, frame, Q), self._object(name, view, Q)
        drawn = self.extras(name, human | thing, K_crop, mask)
        return Target(HumanTarget(**_tensors(human)), ObjectTarget(**_tensors(thing)), **drawn)

    def _human(self, view: int, frame: int, Q: np.ndarray) -> dict[str, np.ndarray]:
        """The person in the rolled camera."""
        truth = self.truth
        joints = truth.joints[view] @ Q.T
        theta = truth.theta[frame].copy()
        theta[0] = Q @ truth.root_R[view]
        # SMPL's translation moves the rest pelvis to the pelvis, and only the latter turns with the camera
        rest_pelvis = truth.joints[view, 0] - truth.trans[view]
        return {
            "theta": theta,
            "beta": truth.beta[frame],
            "trans": joints[0] - rest_pelvis,
            "joints": joints,
            "twist": truth.twist[frame],
            "twist_weight": truth.twist_weight[frame],
        }

    def _object(self, name: str, view: int, Q: np.ndarray) -> dict[str, np.ndarray]:
        """Pose and keypoints of the object in the rolled camera."""
        truth = self.truth
        R, t = Q @ truth.obj_R[view], Q @ truth.obj_t[view]
        if not self.canonical:
            return {"R": R, "t": t, "kpts": truth.kpts[view] @ Q.T}
        R, t = canonical_pose(self.templates[name], R, t)
        return {"R": R, "t": t, "kpts": self.templates[name].kpts @ R.T + t}


def _tensors(values: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Float32 tensors of a part that the sample shows."""
    tensors = {name: torch.from_numpy(value.astype(np.float32)) for name, value in values.items()}
    return {**tensors, "present": torch.tensor(1.0)}
