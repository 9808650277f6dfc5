"""CHORE's frame list as rules."""

from dataclasses import replace

import numpy as np
import pytest

from rhobin.behave.framelist import chore_views
from rhobin.behave.read import read_release


@pytest.fixture(scope="module")
def train(release_root, templates):
    return read_release(release_root, "train", templates=templates)


def test_integer_seconds_from_3_to_133(train):
    names = np.array(
        ["t0003.000", "t0003.033", "t0002.000", "t0133.000", "t0134.000", "t0010.000", "x", "t0004.000"]
    )
    release = replace(train, frames=replace(train.frames, name=names))
    kept, skips = chore_views(release, np.full(32, 2.2))
    assert sorted(set(release.views.frame[kept])) == [0, 3, 5, 7]
    assert len(kept) + len(skips) == 32
    assert {skip.reason for skip in skips} == {"not_in_frame_list"}
    assert skips[0].file == release.views.files[4, 0]
    assert "not an integer second" in skips[0].detail


@pytest.mark.parametrize(
    ("depth", "kept"),
    [
        (2.2 / 0.6 - 1e-6, True),
        (2.2 / 0.6 + 1e-3, False),
        (2.2 / 1.5 + 1e-6, True),
        (2.2 / 1.5 - 1e-3, False),
        (-1, False),
    ],
)
def test_the_scale_that_moves_the_body_to_its_depth(train, depth, kept):
    depths = np.full(32, 2.2)
    depths[6] = depth
    rows, skips = chore_views(train, depths)
    assert (6 in rows) == kept
    assert [skip.file for skip in skips] == ([] if kept else [train.views.files[6, 0]])
    assert kept or "outside 0.6 to 1.5" in skips[0].detail


def test_test_is_kinect_1_at_any_depth(release_root, templates):
    test = read_release(release_root, "test", templates=templates)
    rows, skips = chore_views(test, np.full(8, 9.0))
    assert set(test.views.kinect[rows]) == {1}
    assert {skip.detail for skip in skips} == {"test shows kinect 1 only"}
