"""`rhobin prepare ROOT OUT`: check a dataset and store what training needs of it, once."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from rhobin.behave.release import Release
    from rhobin.data.prepare.build import Plan
    from rhobin.data.prepare.check import Notify, Verdict
    from rhobin.data.prepare.prepared import PreparedRelease


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("root", type=Path, help="dataset root; with --check, a prepared one too")
    parser.add_argument("out", type=Path, nargs="?", help="prepared root; an unfinished one is completed")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="only count, and estimate the disk space")
    mode.add_argument(
        "--check",
        action="store_true",
        help="write nothing: look at every image of ROOT, or at every file of OUT and for changes of ROOT",
    )
    parser.add_argument(
        "--around",
        default="union",
        help="around whose box pixels are stored: union, person or object (default: union)",
    )
    parser.add_argument(
        "--margin",
        type=float,
        default=3.1,
        help="side of what is stored, in times that box; inf for whole frames "
        "(default: 3.1, what the tracks' crops and the default augmentation can show)",
    )
    parser.add_argument(
        "--size",
        type=int,
        default=768,
        help="pixels across that side at most, counted as if the image's border did not clip it "
        "(default: 768, which is 248 across the box)",
    )
    parser.add_argument("--quality", type=int, default=95, help="JPEG quality (default: 95)")
    parser.add_argument(
        "--shards", action="store_true", help="one WebDataset tar for each sequence, in place of a folder"
    )
    parser.add_argument(
        "--redo", action="store_true", help="replace views that were stored with other options"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes; any number gives the same files")
    parser.add_argument("--layout", default="auto", help="layout of ROOT (default: seen from its folders)")


def run(args: argparse.Namespace) -> int:
    """Prepare or check; returns 1 when the data are not sound or could not be prepared."""
    from rhobin.data.prepare.build import PrepareError

    if args.out is None and not args.check:
        print("error: expected where to write: rhobin prepare ROOT OUT", file=sys.stderr)
        return 2
    try:
        return _check(args) if args.check else _prepare(args)
    except (PrepareError, ChildProcessError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _prepare(args: argparse.Namespace) -> int:
    from rhobin.behave.manifest import manifest_tables
    from rhobin.data.prepare.build import plan, prepare, require_same_options
    from rhobin.data.prepare.index import read_manifest
    from rhobin.data.prepare.prepared import read_prepared_splits
    from rhobin.data.prepare.ready import prepared_problems
    from rhobin.data.prepare.recipe import Recipe
    from rhobin.terminal import plain_console

    recipe = Recipe(args.around, args.margin, args.size, args.quality, args.shards)
    releases, _ = _read(args.root, args.layout)
    todo = plan(releases, args.out, recipe)
    console = plain_console()
    if args.dry_run:
        _estimate(console, todo)
        return 0
    require_same_options(todo, args.redo)
    if todo.stale:
        console.print(f"{todo.stale} sequences are prepared again: their files or the options have changed")
    with _progress(todo.views) as notify:
        prepare(todo, args.workers, notify)
    stored = read_prepared_splits(args.out)
    console.print(manifest_tables(read_manifest(args.out)))
    _say_unjudged(console, releases)
    _say_hidden(console, stored)
    done = f"{len(todo.todo)} sequences prepared, {todo.kept} were complete before"
    console.print(f"{args.out}: {done}.", soft_wrap=True)
    if _say_problems(prepared_problems(stored), args.out):
        return 1
    console.print(f"Train with data.root={args.out}", soft_wrap=True)
    return 0


def _estimate(console: Console, todo: Plan) -> None:
    from rich.table import Table

    from rhobin.behave.manifest import build_manifest, manifest_tables
    from rhobin.behave.skips import REASONS
    from rhobin.data.prepare.estimate import estimate

    console.print(manifest_tables(build_manifest(todo.releases)))
    _say_unjudged(console, todo.releases)
    found = estimate(todo)
    need = found.bytes
    place = next(path for path in (todo.out.absolute(), *todo.out.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    table = Table(title=f"To write at {todo.out}", title_justify="left", show_header=False)
    table.add_row("sequences to prepare", f"{len(todo.todo):,}")
    table.add_row("complete already", f"{todo.kept:,}")
    table.add_row("views to prepare", f"{todo.views:,}")
    if todo.recipe.margin < math.inf:
        table.add_row(
            "pixels across the longer side of the box, at most",
            f"{todo.recipe.size / todo.recipe.margin:.0f}",
        )
    table.add_row("disk space needed, about", f"{need / 1e9:,.2f} GB")
    table.add_row("disk space free", f"{free / 1e9:,.2f} GB")
    console.print(table)
    for reason, count in found.unusable.items():
        console.print(f"{count} of {found.looked} views that were tried: {REASONS[reason]}", style="red")
    if need > free:
        console.print(
            "There is not enough disk space. Store less with --size 512 or a smaller --margin", style="red"
        )


def _check(args: argparse.Namespace) -> int:
    from rhobin.data.prepare.check import check_raw
    from rhobin.data.prepare.check_stored import check_prepared
    from rhobin.data.prepare.prepared import is_prepared, read_prepared_splits
    from rhobin.terminal import plain_console

    prepared = args.out or args.root
    if args.out is not None and not is_prepared(args.out):
        raise ValueError(
            f"{args.out} is not a complete prepared root; run rhobin prepare {args.root} {args.out}"
        )
    if not is_prepared(prepared):
        releases, missing = _read(args.root, args.layout)
        with _progress(sum(len(release.views.frame) for release in releases)) as notify:
            verdict = check_raw(releases, args.workers, notify, missing)
        _say_unjudged(plain_console(), releases)
    else:
        stored = read_prepared_splits(prepared)
        _say_unjudged(plain_console(), stored)
        _say_hidden(plain_console(), stored)
        raw = _read(args.root, args.layout)[0] if args.out is not None else None
        with _progress(sum(len(release.stored) for release in stored)) as notify:
            verdict = check_prepared(stored, raw, notify)
    return _judge(verdict, prepared)


def _judge(verdict: Verdict, root: Path) -> int:
    """Print what a check found; the exit status."""
    from rhobin.behave.manifest import manifest_tables
    from rhobin.terminal import plain_console

    console = plain_console(soft_wrap=True)
    console.print(manifest_tables(verdict.manifest))
    if _say_problems(verdict.problems, root):
        return 1
    console.print(f"{root}: {verdict.views:,} views checked, ready to train from", style="bold green")
    return 0


def _say_problems(problems: Sequence[str], root: Path) -> bool:
    """Print problems, if there are any; whether there are."""
    from rhobin.terminal import plain_console

    console, count = plain_console(soft_wrap=True), len(problems)
    for problem in problems:
        console.print(f"- {problem}")
    if problems:
        console.print(
            f"{root}: {count} kind{'s' * (count > 1)} of problem, not ready to train from", style="bold red"
        )
    return bool(problems)


def _say_unjudged(console: Console, releases: Sequence[Release]) -> None:
    """Say how many views cannot be judged, since they have no fitted body."""
    from rhobin.data.prepare.judge import count_unjudged

    count = sum(map(count_unjudged, releases))
    if count:
        console.print(
            f"{count:,} views have no fitted body: exchanged masks would not be found there",
            style="red",
            soft_wrap=True,
        )


def _say_hidden(console: Console, releases: Sequence[PreparedRelease]) -> None:
    """Say how many stored views training may leave out."""
    count = sum(release.hidden for release in releases)
    if count:
        console.print(
            f"{count:,} stored views wholly hide the person or the object. Training leaves them out where "
            "its crop needs what is hidden; testing shows them.",
            soft_wrap=True,
        )


def _read(root: Path, layout: str) -> tuple[list[Release], dict[str, Exception]]:
    """Every split of a raw root that can be read, and why others cannot."""
    from rhobin.data.prepare.prepared import is_prepared
    from rhobin.data.splits import available_splits

    if is_prepared(root):
        raise ValueError(f"{root} is a prepared root already; expected the raw one")
    found = available_splits(root, layout, own_validation=True)
    return list(found.releases.values()), found.missing


@contextmanager
def _progress(views: int) -> Iterator[Notify]:
    """A bar that counts views."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from rhobin.terminal import plain_console

    columns = (TextColumn("views"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=plain_console(stderr=True)) as bar:
        task = bar.add_task("views", total=views)
        yield lambda count: bar.advance(task, count)
