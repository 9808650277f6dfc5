"""Which camera took a photograph: as told, by its EXIF, or assumed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rhobin.data.images.decode import size_text
from rhobin.data.photos.photo import Photo, PhotoError

NEAREST_FOCAL = 0.2  # of the longer side: a view of 136 degrees, wider than any usual lens
FARTHEST_AXIS = 1.0  # of the image's size beyond its edge: nobody keeps so small a part (assumed)
FILM_DIAGONAL = float(np.hypot(36, 24))  # millimetres


@dataclass(frozen=True)
class PhotoCamera:
    """The pinhole of a photograph.

    Attributes:
        K: (3, 3) intrinsics of the upright image, pixels; the centre of the first one is (0, 0).
        how: how it is known, in words.
    """

    K: np.ndarray
    how: str


def photo_camera(photo: Photo, K: np.ndarray | None = None, focal: float | None = None) -> PhotoCamera:
    """The camera of a photograph.

    Args:
        photo: decoded.
        K: (3, 3) intrinsics as told.
        focal: focal length as told, pixels; the axis then goes through the image's middle.

    Raises:
        PhotoError: the focal length can be no pixels, or the intrinsics are those of another image.

    Returns:
        The camera as told; else by EXIF's focal length; else one that is as long as the image's diagonal.
    """
    if K is not None:
        return PhotoCamera(K, told_intrinsics(photo, K))
    if focal is not None and focal < NEAREST_FOCAL * max(photo.size):
        angle = np.degrees(2 * np.arctan(max(photo.size) / focal / 2))
        raise PhotoError(
            f"{photo.file}: a focal length of {focal:g} px on {size_text(photo.size)} pixels is a view of "
            f"{angle:.0f} degrees; expected pixels, not millimetres. Correct --focal"
        )
    diagonal = float(np.hypot(*photo.size))
    if focal is not None:
        how = f"focal length as given: {focal:g} px"
    elif photo.exif.focal_35mm is not None:
        focal = diagonal * photo.exif.focal_35mm / FILM_DIAGONAL
        how = f"EXIF: {photo.exif.focal_35mm:g} mm on 35 mm film, {focal:.0f} px"
    else:
        focal = diagonal
        how = f"assumed: a focal length of the image's diagonal (53 degrees across it), {focal:.0f} px"
    middle = (np.array(photo.size) - 1) / 2
    return PhotoCamera(np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1.0]]), how)


def told_intrinsics(photo: Photo, K: np.ndarray) -> str:
    """How intrinsics are known that were given; says so where their axis misses the image, as after a crop.

    Args:
        photo: decoded.
        K: (3, 3) intrinsics as told.

    Raises:
        PhotoError: the axis misses the image by more than the image's own size.
    """
    place, size = K[:2, 2], np.array(photo.size)
    beyond = np.maximum(-place, place - (size - 1)) / size
    told = f"the principal point ({place[0]:g}, {place[1]:g}) of --K lies outside"
    if (beyond > FARTHEST_AXIS).any():
        raise PhotoError(
            f"{photo.file}: {told} the {size_text(photo.size)} pixels by more than their size; expected "
            "FX,FY,CX,CY in pixels of this image. Correct --K"
        )
    if (beyond > 0).any():
        return (
            f"intrinsics as given; {told}: right for a part cut from an image, wrong for a smaller copy of it"
        )
    return "intrinsics as given"
