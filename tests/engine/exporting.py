"""Smoke runs to export, and what an export folder holds."""

import zipfile
from pathlib import Path

from hydra import compose, initialize_config_dir

ROOT = Path(__file__).parents[2]
STAGES = {"khor": (), "bev_hybrik": ("spatial", "end_to_end"), "g2dr": ("first", "second")}


def smoke_run(method, data_root, run_dir, *overrides):
    """Train three steps of a method's smoke experiment."""
    from rhobin.engine.fit import fit

    given = (
        f"experiment={method}/smoke",
        f"data.root={data_root}",
        f"run_dir={run_dir}",
        "data.workers=0",
        "threads=1",
        "trainer.max_steps=3",
        "callbacks.evaluator.every_n_steps=3",
        *(f"~stages.{stage}" for stage in STAGES[method]),
        *overrides,
    )
    fit(composed("train", *given))
    return run_dir


def composed(name, *overrides):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose(name, list(overrides))


def everything(folder):
    """All bytes of a folder's files, those of archives unpacked."""
    found = b""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found += path.name.encode() + path.read_bytes()
        if path.suffix == ".pt2":
            with zipfile.ZipFile(path) as archive:
                found += b"".join(archive.read(name) for name in archive.namelist())
    return found
