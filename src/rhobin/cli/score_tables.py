"""Tables of `rhobin score`: of one way of counting, and of all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rhobin.scoring.sequence_means import Spread
    from rhobin.scoring.track import TrackResult

NAMED = 3
"""Missing frames that are named."""
INTERVAL = "95 % is the interval over other test sequences (decision 0173)"


def show_score(result: TrackResult, kind: str) -> bool:
    """Print one score with its intervals and, where it is one of BEHAVE, how far it is from the paper's.

    Args:
        result: the score.
        kind: what it is of, as `rhobin.scoring.measured.kind_of` says.

    Returns:
        Whether there is any score.
    """
    from rich.table import Table

    from rhobin.metrics.tracks import TRACKS
    from rhobin.scoring.measured import MEASURED, OF_THE_FIELD
    from rhobin.scoring.sequence_means import spreads
    from rhobin.scoring.server import server_scores, server_spreads
    from rhobin.scoring.track import paper_rows
    from rhobin.terminal import plain_console

    score, console, track = result.score, plain_console(), TRACKS[result.score.track]
    metrics, known = score.metrics(), spreads(score)
    table = Table(title=f"{score.protocol.name}: {len(score.examples)} frames", title_justify="left")
    apart = score.protocol.name in OF_THE_FIELD
    rows = paper_rows(track, metrics) if kind == MEASURED and not apart else []
    for head in ("", "score", "95 %", *(["seeds"] if result.seeds else []), *(row["row"] for row in rows)):
        table.add_column(head, justify="right" if head else "left", no_wrap=head == "95 %")
    for name, value in metrics.items():
        column = track.column(name)
        over = [scores[name] for scores in result.seeds.values()]
        seeds = [f"{_number(min(over))} to {_number(max(over))}"] if over else []
        quoted = [_quoted(row, name, column.factor) if name in row["quoted"] else "" for row in rows]
        ends = known[name].ends if name in known else None
        table.add_row(column.head, _number(value), column.ends_shown(ends), *seeds, *quoted)
    console.print(table)
    if known:
        console.print(f"{INTERVAL}.")
    if rows:
        console.print("The paper's rows are quoted, on BEHAVE; in brackets, how far this file is from them.")
    else:
        ours = f"Scores of {kind}" if kind != MEASURED else f"Scores of {score.protocol.name}"
        console.print(f"{ours} are not to be compared with the paper's.")
    if result.edition == "2024" and result.mode == "2024":
        told, of_parts = server_scores(result), server_spreads(result)
        shown = ", ".join(_named(name, value, of_parts.get(name)) for name, value in told.items())
        console.print(f"By data set, under the names of the server of 2024: {shown}", soft_wrap=True)
    for note in score.notes:
        console.print(f"note: {note}")
    if lacking := _lacking(result):
        console.print(lacking[0].upper() + lacking[1:], soft_wrap=True)
    return _exists(result)


def show_modes(track: str, found: Mapping[str, TrackResult | str]) -> bool:
    """Print the scores of one file by every way of counting.

    Args:
        track: whose.
        found: by mode, the score or why there is none.

    Returns:
        Whether there is any score.
    """
    from rich.table import Table

    from rhobin.metrics.tracks import TRACKS
    from rhobin.scoring.sequence_means import spreads
    from rhobin.terminal import plain_console

    console, record = plain_console(), TRACKS[track]
    table = Table(title=f"{record.title} by every way of counting", title_justify="left")
    for head in ("mode", "score", "", "95 %", "frames"):
        left, narrow = head in ("mode", "score"), head != "mode"
        table.add_column(head, justify="left" if left else "right", no_wrap=narrow)
    reasons, scored = [], False
    for mode, result in found.items():
        if isinstance(result, str):
            reasons.append(f"{mode}: no score. {result}")
            continue
        score, known = result.score, spreads(result.score)
        if told := _lacking(result):
            reasons.append(f"{mode}: {told}")
        if not score.examples:
            continue
        scored, first = scored or _exists(result), True
        for name, value in score.metrics().items():
            column = record.column(name)
            ends = known[name].ends if name in known else None
            shown = column.shown(value if math.isfinite(value) else None)
            frames = str(len(score.examples)) if first else ""
            table.add_row(mode if first else "", column.head, shown, column.ends_shown(ends), frames)
            first = False
        table.add_section()
    console.print(table)
    console.print(f"{INTERVAL}. What each mode counts: docs/protocol.md.")
    for reason in reasons:
        console.print(reason, soft_wrap=True)
    return scored


def _exists(result: TrackResult) -> bool:
    """Whether any score is a number."""
    return any(map(math.isfinite, result.score.metrics().values()))


def _lacking(result: TrackResult) -> str:
    """Which frames have no prediction, and what that does to the score; empty where none is missing."""
    score, missing = result.score, result.score.missing
    named = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
    told = f"{len(missing)} of {score.visible} frames have no prediction ({named})" if missing else ""
    if not score.examples:
        covered = f"no score. Coverage {100 * score.coverage:.2f} %"
        if score.protocol.min_coverage:
            covered += f", expected at least {100 * score.protocol.min_coverage:g} %"
        return f"{covered}; {told}." if told else f"{covered}."
    if not missing:
        return ""
    if score.protocol.missing_fails:
        return f"{told}: they count as failed, so that mean errors do not exist."
    return f"{told}: the scores are of the other frames alone."


def _number(value: float) -> str:
    """A score with four digits; a dash where it does not exist."""
    return f"{value:.4g}" if math.isfinite(value) else "-"


def _named(name: str, value: float, spread: Spread | None) -> str:
    """A score under the server's name, its interval in brackets."""
    ends = spread.ends if spread else None
    return f"{name} {value:.4g}" + (f" ({ends[0]:.4g} to {ends[1]:.4g})" if ends else "")


def _quoted(row: dict, name: str, factor: float) -> str:
    change = row["difference"][name]
    return f"{row['quoted'][name] / factor:g}" + ("" if change is None else f" ({change / factor:+.3g})")
