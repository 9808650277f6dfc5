"""Building a synthetic dataset in the raw BEHAVE layout: deterministic, in parallel, restartable.

A sequence is complete when its `info.json` exists, which is written last; others are made again. Nothing
depends on the number of workers: every sequence is a pure function of its plan and the settings.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rhobin.behave.own_body import made_with
from rhobin.behave.writers.depth import write_tables
from rhobin.behave.writers.templates import write_templates
from rhobin.behave.writers.tree import write_calibs, write_split
from rhobin.files import write_json
from rhobin.objects.load import load_templates
from rhobin.pool import Submit, finished, task_pool
from rhobin.synthetic.places.cameras import camera_rig
from rhobin.synthetic.plan import SequencePlan
from rhobin.synthetic.reference import write_reference
from rhobin.synthetic.worker import SequenceReport, Settings, make_layer, make_sequence

RECIPE = "synth.json"
ROOMS = ".rooms"


@dataclass
class Summary:
    """What a build did.

    Attributes:
        out: dataset root.
        train: number of training sequences.
        val: number of validation sequences.
        test: number of test sequences.
        kept: sequences that were complete before.
        made: reports of the sequences made now.
    """

    out: Path
    train: int
    val: int
    test: int
    kept: int = 0
    made: list[SequenceReport] = field(default_factory=list)

    @property
    def views(self) -> int:
        """Views rendered now."""
        return sum(report.views for report in self.made)

    @property
    def seconds(self) -> dict[str, float]:
        """Process seconds per stage, summed over the sequences made now."""
        total: dict[str, float] = {}
        for report in self.made:
            for stage, spent in report.seconds.items():
                total[stage] = total.get(stage, 0.0) + spent
        return total


Notify = Callable[[str, int], None]
"""Called with "rooms" or "views" and how many more of them are done."""


def build_dataset(
    out: Path,
    plans: Sequence[SequencePlan],
    recipe: dict[str, Any],
    width: int = 640,
    workers: int = 0,
    meshes: bool = True,
    body: Path | None = None,
    depth: bool = False,
    notify: Notify = lambda what, count: None,
) -> Summary:
    """Generate, render and write sequences, then the split and the test annotations.

    Args:
        out: dataset root; a build that was stopped goes on where it was.
        plans: all sequences of the dataset.
        recipe: what decides the content (size, seed, ...); kept in `synth.json` and compared on restart.
        width: image width in pixels; height is three quarters of it.
        workers: processes; up to 1 works in this one. The files are the same for any number.
        meshes: write posed meshes beside the parameters.
        body: folder of licensed SMPL-H files; None for the stand-in.
        depth: write depth images, and the tables by which the official tools read them.
        notify: told of progress.

    Returns:
        What was made.

    Raises:
        ValueError: `out` holds a dataset of another recipe.
        OSError: the disk is full, with what to do; or another build of the root is under way.
    """
    out = Path(out)
    settings = Settings(out, out / ROOMS, width, meshes, body, depth)
    made = {"width": width, "meshes": meshes, **made_with(body)}
    _claim(out, {**recipe, **made, **({"depth": True} if depth else {})})
    train, val, test = ([p.name for p in plans if p.split == split] for split in ("train", "val", "test"))
    summary = Summary(out, len(train), len(val), len(test))
    with _alone(out), _space_for(out, summary):
        todo = [p for p in plans if not is_complete(out, p.name)]
        summary.kept = len(plans) - len(todo)
        templates = load_templates()
        rigs = {date: camera_rig(date, width).cameras for date in sorted({p.date for p in plans})}
        write_calibs(out, rigs)
        if depth:
            write_tables(out, next(iter(rigs.values())))
        write_templates(out, templates)
        with task_pool(workers if workers > 1 else 0) as submit:
            _make_rooms(settings, todo, submit, notify)
            for report in finished(submit(make_sequence, settings, plan) for plan in _by_date(todo)):
                summary.made.append(report)
                notify("views", report.views)
        shutil.rmtree(settings.rooms, ignore_errors=True)
        write_split(out, train, test, val)
        write_reference(out, test, templates)
    return summary


def is_complete(out: Path, name: str) -> bool:
    """Whether a sequence is there as a whole."""
    return (Path(out) / "sequences" / name / "info.json").is_file()


def _by_date(plans: Sequence[SequencePlan]) -> list[SequencePlan]:
    """Plans of one room after each other, so that processes keep few rooms."""
    return sorted(plans, key=lambda plan: plan.date)


def _claim(out: Path, recipe: dict[str, Any]) -> None:
    """Write the recipe of a new dataset, or check that of an old one."""
    path = out / RECIPE
    if path.is_file():
        found = json.loads(path.read_bytes())
        other = {
            key: (found.get(key), recipe.get(key))
            for key in {**recipe, **found}
            if found.get(key) != recipe.get(key)
        }
        if other:
            changes = ", ".join(f"{key} is {old!r}, asked for {new!r}" for key, (old, new) in other.items())
            raise ValueError(
                f"{out} holds another synthetic dataset ({changes}); choose another --out, "
                "or repeat the options of the first run to complete it"
            )
    elif (out / "sequences").exists():
        raise ValueError(
            f"{out} already holds sequences but no {RECIPE}, so they were not made here; choose another --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    write_json(path, recipe)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder: a second build would remove the sequences and rooms that the first is writing.

    Raises:
        OSError: another process holds it.
    """
    folder = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(folder)
        raise OSError(
            f"{out} is being written by another rhobin synth; wait until it has ended or stop it, then give "
            "the same command again"
        ) from error
    except OSError:
        pass  # a file system without locks
    try:
        yield
    finally:
        os.close(folder)


@contextmanager
def _space_for(out: Path, summary: Summary) -> Iterator[None]:
    """Say what to do when the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            error.errno,
            f"no space left for the dataset in {out} after {len(summary.made)} new sequences; free some "
            "(or move the folder to a larger disk) and run the same command again, it will go on from there",
        ) from error


def _make_rooms(settings: Settings, plans: Sequence[SequencePlan], submit: Submit, notify: Notify) -> None:
    dates = sorted({plan.date for plan in plans})
    for _ in finished(submit(make_layer, settings, date, kinect) for date in dates for kinect in range(4)):
        notify("rooms", 1)
