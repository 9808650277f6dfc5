"""`rhobin predict` with objects: KHOR's person and object and G2DR's object, as views are evaluated."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from behave_tree import make_tree
from photo_runs import write_photos, write_run_folder

from rhobin.__main__ import main
from rhobin.behave.read import read_release
from rhobin.behave.writers.templates import write_templates
from rhobin.body.load import load_bodies, load_body
from rhobin.engine.build import build_trained, instantiate
from rhobin.engine.photo_templates import find_templates
from rhobin.engine.predict import load_weights, predict_views
from rhobin.engine.trusted import read_config
from rhobin.metrics.posing import expand_pose
from rhobin.objects.load import load_templates
from rhobin.objects.template import make_template


def predict(capsys, *arguments):
    status = main(["predict", *map(str, arguments)])
    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    return said.out


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """A test view: its files, its camera as written after --K, and the root."""
    root = make_tree(tmp_path_factory.mktemp("objects"), 1)
    release = read_release(root, "test", (1,))
    K = release.cameras[release.views.camera[0]].K
    told = ",".join(repr(float(value)) for value in (K[0, 0], K[1, 1], K[0, 2], K[1, 2]))
    return SimpleNamespace(root=root, files=release.view_files(0), K=told)


def evaluated(run):
    """What the run's own test loader and the evaluation's code say of the view."""
    config = read_config(run)
    datamodule = instantiate(config.data)
    module = build_trained(config, datamodule.sets.assets)
    load_weights(module, run / "checkpoints" / "best.ckpt", config)
    cpu = torch.device("cpu")
    found = predict_views(module, datamodule.test_dataloader(), datamodule.sets.assets.bodies, cpu)
    return next(iter(found.results.values())), found.further.arrays


@pytest.mark.parametrize("method", ["khor", "g2dr"])
def test_a_test_view_as_a_bare_photograph_has_the_object_of_the_evaluation(view, method, tmp_path, capsys):
    turned = ("data.view.ray=turn", f"data.root={view.root}")
    run = write_run_folder(tmp_path / "run", method, *turned)
    record, further = evaluated(run)
    color, person, obj = view.files
    people = ("--gender", record["gender"]) if method == "khor" else ()
    out = predict(
        capsys, run, color, "--mask", person, "--object-mask", obj, "--object", "backpack", "--K", view.K,
        *people, "--out", tmp_path / "out",
    )  # fmt: skip
    assert "note" not in out
    found = np.load(tmp_path / "out" / f"{color.stem}.npz")
    assert (found["object"], found["scale"]) == ("backpack", 1)
    named = [("R", record["obj_rots"]), ("t", record["obj_trans"])]
    if method == "khor":
        named += [("trans", record["trans"]), ("poses", record["poses"]), ("kpts", further["kpts"])]
        named += [(name, further[f"extras.{name}"]) for name in ("joints_sigma_mm", "kpts_sigma_mm")]
    else:
        named += [("confidence_object", further["extras.confidence"])]
        assert "theta" not in found
        assert "gender" not in found
    for name, expected in named:
        np.testing.assert_allclose(found[name], expected[0], rtol=1e-5, atol=5e-6, err_msg=name)


def test_the_mesh_has_a_person_and_an_object_in_one_frame(photo_runs, tmp_path, capsys):
    write_photos(tmp_path, "a")
    predict(
        capsys, photo_runs["khor"], tmp_path / "photos", "--mask", tmp_path / "person", "--object-mask",
        tmp_path / "object", "--object", "stool", "--focal", 150, "--out", tmp_path,
    )  # fmt: skip
    told, lines = json.loads((tmp_path / "a.json").read_text()), (tmp_path / "a.obj").read_text().splitlines()
    assert lines[0].endswith(told["frame"])
    first, second = (lines.index(f"o {part}") for part in ("person", "object"))
    read = {
        kind: [np.array([line.split()[1:] for line in part if line.startswith(kind)], float)
               for part in (lines[first:second], lines[second:])]
        for kind in ("v ", "f ")
    }  # fmt: skip
    stool = load_templates()["stool"]
    placed = stool.verts @ np.array(told["R"]).T + told["t"]
    np.testing.assert_allclose(read["v "][1], placed, atol=1e-5)
    assert np.array_equal(read["f "][1] - 1 - len(read["v "][0]), stool.faces)
    body = load_body("neutral")
    theta = torch.tensor(told["theta"])[None]
    posed = body(theta, torch.tensor(told["beta"])[None], torch.tensor(told["trans"])[None])
    np.testing.assert_allclose(read["v "][0], posed.verts[0], atol=1e-4)
    assert read["f "][0].max() == len(read["v "][0])
    assert (told["object"], told["template_sha256"]) == ("stool", stool.sha256)
    assert "templates are the built-in ones" in told["notes"][0]
    picture = cv2.imread(str(tmp_path / "a.overlay.jpg"))
    assert picture.shape == (120, 160, 3)


def test_smpls_pose_has_the_joints_of_smplhs(photo_runs, tmp_path, capsys):
    write_photos(tmp_path, "a")
    masks = ("--mask", tmp_path / "person", "--out", tmp_path)
    predict(capsys, photo_runs["bev_hybrik"], tmp_path / "photos", *masks)
    told, body = json.loads((tmp_path / "a.json").read_text()), load_body("neutral")
    assert len(told["poses_smpl"]) == 72
    expanded = torch.from_numpy(expand_pose(np.array([told["poses_smpl"]]))).view(1, 52, 3)
    from rhobin.geometry.rotation import rotvec_to_rotmat

    beta, trans = (torch.tensor(told[name], dtype=torch.float64)[None] for name in ("beta", "trans"))
    joints = body.double()(rotvec_to_rotmat(expanded), beta, trans).joints[0]
    chosen = [*range(22), 22, 37]
    np.testing.assert_allclose(joints[chosen], np.array(told["body_joints"])[chosen], atol=1e-5)


def test_confidence_is_the_share_of_points_that_are_expected_near(photo_runs, tmp_path, capsys):
    write_photos(tmp_path, "a")
    predict(
        capsys, photo_runs["khor"], tmp_path / "photos", "--mask", tmp_path / "person", "--object-mask",
        tmp_path / "object", "--object", "stool", "--out", tmp_path,
    )  # fmt: skip
    arrays, rng = np.load(tmp_path / "a.npz"), np.random.default_rng(0)
    for part, sigma in (("person", "joints_sigma_mm"), ("object", "kpts_sigma_mm")):
        errors = rng.exponential(arrays[sigma], (20000, len(arrays[sigma])))
        assert arrays[f"confidence_{part}"] == pytest.approx((errors < 100).mean(), abs=2e-3)


def test_templates_are_those_asked_for_or_of_the_training_or_built_in(tmp_path):
    built_in, data = load_templates(), tmp_path / "data"
    stool = built_in["stool"]
    large = make_template("stool", 1.5 * stool.verts, stool.faces, stool.group)
    crate = make_template("crate", built_in["boxlarge"].verts, built_in["boxlarge"].faces)
    write_templates(data, {"stool": large})
    write_templates(tmp_path, {"stool": stool, "crate": crate})
    none, trained = find_templates(tmp_path / "absent", None), find_templates(data, None)
    assert (none.guessed, none.how, len(none.by_id)) == (True, "built in", 20)
    assert trained.by_id[12].diameter == pytest.approx(1.5 * stool.diameter, rel=1e-3)
    assert (list(trained.by_id), trained.guessed) == ([12], False)
    asked = find_templates(data, tmp_path / "objects")
    assert {number: template.name for number, template in asked.by_id.items()} == {12: "stool", 20: "crate"}
    assert asked.by_id[12].diameter == pytest.approx(stool.diameter)


def test_an_object_that_a_network_has_no_class_of_is_refused(tmp_path, capsys):
    run = write_run_folder(tmp_path / "run", "khor", "model.net.object_classes=1")
    status = main(["predict", str(run), "a.jpg", "--mask", "a", "--object-mask", "b", "--object", "stool"])
    assert status == 1
    assert "the network tells 1 objects apart and has not learnt basketball" in capsys.readouterr().err


def test_runs_of_objects_need_no_body_models(tmp_path, capsys):
    write_photos(tmp_path, "a")
    run = write_run_folder(tmp_path / "run", "g2dr", f"data.body={tmp_path}/no_body")
    predict(
        capsys, run, tmp_path / "photos", "--object-mask", tmp_path / "object", "--object", "stool",
        "--out", tmp_path,
    )  # fmt: skip
    assert "body" not in json.loads((tmp_path / "a.json").read_text())
    assert load_bodies(None).models
