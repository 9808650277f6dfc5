"""The ground truth of a sample: what is known of its view, after the camera turned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from rhobin.data.augment.mirror import mirror_object, mirror_person
from rhobin.data.settings import SampleConfig
from rhobin.data.targets.extras import Extras
from rhobin.data.targets.fields import FieldSampler
from rhobin.data.targets.views import ViewTargets
from rhobin.objects.canonical import canonical_pose
from rhobin.objects.mirror_plane import MirrorPlane
from rhobin.types import HumanTarget, ObjectTarget, Target, required


class Labeller:
    """Makes the targets of samples.

    Attributes:
        truth: ground truth of the views.
        canonical: replace an object's pose by the canonical one among those that look the same.
        planes: the reflections that keep objects, by object id.
        extras: what is drawn in each of a sample's crops, that of its image first.
        fields: draws points about person and object, where the method reads fields.
    """

    def __init__(self, truth: ViewTargets, config: SampleConfig, planes: Mapping[int, MirrorPlane]):
        self.truth, self.canonical, self.planes = truth, config.targets.canonical_symmetry, planes
        wanted = "fields" in config.reads.targets
        self.fields = FieldSampler(truth.assets, config.targets.fields) if wanted else None
        self.extras = [Extras(crop, config.targets, truth.assets.templates) for crop in config.crops]

    def __call__(
        self,
        view: int,
        Q: np.ndarray,
        K_crops: Sequence[np.ndarray],
        masks: Sequence[np.ndarray],
        mirrored: bool = False,
        rng: np.random.Generator | None = None,
    ) -> tuple[Target, list[dict[str, Any]]]:
        """Targets of one sample, without a batch axis.

        Args:
            view: its row in the ground truth.
            Q: (3, 3) rotation of the camera, X' = Q X.
            K_crops: (3, 3) intrinsics of each crop.
            masks: (H, W) uint8 object mask of each crop.
            mirrored: the crops are mirrored; then an object is told if it has a plane.
            rng: source of the points of fields; needed where they are read.

        Returns:
            The target, with what is drawn in the crop of the sample's image; what is drawn in each further
            crop, by the names of `Crop`'s members.
        """
        frame = int(self.truth.frame[view])
        object_id = int(self.truth.object_id[frame])
        human = self._human(view, frame, Q) if self.truth.has_human[frame] else {}
        human = mirror_person(human) if human and mirrored else human
        obj = self._object(object_id, view, Q, mirrored) if self.truth.has_object[frame] else {}
        drawn, *further = (
            extras(object_id, human | obj, K_crop, mask)
            for extras, K_crop, mask in zip(self.extras, K_crops, masks, strict=True)
        )
        if self.fields and human and obj:
            gender = int(self.truth.gender[frame])
            drawn["fields"] = self.fields(gender, object_id, human | obj, required(rng, "the points' seed"))
        target = Target(
            human=HumanTarget(**_tensors(human)) if human else None,
            object=ObjectTarget(**_tensors(obj)) if obj else None,
            **drawn,
        )
        return target, further

    def _human(self, view: int, frame: int, Q: np.ndarray) -> dict[str, np.ndarray]:
        """The person in the turned camera."""
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

    def _object(self, object_id: int, view: int, Q: np.ndarray, mirrored: bool) -> dict[str, np.ndarray]:
        """Pose and keypoints of the object in the turned camera; empty where its mirror image has no pose."""
        truth = self.truth
        R, t = Q @ truth.obj_R[view], Q @ truth.obj_t[view]
        if not mirrored and not self.canonical:
            return {"R": R, "t": t, "kpts": truth.kpts[view] @ Q.T}
        if mirrored and object_id not in self.planes:
            return {}
        template = truth.assets.templates[object_id]
        if mirrored:
            R, t = mirror_object(R, t, self.planes[object_id])
        if self.canonical:
            R, t = canonical_pose(template, R, t)
        return {"R": R, "t": t, "kpts": template.kpts @ R.T + t}


def _tensors(values: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Float32 tensors of a part that the sample shows."""
    present = {**values, "present": np.ones(())}
    return {name: torch.from_numpy(value.astype(np.float32)) for name, value in present.items()}
