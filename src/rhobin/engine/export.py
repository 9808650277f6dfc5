"""`rhobin export`: what people share of a run, in one folder: weights, config, model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from safetensors.torch import save

import rhobin
from rhobin.data.collate import collate
from rhobin.engine.build import BUILD_ERRORS, build_datamodule, build_trained, other_version
from rhobin.engine.evaluate import moved
from rhobin.engine.exported import CARD, CONFIG, SCHEMA, WEIGHTS, file_hash, find_weights, is_export
from rhobin.engine.neutral import neutral_config
from rhobin.engine.predict import load_weights
from rhobin.engine.program import Program, export_program
from rhobin.engine.runinfo import config_hash, read_run
from rhobin.engine.saved import read_checkpoint
from rhobin.engine.trained_on import foreign_templates, licence_of, neutral_places, trained_on
from rhobin.engine.trusted import read_config
from rhobin.files import write_bytes, write_sealed, write_text
from rhobin.methods.base import Method
from rhobin.reports.model_card import model_card
from rhobin.scoring.calibration import CALIBRATION, read_calibration
from rhobin.scoring.card_scores import card_scores
from rhobin.scoring.joint_lines import JOINT_LINES, read_lines
from rhobin.types import Batch

PROGRAM, README = "model.pt2", "README.md"


@dataclass(frozen=True)
class Trained:
    """A run, open with its data.

    Attributes:
        run_dir: its folder.
        config: its config.
        datamodule: its data, where they are now.
        module: with the weights of a checkpoint.
        checkpoint: "best" or "last".
    """

    run_dir: Path
    config: DictConfig
    datamodule: Any
    module: Method
    checkpoint: str


def export_run(
    run_dir: Path,
    folder: Path,
    checkpoint: str = "best",
    data: Path | None = None,
    body: Path | None = None,
    program: bool = False,
    trust: Sequence[str] = (),
) -> dict[str, Any]:
    """Write what people share of a run into a new folder, which `rhobin predict` takes in place of the run.

    Args:
        run_dir: written by train.py.
        folder: new, or empty.
        checkpoint: "best" or "last"; averaged weights where the run averages them.
        data: root of the training data, where the run's config names another place.
        body: folder of the SMPL-H files, likewise.
        program: also write the network as a program of torch.export.
        trust: packages beside rhobin's whose classes the run's config may name.

    Returns:
        The content of the folder's card.

    Raises:
        FileNotFoundError: run, checkpoint, data or body models are missing.
        ValueError: the folder holds something, the data are not the run's, or torch.export cannot trace.
    """
    refuse_taken(folder)
    trained = open_run(run_dir, checkpoint, data, body, trust)
    weights = find_weights(run_dir, checkpoint)
    state = read_checkpoint(weights.file)
    facts = run_facts(trained, weights.checkpoint_hash, state)
    made = export_program(trained.module, first_views(trained.datamodule)) if program else None
    if made:
        facts["program"] = {"inputs": made.inputs, "outputs": made.outputs}
    places = neutral_places(facts["trained_on"], trained.config.data.body)
    config, facts["neutral"] = neutral_config(trained.config, *places)
    facts["scores"] = card_scores(weights.home, weights.checkpoint_hash)
    tensors = {name: tensor.contiguous() for name, tensor in state["state_dict"].items()}
    write_bytes(folder / WEIGHTS, save(tensors, {"format": "pt"}))
    write_text(folder / CONFIG, config)
    return _finish(folder, weights.home, facts, made)


def _finish(folder: Path, home: Path, facts: dict[str, Any], made: Program | None) -> dict[str, Any]:
    """Write the rest; the card, which makes the folder an export, comes last."""
    names = [WEIGHTS, CONFIG, *copied_calibrations(home, folder, facts["checkpoint_hash"])]
    if made:
        write_bytes(folder / PROGRAM, made.content)
        names.append(PROGRAM)
    card = facts | {"files": {name: file_hash(folder / name) for name in names}}
    write_text(folder / README, model_card(card, folder.resolve().name))
    write_sealed(folder / CARD, card)
    return card


def refuse_taken(folder: Path) -> None:
    """Refuse a folder that holds anything but what git keeps in one.

    Raises:
        ValueError: naming what it holds.
    """
    if not folder.exists():
        return
    found = (
        sorted(path.name for path in folder.iterdir() if not path.name.startswith(".git"))
        if folder.is_dir()
        else ["a file"]
    )
    if found:
        raise ValueError(
            f"{folder}: expected a new or empty folder, found {', '.join(found[:3])}"
            f"{' and more' if len(found) > 3 else ''}. Name another folder, or remove that one"
        )


def open_run(
    run_dir: Path, checkpoint: str, data: Path | None, body: Path | None, trust: Sequence[str]
) -> Trained:
    """Open a run with its data; errors as `export_run`."""
    if is_export(run_dir):
        raise ValueError(f"{run_dir} is an export already; expected a run folder. Copy the folder instead")
    config, file = read_config(run_dir, trust), find_weights(run_dir, checkpoint).file
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing; expected a checkpoint. Train first (python train.py run_dir={run_dir}), or "
            "choose another with --checkpoint best|last"
        )
    root = Path(data or config.data.root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root} is missing: the card says what the run was trained on, and reads it there. Name the "
            "folder of the training data with --data ROOT"
        )
    places = {"root": str(root), "body": body and str(body), "workers": 0}
    here = moved(config, OmegaConf.create(places))
    here.data.validation.fraction = config.data.validation.fraction
    try:
        datamodule = build_datamodule(here)
        module = build_trained(here, datamodule.assets)
    except BUILD_ERRORS as error:
        raise other_version(run_dir, error, "Export") from error
    load_weights(module, file, config)
    return Trained(run_dir, config, datamodule, module, checkpoint)


def first_views(datamodule: Any) -> Batch:
    """A batch of three training views."""
    dataset = datamodule.train_dataset
    return collate([dataset[i % len(dataset)] for i in range(3)])


def run_facts(trained: Trained, checkpoint_hash: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """What the card says of the run and its weights."""
    run, module, data = read_run(trained.run_dir), trained.module, trained.datamodule
    known = trained_on(trained.config, data, run)
    return {
        "schema": SCHEMA,
        "rhobin": rhobin.__version__,
        "run": run.get("id", trained.run_dir.name),
        "name": trained.config.name,
        "method": module.name,
        "title": module.title,
        "paper": module.paper,
        "predicts": list(trained.config.model.reads.parts),
        "reads": list(trained.config.model.reads.planes),
        "checkpoint": trained.checkpoint,
        "checkpoint_hash": checkpoint_hash,
        "config_hash": config_hash(trained.config),
        "step": state["global_step"],
        "averaged": "training_weights" in state,
        "state": run.get("state", "unknown"),
        "parameters": sum(p.numel() for p in module.net.parameters()),
        "trained_on": known,
        "templates_needed": foreign_templates(known),
        "licence": licence_of(known),
        "commit": run.get("git"),
        "python": run.get("python"),
        "versions": run.get("versions", {}),
    }


def copied_calibrations(home: Path, folder: Path, checkpoint_hash: str) -> list[str]:
    """Copy the calibrations of the checkpoint's errors, where the run has them; returns their names."""
    names = []
    for name, read in ((JOINT_LINES, read_lines), (CALIBRATION, read_calibration)):
        known: Any = read(home)
        if known is not None and known.checkpoint_hash == checkpoint_hash:
            write_bytes(folder / name, (home / name).read_bytes())
            names.append(name)
    return names
