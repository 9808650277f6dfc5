"""The README.md of an exported run: a model card, with the front matter that the Hugging Face hub reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from rhobin.reports.card_data import about_data, about_licence, first_sentence
from rhobin.scoring.measured import GENERATED, MEASURED

Facts = Mapping[str, Any]

CARD = "card.json"
TAGS = {"human": "human-mesh-recovery", "object": "6d-pose-estimation"}
PLANES = {"color": "red, green and blue", "person": "the person's mask", "object": "the object's mask"}
POINTER = {"human": " --mask person.png", "object": " --object-mask object.png"}


def model_card(facts: Facts, name: str) -> str:
    """A model card as Markdown.

    Args:
        facts: the content of `card.json`, see `rhobin.engine.export.run_facts`.
        name: of the folder.
    """
    sections = {
        "How to use": _usage(facts, name),
        "What it was trained on": about_data(facts),
        "Scores": _scores(facts),
        "Licence": about_licence(facts),
        "Where it comes from": _origin(facts),
    }
    body = "".join(f"\n## {head}\n\n{text}\n" for head, text in sections.items())
    return f"---\n{_front(facts)}---\n\n# {facts['title']}: {facts['name']}\n\n{_lead(facts)}\n{body}"


def _front(facts: Facts) -> str:
    tags = ["rhobin", facts["method"], "pytorch", *(TAGS[part] for part in facts["predicts"] if part in TAGS)]
    front = {**facts["licence"], "library_name": "rhobin", "pipeline_tag": "image-to-3d", "tags": tags}
    return yaml.safe_dump(front, sort_keys=False)


def _lead(facts: Facts) -> str:
    parts = " and ".join({"human": "the person", "object": "the object"}[part] for part in facts["predicts"])
    paper = f" Method: {facts['paper']}." if facts["paper"] else ""
    state = facts["state"]
    unfinished = "" if state == "finished" else f" **The training was not finished** (state: {state})."
    averaged = ", averaged over training steps" if facts["averaged"] else ""
    return (
        f"{first_sentence(facts)} {facts['title']} reconstructs {parts} from one image.{paper} These are the "
        f"weights of the {facts['checkpoint']} checkpoint, step {facts['step']:,}{averaged}: "
        f"{facts['parameters']:,} parameters.{unfinished}"
    )


def _usage(facts: Facts, name: str) -> str:
    read = {"human": "person" in facts["reads"], "object": "object" in facts["reads"]}
    pointer = "".join(told for part, told in POINTER.items() if part in facts["predicts"] or read[part])
    if "object" in facts["predicts"]:
        pointer += f" --object {facts['trained_on']['objects'][0]}"
    licensed = facts["trained_on"]["licensed_body"]
    body = (
        "\n\nIt predicts SMPL-H parameters: `--body FOLDER` says where your SMPL-H files are."
        if licensed
        else ""
    )
    needed = facts["templates_needed"]
    templates = (
        f"\n\nObjects need `--templates FOLDER`, the folder of their templates, which are not in here: "
        f"{', '.join(needed)}. `{CARD}` has the hashes of their meshes."
        if needed
        else ""
    )
    return (
        f"```\nrhobin predict {name} photo.jpg{pointer} --out poses\n```\n\n"
        "The folder takes the place of a run: "
        f"`docs/predict.md` of rhobin says more.{body}{templates}{_program(facts)}"
    )


def _program(facts: Facts) -> str:
    program = facts.get("program")
    if program is None:
        return ""
    planes = ", ".join(PLANES[plane] for plane in facts["reads"])
    told = {what: "; ".join(f"`{name}` {form}" for name, form in program[what].items()) for what in program}
    return (
        "\n\n`model.pt2` is the network alone, for `torch.export.load`, which needs no rhobin. It reads "
        f"{told['inputs']}; the image's planes are {planes}, normalised as `rhobin.nets.images` does. It "
        f"returns a dict of raw outputs: {told['outputs']}."
    )


def _scores(facts: Facts) -> str:
    tracks = facts["scores"]
    if not tracks:
        return "This checkpoint was not scored when it was exported."
    return "\n\n".join(_track(track) for track in tracks)


def _track(track: Facts) -> str:
    kind = track["kind"]
    told = f"{track['frames']:,} frames of {track['sequences']:,} test sequences"
    where = {
        MEASURED: f"{told} of BEHAVE or of data in its layout",
        GENERATED: f"{told} of **generated data: these are not BEHAVE scores**",
    }.get(kind, f"{told} with {kind}: **these are not BEHAVE scores**")
    heads = [score["head"] for score in track["scores"]]
    values = [_value(score) for score in track["scores"]]
    rows = [heads, ["---:"] * len(heads), values]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    spread = any(score["deviation"] for score in track["scores"])
    noise = "; ± is the standard error over test sequences" if spread else ""
    scored = f"{track['title']}, protocol `{track['protocol']}`, {where} (data {track['data_hash']})"
    return f"{scored}{noise}:\n\n{table}"


def _value(score: Facts) -> str:
    return f"{score['value']} ± {score['deviation']}" if score["deviation"] else score["value"]


def _origin(facts: Facts) -> str:
    commit = facts["commit"] or {}
    source = commit.get("commit", "unknown") + (" with changes" if commit.get("changed") else "")
    packages = ", ".join(f"{name} {version}" for name, version in facts["versions"].items()) or "unknown"
    lines = [
        f"run `{facts['run']}`, config `{facts['config_hash']}`",
        f"checkpoint: SHA-256 `{facts['checkpoint_hash']}`",
        f"source: commit `{source}`",
        f"trained with: Python {facts['python'] or 'unknown'}, {packages}",
        f"exported by: rhobin {facts['rhobin']}",
        f"`config.yaml` is that of the run; neutral in it, as they named places of the author's machine: "
        f"{', '.join(f'`{key}`' for key in facts['neutral']) or 'nothing'}",
        f"`{CARD}` says all this for machines, with the SHA-256 of each file; `rhobin predict` refuses "
        "changed files",
    ]
    return "\n".join(f"- {line}" for line in lines)
