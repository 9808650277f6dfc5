"""What the challenge counts: thresholds of the official evaluators, by mode."""

from dataclasses import asdict, dataclass
from typing import Any

MIN_VISIBLE = 0.3
"""Frames whose object is visible to a smaller fraction are not scored; exactly 0.3 is kept."""

MIN_COVERAGE = 0.975
"""Predicted over visible frames, below which there is no score; exactly 0.975 passes."""

SAMPLES = 6000
"""Points drawn on each mesh by the 2023 evaluator of the joint track."""

OBJECT_SAMPLES = 10_000
"""Points drawn on the template by the 2023 evaluator of the object track."""

CHORE_SAMPLES = 10_000
"""Points drawn on each mesh by CHORE's own evaluation."""

CONTACT_M = 0.05
"""Distance below which a vertex of the body touches the object, in CONTHO's evaluation."""

COVERAGE_2024 = 0.98
"""Predicted over all frames, below which the 2024 evaluators give no score."""

CAMERA_K = ((979.784, 0.0, 1018.952), (0.0, 979.840, 779.486), (0.0, 0.0, 1.0))
"""Intrinsics of kinect 1 at 2048 x 1536, at which MSPD is measured."""

CAMERAS = {
    "icap": ((912.862, 0.0, 956.720), (0.0, 912.676, 554.216), (0.0, 0.0, 1.0)),
    "imhd": ((1428.7549, 0.0, 956.3587), (0.0, 1432.7926, 515.546), (0.0, 0.0, 1.0)),
}
"""Intrinsics for MSPD of the data sets that the later editions add and BEHAVE's do not fit."""

STEPS = tuple(0.05 + 0.05 * i for i in range(10))
"""Ten steps of the maximum error, bit for bit those of the evaluator's ``arange(0.05, 0.51, 0.05)``."""


@dataclass(frozen=True)
class JointProtocol:
    """How the joint metric is computed; stamped on every score.

    Attributes:
        name: protocol name.
        samples: surface points on each mesh.
        min_visible: smallest visible fraction of the object that is scored.
        min_coverage: smallest ratio of predicted to visible frames that is scored.
        count_unknown: predicted frames that the ground truth lacks count for that ratio.
        seed: seed of the surface samples.
        missing_fails: one frame without prediction makes the means infinite.
        align: align each frame's prediction to the truth first; else errors are in the camera's frame.
        own_objects: a predicted object may have other vertices than the template, with faces of its own;
            then the bodies alone are aligned.
        contact_m: distance below which a vertex of the body touches the object, metres; 0 scores no contacts.
        places: score translations and accelerations, too.
    """

    name: str = "rhobin-2023-joint"
    samples: int = SAMPLES
    min_visible: float = MIN_VISIBLE
    min_coverage: float = MIN_COVERAGE
    count_unknown: bool = False
    seed: int = 0
    missing_fails: bool = False
    align: bool = True
    own_objects: bool = False
    contact_m: float = 0.0
    places: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The protocol as plain data, for JSON files; without what the challenge's protocols do not have."""
        unused = {"align": True, "own_objects": False, "contact_m": 0.0, "places": False}
        return {key: value for key, value in asdict(self).items() if unused.get(key, ...) != value}


@dataclass(frozen=True)
class HumanProtocol:
    """How the human metrics are computed; stamped on every score.

    Attributes:
        name: protocol name.
        by_name: pair frames by name; the 2023 evaluator pairs them by position and wants equal numbers.
        own_gender: pose the prediction with the gender it names, not with the true one.
        pck_mm: distance at which PCK counts.
        pck_inclusive: whether an error of exactly that distance counts.
        auc_max_mm: last of the distances 0, 1, 2, ... under whose recall AUC is the area.
        v2v: also report distances of vertices.
        min_visible: smallest visible fraction of the object that is scored.
        min_coverage: smallest ratio of predicted to true frames that is scored.
        count_unknown: predicted frames that the ground truth lacks count for that ratio.
        missing_fails: frames without prediction fail at every distance.
    """

    name: str = "rhobin-2023-human"
    by_name: bool = False
    own_gender: bool = True
    pck_mm: float = 50.0
    pck_inclusive: bool = True
    auc_max_mm: int = 199
    v2v: bool = False
    min_visible: float = 0.0
    min_coverage: float = 1.0
    count_unknown: bool = False
    missing_fails: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The protocol as plain data, for JSON files."""
        return asdict(self)


@dataclass(frozen=True)
class ObjectProtocol:
    """How the object metrics are computed; stamped on every score.

    Attributes:
        name: protocol name.
        samples: surface points of the template; 0 for its vertices.
        mssd_steps: thresholds of MSSD as fractions of the diameter.
        mspd_px: thresholds of MSPD, pixels.
        re_deg: thresholds of RE, degrees.
        min_visible: smallest visible fraction of the object that is scored.
        min_coverage: smallest ratio of predicted to visible frames that is scored.
        count_unknown: predicted frames that the ground truth lacks count for that ratio.
        missing_fails: frames without prediction fail at every threshold.
        add_identity: add the identity to symmetries that lack it.
        seed: seed of the surface samples.
    """

    name: str = "rhobin-2023-object"
    samples: int = OBJECT_SAMPLES
    mssd_steps: tuple[float, ...] = STEPS
    mspd_px: tuple[float, ...] = tuple(200.0 * step for step in STEPS)
    re_deg: tuple[float, ...] = tuple(40.0 * step for step in STEPS)
    min_visible: float = MIN_VISIBLE
    min_coverage: float = MIN_COVERAGE
    count_unknown: bool = False
    missing_fails: bool = False
    add_identity: bool = False
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The protocol as plain data, for JSON files."""
        return asdict(self)


OFFICIAL_2023 = JointProtocol()
_GATE_2024: dict[str, Any] = {"min_coverage": COVERAGE_2024, "count_unknown": True}

HUMAN_MODES = {
    "official": HumanProtocol(),
    "paper": HumanProtocol("rhobin-2023-human-paper", pck_inclusive=False, auc_max_mm=200),
    "strict": HumanProtocol(
        "rhobin-2023-human-strict", by_name=True, own_gender=False, min_coverage=0.0, missing_fails=True
    ),
    "2024": HumanProtocol("rhobin-2024-human", by_name=True, own_gender=False, v2v=True, **_GATE_2024),
}

OBJECT_MODES = {
    "official": ObjectProtocol(),
    "paper": ObjectProtocol(
        "rhobin-2023-object-paper", mspd_px=tuple(5.0 * i for i in range(1, 21)), add_identity=True
    ),
    "strict": ObjectProtocol(
        "rhobin-2023-object-strict", min_coverage=0.0, missing_fails=True, add_identity=True
    ),
    "2024": ObjectProtocol("rhobin-2024-object", samples=0, min_visible=0.0, **_GATE_2024),
}

JOINT_MODES = {
    "official": OFFICIAL_2023,
    "paper": JointProtocol("rhobin-2023-joint-paper", min_visible=0.0, min_coverage=0.0),
    "strict": JointProtocol("rhobin-2023-joint-strict", min_coverage=0.0, missing_fails=True),
    "2024": JointProtocol("rhobin-2024-joint", min_visible=0.0, **_GATE_2024),
    "chore": JointProtocol("chore-joint", samples=CHORE_SAMPLES, own_objects=True),
    "contho": JointProtocol("contho-joint", min_visible=0.0, min_coverage=0.0, contact_m=CONTACT_M),
    "procrustes-none": JointProtocol("camera-joint", align=False, places=True),
}
