"""What a run was trained on, read from its data, and the licence that follows for its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from rhobin.behave.layout import REGISTER_URL, RENDERS
from rhobin.behave.own_body import is_generated
from rhobin.body.chosen import STAND_IN, STAND_IN_NAME, body_name
from rhobin.engine.neutral import KEPT
from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES
from rhobin.objects.template import Template

BACKGROUNDS, BACKBONE = "data.augment.background_from", "model.net.backbone.weights"
FREE = {"license": "mit"}
RESEARCH = {
    "license": "other",
    "license_name": "behave-and-smpl-h-non-commercial-research",
    "license_link": REGISTER_URL,
}
UNKNOWN = {"license": "other", "license_name": "see-the-model-card"}


def trained_on(config: DictConfig, datamodule: Any, run: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of the training data.

    Args:
        config: of the run.
        datamodule: of its data, set up.
        run: the run's `run.json`.

    Raises:
        ValueError: the data are not those that the run was trained on.
    """
    known, found = run.get("data_hash"), datamodule.data_hash
    if known and found != known:
        raise ValueError(
            f"{datamodule.root} is not what the run was trained on: expected data of hash {known} (run.json)"
            f", found {found}. Name the folder of the training data with --data ROOT"
        )
    parts, dataset = list(config.model.reads.parts), datamodule.train_dataset
    people, names = "human" in parts, datamodule.manifest()["splits"]["train"]["objects"]
    return {
        "generated": is_generated(datamodule.root) or (datamodule.root / RENDERS).is_file(),
        "data_hash": found,
        "views": len(dataset),
        "sequences": len({dataset.key(index).sequence for index in range(len(dataset))}),
        "objects": list(names),
        "body": body_name(datamodule.assets.bodies) if people else None,
        "body_hash": datamodule.body_hash if people else None,
        "licensed_body": people and body_name(datamodule.assets.bodies) != STAND_IN_NAME,
        "templates": told_templates(datamodule.assets.templates) if "object" in parts else {},
        "started_from": started_from(config),
        "other_backgrounds": _other(config, BACKGROUNDS) and config.data.augment.background_p > 0,
    }


def started_from(config: DictConfig) -> str:
    """What the weights were before training: random, imagenet, those of a file, or of another run."""
    starts = [
        config.init_from,
        *(stage.get("init_from") for stage in (config.stages or {}).values() if stage),
    ]
    if any(start not in KEPT["init_from"][0] for start in starts):
        return "another run"
    weights = OmegaConf.select(config, BACKBONE)
    return "random" if weights is None else "a file" if _other(config, BACKBONE) else "imagenet"


def _other(config: DictConfig, key: str) -> bool:
    """Whether a key holds a path."""
    return OmegaConf.select(config, key) not in (*KEPT[key][0], None)


def told_templates(templates: Mapping[int, Template]) -> dict[str, dict[str, Any]]:
    """Of each object: the hash of its mesh, and whether that is built into rhobin; by object id, in order."""
    return {
        template.name: {"sha256": template.sha256, "built_in": _is_built_in(template)}
        for _, template in sorted(templates.items())
    }


def _is_built_in(template: Template) -> bool:
    return template.name in OBJECT_NAMES and built_in(template.name).sha256 == template.sha256


def licence_of(data: Mapping[str, Any]) -> dict[str, str]:
    """The licence that a model card names, by the keys of its front matter.

    Weights that saw nothing but images, bodies and shapes of rhobin's own are as free as rhobin. Those that
    saw BEHAVE or SMPL-H are for research only, and for others the author has to say.
    """
    if not data["generated"] or data["licensed_body"]:
        return RESEARCH
    others = data["started_from"] != "random" or data["other_backgrounds"] or foreign_templates(data)
    return UNKNOWN if others else FREE


def foreign_templates(data: Mapping[str, Any]) -> list[str]:
    """Names of the objects whose templates are not built into rhobin, so that predictions ask for them."""
    return [name for name, template in data["templates"].items() if not template["built_in"]]


def neutral_places(data: Mapping[str, Any], body: str | Path | None) -> tuple[str, str | None]:
    """What stands for `data.root` and `data.body` in a shared config: where data/README.md puts them."""
    root = "data/behave_synthetic" if data["generated"] else "data/behave"
    return root, "data/body" if data["licensed_body"] else None if body is None else STAND_IN
