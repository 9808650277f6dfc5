"""A run folder from start to end, and the errors on the way."""

import csv
import io
import json

import numpy as np
import pytest
import torch
from commands import call
from rich.console import Console

from rhobin.clock import Clock
from rhobin.engine import checkpoint
from rhobin.engine.build import build_datamodule, build_module, validation_views
from rhobin.engine.checkpoint import AtomicCheckpointIO, random_state, restore_random_state
from rhobin.engine.evaluator import Evaluator
from rhobin.engine.fit import StoppedEarlyError, fit
from rhobin.engine.monitor import Monitor
from rhobin.engine.optim import step_decay, warmup_cosine
from rhobin.engine.progress import TrainProgress
from rhobin.geometry import backend
from rhobin.methods.finite import NonFiniteLossError
from rhobin.metrics.joint import frame_rng, joint_errors
from rhobin.objects.names import OBJECT_NAMES
from rhobin.types import HumanPrediction, ObjectPrediction, Prediction

JOINT = Monitor("val/joint_mm", higher_is_better=False)


@pytest.fixture
def built(smoke, tmp_path):
    config = smoke(tmp_path / "run")
    datamodule = build_datamodule(config)
    torch.manual_seed(0)
    return config, datamodule, build_module(config, datamodule.assets)


def test_a_run_leaves_its_records(smoke, tmp_path, capsys):
    run_dir = fit(smoke(tmp_path / "run"))
    info = json.loads((run_dir / "run.json").read_text())
    assert info["state"] == "finished"
    assert info["steps"] == 24
    assert info["versions"]["torch"] == torch.__version__.split("+")[0]
    assert len(info["id"]) == 8
    assert info["images_per_second"] > 0
    assert (run_dir / "config.yaml").is_file()
    assert {p.name for p in (run_dir / "checkpoints").iterdir()} == {
        "last.ckpt",
        "previous.ckpt",
        "best.ckpt",
    }
    with (run_dir / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    train = [row for row in rows if row["train/loss"]]
    assert [int(row["step"]) for row in train] == list(range(3, 25, 3))
    scored = [row for row in rows if row["val/joint_mm"]]
    assert [int(row["step"]) for row in scored] == [10, 20, 24]
    best = torch.load(run_dir / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["global_step"] == int(min(scored, key=lambda row: float(row["val/joint_mm"]))["step"])
    assert not any("bodies" in name for name in best["state_dict"])
    assert "val/joint_mm" in capsys.readouterr().out


def test_a_start_that_fails_leaves_no_folder(smoke, tmp_path):
    with pytest.raises(FileNotFoundError):
        fit(smoke(tmp_path / "run", f"data.root={tmp_path / 'nowhere'}"))
    assert not (tmp_path / "run").exists()


def test_an_error_after_the_first_row_leaves_the_log(smoke, tmp_path, monkeypatch):
    from rhobin.engine.progress import TrainProgress

    def failing(self, trainer, *args):
        if self.clock.step == 5:
            raise OSError("the disk went away")

    monkeypatch.setattr(TrainProgress, "on_train_batch_end", failing)
    with pytest.raises(OSError, match="went away"):
        fit(smoke(tmp_path / "run", "callbacks.checkpoints.every_n_steps=1000"))
    assert (tmp_path / "run" / "metrics.csv").stat().st_size > 0
    assert (tmp_path / "run" / "config.yaml").is_file()


def test_the_id_is_on_disk_before_anything_can_fail(smoke, tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(FileNotFoundError):
        fit(smoke(tmp_path / "run", f"data.root={tmp_path / 'nowhere'}"))
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert len(info["id"]) == 8
    assert info["state"] == "failed: FileNotFoundError"


def test_a_nan_stops_the_run_and_names_step_and_views(built):
    _, datamodule, module = built
    batch = next(iter(datamodule.train_dataloader()))
    batch.target.heatmaps.joints_uvd[1, 0, 0] = float("nan")
    with pytest.raises(NonFiniteLossError) as error:
        module.training_step(batch, 0)
    message = str(error.value)
    assert "step 0" in message
    for key in batch.keys:
        assert f"{key.sequence}/{key.frame}/k{key.camera}" in message


def test_loss_weights_must_name_the_losses(built):
    _, datamodule, module = built
    module.weights.pop("twist")
    batch = next(iter(datamodule.train_dataloader()))
    output = module.run_net(batch)
    with pytest.raises(ValueError, match=r"model\.weights"):
        module.losses(output, batch)


def test_the_total_is_the_weighted_sum(built):
    _, datamodule, module = built
    batch = next(iter(datamodule.train_dataloader()))
    module.weights["joints"] = 7.0
    losses = module.losses(module.run_net(batch), batch)
    expected = sum(module.weights[name] * losses[name] for name in module.weights)
    torch.testing.assert_close(losses["loss"], expected)


def test_the_evaluator_s_numbers_are_the_official_metric_s(built):
    _, datamodule, module = built
    views = validation_views(datamodule, 3)
    bodies, templates = datamodule.assets.bodies, datamodule.assets.templates
    module.eval()
    scores = Evaluator(Clock(1), views, datamodule.assets, 1, 3000, 0, JOINT).score(module)
    errors = []
    for batch in views:
        pred = module.predict(batch)
        for i in range(len(batch)):
            template, key = templates[int(batch.object_id[i])], batch.keys[i]
            rng = frame_rng(0, f"{key.sequence}/{key.frame}/k{key.camera}")
            meshes = []
            for part in (pred, batch.target):
                one = slice(i, i + 1)
                human, pose = part.human, part.object
                body = bodies(human.theta[one], human.beta[one], human.trans[one], batch.gender[one])
                placed = template.verts @ pose.R[i].double().numpy().T + pose.t[i].double().numpy()
                meshes += [body.verts[0].double().numpy(), placed]
            faces = bodies.faces.numpy(), template.faces
            errors.append(joint_errors(*meshes, *faces, rng, samples=3000))
    smpl, obj = np.mean(errors, axis=0)
    assert scores["val/smpl_mm"] == pytest.approx(smpl, rel=1e-4)
    assert scores["val/object_mm"] == pytest.approx(obj, rel=1e-4)
    assert scores["val/joint_mm"] == pytest.approx((smpl + obj) / 2, rel=1e-4)


def test_validation_searches_with_the_process_s_own_backend(built, monkeypatch):
    pytest.importorskip("pytorch3d")
    _, datamodule, module = built
    evaluator = Evaluator(Clock(1), validation_views(datamodule, 1), datamodule.assets, 1, 500, 0, JOINT)
    module.eval()
    cpu = evaluator.score(module)["val/joint_mm"]
    monkeypatch.setattr(backend, "backend", lambda: backend.Backend("pytorch3d", "as on CUDA"))
    own = evaluator.score(module)["val/joint_mm"]
    assert own != cpu
    assert own == pytest.approx(cpu, abs=1e-3)


def test_a_perfect_method_scores_the_sampling_floor(built, monkeypatch):
    _, datamodule, module = built
    monkeypatch.setattr(module, "decode", lambda output, batch: truth(batch))
    views = validation_views(datamodule, 2)
    scores = Evaluator(Clock(1), views, datamodule.assets, 1, 6000, 0, JOINT).score(module)
    assert 10 < scores["val/smpl_mm"] < 22
    assert scores["val/object_mm"] < 22


def truth(batch):
    """The ground truth as a prediction."""
    human, pose = batch.target.human, batch.target.object
    return Prediction(HumanPrediction(human.theta, human.beta, human.trans), ObjectPrediction(pose.R, pose.t))


def test_validation_views_are_spread_and_asked_for_sensibly(built):
    _, datamodule, _ = built
    views = validation_views(datamodule, 5)
    indices = [key.index for batch in views for key in batch.keys]
    assert indices[0] == 0
    assert indices[-1] == len(datamodule.val_dataset) - 1
    assert len(indices) == 5
    assert validation_views(datamodule, 0) == []
    datamodule.val_dataset = None
    with pytest.raises(ValueError, match=r"data\.validation\.fraction"):
        validation_views(datamodule, 5)


def test_templates_are_in_the_order_of_object_ids(built):
    _, datamodule, module = built
    for index, name in enumerate(OBJECT_NAMES):
        assert datamodule.assets.templates[index].name == name
        expected = torch.as_tensor(datamodule.assets.templates[index].kpts, dtype=torch.float32)
        torch.testing.assert_close(module.template_kpts[index], expected)


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.ckpt"
    AtomicCheckpointIO().save_checkpoint({"x": 1}, path)

    def torn(state, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(checkpoint.torch, "save", torn)
    with pytest.raises(OSError, match="disk full"):
        AtomicCheckpointIO().save_checkpoint({"x": 2}, path)
    assert torch.load(path, weights_only=True) == {"x": 1}


def test_generators_come_back():
    import random

    random_state_before = random_state()
    drawn = (random.random(), np.random.rand(), torch.rand(1).item())  # noqa: NPY002
    restore_random_state(random_state_before)
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == drawn  # noqa: NPY002


def test_warmup_cosine_rises_then_falls_to_nothing():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = warmup_cosine(optimizer, total_steps=100, warmup=0.1)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:10] == pytest.approx([0.2 * i for i in range(1, 11)])
    assert rates[10] == pytest.approx(2.0)
    assert rates[55] == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_step_decay_falls_at_the_paper_s_epochs():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
    schedule = step_decay(optimizer, total_steps=900, epochs=90, milestones=[60, 80], gamma=0.1)
    rates = []
    for _ in range(900):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[0] == rates[599] == pytest.approx(1e-3)
    assert rates[600] == rates[799] == pytest.approx(1e-4)
    assert rates[800] == rates[899] == pytest.approx(1e-5)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_shows_loss_metric_and_time_left(terminal, smoke, tmp_path, monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=150)
    original = TrainProgress.__init__

    def init(self, **kwargs):
        original(self, **{**kwargs, "console": console, "every_n_steps": 1})

    monkeypatch.setattr(TrainProgress, "__init__", init)
    fit(smoke(tmp_path / "run", "trainer.max_steps=12"))
    shown = screen.getvalue()
    assert "12/12" in shown
    assert "loss" in shown
    assert "val/joint_mm" in shown
    assert "img/s" in shown
    assert ("\x1b[" in shown) == terminal


def test_wandb_is_not_imported_without_being_asked_for(tmp_path):
    script = tmp_path / "seen.py"
    script.write_text("import sys, rhobin.engine.fit; sys.exit('wandb' in sys.modules)")
    assert call(str(script)).returncode == 0


def test_a_run_that_something_else_stops_is_saved_and_not_finished(smoke, tmp_path):
    run_dir = tmp_path / "run"
    with pytest.raises(StoppedEarlyError, match=r"ended at step 0*[1-9]\d* of 500"):
        fit(smoke(run_dir, "+trainer.max_time=00:00:00:01", "trainer.max_steps=500"))
    info = json.loads((run_dir / "run.json").read_text())
    assert info["state"] == "failed: StoppedEarlyError"
    last = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == info["steps"]
