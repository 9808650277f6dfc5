"""The metrics as torchmetrics: sums that add up over batches and processes, in double precision."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import torch
from torchmetrics import Metric

from rhobin.geometry.backend import BackendName
from rhobin.metrics.human import Joints, Rotations, area_under, human_errors
from rhobin.metrics.joint import FrameMeshes, joint_errors_of_frames
from rhobin.metrics.object import object_errors
from rhobin.metrics.protocol import (
    HUMAN_MODES,
    OBJECT_MODES,
    OFFICIAL_2023,
    HumanProtocol,
    JointProtocol,
    ObjectProtocol,
)


class _Sums(Metric):
    """Running sums by name."""

    full_state_update = False

    def _keep(self, **sizes: int) -> None:
        for name, size in sizes.items():
            self.add_state(name, torch.zeros(size, dtype=torch.float64), dist_reduce_fx="sum")

    def _add(self, **parts: Any) -> None:
        for name, part in parts.items():
            state = getattr(self, name)
            state += torch.as_tensor(part, dtype=torch.float64, device=state.device)

    @property
    def seen(self) -> int:
        """Frames added in this process."""
        return int(self._total("frames")[0])

    def _total(self, name: str) -> np.ndarray:
        return getattr(self, name).cpu().numpy()


class HumanMetric(_Sums):
    """MPJPE, MPJPE_PA, PCK, AUC, MPJAE and MPJAE_PA of all updates.

    Args:
        protocol: thresholds.
    """

    def __init__(self, protocol: HumanProtocol = HUMAN_MODES["official"]) -> None:
        super().__init__()
        self.protocol = protocol
        self._keep(
            frames=1, mpjpe=1, mpjpe_pa=1, angle=1, angle_pa=1, within=1, curve=protocol.auc_max_mm + 1
        )

    def update(
        self,
        pred_joints: Joints,
        pred_rotations: Rotations,
        target_joints: Joints,
        target_rotations: Rotations,
    ) -> None:
        """Add a batch; arguments as in `human_errors`."""
        errors = human_errors(pred_joints, pred_rotations, target_joints, target_rotations)
        side: Literal["left", "right"] = "right" if self.protocol.pck_inclusive else "left"
        order = np.sort(errors.joint_mm, axis=None)
        thresholds = np.arange(self.protocol.auc_max_mm + 1.0)
        self._add(
            frames=[len(errors)],
            mpjpe=[errors.mpjpe_mm.sum()],
            mpjpe_pa=[errors.mpjpe_pa_mm.sum()],
            angle=[errors.angle_deg.mean(axis=1).sum()],
            angle_pa=[errors.angle_pa_deg.mean(axis=1).sum()],
            within=[np.searchsorted(order, self.protocol.pck_mm, side) / errors.joint_mm.shape[1]],
            curve=np.searchsorted(order, thresholds, side) / errors.joint_mm.shape[1],
        )

    def compute(self) -> dict[str, float]:
        """The scores under their official names, of every process's frames."""
        count = self._total("frames")
        mean = {
            name: float((self._total(name) / count)[0])
            for name in ("mpjpe", "mpjpe_pa", "angle", "angle_pa", "within")
        }
        return {
            "MPJPE": mean["mpjpe"],
            "MPJPE_PA": mean["mpjpe_pa"],
            "PCK": 100.0 * mean["within"],
            "AUC": area_under(self._total("curve") / count),
            "MPJAE": mean["angle"],
            "MPJAE_PA": mean["angle_pa"],
        }


class ObjectMetric(_Sums):
    """MSSD, MSPD, RE, their average recalls and AR_all of all updates.

    Args:
        protocol: thresholds.
    """

    def __init__(self, protocol: ObjectProtocol = OBJECT_MODES["official"]) -> None:
        super().__init__()
        self.protocol = protocol
        self._keep(frames=1, errors=3, recalls=3)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch of poses of one object; arguments as in `object_errors`."""
        errors = object_errors(*args, **kwargs)
        limits = self.protocol
        passed = (
            errors.mssd_mm < np.array(limits.mssd_steps)[:, None] * errors.diameter_mm,
            errors.mspd_px < np.array(limits.mspd_px)[:, None],
            errors.re_deg < np.array(limits.re_deg)[:, None],
        )
        self._add(
            frames=[len(errors)],
            errors=[errors.mssd_mm.sum(), errors.mspd_px.sum(), errors.re_deg.sum()],
            recalls=[mask.mean(axis=0).sum() for mask in passed],
        )

    def compute(self) -> dict[str, float]:
        """The scores under their official names, of every process's frames."""
        names, count = ("MSSD", "MSPD", "RE"), self._total("frames")
        means, recalls = self._total("errors") / count, self._total("recalls") / count
        scores = {name: float(value) for name, value in zip(names, means, strict=True)}
        scores |= {f"{name}_AR": float(value) for name, value in zip(names, recalls, strict=True)}
        return {**scores, "AR_all": float(recalls.mean())}


class JointMetric(_Sums):
    """SMPL and Object errors of all updates.

    Args:
        protocol: number and seed of surface points.
        workers: threads.
        using: what finds nearest neighbours; None for the fastest here, scores that are published keep the
            default.
    """

    def __init__(
        self,
        protocol: JointProtocol = OFFICIAL_2023,
        workers: int = 1,
        using: BackendName | None = "cpu",
    ) -> None:
        super().__init__()
        self.protocol, self.workers, self.using = protocol, workers, using
        self._keep(frames=1, errors=2)

    def update(self, frames: Iterable[FrameMeshes]) -> None:
        """Add the meshes of frames."""
        pairs = joint_errors_of_frames(
            frames, self.protocol.seed, self.protocol.samples, self.workers, self.using
        )
        if pairs:
            self._add(frames=[len(pairs)], errors=np.sum(pairs, axis=0))

    def compute(self) -> dict[str, float]:
        """The scores under their official names, of every process's frames."""
        smpl, obj = self._total("errors") / self._total("frames")
        return {"SMPL": float(smpl), "Object": float(obj)}
