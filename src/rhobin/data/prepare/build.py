"""The whole of `rhobin prepare`: plan, run what is missing, index, manifest."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rhobin.behave.pool import finished, task_pool
from rhobin.behave.release import Release
from rhobin.data.prepare.index import write_index
from rhobin.data.prepare.recipe import PREPARED, Recipe, record_file, sequence_store
from rhobin.data.prepare.sequence import Sequence, list_sequences, prepare_sequence, read_record, signature
from rhobin.data.prepare.view import prepare_view

Notify = Callable[[int], None]

_SAMPLES = 24


class PrepareError(RuntimeError):
    """Preparing had to stop; what is complete is kept."""


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Attributes:
        releases: the splits that were read.
        out: prepared root.
        recipe: how views are stored.
        todo: sequences to prepare.
        kept: how many were complete before.
        stale: how many of `todo` were complete, but of other files or with other options.
    """

    releases: list[Release]
    out: Path
    recipe: Recipe
    todo: list[Sequence]
    kept: int
    stale: int

    @property
    def views(self) -> int:
        """Views to prepare."""
        return sum(len(sequence.views) for sequence in self.todo)


def plan(releases: list[Release], out: Path, recipe: Recipe) -> Plan:
    """Find out which sequences are complete already."""
    todo, kept, stale = [], 0, 0
    for release in releases:
        for sequence in list_sequences(release):
            if read_record(out, sequence, signature(sequence, recipe)) is not None:
                kept += 1
                continue
            stale += record_file(out, sequence.split, sequence.name).is_file()
            todo.append(sequence)
    return Plan(releases, out, recipe, todo, kept, stale)


def estimate_bytes(plan: Plan, samples: int = _SAMPLES) -> int:
    """Bytes that preparing will write, from some views spread evenly over what there is to do."""
    files = [files for sequence in plan.todo for files in sequence.files]
    if not files:
        return 0
    samples = min(samples, len(files))
    chosen = [files[i * len(files) // samples] for i in range(samples)]
    sizes = [sum(map(len, prepare_view(view, plan.recipe)[1:])) for view in chosen]
    return round(sum(sizes) / len(sizes) * len(files))


def prepare(plan: Plan, workers: int = 1, notify: Notify = lambda views: None) -> None:
    """Prepare what is missing, then write index and manifest.

    The same root gives the same bytes for any number of workers and of interruptions.

    Args:
        plan: from `plan`.
        workers: processes; 1 works in this one.
        notify: called with the number of views that were completed.

    Raises:
        PrepareError: the disk is full or the folder cannot be written; says what is kept and what to do.
    """
    done = plan.kept
    with _explained(plan, lambda: done):
        plan.out.mkdir(parents=True, exist_ok=True)
        if plan.todo:
            (plan.out / PREPARED).unlink(missing_ok=True)
        _clean(plan)
        with task_pool(workers if workers > 1 else 0) as submit:
            tasks = (submit(_task, plan.out, sequence, plan.recipe) for sequence in plan.todo)
            for views in finished(tasks):
                done += 1
                notify(views)
        write_index(plan.releases, plan.out, plan.recipe)


def _task(out: Path, sequence: Sequence, recipe: Recipe) -> int:
    prepare_sequence(out, sequence, recipe)
    return len(sequence.views)


@contextmanager
def _explained(plan: Plan, done: Callable[[], int]) -> Iterator[None]:
    """Errors of the file system in words."""
    try:
        yield
    except OSError as error:
        total = plan.kept + len(plan.todo)
        kept = f"{done()} of {total} sequences are complete and kept; nothing is half written"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PrepareError(
                f"{plan.out}: the disk is full. {kept}.\n  Make room, or store less (--size, --margin), then "
                "run the same command again: it goes on from there."
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
            raise PrepareError(
                f"{plan.out}: cannot be written ({error.strerror}: {error.filename}). {kept}.\n  Choose a "
                "folder that you may write to, or mend its permissions."
            ) from error
        raise


def _clean(plan: Plan) -> None:
    """Remove what an interrupted run left, and sequences that the raw root or the recipe no longer has."""
    known = {(s.split, s.name) for release in plan.releases for s in list_sequences(release)}
    stores = {plan.out / sequence_store(split, name, plan.recipe.shards) for split, name in known}
    records = {record_file(plan.out, split, name) for split, name in known}
    for folder in ("views", "shards", "records"):
        for path in (plan.out / folder).glob("*/*"):
            if path not in stores | records:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
