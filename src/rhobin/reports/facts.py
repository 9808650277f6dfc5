"""What made a run: machine, versions, hashes, data, times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhobin.behave.skips import REASONS
from rhobin.reports.html import tag, text
from rhobin.reports.tables import fact_list
from rhobin.scoring.objective import told_objective


def run_facts(run: Mapping[str, Any], origin: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Facts of a run as HTML.

    Args:
        run: content of ``run.json``; may be empty.
        origin: where the scores come from, of ``scores.json``.
        row: the method's row of the main track.

    Returns:
        Description lists.
    """
    parts = [
        tag("h3", "Training"),
        fact_list(_training(run, origin)),
        tag("h3", "Evaluation"),
        fact_list(_evaluation(origin, row)),
        tag("h3", "Data"),
        fact_list(_data(origin)),
    ]
    return "".join(parts)


def _training(run: Mapping[str, Any], origin: Mapping[str, Any]) -> list[tuple[str, str]]:
    machine, git = run.get("machine", {}), run.get("git") or {}
    return [
        ("run", f"{text(run.get('name', ''))} {_mono(run.get('id', origin['run']))}"),
        ("started", text(run.get("started", "unknown"))),
        ("state", text(_state(run))),
        ("seed", text(run.get("seed", "unknown"))),
        ("config", _mono(origin["config_hash"])),
        ("source", _mono(_source(git))),
        ("hardware", text(_hardware(machine))),
        *([("threads", text(", then ".join(map(str, run["threads"]))))] if "threads" in run else []),
        ("python", text(run.get("python", "unknown"))),
        ("packages", text(", ".join(f"{k} {v}" for k, v in run.get("versions", {}).items()) or "unknown")),
    ]


def _evaluation(origin: Mapping[str, Any], row: Mapping[str, Any]) -> list[tuple[str, str]]:
    protocol, seconds = row["protocol"], origin.get("seconds", {})
    per_frame = 1000 * seconds.get("network", 0.0) / max(origin.get("predicted", row["frames"]), 1)
    seen = f" whose object is at least {100 * protocol['min_visible']:.0f} % visible"
    counted = f"{row['frames']} scored of {row['visible_frames']}{seen if protocol['min_visible'] else ''}"
    sampled = (
        f"{protocol['samples']} points on each surface, seed {protocol['seed']}"
        if protocol.get("samples")
        else ""
    )
    times = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items() if name != "network")
    return [
        ("protocol", text(protocol["name"])),
        ("frames", text(counted)),
        ("predicted", text(_predicted(row))),
        *([("sampling", text(sampled))] if sampled else []),
        ("checkpoint", f"{text(origin['checkpoint'])} {_mono(origin['checkpoint_hash'][:12])}"),
        ("times", text(times or "unknown")),
        ("network", text(f"{per_frame:.1f} ms a frame, mesh conversion included, images loaded beforehand")),
        *([("objective", text(told_objective(origin["objective"])))] if "objective" in origin else []),
        ("rhobin", text(origin.get("rhobin", "unknown"))),
    ]


def _predicted(row: Mapping[str, Any]) -> str:
    """How many of the frames that count are predicted, and the server's count where it is another."""
    share = 1.0 - len(row["missing"]) / row["visible_frames"]
    told = f"{100 * share:.1f} % of the frames that count"
    if abs(share - row["coverage"]) < 1e-9:
        return told
    return (
        f"{told}; the server's coverage is {row['coverage']:.3f}, since it counts predictions of hidden "
        f"and repeated frames too; it asks for {row['protocol']['min_coverage']:.3f}"
    )


def _data(origin: Mapping[str, Any]) -> list[tuple[str, str]]:
    manifest = origin.get("data", {})
    facts = [("data set", f"{text(manifest.get('root', 'unknown'))} {_mono(origin['data_hash'])}")]
    facts.append(("body models", f"{text(origin['body'])} {_mono(origin.get('body_hash', ''))}"))
    for split, count in manifest.get("splits", {}).items():
        told = f"{count['sequences']:,} sequences, {count['frames']:,} frames, {count['views']:,} views"
        facts.append((split, text(told)))
    if origin.get("train_views"):
        facts.append(("trained on", text(f"{origin['train_views']:,} views; the rest of training validates")))
    skipped = manifest.get("skipped", {})
    told = "; ".join(f"{c['views']} views in {c['files']} files: {REASONS[r]}" for r, c in skipped.items())
    facts.append(("left out", text(told or "nothing")))
    return facts


def _state(run: Mapping[str, Any]) -> str:
    parts = [str(run.get("state", "unknown"))]
    if "steps" in run:
        parts.append(f"{run['steps']:,} steps")
    if "seconds" in run:
        parts.append(f"{run['seconds'] / 60:.1f} min")
    if "images_per_second" in run:
        parts.append(f"{run['images_per_second']:.0f} images/s")
    if run.get("resumed"):
        parts.append(f"resumed {len(run['resumed'])} times")
    return ", ".join(parts)


def _source(git: Mapping[str, Any]) -> str:
    if not git:
        return "not a checkout"
    return f"{git['commit'][:12]}{' with changes' if git['changed'] else ''}"


def _hardware(machine: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{value} CPU cores" if name == "cpus" else str(value) for name, value in machine.items()
    )


def _mono(value: object) -> str:
    return tag("span", text(value), class_="mono")
