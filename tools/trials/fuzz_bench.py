"""What fuzz.py damages: a tiny generated root, what the commands make of it, and who reads which file."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from forked import fork

import rhobin
from rhobin.files import write_json

DONE = "made"


@dataclass(frozen=True)
class Subject:
    """A kind of file and who reads it.

    Attributes:
        name: for the table.
        kind: of file, see `damages.damages`.
        files: glob inside the bench.
        command: of `rhobin`, or a script's with its arguments; OUT is an empty folder, FILE the damaged file.
        parts: of the bench that the command reads.
        used: parts of the paths of values that are read; empty for all.
        weight: how often it is drawn.
        untold: damages of `LOUD` that are none here: a shorter log is a log, a null in info.json the default.
    """

    name: str
    kind: str
    files: str
    command: str
    parts: tuple[str, ...]
    used: tuple[str, ...] = ()
    weight: float = 1.0
    untold: tuple[str, ...] = ()


BODY = (
    "v_template",
    "shapedirs",
    "posedirs",
    "J_regressor",
    "weights",
    "f",
    "kintree_table",
    "hands_meanl",
    "hands_meanr",
)
FITTED, SAVED = ("pose", "betas", "trans"), ("run", "root")
SAMPLES = "protocol.samples=500"
EVAL = f"eval.py run=run {SAMPLES}"
TRAIN = "train.py experiment=khor/smoke data.root=root run_dir=run threads=1 resume=auto"
CHECK, CHECK_PREPARED = "prepare --check root --workers 0", "prepare --check prepared --workers 0"
STACK = "ensemble fit OUT/stack people"
GO_ON = "prepare root prepared --workers 0"
SCORE = "score joint challenge OUT --body standin"
ZIP = f"{SCORE} --results challenge/results.zip"
OBJECT_FITS = "root/sequences/*/*/[!p]*/*/*_fit.pkl"
FOUND = "root/sequences/*/*/k*.color.json"
SPLITS = ("train", "test")
INFO, LENS = ("cat", "gender", "config", "intrinsic"), "root/calibs/intrinsics/*/calibration.json"
CONVERT = "convert FILE OUT/out.npz --to smpl --copy"
PEOPLE = ("people", "photo")
PREDICT = "predict people photo/a.jpg --mask photo/a.png --out OUT"
RESULT = ("poses", "betas", "trans", "obj_rots", "obj_trans", "frames")  # the joint track reads no gender
ANNOTATION = (*RESULT, "occ_ratios", "gender", "verts", "faces", "symmetries")
SUBJECTS = (
    Subject("image", "picture", "root/sequences/Date0[!3]*/*/k*.color.jpg", CHECK, ("root",)),
    Subject("mask", "picture", "root/sequences/Date0[!3]*/*/k*.*mask.jpg", CHECK, ("root",)),
    Subject("placement of a kinect", "json", "root/calibs/Date0[!3]*/config/*/config.json", CHECK, ("root",)),
    Subject("lens of a kinect", "json", LENS, CHECK, ("root",), ("color",)),
    Subject("info.json", "json", "root/sequences/*/info.json", CHECK, ("root",), INFO, untold=("none",)),
    Subject("split.json", "json", "root/split.json", CHECK, ("root",), SPLITS),
    Subject("fit of a person", "pickle", "root/sequences/*/*/person/*/*.pkl", CHECK, ("root",), FITTED),
    Subject("fit of an object", "pickle", OBJECT_FITS, CHECK, ("root",), ("angle", "trans")),
    Subject("template", "ply", "root/objects/*/*.ply", CHECK, ("root",)),
    Subject("detections", "json", FOUND, "detections root --list", ("root",), ("body_joints",)),
    Subject("prepared record", "json", "prepared/records/*/*.json", GO_ON, ("prepared", "root")),
    Subject("prepared index", "bytes", "prepared/index/*/*", CHECK_PREPARED, ("prepared", "root")),
    Subject("prepared header", "json", "prepared/*d.json", CHECK_PREPARED, ("prepared", "root")),
    Subject("prepared crop", "bytes", "prepared/views/*/*/*.jpg", CHECK_PREPARED, ("prepared", "root")),
    Subject("prepared mask", "bytes", "prepared/views/*/*/*.bits", CHECK_PREPARED, ("prepared", "root")),
    Subject("ref.pkl", "pickle", "challenge/ref.pkl", SCORE, ("challenge",), ANNOTATION, 3),
    Subject("results.pkl", "pickle", "challenge/res/results.pkl", SCORE, ("challenge",), RESULT, 3),
    Subject("zip of results", "zip", "challenge/results.zip", ZIP, ("challenge",)),
    Subject("body file", "npz", "body/*.npz", "convert-body FILE --out OUT", ("body",), BODY, weight=2),
    Subject("parameters", "npz", "parameters/*.npz", CONVERT, ("parameters",)),
    Subject("stored results", "pickle", "run/results.pkl", "submit run", SAVED),
    Subject("stored predictions", "npz", "people/validation/predictions.npz", STACK, ("people", "root")),
    Subject("scores.json", "json", "run/scores.json", "tables run", SAVED),
    Subject("frames.csv", "bytes", "run/frames.csv", "compare run", SAVED),
    Subject("run.json", "bytes", "run/run.json", "report run", SAVED),
    Subject("metrics.csv", "bytes", "run/metrics.csv", "report run", SAVED, untold=("cut",)),
    Subject("config.yaml", "yaml", "run/config.yaml", EVAL, SAVED, weight=0.5),
    Subject("checkpoint, scoring", "checkpoint", "run/checkpoints/best.ckpt", EVAL, SAVED, weight=0.5),
    Subject("checkpoint, resuming", "checkpoint", "run/checkpoints/last.ckpt", TRAIN, SAVED, weight=0.5),
    Subject("photograph", "picture", "photo/a.jpg", PREDICT, PEOPLE),
    Subject("mask of a photograph", "picture", "photo/a.png", PREDICT, PEOPLE),
    Subject("mesh", "bytes", "mesh/*.ply", "object add FILE --out OUT --name thing", ("mesh",)),
)  # fmt: skip


def make_bench(bench: Path, width: int = 640) -> None:
    """Make what is missing, of images of a width in pixels; a bench that was finished is left as it is."""
    if (bench / DONE).exists():
        return
    shutil.rmtree(bench, ignore_errors=True)
    bench.mkdir(parents=True)
    _call(bench, f"synth --out root --size tiny --width {width} --workers 1")
    _detections(bench / "root")
    _call(bench, "prepare root prepared --workers 0")
    for experiment, run in (("khor", "run"), ("bev_hybrik", "people")):
        _call(bench, f"train.py experiment={experiment}/smoke data.root=root run_dir={run} threads=1")
    _call(bench, EVAL)
    _call(bench, f"eval.py run=people views=val {SAMPLES}")
    _call(bench, "submit run")
    _challenge(bench)
    _single_files(bench)
    (bench / DONE).touch()


def _call(bench: Path, command: str) -> None:
    print(command, flush=True)
    status, further = fork(command.split(), bench, seconds=1800)
    if status or further:
        said = (bench / "said").read_text(encoding="utf-8", errors="replace")
        raise SystemExit(f"{command}: status {status}, {further}\n{said}")


def _detections(root: Path) -> None:
    for image in sorted(root.glob("sequences/*/*/k*.color.jpg")):
        write_json(image.with_suffix(".json"), {"body_joints": [0.5] * 75})


def _challenge(bench: Path) -> None:
    folder = bench / "challenge"
    (folder / "res").mkdir(parents=True)
    shutil.copy(bench / "root/ref.pkl", folder)
    shutil.copy(bench / "run/results.pkl", folder / "res")
    shutil.copy(next((bench / "run").rglob("*.zip")), folder / "results.zip")


def _single_files(bench: Path) -> None:
    for name in ("body", "parameters", "photo", "mesh"):
        (bench / name).mkdir()
    frame = min((bench / "root").glob("sequences/*/t*"))
    shutil.copy(frame / "k1.color.jpg", bench / "photo/a.jpg")
    mask = cv2.imread(str(frame / "k1.person_mask.jpg"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(bench / "photo/a.png"), mask)
    shutil.copy(bench / "root/objects/stool/stool_f1000.ply", bench / "mesh")
    body = Path(rhobin.__file__).parent / "body/assets/standin_male.npz"
    shutil.copy(body, bench / "body/SMPLH_male.npz")
    rng = np.random.default_rng(0)
    poses, betas = rng.normal(0, 0.3, (3, 156)), rng.normal(0, 1, (3, 10))
    file = bench / "parameters/person.npz"
    np.savez(file, gender="male", poses=poses, betas=betas, trans=np.ones((3, 3)))
