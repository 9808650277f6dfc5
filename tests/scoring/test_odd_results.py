"""Results that are scored as they stand, but look like a mistake: the command says so, once a sequence."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from challenge_files import as_ref, as_results, scored, write_layout

from rhobin.__main__ import main


@pytest.fixture(scope="module")
def ref(oracle):
    whole = as_ref(oracle("rhobin_ref"))
    kept = sorted(whole["annotations"])[:2]
    return {**whole, "annotations": {name: whole["annotations"][name] for name in kept}}


@pytest.fixture
def results(ref, oracle):
    whole = as_results(oracle("rhobin_pred_verts"))
    return {name: copy.deepcopy(whole[name]) for name in ref["annotations"]}


@pytest.fixture
def score(ref, oracle_folder, tmp_path, capsys):
    def run(track, results, *options, truth=None):
        root, out = write_layout(tmp_path / "root", truth or ref, results, oracle_folder), tmp_path / "out"
        status = main(["score", track, str(root), str(out), *options])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return status, " ".join((said.out + said.err).split()), out

    return run


def in_mm(record, *keys):
    for key in keys:
        record[key] = 1000 * np.asarray(record[key])


@pytest.mark.parametrize(
    ("track", "keys"),
    [("human", ["trans"]), ("object", ["obj_trans"]), ("joint", ["smpl_verts"]), ("joint", ["obj_verts"])],
)
def test_millimetres_get_a_hint(track, keys, score, results, ref):
    name = sorted(results)[0]
    count = len(ref["templates"][name.split("_")[2]]["verts"])
    places = np.repeat(np.asarray(results[name]["obj_trans"])[:, None], count, axis=1)
    results[name]["obj_verts"] = places + np.random.default_rng(0).normal(0, 0.1, places.shape)
    in_mm(results[name], *keys)
    status, said, out = score(track, results)
    assert status == 0, said
    assert f"note: sequence {name}: key {keys[0]!r} looks like millimetres: " in said
    assert said.count("looks like") == 1
    assert any("looks like millimetres" in note for note in scored(out, track)["notes"])


def test_centimetres_and_degrees_get_one_too(score, results):
    first, second = results.values()
    first["trans"] = 100 * first["trans"]
    second["poses"] = np.rad2deg(second["poses"])
    _, said, _ = score("human", results)
    assert "key 'trans' looks like centimetres" in said
    assert "key 'poses' looks like degrees" in said


@pytest.mark.parametrize("track", ["object", "joint"])
@pytest.mark.parametrize("change", [lambda R: -R, lambda R: 1.2 * R])
def test_matrices_that_are_no_rotations_are_told_in_both_tracks(track, change, score, results):
    first = results[sorted(results)[0]]
    first["obj_rots"] = change(first["obj_rots"])
    status, said, _ = score(track, results)
    assert status == 0, said
    assert "key 'obj_rots': 10 matrices are not rotations; they are used as given" in said


def test_a_mesh_without_a_surface_is_named(score, results, ref):
    name = sorted(results)[1]
    count = len(ref["templates"][name.split("_")[2]]["verts"])
    results[name]["obj_verts"] = np.zeros((12, count, 3))
    status, said, _ = score("joint", results)
    assert status == 1
    assert "results.pkl: predicted meshes of " in said
    assert f"to {name}/" in said
    assert "expected a surface with a positive finite area" in said


@pytest.mark.parametrize("track", ["human", "object", "joint"])
def test_sound_results_get_no_note(track, score, results):
    status, said, _ = score(track, results)
    assert status == 0, said
    assert "looks like" not in said
    assert "not rotations" not in said


def test_names_that_match_nothing_are_shown_one_of_each(score, results, ref):
    renamed = copy.deepcopy(results)
    for record in renamed.values():
        record["frames"] = [f"frame_{i}" for i in range(len(record["frames"]))]
    for track, options in (("object", []), ("joint", ["--mode", "strict"]), ("human", ["--mode", "2024"])):
        status, said, out = score(track, renamed, *options)
        true = ref["annotations"][sorted(results)[0]]["frames"][0]
        assert status == 1
        assert f"frame names is in the ground truth: predicted 'frame_0', true {true!r}" in said
        assert (out / "scores.txt").read_text() == ""
    assert score("human", renamed)[0] == 0  # pairs by position
    half = {**results, sorted(results)[0]: renamed[sorted(results)[0]]}
    _, said, _ = score("object", half, "--mode", "strict")
    assert "none of its 12 predicted frame names is in the ground truth (predicted 'frame_0', true" in said
    _, said, _ = score("object", {f"x{name}": record for name, record in results.items()})
    assert f"is missing; the metric needs all of them. Found 'x{sorted(results)[0]}'" in said


def test_rotation_vectors_for_matrices_say_how_to_convert(score, results):
    for record in results.values():
        record["obj_rots"] = np.zeros((len(record["frames"]), 3))
    status, said, _ = score("object", results)
    assert status == 1
    assert "expected shape (12, 3, 3), found (12, 3). Rotation vectors become matrices by" in said


@pytest.mark.parametrize("track", ["human", "object", "joint"])
def test_bad_ground_truth_is_blamed_on_the_ground_truth(track, score, results, ref):
    broken = copy.deepcopy(ref)
    name = sorted(ref["annotations"])[0]
    broken["annotations"][name]["obj_trans"][3, 1] = np.nan
    status, said, out = score(track, results, truth=broken)
    assert status == 1
    assert f"ref.pkl: {name}: key 'obj_trans': frame t0006.000: found nan, expected metres" in said
    assert "results.pkl" not in said
    assert (out / "scores.txt").read_text() == ""
