"""What a network draws: chosen and stored by evaluation, shown in the report and by `rhobin preview`."""

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from behave_tree import TRAIN, make_tree, write_ground_truth
from hydra import compose, initialize_config_dir

from rhobin.__main__ import main
from rhobin.engine.build import build_datamodule
from rhobin.engine.evaluate import evaluate
from rhobin.engine.fit import fit
from rhobin.engine.trusted import read_config
from rhobin.reports.drawn_views import DRAWINGS, read_views
from rhobin.scoring.store import read_further

ROOT = Path(__file__).parents[2]
TEST = ("Date03_Sub04_backpack_back", "Date03_Sub06_stool_sit")


def composed(name, *overrides):
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        return compose(name, list(overrides))


def origin(run):
    return json.loads((run / "scores.json").read_text())["origin"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = make_tree(tmp_path_factory.mktemp("behave"), 3, TRAIN, TEST)
    write_ground_truth(root)
    return root


@pytest.fixture(scope="module")
def scored(tree, tmp_path_factory):
    run = tmp_path_factory.mktemp("drawn") / "run"
    shared = (f"data.root={tree}", f"run_dir={run}", "data.workers=0", "threads=1", "trainer.max_steps=3")
    fit(composed("train", "experiment=g2dr/smoke", *shared, "~stages.first", "~stages.second"))
    evaluate(composed("eval", f"run={run}", "threads=1"))
    return run


@pytest.fixture
def own(scored, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(scored, tmp_path / "run")
    return tmp_path / "run"


def test_views_of_the_test_set_are_stored_with_truth_and_prediction(scored):
    views = read_views(scored, origin(scored)["drawings"])
    results = pickle.loads((scored / "results.pkl").read_bytes())
    datamodule = build_datamodule(read_config(scored))
    dataset, row_of = datamodule.test_dataset, {}
    for index in range(len(dataset)):
        row_of[dataset.key(index).sequence, dataset.key(index).frame] = index
    assert {view.object_name for view in views} == {"backpack", "stool"}
    assert len({(view.sequence, view.frame) for view in views}) == len(views) == 5
    for view in views:
        record, sample = results[view.sequence], dataset[row_of[view.sequence, view.frame]]
        place = record["frames"].index(view.frame)
        np.testing.assert_allclose(view.R[1], record["obj_rots"][place], atol=1e-5)
        np.testing.assert_allclose(view.t[1], record["obj_trans"][place], atol=1e-5)
        np.testing.assert_array_equal(view.image, sample.image[:3].permute(1, 2, 0))
        np.testing.assert_array_equal(view.amodal[0], sample.target.maps.amodal > 0)
        np.testing.assert_array_equal(view.visible[0], sample.target.maps.visible > 0)
        assert np.isfinite(view.scores).all()
        if view.object_name == "backpack":
            np.testing.assert_allclose(view.R[0], sample.target.object.R, atol=1e-6)
            nocs = sample.target.maps.nocs.permute(1, 2, 0).numpy()
            np.testing.assert_allclose(view.nocs[0] / 255, nocs, atol=0.51 / 255)


def test_the_report_shows_them_and_can_be_written_again(own):
    page = (own / "report.html").read_text()
    assert 'id="maps"' in page
    assert 'id="people"' not in page
    assert 'href="#maps"' in page
    assert "Asymmetric objects" in page
    (own / "report.html").unlink()
    assert main(["report", str(own)]) == 0
    assert (own / "report.html").read_text() == page


def test_a_missing_file_is_named_and_drawn_again(own, capsys):
    (own / DRAWINGS).unlink()
    assert main(["report", str(own)]) == 1
    assert f"{DRAWINGS} is missing" in capsys.readouterr().err
    evaluate(composed("eval", f"run={own}", "threads=1"))
    assert hashlib.sha256((own / DRAWINGS).read_bytes()).hexdigest() == origin(own)["drawings"]
    evaluate(composed("eval", f"run={own}", "threads=1"))
    assert "up to date" in capsys.readouterr().out


def test_nothing_of_a_scored_set_is_left_beside_predictions_of_a_hidden_one(own, tree, tmp_path):
    hidden = shutil.copytree(tree, tmp_path / "hidden")
    (hidden / "ref.pkl").unlink()
    evaluate(composed("eval", f"run={own}", f"data.root={hidden}", "threads=1", "force=true"))
    assert not (own / DRAWINGS).exists()
    assert not (own / "scores.json").exists()


def test_a_preview_of_a_run_shows_training_and_validation_views(own, tmp_path, capsys):
    out = tmp_path / "new" / "sheet.png"
    arguments = ["preview", f"run={own}", "checkpoint=last", "--samples", "3", "--out", str(out)]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{out}\n"
    picture = cv2.imread(str(out))
    assert picture.shape[1] == 5 * (2 * 170 + 14) + 10
    assert picture.shape[0] > 3 * 170
    assert main(["preview", f"run={own}", "--samples", "1"]) == 0
    assert cv2.imread(str(own / "preview.png")).shape[0] < 2 * 170


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run=nowhere"], "nowhere is not a run folder"),
        (["run={own}", "checkpoint=no"], "no.ckpt is missing"),
    ],
)
def test_mistakes_are_explained_in_one_message(own, capsys, arguments, message):
    assert main(["preview", *(argument.format(own=own) for argument in arguments)]) == 1
    assert message in capsys.readouterr().err


@pytest.fixture(scope="module")
def person(tree, tmp_path_factory):
    run = tmp_path_factory.mktemp("person") / "run"
    shared = (f"data.root={tree}", f"run_dir={run}", "data.workers=0", "threads=1", "trainer.max_steps=3")
    fit(composed("train", "experiment=bev_hybrik/smoke", *shared, "~stages.spatial", "~stages.end_to_end"))
    evaluate(composed("eval", f"run={run}", "threads=1"))
    return run


def test_a_persons_centre_is_stored_with_truth_and_prediction(person):
    views = read_views(person, origin(person)["drawings"])
    further, datamodule = read_further(person), build_datamodule(read_config(person))
    row_of = {pair: row for row, pair in enumerate(zip(further.sequence, further.frame, strict=True))}
    dataset = datamodule.test_dataset
    samples = {(dataset.key(i).sequence, dataset.key(i).frame): dataset[i] for i in range(len(dataset))}
    assert views
    bins = datamodule.settings.samples.targets.bev.depth_bins
    for view in views:
        where = view.sequence, view.frame
        bev, human = samples[where].target.bev, samples[where].target.human
        np.testing.assert_allclose(view.joints[1], further.arrays["joints"][row_of[where]], atol=1e-4)
        np.testing.assert_allclose(view.joints[0], human.joints, atol=1e-6)
        np.testing.assert_allclose(view.front[0] / 255, bev.front, atol=0.51 / 255)
        np.testing.assert_allclose(view.place[0], bev.cell + bev.offset, atol=1e-5)
        focal = float(view.K[0, 0]) / view.image.shape[1]
        for place, depth in enumerate(view.depths):  # the inverse of what draws the targets
            assert bins.position(float(depth), focal) == pytest.approx(place, abs=1e-3)
        assert view.bird.shape == (2, len(view.depths), view.front.shape[2])
        assert view.front[1].any()


def test_the_report_of_people_has_maps_skeletons_and_joints(person, tmp_path, capsys):
    page = (person / "report.html").read_text()
    assert '<section id="maps">' in page
    assert "Centre from above" in page
    assert '<section id="people">' in page
    cases = page.count('alt="predicted meshes"')
    assert page.count('alt="true and predicted skeleton"') == cases > 0
    assert "joints seen" in page
    out = tmp_path / "sheet.png"
    assert main(["preview", f"run={person}", "--samples", "2", "--out", str(out)]) == 0
    assert cv2.imread(str(out)).shape[1] == 3 * (2 * 170 + 14) + 10
