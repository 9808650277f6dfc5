"""Write what a finished and scored run of a preset reached, for later runs of it to be compared with.

    python tools/reference.py runs/khor_synthetic --commit 1a2b3c4

It writes configs/reference/NAME.yaml, which `rhobin runs`, the progress of a training and `rhobin reproduce`
show.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from rhobin.engine.experiments import config_folder
from rhobin.engine.reference import FOLDER, recipe
from rhobin.engine.runinfo import read_run
from rhobin.engine.runs import monitor_of
from rhobin.reports.curves import read_metrics
from rhobin.scoring.document import read_scores, scored_tracks

LOSSES = 25
HEAD = "# What this preset reached when we trained it, on generated data. Written by tools/reference.py.\n"


def reference(run: Path, commit: str) -> dict[str, object]:
    """The content of a reference file."""
    config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    info, (document, _) = read_run(run), read_scores(run)
    if info["state"] != "finished":
        raise SystemExit(f"{run} is {info['state']}; expected a finished run")
    row = document["origin"]["row"]
    tracks = {name: document["tracks"][name][row]["scores"] for name in scored_tracks(document)}
    date, threads = info["started"][:10], "/".join(map(str, info.get("threads", [])))
    machine = f"{info['machine']['cpus']} CPU cores, {threads or 'all'} threads"
    made = f"{info['seconds'] / 60:.0f} min at {info['images_per_second']:.0f} images/s"
    monitor, columns = monitor_of(config), read_metrics(run / "metrics.csv")
    names = ("train/loss", *([monitor.name] if monitor else []))
    return {
        "steps": info["steps"],
        "batch_size": config["data"]["batch_size"],
        "data": recipe(config["data"]["root"]),
        "about": f"{date}, commit {commit}, {machine}, {made}, data {info['data_hash'][:8]}",
        "scores": {t: {n: round(v, 4) for n, v in s.items() if v is not None} for t, s in tracks.items()},
        "curves": {name: thinned(*columns[name]) for name in names if name in columns},
    }


def thinned(steps: list[float], values: list[float]) -> dict[int, float]:
    """At most about `LOSSES` points of a curve, the last among them."""
    every = max(1, len(steps) // LOSSES)
    kept = [*range(every - 1, len(steps), every)]
    kept += [] if kept[-1:] == [len(steps) - 1] else [len(steps) - 1]
    return {int(steps[i]): float(f"{values[i]:.5g}") for i in kept}


def main() -> None:
    """Read the command line and write the file."""
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("run", type=Path)
    parser.add_argument("--commit", required=True, help="that it was trained with")
    args = parser.parse_args()
    name = read_run(args.run)["name"]
    path = config_folder() / FOLDER / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    found = reference(args.run, args.commit)
    content = yaml.safe_dump(found, sort_keys=False, width=110, default_flow_style=None)
    path.write_text(HEAD + content, encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
