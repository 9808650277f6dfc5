"""`rhobin predict RUN IMAGE ...`: the person in photographs, given a box or a mask of each."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from rhobin.data.photos.subject import Pointer
    from rhobin.engine.photo_network import PhotoNetwork

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_COUNTS = {1: "a number", 4: "four numbers with commas between"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", type=Path, help="run folder of a method that predicts people")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="photographs")
    person = parser.add_mutually_exclusive_group(required=True)
    person.add_argument(
        "--box", type=_box, metavar="X,Y,WIDTH,HEIGHT", help="where the person is, pixels; for one image"
    )
    person.add_argument(
        "--mask", type=Path, help="image whose bright pixels are the person, or a folder of such: NAME.png"
    )
    parser.add_argument(
        "--object-mask", type=Path, help="the same of the object, for networks that read it (default: empty)"
    )
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument("--K", type=_intrinsics, metavar="FX,FY,CX,CY", help="intrinsics, pixels")
    camera.add_argument(
        "--focal",
        type=_positive,
        metavar="PIXELS",
        help="focal length (default: EXIF's, or else the length of the image's diagonal)",
    )
    parser.add_argument(
        "--gender",
        choices=("male", "female", "neutral"),
        help="of the body model (default: neutral, or male where the body models have no neutral one)",
    )
    parser.add_argument(
        "--body", type=Path, help="folder of SMPL-H files, or standin (default: that of the training)"
    )
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best", help="default: best")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="a package of your own whose classes the run's config may name",
    )
    parser.add_argument(
        "--out", type=Path, help="folder to write into (default: RUN/predictions, or RUN/last/predictions)"
    )


def run(args: argparse.Namespace) -> int:
    """Predict every image; returns 1 when one cannot be, with a line for each."""
    from rhobin.engine.photo_network import open_network

    try:
        _check(args)
        network = open_network(args.run, args.checkpoint, args.body, args.trust)
        network.gender(args.gender)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    done: dict[str, Path] = {}
    for image in args.images:
        try:
            _predict(network, image, args, done)
        except (OSError, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
    failed = len(args.images) - len(done)
    print(f"{len(done)} of {len(args.images)} images predicted" + (f", {failed} failed" if failed else ""))
    return 1 if failed else 0


def _check(args: argparse.Namespace) -> None:
    """Refuse one box, or one mask, for several images."""
    for option, value in (("--box", args.box), ("--mask", args.mask), ("--object-mask", args.object_mask)):
        one = value is not None and not (isinstance(value, Path) and value.is_dir())
        if one and len(args.images) > 1:
            raise ValueError(
                f"{option} is of one image, found {len(args.images)} images; expected one image a call, or "
                "--mask FOLDER with a mask NAME.png for each NAME.jpg"
            )


def _predict(network: PhotoNetwork, image: Path, args: argparse.Namespace, done: dict[str, Path]) -> None:
    from rhobin.data.photos.camera import photo_camera
    from rhobin.data.photos.photo import PhotoError, read_photo
    from rhobin.engine.photo_files import SUFFIXES as WRITTEN
    from rhobin.engine.photo_files import write_photo
    from rhobin.engine.photos import predict_photo
    from rhobin.engine.runinfo import kept_in

    if image.stem in done:
        raise PhotoError(
            f"{image}: {done[image.stem]} has the same name, and its files are {image.stem}.*; expected "
            "different names. Predict it in another call with --out FOLDER"
        )
    photo, out = read_photo(image), args.out or kept_in(args.run, args.checkpoint) / "predictions"
    found = predict_photo(
        network, photo, _pointer(image, args), photo_camera(photo, args.K, args.focal), args.gender
    )
    write_photo(out, image.stem, found, network.origin)
    done[image.stem] = image
    print(f"{image}: {out / image.stem}{{{','.join(WRITTEN)}}}")
    print(f"  person: {found.subject.how}; camera: {found.camera.how}; body: {found.gender}")
    for note in found.subject.notes:
        print(f"  note: {note}")


def _pointer(image: Path, args: argparse.Namespace) -> Pointer:
    from rhobin.data.photos.subject import Pointer

    return Pointer(args.box, _mask_of(image, args.mask, True), _mask_of(image, args.object_mask, False))


def _mask_of(image: Path, place: Path | None, needed: bool) -> Path | None:
    """The mask itself, or the one in a folder that has the image's name.

    Raises:
        PhotoError: the folder has several, or none of a mask that is needed.
    """
    from rhobin.data.photos.photo import PhotoError

    if place is None or not place.is_dir():
        return place
    found = sorted(
        file
        for file in place.iterdir()
        if file.stem == image.stem and file.suffix.lower() in SUFFIXES and not file.samefile(image)
    )
    if len(found) > 1 or (needed and not found):
        names = ", ".join(file.name for file in found) or "none"
        raise PhotoError(
            f"{image}: found {names} in {place}; expected one mask {image.stem}.png there. Add it"
        )
    return found[0] if found else None


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
        raise argparse.ArgumentTypeError(f"expected a focal length above 0, found {text}")
    return value


def _intrinsics(text: str) -> np.ndarray:
    import numpy as np

    fx, fy, cx, cy = _numbers(text, 4)
    if min(fx, fy) <= 0:
        raise argparse.ArgumentTypeError(f"expected focal lengths above 0, found {text}")
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
