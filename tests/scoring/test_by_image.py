"""The challenge of 2024: ground truth and predictions by image, scored for each data set."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from challenge_files import as_ref, as_results, scored, write_layout
from scipy.spatial.transform import Rotation

from rhobin.__main__ import main
from rhobin.metrics.object import object_errors
from rhobin.metrics.points import PointSet
from rhobin.metrics.protocol import CAMERA_K, CAMERAS
from rhobin.metrics.symmetry import stack_symmetries
from rhobin.scoring.by_image import read_image_ref, to_images

DATASETS = ("behave", "icap")


def by_image(ref: dict, results: dict) -> tuple[dict, dict]:
    """Every second sequence becomes an image set of ``icap``; ids say nothing of what they show."""
    annotations, predictions = {}, {}
    for index, (name, truth) in enumerate(sorted(ref["annotations"].items())):
        turns = Rotation.from_rotvec(truth["obj_rots"]).as_matrix()
        for row in range(len(truth["frames"])):
            image = f"{1000 * index + row:06d}"
            annotations[image] = {
                "pose": truth["poses"][row],
                "betas": truth["betas"][row],
                "trans": truth["trans"][row][None],
                "obj_rot": turns[row],
                "obj_trans": truth["obj_trans"][row],
                "meta": (DATASETS[index % 2], truth["gender"], name.split("_")[2]),
            }
            record = results[name]
            predictions[image] = {
                "pose": record["poses"][row],
                "betas": record["betas"][row],
                "trans": record["trans"][row],
                "obj_rot": record["obj_rots"][row],
                "obj_trans": record["obj_trans"][row],
            }
    return {"annotations": annotations, "templates": ref["templates"]}, predictions


@pytest.fixture
def files(oracle):
    return by_image(as_ref(oracle("rhobin_ref")), as_results(oracle("rhobin_pred_mid_sym")))


@pytest.fixture
def score(oracle_folder, tmp_path, capsys):
    def run(track, ref, results, *options):
        root, out = write_layout(tmp_path / "root", ref, results, oracle_folder), tmp_path / "out"
        status = main(["score", track, str(root), str(out), *options])
        return status, " ".join(capsys.readouterr()), out

    return run


def read_scores(out) -> dict[str, float]:
    lines = (out / "scores.txt").read_text().splitlines()
    return {name: float(value) for name, value in (line.split(": ") for line in lines)}


def test_object_recalls_of_each_data_set_at_template_vertices(score, files):
    ref, results = files
    status, said, out = score("object", ref, results)
    assert status == 0, said
    expected = {}
    for dataset in DATASETS:
        rows = {"MSSD": [], "MSPD": [], "RE": []}
        for image, truth in ref["annotations"].items():
            if truth["meta"][0] != dataset:
                continue
            template, pred = ref["templates"][truth["meta"][2]], results[image]
            poses = [pred["obj_rot"], pred["obj_trans"], truth["obj_rot"], truth["obj_trans"]]
            e = object_errors(
                *(p[None] for p in poses),
                PointSet(template["verts"]),
                stack_symmetries([(s["R"], s["t"]) for s in template["symmetries"]]),
                np.array(CAMERAS.get(dataset, CAMERA_K)),
            )
            steps = np.arange(0.05, 0.51, 0.05)
            rows["MSSD"].append(np.mean(e.mssd_mm[0] < steps * e.diameter_mm[0]))
            rows["MSPD"].append(np.mean(e.mspd_px[0] < steps * 200))
            rows["RE"].append(np.mean(e.re_deg[0] < steps * 40))
        means = {name: np.mean(values) for name, values in rows.items()}
        expected |= {f"{name}_{dataset}": value for name, value in means.items()}
        expected[f"AR_all_{dataset}"] = np.mean(list(means.values()))
    assert read_scores(out) == pytest.approx(expected, abs=1e-12)
    document = scored(out, "object")
    assert document["mode"] == document["edition"] == "2024"
    assert document["frames"] == len(ref["annotations"])
    assert set(document["by_dataset"]) == set(DATASETS)
    for dataset in DATASETS:
        found = re.search(rf"AR_all_{dataset} ([\d.]+) \(([\d.]+) to ([\d.]+)\)", said)
        value, low, high = map(float, found.groups())
        assert low < value < high
        assert value == pytest.approx(expected[f"AR_all_{dataset}"], abs=1e-4)


def test_human_and_joint_scores_are_those_of_the_images_by_sequence(score, files, oracle):
    ref, results = files
    for track, names in (
        ("human", ("MPJPE", "MPJPE_PA", "AUC", "MPJAE", "MPJAE_PA", "v2v")),
        ("joint", ("SMPL", "obj")),
    ):
        status, said, out = score(track, ref, results)
        assert status == 0, said
        found = read_scores(out)
        assert set(found) == {f"{name}_{dataset}" for name in names for dataset in DATASETS}
    plain = as_ref(oracle("rhobin_ref"))
    status, _, out = score("human", plain, as_results(oracle("rhobin_pred_mid_sym")), "--mode", "2024")
    assert status == 0
    frames = list(csv.DictReader((out / "frames.csv").open(newline="")))
    first = sorted(plain["annotations"])[::2]
    rows = [float(f["v2v_mm"]) for f in frames if f["sequence"] in first]
    _, _, out = score("human", ref, results)
    assert read_scores(out)["v2v_behave"] == pytest.approx(np.mean(rows), abs=1e-5)


def test_the_gate_counts_images_and_unknown_ids_are_skipped(score, files):
    ref, results = files
    assert len(results) == 48
    first = sorted(results)[0]
    unknown = {"pose": np.zeros(156), "obj_rot": np.eye(3), "obj_trans": np.zeros(3)}
    kept = {name: value for name, value in results.items() if name != first}
    status, said, _ = score("object", ref, kept)
    assert status == 1, said
    assert "Coverage 97.92 %" in " ".join(said.split())
    status, said, out = score("object", ref, {**kept, "never seen": unknown})
    assert status == 0, said
    assert scored(out, "object")["frames"] == 47


BROKEN = {
    "obj_rot missing": (lambda r, ref, i: r[i].pop("obj_rot"), "key 'obj_rot' is missing"),
    "not an image": (lambda r, ref, i: r.update(Date03={"frames": []}), "expected predictions by image id"),
    "id twice": (lambda r, ref, i: r.update({7: r[i], "7": r[i]}), "occurs twice"),
    "wrong shape": (lambda r, ref, i: r[i].update(obj_rot=np.zeros(3)), "key 'obj_rot'"),
    "not a number": (lambda r, ref, i: r[i]["obj_trans"].__setitem__(0, np.nan), "key 'obj_trans': frame"),
    "meta": (lambda r, ref, i: ref["annotations"][i].update(meta="behave"), "key 'meta'"),
    "short pose": (lambda r, ref, i: ref["annotations"][i].update(pose=np.zeros(72)), "key 'pose'"),
    "object": (lambda r, ref, i: ref["templates"].pop(ref["annotations"][i]["meta"][2]), "has no template"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_malformed_images_are_named(name, score, files):
    ref, results = files
    edit, message = BROKEN[name]
    edit(results, ref, sorted(results)[3])
    status, said, out = score("object", ref, results)
    assert status == 1
    assert "Traceback" not in said
    assert message in " ".join(said.split())
    assert (out / "scores.txt").read_text() == ""


def test_predictions_take_the_ids_of_the_ground_truth(files, tmp_path):
    ref, _ = files
    annotations, templates = read_image_ref(ref, tmp_path / "ref.pkl")
    shown = {"_".join(image["meta"]) for image in ref["annotations"].values()}
    assert set(annotations) == shown
    assert sum(len(a.frames) for a in annotations.values()) == 48
    assert set(templates) == set(ref["templates"])
    record = {"frames": ["t0003.000", "000001"], "poses": np.zeros((2, 156))}
    ids = ("Date03_Sub04_stool-t0003.000-k1", "000001")
    assert list(to_images({"Date03_Sub04_stool": record}, ids)) == list(ids)
    assert list(to_images({"s": record})) == ["s/t0003.000", "s/000001"]
