"""`rhobin doctor`: works with nothing installed but Python, since it is what one runs when imports fail."""

import argparse
import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CORE = (
    "numpy", "scipy", "torch", "pytorch_lightning", "torchmetrics", "hydra", "omegaconf", "yaml",
    "timm", "torchvision", "safetensors", "smplx", "pytorch_optimizer", "trimesh", "embreex", "cv2",
    "albumentations",
    "jaxtyping", "rich",
)  # fmt: skip
DISTRIBUTIONS = {
    "hydra": "hydra-core",
    "cv2": "opencv-python-headless",
    "pytorch_lightning": "pytorch-lightning",
    "pytorch_optimizer": "pytorch-optimizer",
    "yaml": "pyyaml",
}
EXTRAS = {
    "tensorboard": ("logger=tensorboard", "log"),
    "wandb": ("logger=wandb", "log"),
    "optuna": ("rhobin sweep", "sweep"),
    "submitit": ("rhobin launch", "slurm"),
}
"""Who needs a package that is no core dependency, and the extra that brings it."""

INSTALL = "make .venv/installed   (or: pip install -e .)"
FREE_GB = 8
BODY_MM = 0.01  # millimetres that a licensed body may differ from smplx's


@dataclass(frozen=True)
class Finding:
    """One line of the report; `fix` is the command that helps when `ok` is not True."""

    ok: bool | None
    name: str
    found: str
    fix: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("data/behave"),
        help="root of the licensed BEHAVE data (default: data/behave)",
    )
    parser.add_argument(
        "--body",
        type=Path,
        default=Path("data/body"),
        help="folder of licensed SMPL-H, SMPL and SMPL-X files; each is compared with the vertices that the "
        "smplx package makes of it (default: data/body)",
    )


def run(args: argparse.Namespace) -> int:
    """Print every finding; returns 1 when something that every command needs is missing."""
    findings = [_python(), *(_package(name) for name in CORE), *_opencv_pair()]
    findings += _guarded("device", _device) + _guarded("pytorch3d", _pytorch3d)
    findings += [_extra(name, *facts) for name, facts in EXTRAS.items()]
    findings += [_stand_in(), *_guarded("SMPL-H", lambda: _licensed_bodies(args.body))]
    findings += [_behave(args.data), _synthetic(), _disk()]
    print(_report(findings, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    return int(any(finding.ok is False for finding in findings))


def _python() -> Finding:
    version = platform.python_version()
    return Finding(
        sys.version_info >= (3, 11), "python", version, "install Python 3.11, 3.12 or 3.13, then: make"
    )


def _package(name: str) -> Finding:
    distribution = DISTRIBUTIONS.get(name, name)
    try:
        version = importlib.metadata.version(distribution)
        importlib.import_module(name)
    except Exception as error:
        return Finding(False, distribution, f"{type(error).__name__}: {error}".splitlines()[0], INSTALL)
    return Finding(True, distribution, version)


def _opencv_pair() -> list[Finding]:
    """Two OpenCV distributions overwrite each other's files unless their versions are equal."""
    versions = {}
    for name in ("opencv-python", "opencv-python-headless"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if len(set(versions.values())) < 2:
        return []
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    return [
        Finding(False, "opencv pair", found, "pip uninstall opencv-python opencv-python-headless; " + INSTALL)
    ]


def _guarded(name: str, check: Callable[[], Finding | list[Finding]]) -> list[Finding]:
    try:
        found = check()
        return found if isinstance(found, list) else [found]
    except Exception as error:
        return [Finding(None, name, f"{type(error).__name__}: {error}".splitlines()[0], INSTALL)]


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding(True, "device", f"cuda: {torch.cuda.get_device_name(0)}")
    note = "paper presets want one; the synthetic presets do not"
    return Finding(None, "device", f"cpu, {torch.get_num_threads()} threads, no CUDA GPU", note)


def _pytorch3d() -> Finding:
    from rhobin.geometry.backend import backend

    chosen = backend()
    found = f"geometry runs on {chosen.name} ({chosen.reason})"
    try:
        importlib.import_module("pytorch3d")
    except ImportError as error:
        return Finding(None, "pytorch3d", f"{found}; {error}", "pip install -e '.[p3d]'")
    return Finding(True, "pytorch3d", found)


def _extra(name: str, user: str, extra: str) -> Finding:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(None, name, f"not installed; {user} needs it", f"pip install -e '.[{extra}]'")
    return Finding(True, name, f"{version} (loaded only by {user})")


def _stand_in() -> Finding:
    folder = Path(__file__).parents[1] / "body" / "assets"
    missing = [g for g in ("male", "female", "neutral") if not (folder / f"standin_{g}.npz").is_file()]
    if missing:
        return Finding(False, "stand-in body", f"missing: {', '.join(missing)}", "pip install -e .")
    return Finding(True, "stand-in body", "male, female, neutral")


def _licensed_bodies(folder: Path) -> list[Finding]:
    """One finding for each licensed file, or one that says where to get them."""
    from rhobin.body.load import search
    from rhobin.types import GENDERS

    names = {"smpl": "SMPL", "smplh": "SMPL-H", "smplx": "SMPL-X"}
    places = [(kind, gender) for kind in names for gender in GENDERS] if folder.is_dir() else []
    found = [(kind, gender, path) for kind, gender in places if (path := search(gender, folder, kind))]
    findings = [_licensed(path, kind, gender, f"{names[kind]} {gender}") for kind, gender, path in found]
    if any(kind == "smplh" for kind, _, _ in found):
        return findings
    fix = f"register at https://mano.is.tue.mpg.de, put SMPLH_male.pkl and SMPLH_female.pkl in {folder}"
    return [*findings, Finding(None, "SMPL-H", f"none in {folder}: only generated data can be used", fix)]


def _licensed(path: Path, kind: str, gender: str, name: str) -> Finding:
    """Our vertices of a licensed file against those of the smplx package."""
    from rhobin.body.licensed import distance_mm

    fix = "copy the file again, or download it again"
    try:
        distance = distance_mm(path, kind, gender)
    except Exception as error:
        return Finding(False, name, f"{type(error).__name__}: {error}".splitlines()[0], fix)
    return Finding(distance <= BODY_MM, name, f"{path}: {distance:.2g} mm from smplx's vertices", fix)


def _behave(root: Path) -> Finding:
    from rhobin.behave.detect import layouts_of

    found = layouts_of(root)
    if found:
        return Finding(True, "BEHAVE", f"{root}, layout {' or '.join(found)}")
    return Finding(
        None, "BEHAVE", f"none in {root}: only synthetic data", "data/README.md: where to register"
    )


def _synthetic() -> Finding:
    root = Path("data/behave_synthetic")
    if (root / "split.json").is_file():
        return Finding(True, "synthetic data", str(root))
    return Finding(None, "synthetic data", f"none in {root}", f"rhobin synth --out {root} --size demo")


def _disk() -> Finding:
    free = shutil.disk_usage(".").free / 2**30
    return Finding(free > FREE_GB or None, "free disk", f"{free:.0f} GiB", f"the demo wants {FREE_GB} GiB")


def _report(findings: list[Finding], colour: bool) -> str:
    marks = {True: ("ok  ", "32"), None: ("note", "33"), False: ("FAIL", "31")}
    lines = []
    for finding in findings:
        mark, code = marks[finding.ok]
        mark = f"\033[{code}m{mark}\033[0m" if colour else mark
        lines.append(f"{mark}  {finding.name:<24} {finding.found}")
        if finding.ok is not True and finding.fix:
            lines.append(f"      {'':<24} -> {finding.fix}")
    failed = sum(finding.ok is False for finding in findings)
    lines.append(
        "\nEverything that is needed is here." if not failed else f"\n{failed} to fix: see the arrows."
    )
    return "\n".join(lines)
