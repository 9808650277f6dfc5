"""Two hundred broken or hostile result files: no code runs, every refusal says where, no silent score."""

from __future__ import annotations

import copy
import math
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from challenge_files import as_ref, as_results, write_layout
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rhobin.metrics.human_track import score_human
from rhobin.metrics.joint_track import score_joint
from rhobin.metrics.object_track import score_object
from rhobin.metrics.protocol import OBJECT_MODES, OFFICIAL_2023
from rhobin.scoring.challenge import read_challenge
from rhobin.scoring.submissions import read_submission

NEEDED = {
    "human": ("frames", "gender", "poses", "betas", "trans"),
    "object": ("frames", "obj_rots", "obj_trans"),
    "joint": ("frames", "poses", "betas", "trans", "obj_rots", "obj_trans"),
}


class Code:
    """Touches a file when a careless reader loads it."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def wrong_shape(value, draw):
    array = np.asarray(value)
    return draw(st.sampled_from([array[:-1], array[..., None], array[:, 1:], np.zeros(()), array[:0]]))


def wrong_type(value, draw):
    array = np.asarray(value)
    odd = [
        None,
        {},
        "words",
        array.astype(str),
        array.astype(complex),
        array.astype(object),
        3,
        [[1], [1, 2]],
    ]
    return draw(st.sampled_from(odd))


def not_finite(value, draw):
    array = np.array(value, dtype=np.float64)
    array[...] = draw(st.sampled_from([np.nan, np.inf, -np.inf, 1e300]))
    return array


BREAK = {"shape": wrong_shape, "type": wrong_type, "number": not_finite}


@pytest.fixture(scope="module")
def setting(oracle, oracle_folder, tmp_path_factory):
    ref = as_ref(oracle("rhobin_ref"))
    kept = sorted(ref["annotations"])[:2]
    ref["annotations"] = {name: ref["annotations"][name] for name in kept}
    flat = as_results(oracle("rhobin_pred_low72"))
    root = write_layout(tmp_path_factory.mktemp("hostile"), ref, {}, oracle_folder)
    return root, read_challenge(root / "ref"), {name: flat[name] for name in kept}


def score(track, challenge, results, source) -> dict[str, float]:
    truth, templates, bodies = challenge.annotations, challenge.templates, challenge.bodies
    if track == "human":
        return score_human(truth, results, bodies, source=source).metrics()
    if track == "object":
        protocol = replace(OBJECT_MODES["official"], samples=60)
        return score_object(truth, templates, results, protocol, source, 1).metrics()
    protocol = replace(OFFICIAL_2023, samples=30)
    found = score_joint(truth, templates, results, bodies, protocol, source, 1)
    return found.metrics()


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_hostile_files_are_refused_or_scored_as_they_are(data, setting):
    root, challenge, clean = setting
    track = data.draw(st.sampled_from(sorted(NEEDED)))
    results = copy.deepcopy(clean)
    sequence = data.draw(st.sampled_from(sorted(results)))
    record = results[sequence]
    key = data.draw(st.sampled_from(NEEDED[track]))
    marker = root / "code-ran"
    arrays = key not in ("frames", "gender")
    kinds = ["missing", "sequence", "code", "record", *(BREAK if arrays else ()), "frames"]
    kind = data.draw(st.sampled_from(kinds))
    names = [sequence]
    if kind == "missing":
        del record[key]
        names.append(key)
    elif kind == "sequence":
        del results[sequence]
    elif kind == "record":
        results[sequence] = data.draw(st.sampled_from([None, [], 3, "text", np.zeros(3)]))
    elif kind == "code":
        record[key] = Code(str(marker))
        names = ["system"]
    elif kind == "frames":
        odd = [None, 7, "t0003.000", [1, 2], [None] * 12, {"a": 1}, np.zeros((12, 2)), record["frames"][:-1]]
        record["frames"] = data.draw(st.sampled_from(odd))
        names.append("frames")
    else:
        record[key] = BREAK[kind](record[key], data.draw)
        names.append(key)
    path = root / "res" / "results.pkl"
    path.write_bytes(pickle.dumps(results))
    cut_list = kind == "frames" and isinstance(record["frames"], list) and len(record["frames"]) == 11
    with pytest.raises(ValueError, match=r"results\.pkl") as refusal:
        score(track, challenge, read_submission(path), str(path))
    assert not marker.exists()
    expected = names[:1] if cut_list else names
    assert all(name in str(refusal.value) for name in expected), str(refusal.value)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(cut=st.binary(max_size=60), at=st.integers(0, 5000))
def test_truncated_and_scribbled_pickles_are_named(cut, at, setting):
    root, _, clean = setting
    content = pickle.dumps(clean)
    path = root / "res" / "results.pkl"
    path.write_bytes(content[:at] + cut)
    with pytest.raises(ValueError, match=r"results\.pkl"):
        read_submission(path)


@pytest.mark.parametrize("track", NEEDED)
def test_the_clean_file_scores(track, setting):
    _, challenge, clean = setting
    assert all(math.isfinite(v) for v in score(track, challenge, copy.deepcopy(clean), "clean").values())
    doubled = copy.deepcopy(clean)
    for record in doubled.values():
        for key, value in record.items():
            if key == "frames":
                record[key] = value * 2
            elif isinstance(value, np.ndarray):
                record[key] = np.concatenate([value, value])
    if track == "human":
        with pytest.raises(ValueError, match="expected 12 frames, found 24"):
            score(track, challenge, doubled, "doubled")
    else:
        assert score(track, challenge, doubled, "d") == score(track, challenge, clean, "c")
