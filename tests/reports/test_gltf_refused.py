"""What cannot be written as glTF is refused by name."""

import numpy as np
import pytest

from rhobin.body.load import load_body
from rhobin.reports.gltf.person import GltfPerson
from rhobin.reports.gltf.rigid import GltfObject
from rhobin.reports.gltf.scene import GltfScene, to_glb

VERTS, FACES = np.eye(3), np.array([[0, 1, 2]])


def an_object(n=1, **other):
    arrays = {"R": np.tile(np.eye(3), (n, 1, 1)), "t": np.zeros((n, 3))}
    return GltfObject(VERTS, FACES, **(arrays | other))


def a_person(n=1, **other):
    arrays = {"beta": np.zeros(10), "theta": np.tile(np.eye(3), (n, 52, 1, 1)), "trans": np.zeros((n, 3))}
    return GltfPerson(load_body("male"), **(arrays | other))


@pytest.mark.parametrize(
    ("parts", "times", "words"),
    [
        ((None, None), None, "found neither"),
        ((None, an_object(2)), None, "one pose for each of its 1 frames, found 2"),
        ((None, an_object(2)), np.arange(3.0), "one pose for each of its 3 frames, found 2"),
        ((None, an_object(0)), None, "found 0"),
        ((None, an_object(2, frames=np.array([1, 1]))), np.arange(3.0), r"object\.frames.*\[1, 1\]"),
        ((None, an_object(2, frames=np.array([1, 3]))), np.arange(3.0), r"object\.frames.*3 times"),
        ((None, an_object(2)), np.array([0.0, 0.0]), "times: expected increasing"),
        ((None, an_object(2)), np.array([-1.0, 0.0]), "times: expected increasing"),
        ((None, an_object(2)), np.array([1e6, 1e6 + 0.01]), "times: expected increasing"),
        ((None, an_object(t=np.full((1, 3), np.nan))), None, r"object\.t: expected finite"),
        ((None, an_object(R=2 * np.eye(3)[None])), None, r"object\.R: expected rotation"),
        ((None, an_object(R=-np.eye(3)[None])), None, r"object\.R: expected rotation"),
        ((None, an_object(scale=0.0)), None, r"object\.scale: expected a positive"),
        ((a_person(trans=np.zeros((2, 3))), None), None, r"person\.trans: expected shape \(1, 3\)"),
        ((a_person(beta=np.zeros((1, 10))), None), None, r"person\.beta: expected shape \(10,\)"),
        ((a_person(theta=np.zeros((1, 52, 3, 3))), None), None, r"person\.theta: expected rotation"),
    ],
)
def test_what_gltf_cannot_hold_is_refused_by_name(parts, times, words):
    with pytest.raises(ValueError, match=words):
        to_glb(GltfScene("camera", *parts, times))
