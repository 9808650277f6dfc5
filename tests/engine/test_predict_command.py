"""`rhobin predict`: a test view as a bare photograph has the body of the evaluation; mistakes take a line."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from behave_tree import TRAIN, make_tree, write_ground_truth
from hydra import compose, initialize_config_dir

from rhobin.__main__ import main
from rhobin.behave.read import read_release
from rhobin.body.bodyset import BodySet
from rhobin.body.load import load_body
from rhobin.engine.evaluate import evaluate
from rhobin.engine.fit import fit
from rhobin.engine.photo_network import PhotoNetwork
from rhobin.geometry.rotation import rotvec_to_rotmat
from rhobin.scoring.joint_lines import read_lines
from rhobin.scoring.store import read_further, read_results

ROOT = Path(__file__).parents[2]
TEST = ("Date03_Sub04_backpack_back", "Date03_Sub06_stool_sit")
WRITTEN = ("{}.npz", "{}.json", "{}.obj", "{}.glb", "{}.overlay.jpg", "{}.html")


def composed(name, *overrides):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose(name, list(overrides))


@pytest.fixture(scope="module")
def data_root(tmp_path_factory):
    root = make_tree(tmp_path_factory.mktemp("behave"), 2, TRAIN, TEST)
    write_ground_truth(root)
    return root


@pytest.fixture(scope="module")
def person(data_root, tmp_path_factory):
    """A scored run that reads masks, in crops of a turned camera; alone in a batch, as photographs are."""
    run = tmp_path_factory.mktemp("person") / "run"
    shared = (
        f"data.root={data_root}",
        f"run_dir={run}",
        "data.workers=0",
        "threads=1",
        "trainer.max_steps=3",
        "data.batch_size=1",
    )
    masks = ("model.reads.planes=[color,person,object]", "model.reads.crop=person", "data.view.ray=turn")
    stages = ("~stages.spatial", "~stages.end_to_end")
    fit(composed("train", "experiment=bev_hybrik/smoke", *shared, *masks, *stages))
    evaluate(composed("eval", f"run={run}", "threads=1"))
    return run


@pytest.fixture(scope="module")
def views(data_root):
    """Of each test view: its name, its three files and its camera's intrinsics, as written after --K."""
    release, found = read_release(data_root, "test", (1,)), []
    for view, frame in enumerate(release.views.frame.tolist()):
        sequence = release.sequences[release.frames.sequence[frame]]
        K = release.cameras[release.views.camera[view]].K
        told = ",".join(repr(float(value)) for value in (K[0, 0], K[1, 1], K[0, 2], K[1, 2]))
        found.append(((sequence, str(release.frames.name[frame])), release.view_files(view), told))
    return found


def predict(capsys, *arguments):
    status = main(["predict", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_test_view_as_a_bare_photograph_has_the_body_of_the_evaluation(person, views, tmp_path, capsys):
    results, further = read_results(person)[0], read_further(person)
    for (sequence, frame), (color, mask, obj), K in views:
        record = results[sequence]
        status, out, _ = predict(
            capsys, person, color, "--mask", mask, "--object-mask", obj, "--K", K,
            "--gender", record["gender"], "--out", tmp_path,
        )  # fmt: skip
        assert status == 0
        assert "note: the network" not in out
        found = np.load(tmp_path / f"{color.stem}.npz")
        at = record["frames"].index(frame)
        rows = zip(further.sequence.tolist(), further.frame.tolist(), strict=True)
        row = list(rows).index((sequence, frame))
        assert np.abs(further.arrays["turn"][row] - np.eye(3)).max() > 1e-3
        theta = rotvec_to_rotmat(torch.from_numpy(record["poses"][at]).view(52, 3)).numpy()
        for name, expected in (
            ("theta", theta),
            ("beta", record["betas"][at]),
            ("trans", record["trans"][at]),
            ("joints", further.arrays["joints"][row]),
        ):
            np.testing.assert_allclose(found[name], expected, rtol=0, atol=2e-6, err_msg=name)
        sigma = further.arrays["extras.joints_sigma_mm"][row]
        np.testing.assert_allclose(found["joints_sigma_mm"], sigma, rtol=1e-4)
        lines = read_lines(person).lines
        np.testing.assert_allclose(found["joints_error_mm"], lines(sigma[None, :24])[0], rtol=1e-3)


def test_the_files_tell_one_body_in_the_photographs_frame(person, views, tmp_path, capsys):
    _, (color, mask, _), _ = views[0]
    status, out, _ = predict(capsys, person, color, "--mask", mask, "--focal", 77, "--out", tmp_path)
    assert status == 0
    assert "1 of 1 images predicted" in out
    assert "focal length as given: 77 px" in out
    assert "note: the network reads an object mask, too" in out
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(name.format(color.stem) for name in WRITTEN)
    told = json.loads((tmp_path / f"{color.stem}.json").read_text())
    arrays = np.load(tmp_path / f"{color.stem}.npz")
    for name in ("K", "theta", "poses", "beta", "trans", "joints", "body_joints", "joints_sigma_mm"):
        np.testing.assert_allclose(told[name], arrays[name], rtol=1e-6, atol=1e-7)
    assert (told["gender"], told["body"]) == ("neutral", "stand-in")
    assert told["K"] == [[77, 0, 79.5], [0, 77, 59.5], [0, 0, 1]]
    assert told["frame"].startswith("camera of the photograph")
    lines = (tmp_path / f"{color.stem}.obj").read_text().splitlines()
    assert "metres" in lines[0]
    verts = np.array([line.split()[1:] for line in lines if line.startswith("v ")], float)
    body, pose = load_body("neutral"), rotvec_to_rotmat(torch.tensor(told["poses"]).view(1, 52, 3))
    posed = body(pose, torch.tensor(told["beta"])[None], torch.tensor(told["trans"])[None])
    np.testing.assert_allclose(verts, posed.verts[0], atol=1e-4)
    np.testing.assert_allclose(arrays["body_joints"], posed.joints[0], atol=1e-4)
    assert sum(line.startswith("f ") for line in lines) == len(body.faces)
    assert cv2.imread(str(tmp_path / f"{color.stem}.overlay.jpg")).shape == (120, 160, 3)


@pytest.fixture
def photos(views, tmp_path):
    """Two photographs, and a folder with their masks."""
    folder, masks = tmp_path / "photos", tmp_path / "masks"
    folder.mkdir()
    masks.mkdir()
    for name, (_, (color, mask, _), _) in zip("ab", views[:2], strict=True):
        shutil.copy(color, folder / f"{name}.jpg")
        cv2.imwrite(str(masks / f"{name}.png"), cv2.imread(str(mask)))
    return folder, masks


def test_a_bad_image_does_not_stop_the_others(person, photos, tmp_path, capsys):
    folder, masks = photos
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no image")
    (folder / "cut.jpg").write_bytes((folder / "a.jpg").read_bytes()[:900])
    shutil.copy(folder / "a.jpg", folder / "unmasked.jpg")
    shutil.copy(folder / "a.jpg", folder / "small.jpg")
    shutil.copy(folder / "a.jpg", folder / "dark.jpg")
    shutil.copy(folder / "a.jpg", folder / "a.bmp")
    cv2.imwrite(str(masks / "small.png"), np.full((60, 80), 255, np.uint8))
    cv2.imwrite(str(masks / "dark.png"), np.ones((120, 160), np.uint8))
    names = ("absent.jpg", "empty.jpg", "a.jpg", "text.jpg", "cut.jpg", "unmasked.jpg", "small.jpg",
             "dark.jpg", "a.bmp", "b.jpg")  # fmt: skip
    images, bare = [folder / name for name in names], tmp_path / "bare"
    bare.mkdir()
    (bare / "notes.txt").touch()
    status, out, err = predict(capsys, person, *images, bare, "--mask", masks, "--out", tmp_path / "out")
    assert status == 1
    assert "2 of 11 images predicted, 9 failed, 1 other files ignored" in out
    wanted = (
        "bare: a folder with 1 files and no image; expected .png, .jpg",
        "absent.jpg: no such file; expected an image file. Check the path",
        "empty.jpg: zero bytes; expected a whole image file",
        "text.jpg: not an image that OpenCV can decode; expected JPEG",
        "cut.jpg: JPEG is truncated after 900 bytes",
        "unmasked.jpg: found none in",
        "small.png: mask is 80x60; expected 160x120, the size of",
        "dark.png: mask is empty: its brightest pixel is 1",
        "a.bmp: " + str(folder / "a.jpg") + " has the same name",
    )
    assert len(err.splitlines()) == len(wanted)
    for line, said in zip(err.splitlines(), wanted, strict=True):
        assert line.startswith("error: ")
        assert said in line
    assert len(list((tmp_path / "out").iterdir())) == 2 * len(WRITTEN)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{a}", "{b}", "--box", "1,2,3,4"), "--box is of one image, found 2 images"),
        (("{a}", "{b}", "--mask", "{mask}"), "--mask is of one image, found 2 images"),
        (("{a}", "--box", "500,0,10,10"), "holds no pixel of the image, which is 160x120"),
        (("{a}", "--box", "0,0,160,120"), "Give --mask FILE"),
        (("{a}", "--mask", "{mask}", "--checkpoint", "last", "--body", "{a}"), "no folder"),
    ],
)
def test_mistakes_are_explained_in_one_line(person, photos, capsys, arguments, message):
    folder, masks = photos
    names = {"a": folder / "a.jpg", "b": folder / "b.jpg", "mask": masks / "a.png"}
    status, _, err = predict(capsys, person, *(argument.format(**names) for argument in arguments))
    assert status == 1
    assert message in err
    assert err.count("\n") == 1


def test_runs_that_cannot_be_opened_are_refused(person, photos, tmp_path, capsys):
    folder, masks = photos
    rest = (folder / "a.jpg", "--mask", masks)
    assert "is not a run folder" in predict(capsys, folder, *rest)[2]
    copy = Path(shutil.copytree(person, tmp_path / "copy"))
    for file in (copy / "checkpoints").iterdir():
        file.unlink()
    err = predict(capsys, copy, *rest)[2]
    assert "best.ckpt is missing; expected a checkpoint. Train first" in err
    config = (copy / "config.yaml").read_text()
    (copy / "config.yaml").write_text(config.replace("  view:\n", "  view:\n    unheard_of: 1\n"))
    err = predict(capsys, copy, *rest)[2]
    assert "another version of rhobin wrote it" in err
    assert "unheard_of" in err
    (copy / "config.yaml").write_text(
        config.replace("rhobin.methods.bev_hybrik.module.BevHybrik", "os.system")
    )
    err = predict(capsys, copy, *rest)[2]
    assert "names os.system in model._target_" in err
    assert "--trust os" in err


def test_a_missing_choice_is_asked_for(person, capsys):
    for arguments in (("--box", "1,2,3"), ("--box", "1,2,3,0"), ("--mask", "m", "--box", "1,2,3,4")):
        with pytest.raises(SystemExit) as stopped:
            main(["predict", str(person), "photo.jpg", *arguments])
        assert stopped.value.code == 2
    assert "--box" in capsys.readouterr().err
    status, _, err = predict(capsys, person, "photo.jpg")
    assert status == 1
    assert "no person is pointed at" in err
    assert "give --mask FILE or --box X,Y,WIDTH,HEIGHT" in err


def test_the_body_is_neutral_or_else_male():
    def of(*genders):
        bodies = BodySet([load_body(gender) for gender in genders])
        origin = {"body": "SMPL-H"}
        return PhotoNetwork(Path(), None, None, bodies, {}, None, origin)

    assert of("male", "female", "neutral").gender(None) == "neutral"
    assert of("male", "female").gender(None) == "male"
    assert of("male", "female").gender("female") == "female"
    with pytest.raises(ValueError, match="no body model is neutral; SMPL-H has male, female"):
        of("male", "female").gender("neutral")


def test_a_box_alone_gives_a_mask_by_grabcut(person, photos, tmp_path, capsys):
    folder, masks = photos
    mask, image = cv2.imread(str(masks / "a.png"), cv2.IMREAD_GRAYSCALE), np.full((120, 160, 3), 70, np.uint8)
    image[mask > 127] = (30, 60, 200)
    cv2.imwrite(str(folder / "a.jpg"), image + np.random.default_rng(0).integers(0, 9, image.shape, np.uint8))
    x, y, width, height = cv2.boundingRect(mask)
    box = f"{x},{y},{width},{height}"
    status, out, _ = predict(capsys, person, folder / "a.jpg", "--box", box, "--out", tmp_path)
    assert status == 0
    assert f"person: box {box}, and a mask in it by OpenCV's GrabCut" in out
    assert "assumed: a focal length of the image's diagonal" in out
    told = json.loads((tmp_path / "a.json").read_text())
    assert "GrabCut" in told["person_from"]
    assert told["person_box"] == [x, y, width, height]
