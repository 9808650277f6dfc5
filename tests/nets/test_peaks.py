"""Peaks: BEV's parsing of its maps, a search cell by cell, and one person's centre."""

import itertools

import numpy as np
import pytest
import torch

from rhobin.nets.peaks import find_centre, find_peaks, read_cell


def test_peaks_of_volumes_are_bevs(oracle):
    vectors = oracle("romp_camera_parse")
    maps, most = torch.from_numpy(vectors["parse3d/map_bdhw"]), int(vectors["parse3d/max_person"])
    peaks = find_peaks(maps, most, float(vectors["parse3d/conf_thresh"]))
    np.testing.assert_array_equal(peaks.sample, vectors["parse3d/batch_ids"])
    np.testing.assert_array_equal(peaks.cell, vectors["parse3d/zyx"])
    np.testing.assert_array_equal(peaks.score, vectors["parse3d/score"])


def test_peaks_of_front_views_are_romps(oracle):
    vectors = oracle("romp_camera_parse")
    maps = torch.from_numpy(vectors["parse2d/map"])[:, 0]
    peaks = find_peaks(maps, threshold=float(vectors["parse2d/conf_thresh"]))
    width = maps.shape[2]
    np.testing.assert_array_equal(peaks.sample, vectors["parse2d/batch_ids"])
    np.testing.assert_array_equal(peaks.cell @ torch.tensor([width, 1]), vectors["parse2d/flat_index"])
    np.testing.assert_array_equal(peaks.score, vectors["parse2d/score"])
    row, column = vectors["parse2d/yx_official"].T  # its rows are fractional: index / width
    np.testing.assert_array_equal(peaks.cell, np.stack([np.floor(row), column], axis=1))


def searched(volume, count, threshold):
    """Per depth the `count` strongest peaks, then the `count` strongest of those, as BEV does it."""
    shape, found = volume.shape, []
    for z in range(shape[0]):
        plane = []
        for y, x in itertools.product(range(shape[1]), range(shape[2])):
            window = volume[max(z - 2, 0) : z + 3, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            if volume[z, y, x] == window.max():
                plane.append((float(volume[z, y, x]), [z, y, x]))
        found += sorted(plane, reverse=True)[:count]
    return [peak for peak in sorted(found, reverse=True)[:count] if peak[0] > threshold]


@pytest.mark.parametrize("count", [1, 3, 50])
def test_peaks_are_found_cell_by_cell(count):
    volumes = torch.rand(3, 5, 9, 7, generator=torch.Generator().manual_seed(1))
    volumes[1] *= 0.1
    peaks = find_peaks(volumes, count, threshold=0.9)
    expected = [(i, *peak) for i in range(3) for peak in searched(volumes[i], count, 0.9)]
    assert len(expected) >= 2
    assert (
        list(zip(peaks.sample.tolist(), peaks.score.tolist(), peaks.cell.tolist(), strict=True)) == expected
    )


def test_a_sample_without_peaks_may_be_forced_to_give_its_strongest_cell():
    maps = torch.full((2, 6, 8), -0.5)
    maps[0, 1, 2], maps[1, 4, 7] = 0.7, -0.2
    assert find_peaks(maps).sample.tolist() == [0]
    peaks = find_peaks(maps, force=True)
    assert peaks.sample.tolist() == [0, 1]
    assert peaks.cell.tolist() == [[1, 2], [4, 7]]


def test_a_centre_is_the_strongest_cell_and_its_offset():
    volume, offset = torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 3, 4, 5)
    volume[0, 2, 1, 4], volume[1, 0, 3, 2] = 0.9, 0.3
    offset[0, :, 2, 1, 4] = torch.tensor([0.1, -0.2, 0.3])
    offset[1, :, 0, 3, 2] = torch.tensor([-0.5, 0.0, 0.25])
    offset.requires_grad_()
    centre = find_centre(volume, offset)
    assert centre.cell.tolist() == [[2, 1, 4], [0, 3, 2]]
    torch.testing.assert_close(centre.position, torch.tensor([[2.1, 0.8, 4.3], [-0.5, 3.0, 2.25]]))
    torch.testing.assert_close(centre.score, torch.tensor([0.9, 0.3]))
    torch.testing.assert_close(centre.position - centre.cell, read_cell(offset, centre.cell))
    centre.position.sum().backward()
    assert offset.grad.nonzero()[:, 2:].unique(dim=0).tolist() == [[0, 3, 2], [2, 1, 4]]
