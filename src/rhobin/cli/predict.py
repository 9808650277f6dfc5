"""`rhobin predict RUN IMAGE ...`: person and object in photographs and videos, given masks or boxes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rhobin.cli import predict_options

if TYPE_CHECKING:
    from rhobin.data.photos.inputs import Inputs
    from rhobin.engine.photo_clip import ClipPrediction
    from rhobin.engine.photo_images import Asked
    from rhobin.engine.photo_network import PhotoNetwork
    from rhobin.engine.photos import Shot

configure = predict_options.configure
DOUBTFUL = 0.1
"""IoU of a mesh with its mask below which something is wrong."""


def run(args: argparse.Namespace) -> int:
    """Predict everything that is named; returns 1 when something cannot be, with a line for each."""
    from rhobin.data.photos.inputs import list_inputs
    from rhobin.engine.runinfo import kept_in

    out = args.out or kept_in(args.run, args.checkpoint) / "predictions"
    try:
        inputs = list_inputs(args.images)
        predict_options.check_out(out, args, inputs)
        asked, network = predict_options.asked_of(args, inputs), _opened(args)
        asked = predict_options.with_finder(asked, args, network)
        _check_network(network, asked, args)
    except (OSError, ValueError, RuntimeError) as error:
        return _complain(error)
    for note in network.notes:
        print(f"note: {note}")
    for fault in inputs.faults:
        _complain(fault)
    done = sum(_images(network, inputs, asked, out)) + sum(_videos(network, inputs, asked, out))
    failed = inputs.count - done
    ignored = f", {inputs.ignored} other files ignored" if inputs.ignored else ""
    what = "inputs" if inputs.videos else "images"
    print(f"{done} of {inputs.count} {what} predicted" + (f", {failed} failed" if failed else "") + ignored)
    return 1 if failed else 0


def _opened(args: argparse.Namespace) -> PhotoNetwork:
    from rhobin.engine.photo_network import open_network
    from rhobin.engine.photo_speed import sped_up

    network = open_network(args.run, args.checkpoint, args.body, args.trust, args.templates, args.device)
    return sped_up(network, args.precision, args.compile)


def _check_network(network: PhotoNetwork, asked: Asked, args: argparse.Namespace) -> None:
    """Refuse what the network cannot do, before the first photograph."""
    from rhobin.data.photos.pointer import require_told

    parts = network.samples.reads.parts
    require_told(str(args.run), parts, asked.tells(0), asked.tells(1))
    network.object_id(asked.object_name)
    if "human" in parts:
        network.gender(asked.gender)
        return
    for option, value in (("--gender", args.gender), ("--body", args.body)):
        if value is not None:
            raise ValueError(f"{option} {value}: {args.run} predicts objects alone. Leave it out")


def _images(network: PhotoNetwork, inputs: Inputs, asked: Asked, out: Path) -> Iterator[bool]:
    """Whether each photograph could be predicted."""
    from rhobin.engine.photo_files import WRITERS
    from rhobin.engine.photo_images import predict_images

    for outcome in predict_images(network, inputs.images, asked, out):
        if outcome.found is None:
            _complain(outcome.error)
        else:
            print(f"{outcome.file}: {out / outcome.file.stem}{{{','.join(WRITERS)}}}")
            _tell(outcome.found.shot)
            _doubt(outcome.found.mask_iou)
        yield outcome.found is not None


def _videos(network: PhotoNetwork, inputs: Inputs, asked: Asked, out: Path) -> Iterator[bool]:
    """Whether each video could be predicted whole."""
    from rhobin.engine.photo_clip import predict_clip
    from rhobin.engine.photo_clip_files import CLIP_WRITERS, write_clip_files

    for file in inputs.videos:
        try:
            clip = predict_clip(network, file, asked)
            write_clip_files(out, clip)
        except (OSError, ValueError) as error:
            _complain(error)
            yield False
            continue
        print(f"{file}: {out / file.stem}{{{','.join(CLIP_WRITERS)}}}")
        _tell_clip(clip)
        yield clip.whole


def _doubt(mask_iou: Mapping[str, float]) -> None:
    """Say where a prediction cannot be right."""
    for part, iou in mask_iou.items():
        if iou < DOUBTFUL:
            print(
                f"  note: the predicted {part} hardly meets its mask (IoU {iou:.2f}); look at the "
                "picture, the mask and the camera"
            )


def _tell_clip(clip: ClipPrediction) -> None:
    """How much of a video could be predicted, and what to know."""
    _tell(replace(clip.shot, subject=replace(clip.shot.subject, notes=clip.notes)))
    gaps = ", ".join(f"{first}-{last}" if first < last else f"{first}" for first, last in clip.gaps)
    missing = f"; gaps: {gaps}" if gaps else ""
    print(f"  {len(clip.frames)} of {clip.decoded} frames predicted{missing}")
    for fault in clip.faults:
        _complain(fault)
    if clip.decoded < clip.promised:
        _complain(
            f"{clip.file}: ends early: {clip.decoded} frames can be decoded, its header promises "
            f"{clip.promised}. The files hold what there is; copy the video again for the rest"
        )


def _tell(shot: Shot) -> None:
    """Where masks and camera of a photograph come from, and what to know."""
    told = [f"{part}: {how}" for part, how in shot.subject.how.items()]
    told += [f"camera: {shot.camera.how}"]
    told += [f"body: {shot.gender}"] if shot.gender else []
    told += [f"template: {shot.template.name}"] if shot.template else []
    print(f"  {'; '.join(told)}")
    for note in shot.subject.notes:
        print(f"  note: {note}")


def _complain(error: object) -> int:
    told = str(error)
    if isinstance(error, OSError) and error.errno and error.filename:
        told = f"{error.filename}: {error.strerror}; expected a place to write to. Give another --out FOLDER"
    print(f"error: {told}", file=sys.stderr)
    return 1
