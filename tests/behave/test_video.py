"""Frames of videos in any order, and when they were taken."""

import json
import multiprocessing

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhobin.behave.video import (
    REACH,
    Video,
    VideoError,
    extracted_frames,
    frame_file,
    frame_seconds,
    nearest_frames,
    read_frame,
    split_frame,
)
from rhobin.behave.writers.fps30 import write_video

FRAMES = 70


def picture(index):
    """A frame whose number can be read off it: seven squares, black or white."""
    image = np.full((48, 112, 3), 90, np.uint8)
    for bit in range(7):
        image[8:40, 16 * bit + 2 : 16 * bit + 14] = 255 * (index >> bit & 1)
    return image


def number(image):
    return sum(int(image[16:32, 16 * bit + 5 : 16 * bit + 11].mean() > 127) << bit for bit in range(7))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    folder = tmp_path_factory.mktemp("video")
    files = []
    for index in range(FRAMES):
        files.append(folder / f"{index:03d}.png")
        cv2.imwrite(str(files[-1]), picture(index))
    path = folder / "Date03_Sub03_stool.1.color.mp4"
    write_video(path, files)
    return path


def test_frames_come_in_any_order(video):
    assert [number(image) for image in Video(video)] == list(range(FRAMES))
    order = np.random.default_rng(0).permutation(FRAMES).tolist()
    assert [number(read_frame(video, index)) for index in order] == order
    assert [number(read_frame(video, 5)) for _ in range(2)] == [5, 5]


def read_in_child(video, index):
    return number(read_frame(video, index))


def test_a_forked_process_opens_its_own(video):
    read_frame(video, 3)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        jobs = [pool.apply_async(read_in_child, (video, index)) for index in (40, 2, 69, 4)]
        assert number(read_frame(video, 4)) == 4
        assert [job.get(60) for job in jobs] == [40, 2, 69, 4]


def test_names_of_frames(video):
    assert split_frame(video.with_name(frame_file(video.name, 12))) == (video, 12)
    assert split_frame(video) is None
    assert split_frame(video.with_name("shard.tar#a.jpg")) is None


def test_more_videos_than_stay_open(video, tmp_path):
    copies = [tmp_path / f"{i}.mp4" for i in range(11)]
    for copy in copies:
        copy.write_bytes(video.read_bytes())
    for _ in range(2):
        assert [number(read_frame(copy, i)) for i, copy in enumerate(copies)] == list(range(11))


def test_times_come_from_the_file_beside_or_the_frame_rate(video, tmp_path):
    assert np.allclose(frame_seconds(video), 3 + np.arange(FRAMES) / 30)
    own = tmp_path / video.name
    own.write_bytes(video.read_bytes())
    times = tmp_path / "Date03_Sub03_stool.1.time.json"
    times.write_text(json.dumps({"color": [0, 33333, 66667], "depth": [1]}))
    assert np.allclose(frame_seconds(own), [0, 0.033333, 0.066667])
    for broken in ("[1, 2]", "{}", '{"color": []}', '{"color": [2, 1]}', '{"color": "a"}', "{"):
        times.write_text(broken)
        with pytest.raises(VideoError, match=r"time.json: expected (rising )?microseconds"):
            frame_seconds(own)


def test_every_kinect_shows_the_moment_of_the_nearest_frame():
    first, second = np.array([0.0, 0.033, 0.066, 0.2]), np.array([0.012, 0.045, 0.078, 0.111])
    found = nearest_frames([first, second], np.array([0.0, 0.04, 0.078, 0.1, 0.15, 5.0]))
    assert found[:3].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert found[3].tolist() == [2, 3]  # 0.111 is nearest to 0.1, and 0.066 to 0.111
    assert found[4].tolist() == [-1, 3]
    assert found[5].tolist() == [-1, -1]
    assert nearest_frames([np.array([3.0])], np.array([2.99, 3.0, 4.0])).ravel().tolist() == [0, 0, -1]


class OfficialReader:
    """How the release's tool walks through a video: a count of frames, and an iterator behind it."""

    def __init__(self, seconds):
        self.seconds, self.count, self.kept, self.iterator = seconds, 0, None, iter(range(len(seconds)))

    def closest(self, time):
        wanted = int(np.abs(self.seconds - time).argmin())
        step, self.count = wanted - self.count, wanted
        if step == 0 and self.kept is not None:
            return self.kept
        for _ in range(step - 1):
            next(self.iterator)
        self.kept = next(self.iterator)
        return self.kept


@pytest.mark.parametrize(
    "starts", [(3.0, 3.0), (2.5, 2.5), (2.97, 3.0), (2.2, 3.4), (3.3, 2.9), (3.01, 2.999)]
)
def test_frames_are_those_of_the_official_extraction(starts):
    """Videos that start before second 3, at it, and one that starts later than the other."""
    rng = np.random.default_rng(0)
    videos = [start + np.arange(200) / 30 + rng.uniform(0, 0.004, 200) for start in starts]
    times = np.arange(3.0, 8.0, 1 / 30)
    readers, expected = [OfficialReader(seconds) for seconds in videos], []
    for time in times:
        taken = [seconds[np.abs(seconds - time).argmin()] for seconds in videos]
        moment = taken[int(np.abs(np.array(taken) - time).argmin())]
        expected.append([reader.closest(moment) for reader in readers])
    found = extracted_frames(videos, times)
    sure = found >= 0
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(found[sure], np.array(expected)[sure])


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=40, unique=True), st.integers(-(10**5), 11 * 10**5)
)
def test_the_nearest_frame_of_one_video_is_the_nearest(times, wanted):
    rising, value = np.sort(times) / 1e4, wanted / 1e4
    (found,) = nearest_frames([rising], np.array([value])).ravel()
    least = np.abs(rising - value).min()
    assert (found == -1) == (least > REACH)
    assert found == -1 or abs(rising[found] - value) == least


def test_what_cannot_be_read_is_named(video, tmp_path):
    with pytest.raises(VideoError, match=r"no video at .*none.mp4"):
        read_frame(tmp_path / "none.mp4", 0)
    with pytest.raises(VideoError, match=r"has 70 frames, frame 70 was asked for"):
        read_frame(video, FRAMES)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video.read_bytes()[:2000])
    with pytest.raises(VideoError, match=r"cut.mp4 is truncated"):
        read_frame(cut, 0)


def test_images_of_two_sizes_make_no_video(tmp_path):
    for name, width in (("a.png", 64), ("b.png", 32)):
        cv2.imwrite(str(tmp_path / name), np.zeros((32, width, 3), np.uint8))
    with pytest.raises(ValueError, match=r"b.png is not 64x32"):
        write_video(tmp_path / "c.mp4", [tmp_path / "a.png", tmp_path / "b.png"])
