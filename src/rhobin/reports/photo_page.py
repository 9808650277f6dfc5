"""The page of a photograph or a video: the picture, the meshes to turn around, and the facts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template

import numpy as np

from rhobin.reports.gallery import stage
from rhobin.reports.html import keep_units, tag, text
from rhobin.reports.overlay import Surface
from rhobin.reports.photo_overlay import jpeg
from rhobin.reports.scene3d import SceneCase, SceneMesh
from rhobin.reports.tables import fact_list


def photo_page(
    title: str,
    eyebrow: str,
    lead: str,
    pictures: Sequence[np.ndarray],
    scenes: Sequence[SceneCase],
    facts: Mapping[str, str],
) -> bytes:
    """A page that holds everything inside.

    Args:
        title: of the page.
        eyebrow: a line above it: method and run.
        lead: what is shown, in a sentence.
        pictures: (h, w, 3) RGB uint8.
        scenes: what can be turned around, one a picture.
        facts: what else is said, by name.

    Returns:
        HTML in UTF-8.
    """
    images = [_figure(picture, scene.label) for picture, scene in zip(pictures, scenes, strict=True)]
    style = "" if len(images) > 1 else "grid-template-columns: 1fr"
    slots = {
        "title": text(title),
        "eyebrow": text(eyebrow),
        "lead": text(lead),
        "picture": tag("div", *images, class_="cases", **({"style": style} if style else {})),
        "scene": stage(scenes, _picks(scenes)),
        "facts": fact_list([(name, text(value)) for name, value in facts.items()]),
    }
    slots = {name: keep_units(html) for name, html in slots.items()}
    slots |= {"style": _asset("page.css"), "script": _asset("scene.js")}
    return Template(_asset("photo.html")).substitute(slots).encode()


def photo_scene(label: str, caption: str, surfaces: Mapping[str, Surface]) -> SceneCase:
    """Meshes by part as a scene; an object's edges stay edges."""
    meshes = [SceneMesh(s, "prediction", sharp=part == "object") for part, s in surfaces.items()]
    return SceneCase(label, caption, tuple(meshes))


def _figure(picture: np.ndarray, label: str) -> str:
    source = f"data:image/jpeg;base64,{b64encode(jpeg(picture)).decode()}"
    image = f'<img src="{source}" alt="{text(label)}" style="max-width: 100%; height: auto">'
    return tag("figure", image, tag("figcaption", text(label)))


def _picks(scenes: Sequence[SceneCase]) -> list[str]:
    """A button for each of several scenes."""
    if len(scenes) == 1:
        return []
    return [
        tag("button", text(one.label), type="button", data_case=str(i), aria_pressed=str(i == 0).lower())
        for i, one in enumerate(scenes)
    ]


def _asset(name: str) -> str:
    return (files("rhobin.reports") / "assets" / name).read_text(encoding="utf-8")
