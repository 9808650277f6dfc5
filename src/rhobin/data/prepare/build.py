"""The whole of `rhobin prepare`: plan, run what is missing, index, manifest."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rhobin.behave.release import Release
from rhobin.data.prepare.finish import write_index
from rhobin.data.prepare.index import prepare_command, read_recipe
from rhobin.data.prepare.recipe import (
    FORMAT,
    PREPARED,
    UNFINISHED,
    Recipe,
    record_file,
    sequence_store,
)
from rhobin.data.prepare.sequence import Sequence, list_sequences, prepare_sequence, read_record, signature
from rhobin.files import write_json
from rhobin.pool import finished, task_pool

Notify = Callable[[int], None]


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
        before: the options that those were stored with; None where they are the recipe's, or unknown.
    """

    releases: list[Release]
    out: Path
    recipe: Recipe
    todo: list[Sequence]
    kept: int
    stale: int
    before: Recipe | None = None

    @property
    def views(self) -> int:
        """Views to prepare."""
        return sum(len(sequence.views) for sequence in self.todo)


def plan(releases: list[Release], out: Path, recipe: Recipe) -> Plan:
    """Find out which sequences are complete already.

    Raises:
        PrepareError: `out` is the root itself, or one stands within the other.
    """
    for root in {release.root.resolve() for release in releases}:
        place = out.resolve()
        if root == place or root in place.parents or place in root.parents:
            raise PrepareError(
                f"{out} and the dataset {root} overlap; expected a folder of its own to write to, such as "
                f"{root.with_name(root.name + '_prepared')}"
            )
    todo, kept, stale = [], 0, 0
    for release in releases:
        for sequence in list_sequences(release):
            if read_record(out, sequence, signature(sequence, recipe)) is not None:
                kept += 1
                continue
            stale += record_file(out, sequence.split, sequence.name).is_file()
            todo.append(sequence)
    before = read_recipe(out) if stale else None
    return Plan(releases, out, recipe, todo, kept, stale, None if before == recipe else before)


def require_same_options(plan: Plan, redo: bool) -> None:
    """Refuse to replace views that were stored with other options, unless asked to.

    Raises:
        PrepareError: says what to run instead.
    """
    if plan.before is None or redo:
        return
    root, out = str(plan.releases[0].root), str(plan.out)
    same, asked = (prepare_command(root, out, recipe) for recipe in (plan.before, plan.recipe))
    raise PrepareError(
        f"{plan.out}: {plan.stale} sequences are stored with other options than this command's. Nothing was "
        f"changed.\n  To go on with the stored options: {same}\n  To have both: write to another folder."
        f"\n  To replace what is stored: {asked} --redo"
    )


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
            write_json(plan.out / UNFINISHED, {"format": FORMAT, "recipe": asdict(plan.recipe)})
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
                "folder that you may write to, or change its permissions."
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
