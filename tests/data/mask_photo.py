"""A small photograph in a file, files of masks for it, and COCO's compression of run lengths."""

import json

import cv2
import numpy as np

from rhobin.data.photos.photo import read_photo

SIZE = (40, 30)


def write_photo(folder, name="photo.png", size=SIZE):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    cv2.imwrite(str(folder / name), pixels)
    return read_photo(folder / name)


def write_json(folder, content, name="masks.json"):
    (folder / name).write_text(json.dumps(content))
    return folder / name


def rectangle(x, y, width, height, size=SIZE):
    mask = np.zeros(size[::-1], bool)
    mask[y : y + height, x : x + width] = True
    return mask


def corners(x, y, width, height):
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def runs_of(mask):
    """Run lengths down the columns, counted pixel by pixel."""
    runs, value = [0], False
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            if mask[row, column] != value:
                runs.append(0)
                value = not value
            runs[-1] += 1
    return runs


def compress(runs):
    """COCO's string: two's complement in groups of five bits, until sign and number are told."""
    text = ""
    for place, run in enumerate(runs):
        number = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            group, number = number % 32, number // 32
            more = (number, group < 16) not in ((0, True), (-1, False))
            text += chr(48 + group + (32 if more else 0))
    return text


def rle(mask, compressed=False):
    runs = runs_of(mask)
    return {"size": list(mask.shape), "counts": compress(runs) if compressed else runs}
