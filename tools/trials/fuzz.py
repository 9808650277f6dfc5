"""Damage one file of a set at random, read it with the command that reads such files, and judge the outcome.

    python tools/trials/fuzz.py --bench runs/fuzz --cases 1000
    python tools/trials/fuzz.py --bench runs/fuzz --case 417         one of them again, with all that it says

The bench (a tiny generated root, prepared, two runs, a challenge folder) is made first where it is missing.
Every case is a fork of this process in a folder of its own. It goes wrong by a traceback, a crash, more than
30 s, more than 4 GB, a file where none belongs, silence about damage that can be told (`LOUD` in damages.py),
or a refusal that does not say which file. Ends with status 1 where one did.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import damages
import numpy as np
from forked import fork, import_commands
from fuzz_bench import SUBJECTS, Subject, make_bench

NOTICED = re.compile("skipped|left out|error|warning|note:|damaged|not used|cannot", re.IGNORECASE)
FAILED = ("traceback", "crash", "hang", "memory", "wrote", "silent failure", "file not named")
QUIET = ("no difference", "other values")


@dataclass(frozen=True)
class Outcome:
    """How a case ended: class, whether that is wrong, what was damaged, and what was said."""

    verdict: str
    wrong: bool
    subject: str
    damage: str
    file: str
    said: str


def run_case(number: int, seed: int, bench: Path, subjects: tuple[Subject, ...], sound: dict) -> Outcome:
    """Draw a subject, a file and a damage, and run the command on them."""
    rng = np.random.default_rng([seed, number])
    weights = np.array([subject.weight for subject in subjects])
    subject = subjects[rng.choice(len(subjects), p=weights / weights.sum())]
    key = (subject.command, subject.parts)  # several subjects are read by one command
    if key not in sound:
        code, said, further = sound[key] = attempt(subject, bench, None, b"")
        if code or further:
            raise SystemExit(f"{subject.name}: sound files end with {code}, {further}\n{said}")
    files = sorted(path.relative_to(bench) for path in bench.glob(subject.files))
    file = files[rng.integers(len(files))]
    data, ways = (bench / file).read_bytes(), damages.damages(subject.kind, subject.used)
    damaged = None
    while damaged is None or damaged == data:
        how = sorted(ways)[rng.integers(len(ways))]
        damaged = ways[how](data, rng)
    code, said, further = attempt(subject, bench, file, damaged)
    verdict = judge(code, said, further, file, sound[key])
    wrong = verdict in FAILED or (verdict in QUIET and how in damages.LOUD - {*subject.untold})
    return Outcome(verdict, wrong, subject.name, how, str(file), said)


def attempt(subject: Subject, bench: Path, file: Path | None, damaged: bytes) -> tuple[int | None, str, str]:
    """Run a subject's command in a copy of its parts; status, what it said, and what it did besides."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for part in subject.parts:
            shutil.copytree(bench / part, place / part)
        (place / "OUT").mkdir()
        if file:
            (place / file).unlink()
            (place / file).write_bytes(damaged)
        before = {*place.rglob("*")}
        target = file or next(path.relative_to(bench) for path in sorted(bench.glob(subject.files)))
        command = [word.replace("FILE", str(target)) for word in subject.command.split()]
        code, further = fork(command, place)
        new = [p for p in {*place.rglob("*")} - before if p.relative_to(place).parts[0] not in ("OUT", "run")]
        said = (place / "said").read_bytes().decode(errors="replace").replace(folder, "")
        new = [p for p in new if p.name != "said" and "__pycache__" not in p.parts]
        return code, said, f"wrote {new[0].relative_to(place)}" if new else further


def judge(code: int | None, said: str, further: str, file: Path, sound: tuple[int | None, str, str]) -> str:
    """Class of an outcome."""
    if further:
        return further.split()[0]
    if code is not None and code < 0:
        return "crash"
    if "Traceback (most recent call last)" in said:
        return "traceback"
    known = {plain(line) for line in sound[1].splitlines()}
    new = [line for line in said.splitlines() if plain(line) not in known]
    named = any(name in "".join(said.split()) for name in names(file))
    if code:
        return "silent failure" if not new else "refused" if named else "file not named"
    if not new:
        return "no difference"
    return "said" if named or any(NOTICED.search(line) for line in new) else "other values"


def names(file: Path) -> list[str]:
    """What a message may call a file: its name, that of its frame and sequence, without spaces."""
    return ["".join(part.split()) for part in (file.name, *file.parts[2:-1])]


def plain(line: str) -> str:
    """A line without what differs between two runs of the same."""
    return re.sub(r"\d+:\d\d(:\d\d)?|\d+(\.\d+)? (s|img/s|it/s|seconds)\b", "", line).strip()


def table(outcomes: list[Outcome]) -> str:
    """Outcomes by subject, in Markdown."""
    heads = sorted({one.verdict for one in outcomes}, key=lambda name: (name in FAILED, name in QUIET, name))
    rows = [f"| | cases | {' | '.join(heads)} | wrong |", "|---" * (len(heads) + 3) + "|"]
    for name in dict.fromkeys((*sorted({one.subject for one in outcomes}), "all")):
        mine = [one for one in outcomes if name in ("all", one.subject)]
        count = Counter(one.verdict for one in mine)
        cells = " | ".join(str(count[head] or "") for head in heads)
        rows.append(f"| {name} | {len(mine)} | {cells} | {sum(one.wrong for one in mine)} |")
    return "\n".join(rows)


def until_stopped(numbers: Iterable[int]) -> Iterator[int]:
    """The numbers, until SIGINT: the case under way is finished and the table printed."""
    stopped: list[int] = []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
    for number in numbers:
        if stopped:
            return
        yield number


def main() -> None:
    """Read the command line, run the cases, print the table and what went wrong."""
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("--bench", type=Path, required=True, help="folder of sound files; made where missing")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, help="only this one, with all that it says")
    parser.add_argument("--width", type=int, default=640, help="of the bench's images, pixels")
    parser.add_argument("--only", help="only subjects with these words in their name")
    options = parser.parse_args()
    import_commands()
    make_bench(options.bench.resolve(), options.width)
    subjects = tuple(s for s in SUBJECTS if not options.only or options.only in s.name)
    numbers = range(options.first, options.first + options.cases) if options.case is None else [options.case]
    outcomes, sound = [], {}
    for number in until_stopped(numbers):
        one = run_case(number, options.seed, options.bench.resolve(), subjects, sound)
        outcomes.append(one)
        if one.wrong or options.case is not None:
            said = one.said if options.case is not None else one.said[-300:]
            what = f"{one.subject}, {one.damage}, {one.file}: {one.verdict}"
            print(f"case {number}: {what}\n{said}\n", flush=True)
    print(table(outcomes))
    sys.exit(any(one.wrong for one in outcomes))


if __name__ == "__main__":
    main()
