"""The published rows of the challenge report, quoted as printed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PaperTable:
    """A table of the challenge report (Xie et al., RHOBIN 2023), quoted as printed.

    Attributes:
        number: its number in the paper.
        title: what it compares.
        columns: column heads with direction, and with the unit, which the paper prints in table 4 only.
        rows: method name and its values, in the order of the columns.
    """

    number: int
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]


TABLE_2 = PaperTable(
    2,
    "Object 6DoF pose",
    ("MSSD [m] ↓", "MSPD [px] ↓", "RE [deg] ↓", "MSSD-AR ↑", "MSPD-AR ↑", "RE-AR ↑", "AR-all ↑"),
    (
        ("CHORE", (0.5, 110.0, 43.0, 0.2, 0.3, 0.4, 0.3)),
        ("G2DR", (0.2, 54.5, 21.2, 0.6, 0.6, 0.5, 0.6)),
    ),
)

TABLE_3 = PaperTable(
    3,
    "Human reconstruction",
    ("MPJPE [mm] ↓", "MPJPE-PA [mm] ↓", "PCK [%] ↑", "AUC ↑", "MPJAE [deg] ↓", "MPJAE-PA [deg] ↓"),
    (
        ("CHORE", (100.8, 55.6, 26.6, 0.5, 19.6, 15.9)),
        ("BEV-HybrIK", (30.02, 24.33, 80.72, 0.84, 9.58, 9.37)),
        ("BEV-HybrIK (data augm.)", (28.16, 22.01, 82.97, 0.85, 9.2, 8.92)),
        ("BEV-HybrIK (data augm. + ensemble)", (24.1, 18.4, 88.6, 0.9, 8.3, 8.1)),
    ),
)

TABLE_4 = PaperTable(
    4,
    "Joint human-object reconstruction",
    ("SMPL [mm] ↓", "Object [mm] ↓"),
    (("PHOSA", (121.7, 266.2)), ("CHORE", (55.8, 106.6)), ("KHOR", (45.1, 87.2))),
)

TABLE_5 = PaperTable(
    5,
    "Speed",
    ("NFE ↓", "Running time [s/frame] ↓"),
    (("CHORE", (2000.0, 312.2)), ("KHOR", (1.0, 0.115))),
)
