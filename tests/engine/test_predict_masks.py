"""`rhobin predict --masks`, and the files to look at in 3D."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from photo_runs import draw_photo, write_photos, write_video

from rhobin.__main__ import main
from rhobin.objects.load import load_templates

sys.path[:0] = [str(Path(__file__).parents[1] / name) for name in ("data", "reports")]
from gltf_reader import Glb  # noqa: E402
from real_photographs import MASKS, photograph  # noqa: E402


def predict(capsys, *arguments):
    status = main(["predict", *map(str, arguments)])
    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    return said.out


@pytest.fixture
def photos(tmp_path):
    """Photographs a and b with the same masks as PNG, in person/ and object/, and as NPZ, in both/."""
    write_photos(tmp_path, "ab")
    (tmp_path / "both").mkdir()
    for seed, name in enumerate("ab"):
        _, person, obj = draw_photo(seed)
        np.savez(tmp_path / "both" / f"{name}.npz", person=person > 0, object=obj > 0)
    return tmp_path


def test_masks_of_one_file_predict_as_masks_of_two(photo_runs, photos, capsys):
    call = (photo_runs["khor"], photos / "photos", "--object", "stool")
    predict(capsys, *call, "--masks", photos / "both", "--out", photos / "one")
    masks = ("--mask", photos / "person", "--object-mask", photos / "object")
    predict(capsys, *call, *masks, "--out", photos / "two")
    for name in "ab":
        one, two = (dict(np.load(photos / out / f"{name}.npz")) for out in ("one", "two"))
        assert one.keys() == two.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], two[key], err_msg=key)


def test_masks_are_not_written_over(photo_runs, photos, capsys):
    call = ("predict", photo_runs["bev_hybrik"], photos / "photos", "--masks", photos / "both")
    before = (photos / "both" / "a.npz").read_bytes()
    assert main([*map(str, call), "--out", str(photos / "both")]) == 1
    assert "predictions would have their names. Give another folder" in capsys.readouterr().err
    assert (photos / "both" / "a.npz").read_bytes() == before


def test_what_was_written_beside_photographs_is_no_photograph(photo_runs, photos, capsys):
    call = (
        photo_runs["bev_hybrik"],
        photos / "photos",
        "--masks",
        photos / "both",
        "--out",
        photos / "photos",
    )
    assert "2 of 2 images predicted\n" in predict(capsys, *call)
    assert "2 of 2 images predicted, 12 other files ignored\n" in predict(capsys, *call)


def test_a_mesh_beside_its_mask_is_noted(photo_runs, photos, capsys):
    """Whatever an untrained network says, the note and the number agree."""
    for focal in (40, 150, 2000):
        call = (photo_runs["bev_hybrik"], photos / "photos" / "a.jpg", "--masks", photos / "both")
        out = predict(capsys, *call, "--focal", focal, "--out", photos / "out")
        told = json.loads((photos / "out" / "a.json").read_text())
        noted = "the predicted person hardly meets its mask" in out
        assert noted == (told["person_mask_iou"] < 0.1)


def test_a_video_takes_masks_by_the_numbers_of_its_frames(photo_runs, tmp_path, capsys):
    clip = write_video(tmp_path, 3, ())
    (tmp_path / "masks" / "clip").mkdir(parents=True)
    for index in (0, 2):
        np.savez(tmp_path / "masks" / "clip" / f"{index:06d}.npz", person=draw_photo(index)[1])
    masks = ("--masks", tmp_path / "masks", "--out", tmp_path / "out")
    assert "2 of 3 frames predicted; gaps: 1" in predict(capsys, photo_runs["bev_hybrik"], clip, *masks)
    assert Glb((tmp_path / "out" / "clip.glb").read_bytes()).tree["animations"]
    page = (tmp_path / "out" / "clip.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2


def test_the_glb_and_the_obj_are_one_scene(photo_runs, photos, capsys):
    photo = photos / "photos" / "a.jpg"
    masks = ("--masks", photos / "both", "--object", "stool", "--out", photos / "out")
    predict(capsys, photo_runs["khor"], photo, *masks)
    glb = Glb((photos / "out" / "a.glb").read_bytes())
    lines = (photos / "out" / "a.obj").read_text().splitlines()
    verts = np.array([line.split()[1:] for line in lines if line.startswith("v ")], float)
    for part in ("person", "stool"):
        found = glb.mesh(part)[0] * [1, -1, -1]
        expected = verts[:6890] if part == "person" else verts[6890:]
        for bound in (np.min, np.max):  # the object's vertices are parted at its edges
            np.testing.assert_allclose(bound(found, axis=0), bound(expected, axis=0), atol=1e-4)
    told = json.loads((photos / "out" / "a.json").read_text())
    assert told["frame"] in json.dumps(glb.tree)


def test_the_overlap_with_the_mask_is_that_of_the_drawn_mesh(photo_runs, photos, capsys):
    """Against filled triangles by OpenCV, of a mesh before the camera."""
    photo = photos / "photos" / "a.jpg"
    masks = ("--masks", photos / "both", "--object", "stool", "--focal", 150, "--out", photos / "out")
    predict(capsys, photo_runs["khor"], photo, *masks)
    told = json.loads((photos / "out" / "a.json").read_text())
    stool = load_templates()["stool"]
    pixels = (stool.verts @ np.array(told["R"]).T + told["t"]) @ np.array(told["K"]).T
    large = np.zeros((8 * 120, 8 * 160), np.uint8)  # OpenCV fills every pixel that a triangle touches
    corners = np.round(8 * (pixels[:, :2] / pixels[:, 2:] + 0.5) - 0.5).astype(np.int32)
    for triangle in corners[stool.faces]:
        cv2.fillConvexPoly(large, triangle, 255)
    drawn = large[4::8, 4::8]
    _, person, obj = draw_photo(0)
    counted = person == 0
    both, either = ((drawn > 0) & (obj > 0) & counted, ((drawn > 0) | (obj > 0)) & counted)
    assert told["object_mask_iou"] == pytest.approx(both.sum() / either.sum(), abs=0.03)
    assert 0 <= told["person_mask_iou"] <= 1


def test_the_page_holds_the_picture_the_scene_and_the_facts(photo_runs, photos, capsys):
    photo = photos / "photos" / "a.jpg"
    predict(capsys, photo_runs["bev_hybrik"], photo, "--masks", photos / "both", "--out", photos / "out")
    page = (photos / "out" / "a.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 1
    scene = json.loads(page.partition('id="scene-data">')[2].partition("</script>")[0])
    assert [len(case["meshes"]) for case in scene["cases"]] == [1]
    assert "both/a.npz" in page
    assert "https://" not in page


@pytest.mark.parametrize("name", MASKS)
def test_real_photographs_with_masks_by_hand(name, photo_runs, tmp_path, capsys):
    """An untrained network: what is written, and that the mask's outline is drawn where the mask is."""
    masks = ("--masks", MASKS[name], "--out", tmp_path)
    out = predict(capsys, photo_runs["bev_hybrik"], photograph(name), *masks)
    assert f"of {MASKS[name]}" in out
    told = json.loads((tmp_path / f"{name}.json").read_text())
    assert told["size"] == [512, 512]
    assert {file.suffix for file in tmp_path.iterdir()} == {".npz", ".json", ".obj", ".glb", ".jpg", ".html"}
    width, height = told["person_box"][2:]
    assert 100 < width <= 512
    assert 300 < height <= 512
    assert cv2.imread(str(tmp_path / f"{name}.overlay.jpg")).shape == (512, 512, 3)
