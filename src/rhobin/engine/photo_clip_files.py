"""What is written of a video: numbers of all predicted frames, and the video with meshes over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rhobin.data.photos.clip import clip_frames, open_clip
from rhobin.data.photos.pointer import PARTS
from rhobin.engine.photo_clip import ClipPrediction
from rhobin.engine.photo_facts import page_facts, shot_facts
from rhobin.engine.photo_files import packed, plain_json
from rhobin.engine.photo_scenes import glb, sure_text
from rhobin.engine.photos import PhotoMesh, part_meshes, surfaces
from rhobin.files import write_bytes
from rhobin.reports.clip_overlay import write_clip
from rhobin.reports.photo_overlay import draw_meshes, shown_size
from rhobin.reports.photo_page import photo_page, photo_scene

LONGEST = 640
SHOWN = 6  # frames on the page


def write_clip_files(out: Path, clip: ClipPrediction) -> None:
    """Write the video's name with every ending of `CLIP_WRITERS` into a folder, made where it is missing."""
    for ending, write in CLIP_WRITERS.items():
        write(out / f"{clip.file.stem}{ending}", clip)


def meshes_of(clip: ClipPrediction, row: int) -> dict[str, PhotoMesh]:
    """Meshes by part of one predicted frame, a row of the arrays."""
    arrays = {name: array[row : row + 1] for name, array in clip.arrays.items()}
    arrays["K"] = clip.shot.camera.K[None]
    return part_meshes(clip.network, arrays, clip.shot.gender, clip.shot.template)[0]


def clip_facts(clip: ClipPrediction) -> dict[str, Any]:
    """What is said beside the numbers."""
    facts = shot_facts(clip.shot, clip.network)
    told = {f"{part}_box": clip.boxes[:, PARTS.index(part)].tolist() for part in clip.shot.subject.how}
    smoother = (
        f"Gaussian mean over {clip.smooth:g} frames (standard deviation) within stretches without a gap: "
        "chordal for rotations (theta, R and what follows from them), linear for beta, trans, t and scale; "
        "joints, kpts and what is said of errors are as predicted"
    )
    return {
        **{key: value for key, value in facts.items() if key != "image"},
        **told,
        "video": str(clip.file),
        "fps": clip.fps,
        "frames_promised": clip.promised,
        "frames_decoded": clip.decoded,
        "gaps": [list(gap) for gap in clip.gaps],
        "smoother": smoother if clip.smooth else None,
        "faults": list(clip.faults),
        "notes": [*clip.network.notes, *clip.notes],
    }


def _arrays(clip: ClipPrediction) -> dict[str, np.ndarray]:
    return {"frames": clip.frames, "K": clip.shot.camera.K, **clip.arrays}


def _numbers(path: Path, clip: ClipPrediction) -> None:
    write_bytes(path, packed(_arrays(clip), clip_facts(clip)))


def _json(path: Path, clip: ClipPrediction) -> None:
    write_bytes(path, plain_json(_arrays(clip), clip_facts(clip)))


def _overlay(path: Path, clip: ClipPrediction) -> None:
    write_clip(path, _pictures(clip), clip.fps)


def _pictures(clip: ClipPrediction) -> Iterator[np.ndarray]:
    """Every decoded frame, with meshes over those that were predicted."""
    width, height = shown_size(clip.shot.photo.size, LONGEST)
    size = max(2, width // 2 * 2), max(2, height // 2 * 2)
    rows = {int(frame): row for row, frame in enumerate(clip.frames)}
    video = open_clip(clip.file)
    for index, pixels in clip_frames(video):
        meshes = meshes_of(clip, rows[index]) if index in rows else {}
        yield draw_meshes(pixels, list(surfaces(meshes).values()), clip.shot.camera.K, size)
    video.close()


def _glb(path: Path, clip: ClipPrediction) -> None:
    times = np.arange(clip.decoded) / clip.fps
    write_bytes(path, glb(clip.network, clip.shot, clip.arrays, clip.frames, times))


def _page(path: Path, clip: ClipPrediction) -> None:
    shown = np.unique(np.linspace(0, len(clip.frames) - 1, SHOWN).round().astype(int))
    wanted = {int(clip.frames[row]): row for row in shown}
    pictures, scenes = [], []
    for index, picture in enumerate(_pictures(clip)):
        if index in wanted:
            meshes = meshes_of(clip, wanted[index])
            label = f"frame {index}, {index / clip.fps:.1f} s"
            sure = sure_text({name: array[wanted[index]] for name, array in clip.arrays.items()})
            pictures.append(picture)
            scenes.append(photo_scene(label, f"{label}. {sure}".strip(), surfaces(meshes)))
    lead = (
        f"{len(clip.frames)} of {clip.decoded} frames were predicted; {len(scenes)} of them are shown, "
        "evenly spread. The video beside this page shows all."
    )
    eyebrow = f"{clip.network.module.title}, run {clip.network.origin['run']}"
    page = photo_page(clip.file.name, eyebrow, lead, pictures, scenes, page_facts(clip.shot, clip.network))
    write_bytes(path, page)


CLIP_WRITERS: dict[str, Callable[[Path, ClipPrediction], None]] = {
    ".npz": _numbers,
    ".json": _json,
    ".glb": _glb,
    ".overlay.mp4": _overlay,
    ".html": _page,
}
"""What is written of a video, by ending."""
