"""Results on BEHAVE and InterCap that were published beside and after the challenge, quoted as printed."""

from dataclasses import dataclass

CONTHO = "CONTHO's: 6,000 points, aligned, every frame, contact at 5 cm"
CHORE = "contact as CONTHO's; distances as CHORE's paper has them: 10,000 points, aligned, visible frames"


@dataclass(frozen=True)
class LaterResult:
    """A row of a paper.

    Attributes:
        method: name of the method.
        year: when it was published.
        human_cm: summed Chamfer distance of the body, centimetres.
        object_cm: the same of the object.
        precision: of contact vertices; None where the source has none.
        recall: likewise.
        protocol: how it was counted.
        source: where it is printed.
        verified: read in the source itself; others are known from notes on it.
    """

    method: str
    year: int
    human_cm: float
    object_cm: float
    precision: float | None
    recall: float | None
    protocol: str
    source: str
    verified: bool


_CONTHO_4 = "CONTHO, Table 4 (README of dqj5182/CONTHO_RELEASE)"
_HOI_TG_1 = "HOI-TG, Table 1 (README of ZhenrongWang/HOI-TG)"
_SCOREHOI, _CROSSHOI = "arXiv 2509.07920", "CrossHOI, CVPR 2026"

BEHAVE = (
    LaterResult("PHOSA", 2020, 12.17, 26.62, 0.393, 0.266, CHORE, _CONTHO_4, True),
    LaterResult("CHORE", 2022, 5.58, 10.66, 0.587, 0.472, CHORE, _CONTHO_4, True),
    LaterResult("CONTHO", 2024, 4.99, 8.42, 0.628, 0.496, CONTHO, _CONTHO_4, True),
    LaterResult("HOI-TG", 2025, 4.59, 8.00, 0.662, 0.554, CONTHO, _HOI_TG_1, True),
    LaterResult("ScoreHOI", 2025, 4.85, 7.86, 0.634, 0.586, CONTHO, _SCOREHOI, False),
    LaterResult("CrossHOI", 2026, 4.27, 7.68, 0.687, 0.576, CONTHO, _CROSSHOI, False),
    LaterResult("VisTracker", 2023, 5.24, 7.89, None, None, "ScoreHOI's", _SCOREHOI, False),
    LaterResult("VisTracker", 2023, 5.39, 8.73, None, None, "RePHO's", "RePHO", False),
    LaterResult("VisTracker", 2023, 13.52, 18.29, None, None, "CARI4D's", "CARI4D", False),
)

INTERCAP = (
    LaterResult("PHOSA", 2020, 11.20, 20.57, 0.228, 0.159, CONTHO, _CONTHO_4, True),
    LaterResult("CHORE", 2022, 7.01, 12.81, 0.339, 0.253, CONTHO, _CONTHO_4, True),
    LaterResult("CONTHO", 2024, 5.96, 9.50, 0.661, 0.432, CONTHO, _CONTHO_4, True),
    LaterResult("HOI-TG", 2025, 5.43, 8.68, 0.700, 0.473, CONTHO, _HOI_TG_1, True),
    LaterResult("ScoreHOI", 2025, 5.56, 8.75, None, None, CONTHO, _SCOREHOI, False),
    LaterResult("CrossHOI", 2026, 5.17, 8.38, None, None, CONTHO, _CROSSHOI, False),
)

LATER = {"BEHAVE": BEHAVE, "InterCap": INTERCAP}
"""Rows by data set, by protocol and year."""
