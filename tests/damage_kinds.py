"""Kinds of damage to a dataset, one line each.

Trees are copied by hard links, so damage replaces files and never writes into them.
"""

import json
import os
import pickle
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

BOX, CHAIR, TEST = "Date01_Sub01_boxlarge_lift", "Date01_Sub01_chairblack_sit", "Date03_Sub04_backpack_back"
SEQUENCE = f"sequences/{BOX}"
FRAME = f"{SEQUENCE}/t0003.000"
BODY, OBJECT = f"{FRAME}/person/fit02/person_fit.pkl", f"{FRAME}/boxlarge/fit01/boxlarge_fit.pkl"
INFO, SPLIT = f"{SEQUENCE}/info.json", "split.json"
PLACE, LENS = "calibs/Date01/config/2/config.json", "calibs/intrinsics/2/calibration.json"
COLOR, PERSON, MASK = (f"{FRAME}/k2.{name}.jpg" for name in ("color", "person_mask", "obj_rend_mask"))
LATE = f"{SEQUENCE}/t0009.000"
MESH = "objects/stool/stool_f1000.ply"
MIRROR = [1, 0, 0, 0, 1, 0, 0, 0, -1]
VIEWS = 16  # of two training sequences of two frames


def put(path, content):
    """Replace a file, leaving alone the one that other trees share."""
    path.unlink(missing_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def cut(path, share=0.5):
    put(path, path.read_bytes()[: int(path.stat().st_size * share)])


def edit_json(path, **changes):
    put(path, json.dumps({**json.loads(path.read_text()), **changes}))


def edit_lens(path, **changes):
    put(path, json.dumps({"color": {**json.loads(path.read_text())["color"], **changes}}))


def edit_fit(path, **changes):
    put(path, pickle.dumps({**pickle.loads(path.read_bytes()), **changes}))


def draw(path, shape, value=0):
    put(path, cv2.imencode(".jpg", np.full(shape, value, np.uint8))[1].tobytes())


def swap(first, name):
    second = first.with_name(Path(name).name)
    a, b = first.read_bytes(), second.read_bytes()
    put(first, b)
    put(second, a)


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def make_folder(path):
    remove(path)
    path.mkdir()


def make_link(path):
    remove(path)
    path.symlink_to(path.with_name("nowhere.jpg"))


def huge(suffix):
    """A small image that declares 40,000 pixels each way."""
    size = {".png": (16, ">II"), ".jpg": (163, ">HH"), ".bmp": (18, "<ii")}
    content = bytearray(cv2.imencode(suffix, np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    at, form = size[suffix]
    assert struct.unpack_from(form, content, at) == (8, 8)
    struct.pack_into(form, content, at, 40_000, 40_000)
    if suffix == ".png":
        struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    return bytes(content)


def rename_sequence(root, name):
    (root / SEQUENCE).rename(root / "sequences" / name)
    edit_json(root / SPLIT, train=[name, CHAIR])


def of(damage, file, *arguments, **changes):
    """Damage to one file of a tree."""
    return lambda root: damage(root / file, *arguments, **changes)


class Bomb:
    """Pickles into a call that would leave a file behind."""

    def __reduce__(self):
        return (os.system, ("touch bomb_went_off",))


def shared(depth):
    """Tuples that share their parts: two to the power of `depth` numbers in a few bytes."""
    value = (1.0, 1.0)
    for _ in range(depth - 1):
        value = (value, value)
    return value


def far(metres):
    return np.array([0.0, 0.0, metres])


def ply(verts, faces):
    lines = [
        "ply",
        "format ascii 1.0",
        f"element vertex {len(verts)}",
        "property float x",
        "property float y",
    ]
    lines += ["property float z", f"element face {len(faces)}", "property list uchar int vertex_indices"]
    lines += ["end_header", *(" ".join(map(str, v)) for v in verts), *(f"3 {a} {b} {c}" for a, b, c in faces)]
    return "\n".join(lines)


CUBE = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
PLANE = [(x, y, 0) for x in range(3) for y in range(3)]

# what is damaged: (how, reason, file that is named, views lost)
LEFT_OUT = {
    "no body fit": (of(remove, BODY), "missing_person_fit", BODY, 4),
    "no object fit": (of(remove, OBJECT), "missing_object_fit", OBJECT, 4),
    "body fit cut short": (of(cut, BODY), "broken_pickle", BODY, 4),
    "object fit without bytes": (of(put, OBJECT, b""), "broken_pickle", OBJECT, 4),
    "body fit full of noise": (of(put, BODY, bytes(range(256))), "broken_pickle", BODY, 4),
    "body fit that runs code": (of(put, BODY, pickle.dumps(Bomb())), "unsafe_pickle", BODY, 4),
    "object fit that runs code": (of(edit_fit, OBJECT, angle=Bomb()), "unsafe_pickle", OBJECT, 4),
    "a list for a fit": (of(put, BODY, pickle.dumps([1, 2])), "bad_parameters", BODY, 4),
    "a pose of SMPL": (of(edit_fit, BODY, pose=np.zeros(72)), "bad_parameters", BODY, 4),
    "a pose of NaN": (of(edit_fit, BODY, pose=np.full(156, np.nan)), "bad_parameters", BODY, 4),
    "an infinite shape": (of(edit_fit, BODY, betas=np.full(10, np.inf)), "bad_parameters", BODY, 4),
    "words for a place": (of(edit_fit, OBJECT, trans="here"), "bad_parameters", OBJECT, 4),
    "an object angle of NaN": (of(edit_fit, OBJECT, angle=far(np.nan)), "bad_parameters", OBJECT, 4),
    "a person 1000 m away": (of(edit_fit, BODY, trans=far(1e3)), "absurd_placement", f"{FRAME}/k0", 4),
    "a person behind kinect 1": (of(edit_fit, BODY, trans=far(-1)), "absurd_placement", f"{FRAME}/k1", 1),
    "an object 300 m away": (of(edit_fit, OBJECT, trans=far(300)), "absurd_placement", f"{FRAME}/k0", 4),
    "an object behind kinect 2": (of(edit_fit, OBJECT, trans=far(7)), "absurd_placement", f"{FRAME}/k2", 1),
    "a shape of no human": (of(edit_fit, BODY, betas=np.full(10, 99.0)), "absurd_placement", FRAME, 4),
    "a pose in degrees": (of(edit_fit, BODY, pose=np.full(156, 90.0)), "absurd_placement", FRAME, 4),
    "an object turned in degrees": (of(edit_fit, OBJECT, angle=far(180)), "absurd_placement", FRAME, 4),
    "a pose of 1e300": (of(edit_fit, BODY, pose=np.full(156, 1e300)), "absurd_placement", FRAME, 4),
    "a shape of 1e300": (of(edit_fit, BODY, betas=np.full(10, 1e300)), "absurd_placement", FRAME, 4),
    "a person 1e308 m away": (of(edit_fit, BODY, trans=far(1e308)), "absurd_placement", FRAME, 4),
    "an object 1e300 m away": (of(edit_fit, OBJECT, trans=far(-1e300)), "absurd_placement", FRAME, 4),
    "a number too large": (of(edit_fit, BODY, trans=[0, 0, 10**400]), "bad_parameters", BODY, 4),
    "numbers without end": (of(edit_fit, BODY, pose=shared(30)), "bad_parameters", BODY, 4),
    "a folder for a fit": (of(make_folder, BODY), "missing_person_fit", BODY, 4),
    "a link to nowhere": (of(make_link, COLOR), "missing_color", COLOR, 1),
    "no colour": (of(remove, COLOR), "missing_color", COLOR, 1),
    "no person mask": (of(remove, PERSON), "missing_person_mask", PERSON, 1),
    "no object mask": (of(remove, MASK), "missing_object_mask", MASK, 1),
    "colour without bytes": (of(put, COLOR, b""), "empty_file", COLOR, 1),
    "person mask without bytes": (of(put, PERSON, b""), "empty_file", PERSON, 1),
    "object mask without bytes": (of(put, MASK, b""), "empty_file", MASK, 1),
    "an empty frame folder": (of(make_folder, FRAME), "missing_person_fit", BODY, 4),
    "a file for a frame": (of(put, LATE, b""), "missing_person_fit", LATE, 4),
    "no sequence folder": (of(remove, SEQUENCE), "missing_sequence", SEQUENCE, 0),
    "no info.json": (of(remove, INFO), "bad_sequence", INFO, 8),
    "info.json cut short": (of(cut, INFO), "bad_sequence", INFO, 8),
    "info.json of a list": (of(put, INFO, "[1]"), "bad_sequence", INFO, 8),
    "info.json in no encoding": (of(put, INFO, b"\xff\xfe{"), "bad_sequence", INFO, 8),
    "the other gender": (of(edit_json, INFO, gender="female"), "bad_sequence", INFO, 8),
    "an unknown gender": (of(edit_json, INFO, gender="robot"), "bad_sequence", INFO, 8),
    "a gender of a number": (of(edit_json, INFO, gender=[1]), "bad_sequence", INFO, 8),
    "an unknown object": (of(edit_json, INFO, cat="piano"), "unknown_object", SEQUENCE, 8),
    "another object": (of(edit_json, INFO, cat="stool"), "missing_object_fit", f"{FRAME}/stool", 8),
    "an object of an empty list": (of(edit_json, INFO, cat=[]), "bad_sequence", INFO, 8),
    "an object of a list": (of(edit_json, INFO, cat=["boxlarge"]), "bad_sequence", INFO, 8),
    "an empty list for a gender": (of(edit_json, INFO, gender=[]), "bad_sequence", INFO, 8),
    "kinects in words": (of(edit_json, INFO, kinects="all"), "bad_sequence", INFO, 8),
    "a kinect too many": (of(edit_json, INFO, kinects=[0, 4]), "bad_sequence", INFO, 8),
    "a number for calibration": (of(edit_json, INFO, config=3), "bad_sequence", INFO, 8),
    "info.json of brackets": (of(put, INFO, "[" * 99_999), "bad_sequence", INFO, 8),
    "calibration far down": (of(edit_json, INFO, config="x" * 9999), "bad_sequence", INFO, 8),
    "calibration elsewhere": (of(edit_json, INFO, config="../x"), "bad_calibration", SEQUENCE, 8),
    "a name of another script": (of(rename_sequence, "", "日付_箱"), "bad_sequence", "sequences/日付", 8),
    "no placement": (of(remove, PLACE), "bad_calibration", SEQUENCE, 8),
    "a placement of NaN": (of(edit_json, PLACE, rotation=[np.nan] * 9), "bad_calibration", SEQUENCE, 8),
    "a mirrored placement": (of(edit_json, PLACE, rotation=MIRROR), "bad_calibration", SEQUENCE, 8),
    "no lens": (of(remove, LENS), "bad_calibration", SEQUENCE, 8),
    "a lens cut short": (of(cut, LENS), "bad_calibration", SEQUENCE, 8),
    "a lens of no length": (of(edit_lens, LENS, fx=0.0), "bad_calibration", SEQUENCE, 8),
    "a placement in mm": (of(edit_json, PLACE, translation=[0, 9, 2600]), "bad_calibration", SEQUENCE, 8),
    "a lens of endless width": (of(edit_lens, LENS, width=np.inf), "bad_calibration", SEQUENCE, 8),
    "a lens of a billion pixels": (of(edit_lens, LENS, fx=1e9), "bad_calibration", SEQUENCE, 8),
    "a lens of half a length": (of(edit_lens, LENS, fx=39.0, fy=39.0), "bad_calibration", SEQUENCE, 8),
    "half a distortion": (of(edit_lens, LENS, opencv=[1, 1, 1, 1, 0.1]), "bad_calibration", SEQUENCE, 8),
}  # fmt: skip
BOTH_SEQUENCES = {
    name for name in LEFT_OUT if any(word in name for word in ("placement", "lens", "distortion"))
}

# what is damaged: (how, reason, file that is named)
AT_SAMPLING = {
    "colour cut short": (of(cut, COLOR), "unreadable_image", COLOR),
    "person mask cut short": (of(cut, PERSON), "unreadable_image", PERSON),
    "a PNG of 40,000 pixels": (of(put, COLOR, huge(".png")), "unreadable_image", COLOR),
    "a JPEG of 40,000 pixels": (of(put, PERSON, huge(".jpg")), "unreadable_image", PERSON),
    "a bitmap of 40,000 pixels": (of(put, MASK, huge(".bmp")), "unreadable_image", MASK),
    "noise for a mask": (of(put, MASK, bytes(999)), "unreadable_image", MASK),
    "a folder for a colour": (of(make_folder, COLOR), "unreadable_image", COLOR),
    "colour of another size": (of(draw, COLOR, (60, 80, 3), 9), "image_size", COLOR),
    "masks of two sizes": (of(draw, MASK, (60, 80), 255), "image_size", MASK),
    "a black person mask": (of(draw, PERSON, (120, 160)), "empty_person_mask", PERSON),
    "a black object mask": (of(draw, MASK, (120, 160)), "empty_object_mask", MASK),
    "exchanged masks": (of(swap, PERSON, MASK), "wrong_masks", MASK),
}  # fmt: skip

# what is damaged: (how, message)
REFUSED = {
    "no split file": (of(remove, SPLIT), r"no split.json at .*tree/split.json"),
    "split file cut short": (of(cut, SPLIT), r"split.json: expected \{\"train\""),
    "a split in words": (of(edit_json, SPLIT, train="all"), r"split.json: .*expected a list, found str"),
    "a split of paths": (of(edit_json, SPLIT, train=["../x"]), r"split.json: .*'../x' is no name of a f"),
    "a split of line ends": (of(edit_json, SPLIT, train=["a\n"]), r"split.json: .* is no name of a folder"),
    "a split of long names": (of(edit_json, SPLIT, train=["a" * 999]), r"split.json: .* is no name of a f"),
    "a sequence twice": (of(edit_json, SPLIT, train=[BOX, BOX]), rf"split.json: twice in train: {BOX}"),
    "trained and tested": (of(edit_json, SPLIT, train=[TEST]), rf"in train and in test: {TEST}"),
    "nothing to train on": (of(edit_json, SPLIT, train=[]), r"no usable frame in the train split"),
    "no sequences": (of(remove, "sequences"), r"rhobin synth --out"),
    "no calibration at all": (of(remove, "calibs"), r"no usable frame.*no calibration at"),
    "no templates": (of(remove, "objects"), r"objects folder at .*tree/objects"),
    "a template is missing": (of(remove, MESH), r"expected the simplified template .*stool_f1000"),
    "a template cut short": (of(cut, MESH), r"stool_f1000.ply: expected"),
    "a flat template": (of(put, MESH, ply(PLANE, [(0, 1, 2)])), r"stool_f1000.ply: expected a solid"),
    "a template of few faces": (of(put, MESH, ply(CUBE, [(0, 1, 8)])), r"stool_f1000.ply: expected .*faces"),
    "a face before the first": (of(put, MESH, ply(CUBE, [(0, 1, -1)])), r"stool_f1000.ply: expected .*faces"),
    "a template without bytes": (of(put, MESH, b""), r"stool_f1000.ply: expected"),
}  # fmt: skip


def listing(root):
    """Files of a folder with their sizes."""
    return sorted((str(p), p.stat().st_size) for p in root.rglob("*") if p.is_file())
