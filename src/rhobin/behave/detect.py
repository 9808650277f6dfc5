"""Telling which release's rules a dataset root follows."""

from __future__ import annotations

from pathlib import Path

from rhobin.behave.layout import REGISTER_URL, RENDERS

PARAMS_30FPS = "behave-30fps-params-v1"
PARTS = ("train", "val", "test")

LAYOUTS = {
    "raw": "sequences/<DateXX_SubYY_object>/t0003.000/, calibs/, objects/, split.json (1 frame a second)",
    "30fps": f"{PARAMS_30FPS}/<sequence>/smpl_fit_all.npz, videos/, masks/, calibs/, objects/, split.json",
    "2023": "train_part1/ to train_part3/, test_images/, ref.pkl (first challenge)",
    "2024": "train/, val/ and test/, each with images/, masks/ and gt/ (challenges of 2024 and 2025)",
    "renders": "renders.json, objects/, renders/<object>/00000/ (rhobin synth-objects)",
    "intercap": "RGBD_Images/<subject>/<object>/Seg_0/, Res/, mask/, objs/, Data/ (InterCap)",
}
"""What each layout looks like, by name."""


def layouts_of(root: Path) -> list[str]:
    """Every layout that a root could be read as."""
    root = Path(root)
    found = {
        "raw": (root / "sequences").is_dir() or _bare(root),
        "30fps": (root / PARAMS_30FPS).is_dir(),
        "2023": (root / "test_images").is_dir() or any(root.glob("train_part*/")),
        "2024": any((root / part / "images").is_dir() for part in PARTS),
        "renders": (root / RENDERS).is_file(),
        "intercap": (root / "RGBD_Images").is_dir(),
    }
    return [name for name, there in found.items() if there]


def _bare(root: Path) -> bool:
    """Whether sequences of the raw layout stand in the root itself, as some archives unpack."""
    return any((folder / "info.json").is_file() for folder in root.glob("Date*_Sub*_*/"))


def detect_layout(root: Path, layout: str = "auto") -> str:
    """The layout of a root.

    Args:
        root: dataset root.
        layout: a key of `LAYOUTS` to insist on, or "auto".

    Raises:
        FileNotFoundError: the root holds no data, or not of the layout asked for; says what was expected and
            how to get it.
        ValueError: an unknown layout was asked for, or the root could be read as several.
    """
    root = Path(root)
    if layout != "auto" and layout not in LAYOUTS:
        raise ValueError(f"data.layout is {layout!r}; expected auto or one of {', '.join(LAYOUTS)}")
    found = layouts_of(root)
    if layout in found:
        return layout
    if layout != "auto" or not found:
        raise FileNotFoundError(_nothing(root, layout, found))
    if len(found) > 1:
        raise ValueError(
            f"{root} can be read as {' or '.join(found)}; say which with data.layout={found[0]} (or another)"
        )
    return found[0]


def _nothing(root: Path, layout: str, found: list[str]) -> str:
    there = "an empty or foreign folder" if root.is_dir() else "nothing"
    if found:
        there = f"data of layout {' and '.join(found)}"
    wanted = LAYOUTS if layout == "auto" else {layout: LAYOUTS[layout]}
    expected = "".join(f"\n    {name}: {what}" for name, what in wanted.items())
    return (
        f"no BEHAVE data at {root} (config key data.root): expected one of these, found {there}{expected}\n"
        f"  Make synthetic data: rhobin synth --out {root} --size demo (other sizes: rhobin experiments)\n"
        f"  Or register for BEHAVE at {REGISTER_URL}, unpack it as data/README.md shows, "
        "and set data.root to that folder."
    )
