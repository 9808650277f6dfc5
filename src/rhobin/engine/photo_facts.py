"""What is said beside the numbers of a photograph: who, with what, in which frame."""

from __future__ import annotations

from typing import Any

import rhobin
from rhobin.data.photos.pointer import PARTS
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.engine.photos import Shot

FRAME = "camera of the photograph as seen upright: x right, y down, z forward; metres"


def shot_facts(shot: Shot, network: PhotoNetwork) -> dict[str, Any]:
    """What is said beside the numbers of a photograph, or of the frames of a video.

    Args:
        shot: the photograph.
        network: that predicted.
    """
    template = shot.template
    return {
        "rhobin": rhobin.__version__,
        **network.origin,
        "image": str(shot.photo.file),
        "size": list(shot.photo.size),
        "frame": FRAME,
        "gender": shot.gender,
        "object": None if template is None else template.name,
        "template_sha256": None if template is None else template.sha256,
        **{f"{part}_from": how for part, how in shot.subject.how.items()},
        **{f"{part}_box": shot.subject.source.boxes[PARTS.index(part)].tolist() for part in shot.subject.how},
        "camera_from": shot.camera.how,
        "notes": [*network.notes, *shot.subject.notes],
    }


def page_facts(shot: Shot, network: PhotoNetwork) -> dict[str, str]:
    """The facts that a page shows, in words."""
    facts = shot_facts(shot, network)
    shown = {"frame": FRAME, "camera": shot.camera.how}
    shown |= {f"{part} from": how for part, how in shot.subject.how.items()}
    shown |= {
        key: str(facts[key]) for key in ("gender", "body", "object", "checkpoint_hash") if facts.get(key)
    }
    notes = "; ".join(facts["notes"])
    return shown | ({"notes": notes} if notes else {})
