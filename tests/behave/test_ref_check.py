"""Ground truth that nothing can be scored against is refused with file, key, what was found and expected."""

import copy
import pickle

import numpy as np
import pytest
from test_ref import annotation

from rhobin.behave.ref import read_ref, write_ref
from rhobin.metrics.symmetry import symmetry_set
from rhobin.objects.load import load_templates
from rhobin.scoring.by_image import read_image_ref

MIRROR = np.diag([1.0, 1.0, -1.0])


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A sound file's content."""
    path = tmp_path_factory.mktemp("ref") / "ref.pkl"
    write_ref(path, {"S": annotation()}, {"stool": load_templates()["stool"]})
    return pickle.loads(path.read_bytes())


def put(key, change):
    def edit(content):
        content["annotations"]["S"][key] = change(np.array(content["annotations"]["S"][key]))

    return edit


def at(key, value):
    def change(array):
        array[1, ...] = value
        return array

    return put(key, change)


def mesh(key, change):
    def edit(content):
        stool = content["templates"]["stool"]
        stool[key] = change(stool[key])

    return edit


def motion(R=None, t=None):
    entry = {"R": np.eye(3) if R is None else R, "t": np.zeros(3) if t is None else t}
    return mesh("symmetries", lambda known: [*known, entry])


KINDS = {
    "gender": (
        put("gender", lambda _: "abc"),
        "S: key 'gender': expected one of male, female, neutral, found 'abc'",
    ),
    "template in mm": (mesh("verts", lambda v: 1000 * v), "stool: key 'verts': found an object of .* millim"),
    "template NaN": (mesh("verts", lambda v: v * np.nan), "stool: key 'verts': expected finite"),
    "quads": (
        mesh("faces", lambda f: f[:4, [0, 1, 2, 2]]),
        r"'faces': expected shape \(N, 3\), found \(4, 4\)",
    ),
    "no faces": (mesh("faces", lambda f: f[:0]), "expected vertices and faces"),
    "negative face": (
        mesh("faces", lambda f: f - 1),
        "'faces': expected whole numbers from 0 to .* found -1",
    ),
    "large face": (mesh("faces", lambda f: f + 10_000), "'faces': expected whole numbers from 0"),
    "no area": (mesh("verts", np.zeros_like), "stool: expected triangles with an area, found none"),
    "half a face": (mesh("faces", lambda f: f + 0.5), "'faces': expected whole numbers"),
    "mirrored symmetry": (motion(MIRROR), "symmetry .*'R': expected rotations.* found one of determinant -1"),
    "zero symmetry": (motion(np.zeros((3, 3))), "'R': expected rotations.* determinant 0"),
    "scaled symmetry": (motion(1.1 * np.eye(3)), "'R': expected rotations.* determinant 1.33"),
    "axis of length 0": (motion(np.full((3, 3), np.nan)), "'R': expected finite numbers, found nan"),
    "symmetry as a vector": (motion(np.zeros(3)), r"'R': expected shape \(3, 3\), found \(3,\)"),
    "symmetry in mm": (motion(t=np.array([0, 300.0, 0])), "'symmetries': found a translation of 300 m"),
    "symmetry without t": (
        mesh("symmetries", lambda s: [{"R": np.eye(3)}]),
        r"symmetry 0 of template stool has no 't' \(found: R\)",
    ),
    "symmetries None": (mesh("symmetries", lambda s: None), "'symmetries': expected a list, found NoneType"),
    "visible NaN": (
        at("occ_ratios", np.nan),
        "S: key 'occ_ratios': frame t0001.000: found nan, exp",
    ),
    "visible negative": (
        at("occ_ratios", -0.5),
        "'occ_ratios': frame t0001.000: found -0.5, expected the vis",
    ),
    "visible percent": (at("occ_ratios", 80.0), "'occ_ratios': frame t0001.000: found 80"),
    "pose NaN": (at("poses", np.nan), "S: key 'poses': frame t0001.000: found nan, expected a finite"),
    "pose of 72": (put("poses", lambda p: p[:, :72]), r"'poses': expected shape \(N, 156\), found \(3, 72\)"),
    "pose in degrees": (put("poses", np.rad2deg), "S: key 'poses': .* are these degrees"),
    "words": (put("trans", lambda t: "words"), "S: key 'trans': expected numbers .* found type <U5"),
    "complex": (put("trans", lambda t: t + 0j), "S: key 'trans': expected numbers .* found type complex"),
    "one frame": (lambda c: c["annotations"]["S"].update(frames=np.array("t0")), "'frames': expected a list"),
    "None": (lambda c: c["annotations"]["S"].update(frames=["a", None, "b"]), "found a list with NoneType"),
    "ragged": (
        put("betas", lambda b: [[1], [1, 2], []]),
        "S: key 'betas': expected numbers .* found no array",
    ),
    "trans in mm": (at("trans", 2300.0), "'trans': frame t0001.000: found 2300, expected metres .* millim"),
    "object in mm": (at("obj_trans", [10, 2300.0, 5]), "'obj_trans': frame t0001.000: found 2300"),
    "betas": (at("betas", 1e5), "'betas': frame t0001.000: found 1e\\+05, expected shape coefficients"),
    "matrices": (
        put("obj_rots", lambda r: np.zeros((3, 3, 3))),
        r"'obj_rots': expected shape \(N, 3\), found",
    ),
    "frames": (lambda c: c["annotations"]["S"].update(frames=7), "'frames': expected a list of frame names"),
    "a path": (lambda c: c["annotations"].update({"../../x": c["annotations"]["S"]}), r"found '\.\./\.\./x'"),
    "frame path": (
        lambda c: c["annotations"]["S"].update(frames=["t0000.000", "../t0", "t0002.000"]),
        r"S: key 'frames': expected names of folders, found '\.\./t0'",
    ),
    "windows path": (
        lambda c: c["templates"].update({"..\\x": {}}),
        "'templates': expected names of folders",
    ),
    "a list": (lambda c: c.update(annotations=[]), "'annotations': expected a dict by name, found list"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_scored_against_is_refused(kind, sound, tmp_path):
    content = copy.deepcopy(sound)
    change, message = KINDS[kind]
    change(content)
    path = tmp_path / "ref.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=message) as refusal:
        read_ref(path, scored=True)
    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)


def test_sound_files_are_read_as_they_are(sound, tmp_path):
    content = copy.deepcopy(sound)
    stool, truth = content["templates"]["stool"], content["annotations"]["S"]
    stool["symmetries"] = [{"R": np.eye(3, dtype=np.float32), "t": np.zeros((3, 1))}]
    stool["faces"] = stool["faces"].astype(np.uint32)
    truth["occ_ratios"] = [1.04, 0.0, 0.3]
    path = tmp_path / "ref.pkl"
    path.write_bytes(pickle.dumps(content))
    annotations, templates = read_ref(path, scored=True)
    assert annotations["S"].occ_ratios.tolist() == [1.04, 0.0, 0.3]
    assert templates["stool"].symmetries[0][1].shape == (3,)
    assert templates["stool"].faces.dtype == np.int64
    assert np.array_equal(annotations["S"].poses, sound["annotations"]["S"]["poses"])


def test_a_symmetry_axis_needs_a_length():
    for axis in ([0, 0, 0], [np.nan, 0, 1]):
        info = {"symmetries_continuous": [{"axis": axis, "offset": [0, 0, 0]}]}
        with pytest.raises(ValueError, match="'axis': expected a direction"):
            symmetry_set(info, 0.01)


IMAGE_KINDS = {
    "mirrored": ({"obj_rot": MIRROR}, "image a/b: key 'obj_rot': expected rotations"),
    "scaled": ({"obj_rot": 1000 * np.eye(3)}, "image a/b: key 'obj_rot': expected rotations"),
    "NaN": ({"obj_rot": np.full((3, 3), np.nan)}, "image a/b: key 'obj_rot': expected finite"),
    "mm": ({"trans": np.array([0, 0, 2300.0])}, "key 'trans': frame a/b: found 2300"),
    "gender": ({"meta": ("behave", "abc", "stool")}, "image a/b: key 'meta': .* gender, found 'abc'"),
    "72": ({"pose": np.zeros(72)}, r"image a/b: key 'pose': expected shape \(156,\), found \(72,\)"),
}


def image_ref(sound, name="a/b", **edit):
    image = {"pose": np.zeros(156), "betas": np.zeros(10), "trans": np.zeros((1, 3)), "obj_rot": np.eye(3)}
    image |= {"obj_trans": np.zeros(3), "meta": ("behave", "male", "stool")}
    return {"annotations": {name: {**image, **edit}}, "templates": sound["templates"]}


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_ground_truth_by_image_is_refused_alike(kind, sound, tmp_path):
    edit, message = IMAGE_KINDS[kind]
    with pytest.raises(ValueError, match=message):
        read_image_ref(image_ref(sound, **edit), tmp_path / "ref.pkl")


def test_ids_of_images_may_be_paths_but_stay_inside(sound, tmp_path):
    annotations, _ = read_image_ref(image_ref(sound), tmp_path / "ref.pkl")
    assert annotations["behave_male_stool"].frames == ["a/b"]
    for name in ("../x", "a/../../x", "/etc/x", "a\\..\\x"):
        with pytest.raises(ValueError, match="expected names of folders"):
            read_image_ref(image_ref(sound, name), tmp_path / "ref.pkl")
