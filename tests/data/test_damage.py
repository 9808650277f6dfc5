"""Damage to a dataset: each kind is told with the file it is in, and nothing is written."""

import pickle

import cv2
import numpy as np
import pytest
from damage_kinds import (
    AT_SAMPLING,
    BOTH_SEQUENCES,
    BOX,
    COLOR,
    LATE,
    LEFT_OUT,
    MESH,
    PLACE,
    REFUSED,
    VIEWS,
    Bomb,
    cut,
    listing,
    ply,
    put,
    rename_sequence,
)
from damaged import datasets, show

from rhobin.behave.manifest import build_manifest
from rhobin.behave.read import read_release
from rhobin.behave.ref import write_ref
from rhobin.data.images.decode import BadSampleError
from rhobin.objects.load import load_templates


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_what_cannot_be_used_is_left_out_counted_and_named(tree, kind, monkeypatch):
    damage, reason, file, lost = LEFT_OUT[kind]
    damage(tree)
    before = listing(tree)
    monkeypatch.chdir(tree)
    if kind in BOTH_SEQUENCES:  # a lens or a place of all sequences of a date
        with pytest.raises(ValueError, match=rf"no usable frame.*sequences/{BOX}.*{PLACE[:6]}"):
            read_release(tree, "train", templates=load_templates())
        release, skips = None, read_release(tree, "train", (0, 1, 3), load_templates()).skips
        assert skips == []
    else:
        release = read_release(tree, "train", templates=load_templates())
        assert {skip.reason for skip in release.skips} == {reason}
        assert release.skips[0].file.startswith(file)
        assert all(skip.file.startswith("sequences/") and skip.detail for skip in release.skips)
        assert sum(skip.views for skip in release.skips) == lost
        gone = {"missing_sequence": 8}.get(reason, 0 if file == LATE else lost)
        assert len(release.views.frame) == VIEWS - gone
        assert build_manifest([release])["skipped"][reason]["views"] == lost
    assert listing(tree) == before, "reading must not write"


@pytest.mark.parametrize("kind", AT_SAMPLING)
def test_training_goes_on_or_stops_as_configured(tree, kind):
    damage, reason, file = AT_SAMPLING[kind]
    damage(tree)
    release = read_release(tree, "train", templates=load_templates())
    assert release.skips == []
    patient, strict = datasets(release)
    shown = show(patient)
    assert [(s.reason, s.file, s.views) for s in patient.skips()] == [(reason, file, 1)]
    assert [sample.key.index for sample in shown] == [0, 1, 3, *range(3, VIEWS)], "the next view stands in"
    with pytest.raises(BadSampleError, match=rf"{file}: .*data.view.on_bad_sample=skip") as caught:
        show(strict)
    assert caught.value.reason == reason


@pytest.mark.parametrize("kind", REFUSED)
def test_what_all_depends_on_is_refused_with_its_name(tree, kind):
    damage, message = REFUSED[kind]
    damage(tree)
    before = listing(tree)
    with pytest.raises((FileNotFoundError, ValueError), match=f"(?s){message}"):
        read_release(tree, "train")
    assert listing(tree) == before


def test_every_kind_names_the_calibration_file_it_is_in(tree):
    (tree / PLACE).unlink()
    with pytest.raises(ValueError, match=r"no calibration at .*Date01/config/2/config.json"):
        read_release(tree, "train", templates=load_templates())


def test_names_in_any_script_are_no_damage(tree):
    rename_sequence(tree, "Date01_Sub01_boxlarge_持ち上げ ё")
    there = tree.rename(tree.with_name("データ é"))
    release = read_release(there, "train", templates=load_templates())
    assert release.skips == []
    assert len(show(datasets(release)[1])) == VIEWS


def test_a_template_with_other_vertices_is_a_warning(tree):
    templates = load_templates()
    stool = templates["stool"]
    turn = cv2.Rodrigues(np.array([0.3, 0.4, 0.5]))[0]
    put(tree / MESH, ply(stool.verts @ turn.T, stool.faces))
    with pytest.warns(UserWarning, match=r"stool_f1000.ply: 1094 vertices, BEHAVE's own file has 532"):
        assert len(read_release(tree, "train").views.frame) == VIEWS


def test_a_hostile_ref_costs_only_its_symmetries(tree):
    write_ref(tree / "ref.pkl", {}, {})
    put(tree / "ref.pkl", pickle.dumps({"annotations": Bomb(), "templates": {}}))
    with pytest.warns(UserWarning, match=r"symmetries are our own: .*ref.pkl asks for posix.system"):
        assert len(read_release(tree, "train").views.frame) == VIEWS


def test_a_file_that_goes_away_while_training(tree):
    release = read_release(tree, "train", templates=load_templates())
    (tree / COLOR).unlink()
    patient, strict = datasets(release)
    show(patient)
    assert [(s.reason, s.file) for s in patient.skips()] == [("unreadable_image", COLOR)]
    with pytest.raises(BadSampleError, match=r"k2.color.jpg: cannot be read: No such file"):
        show(strict)


def test_nothing_left_to_show_is_told(tree):
    for path in tree.glob("sequences/Date01*/*/k*.color.jpg"):
        cut(path)
    release = read_release(tree, "train", templates=load_templates())
    with pytest.raises(ValueError, match=r"none of the 16 views can be used; first: .*k0.color.jpg"):
        show(datasets(release)[0])


def test_there_are_sixty_kinds_and_more():
    assert len(LEFT_OUT) + len(AT_SAMPLING) + len(REFUSED) >= 60  # and 13 with tests of their own
