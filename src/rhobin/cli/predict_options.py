"""The options of `rhobin predict`."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from rhobin.data.photos.inputs import Inputs
    from rhobin.engine.photo_images import Asked
    from rhobin.engine.photo_network import PhotoNetwork

_COUNTS = {1: "a number", 4: "four numbers with commas between"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", type=Path, help="run folder, or what rhobin export wrote")
    parser.add_argument(
        "images", type=Path, nargs="+", metavar="IMAGE", help="photographs, folders of them, or videos"
    )
    _add_where(parser)
    _add_camera(parser)
    _add_models(parser)
    _add_computing(parser)
    parser.add_argument(
        "--out", type=Path, help="folder to write into (default: RUN/predictions, or RUN/last/predictions)"
    )


def _add_where(parser: argparse.ArgumentParser) -> None:
    for part, prefix in (("person", "--"), ("object", "--object-")):
        where = parser.add_mutually_exclusive_group()
        where.add_argument(
            f"{prefix}box",
            type=_box,
            metavar="X,Y,WIDTH,HEIGHT",
            help=f"where the {part} is, pixels; for one image",
        )
        where.add_argument(
            f"{prefix}mask",
            type=Path,
            help=f"image whose bright pixels are the {part}, or a folder of such: NAME.png; for a video NAME "
            "a folder of NAME/000000.png",
        )

    parser.add_argument(
        "--masks",
        metavar="FILE",
        help="masks of person and object in one file (.npz, COCO's or VIA's .json), a folder of NAME.npz or "
        "NAME.json, or auto: by Mask R-CNN; --box then chooses among several people",
    )
    parser.add_argument(
        "--mask-weights",
        type=Path,
        metavar="FILE",
        help="weights of Mask R-CNN (default: torchvision's download)",
    )


def _add_camera(parser: argparse.ArgumentParser) -> None:
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument("--K", type=_intrinsics, metavar="FX,FY,CX,CY", help="intrinsics, pixels")
    camera.add_argument(
        "--focal",
        type=_positive,
        metavar="PIXELS",
        help="focal length (default: EXIF's, or else the length of the image's diagonal)",
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--gender",
        choices=("male", "female", "neutral"),
        help="gender of the body model (default: neutral, or male where there is no neutral one)",
    )
    parser.add_argument(
        "--body", type=Path, help="folder of SMPL-H files, or standin (default: that of the training)"
    )
    parser.add_argument(
        "--object", metavar="NAME", help="the object's template, for runs that predict objects"
    )
    parser.add_argument(
        "--templates",
        type=Path,
        help="folder of object templates (default: those of the training, or built in)",
    )
    parser.add_argument(
        "--checkpoint", choices=("best", "last"), default="best", help="whose weights (default: best)"
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="a package of your own whose classes the run's config may name",
    )


def _add_computing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--batch",
        type=_count,
        default=1,
        metavar="N",
        help="photographs or frames that the network sees at once (default: 1)",
    )
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), help="where the network runs (default: cuda where there is one)"
    )
    parser.add_argument(
        "--precision",
        choices=("32", "bf16", "16"),
        default="32",
        help="bits that the network computes with; geometry has 32 (default: 32)",
    )
    parser.add_argument(
        "--compile", action="store_true", help="compile the network at its first batch; on CUDA only"
    )
    parser.add_argument(
        "--smooth",
        type=_positive,
        default=0.0,
        metavar="FRAMES",
        help="smooth the poses of videos: standard deviation of Gaussian weights (default: as predicted)",
    )


def asked_of(args: argparse.Namespace, inputs: Inputs) -> Asked:
    """What the options say of photographs.

    Raises:
        ValueError: one box or mask for several images, or what does not fit a video.
    """
    from rhobin.engine.photo_images import Asked

    boxes, masks = (args.box, args.object_box), (args.mask, args.object_mask)
    for option, value in (
        ("--mask", args.mask),
        ("--object-mask", args.object_mask),
        ("--object-box", args.object_box),
    ):
        if args.masks is not None and value is not None:
            raise ValueError(f"--masks tells both masks; {option} {value} does, too. Leave one of them out")
    if args.mask_weights is not None and args.masks is None:
        raise ValueError(f"--mask-weights {args.mask_weights}: read with --masks auto alone. Leave it out")
    single = {"--box": args.box, "--object-box": args.object_box} | {
        option: mask
        for option, mask in (("--mask", args.mask), ("--object-mask", args.object_mask))
        if mask is None or not mask.is_dir()
    }
    for option, value in single.items():
        if value is not None and len(inputs.images) > 1:
            raise ValueError(
                f"{option} is of one image, found {len(inputs.images)} images; expected one image a call, or "
                f"{option.replace('box', 'mask')} FOLDER with a mask NAME.png for each NAME.jpg"
            )
    if args.smooth and not inputs.videos:
        raise ValueError("--smooth is of the frames of a video, found none. Leave it out, or name a video")
    return Asked(boxes, masks, args.K, args.focal, args.gender, args.object, args.batch, args.smooth)


def check_out(out: Path, args: argparse.Namespace, inputs: Inputs) -> None:
    """Refuse a folder in which predictions would replace masks, or lie among what is shared.

    Raises:
        ValueError: masks of the same names are in it, or it is in an export.
    """
    from rhobin.engine.exported import is_export

    if is_export(args.run) and out.resolve().is_relative_to(args.run.resolve()):
        raise ValueError(
            f"{args.run} is an export, to be shared as it is; expected another folder. Give --out FOLDER"
        )
    place = Path(args.masks) if args.masks else None
    names = {file.stem for file in (*inputs.images, *inputs.videos)}
    folder = place if place is None or place.is_dir() else place.parent
    replaced = place and (place.is_dir() or place.stem in names)
    if folder and replaced and folder.resolve() == out.resolve():
        raise ValueError(
            f"--out {out}: the files of --masks {args.masks} are there, and predictions would have their "
            "names. Give another folder"
        )


def with_finder(asked: Asked, args: argparse.Namespace, network: PhotoNetwork) -> Asked:
    """The same, with what finds masks where `--masks` asks for it.

    Raises:
        ValueError: there is no such file, or Mask R-CNN has no weights.
    """
    from rhobin.data.photos.finder import mask_finder

    if args.masks is None:
        return asked
    parts, device = network.samples.reads.parts, str(network.device)
    finder = mask_finder(args.masks, parts, args.box, args.object, args.mask_weights, device)
    return replace(asked, finder=finder)


def _numbers(text: str, count: int) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise argparse.ArgumentTypeError(f"expected {_COUNTS[count]}, found {text}")
    return values


def _box(text: str) -> tuple[float, ...]:
    values = _numbers(text, 4)
    if min(values[2:]) <= 0:
        raise argparse.ArgumentTypeError(f"expected a width and a height above 0, found {text}")
    return values


def _positive(text: str) -> float:
    (value,) = _numbers(text, 1)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {text}")
    return value


def _count(text: str) -> int:
    value = _positive(text)
    if value != int(value):
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, found {text}")
    return int(value)


def _intrinsics(text: str) -> np.ndarray:
    import numpy as np

    fx, fy, cx, cy = _numbers(text, 4)
    if min(fx, fy) <= 0:
        raise argparse.ArgumentTypeError(f"expected focal lengths above 0, found {text}")
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
