"""Each job of a sweep has a folder of its own, also the members of an ensemble."""

import signal
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import call, succeed
from hydra import compose, initialize_config_dir
from hydra.types import RunMode
from omegaconf import OmegaConf

from rhobin.engine.runinfo import read_run
from rhobin.engine.signals import Interrupted
from rhobin.engine.sweep import end_with_failures, job_name, swept_keys, told_job

CONFIGS = Path(__file__).parents[2] / "configs"
SWEEPS = [path for path in CONFIGS.glob("experiment/*/*.yaml") if "MULTIRUN" in path.read_text()]


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_members_go_on_in_folders_of_their_own_and_hold_out_the_same_views(path):
    experiment = path.relative_to(CONFIGS / "experiment").with_suffix("")
    folders, validation = set(), set()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        whole = compose("train", [f"experiment={experiment}", "seed=0"], return_hydra_config=True)
        params = whole.hydra.sweeper.params
        for key, values in params.items():
            for value in str(values).split(","):
                member = compose("train", [f"experiment={experiment}", f"{key}={value}"])
                folders.add(member.run_dir)
                validation.add((str(OmegaConf.to_container(member.data.validation)), member.data.seed))
                assert member.resume == "auto"
    assert str(whole.hydra.mode).endswith("MULTIRUN")
    assert len(folders) == sum(len(str(values).split(",")) for values in params.values()) - len(params) + 1
    assert len(validation) == 1


def test_each_job_trains_in_a_folder_of_its_own(tree, tmp_path):
    command = (
        "train.py", "-m", "experiment=khor/smoke", f"data.root={tree}", f"run_dir={tmp_path / 'run'}",
        f"hydra.sweep.dir={tmp_path}", "trainer.max_steps=2", "callbacks.views=0", "threads=1",
        "optim.optimizer.lr=1e-3,3e-4",
    )  # fmt: skip
    succeed(*command)
    for rate in (0.001, 0.0003):
        folder = tmp_path / "run" / f"optim.optimizer.lr={rate}"
        assert read_run(folder)["state"] == "finished"
        assert OmegaConf.load(folder / "config.yaml").optim.optimizer.lr == rate
    assert succeed(*command, "resume=auto").count("nothing to do") == 2


def test_a_mistake_in_one_job_is_told_and_the_next_one_begins():
    """Neither run folder is there; both jobs say so."""
    done = call("eval.py", "-m", "run=nowhere/first,nowhere/second")
    assert done.returncode == 1
    assert [done.stderr.count(f"nowhere/{name}") > 1 for name in ("first", "second")] == [True, True]
    assert done.stderr.endswith(
        "error: 2 of the jobs failed, all others have ended:\n  run=nowhere/first\n  run=nowhere/second\n"
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("mode", "error", "ends"),
    [
        (RunMode.RUN, ValueError("no"), True),
        (RunMode.MULTIRUN, ValueError("no"), False),
        (RunMode.MULTIRUN, Interrupted(signal.SIGTERM), True),
        (RunMode.MULTIRUN, KeyboardInterrupt(), True),
    ],
)
def test_only_a_mistake_in_a_multirun_leaves_the_other_jobs_their_turn(mode, error, ends, monkeypatch):
    job = SimpleNamespace(mode=mode, overrides=SimpleNamespace(task=["seed=1"]))
    monkeypatch.setattr("rhobin.engine.sweep.HydraConfig.get", lambda: job)
    monkeypatch.setattr("rhobin.engine.sweep.failed", [])
    with pytest.raises(SystemExit) if ends else nullcontext(), told_job():
        raise error
    with nullcontext() if ends else pytest.raises(SystemExit, match=r"1 of the jobs failed(.|\n)*seed=1"):
        end_with_failures()


@pytest.mark.parametrize(
    ("run_dir", "overrides", "swept", "name"),
    [
        ("runs/${name}", ["seed=1", "threads=2"], {"seed"}, "seed=1"),
        ("runs/${name}", ["experiment=khor/smoke", "seed=1"], {"seed", "experiment"}, "seed=1"),
        ("runs/${name}", ["experiment=a/b", "name=x"], {"experiment"}, "experiment=a_b"),
        ("here", ["experiment=a/b", "+data.x=/y"], {"experiment", "+data.x"}, "experiment=a_b,data.x=_y"),
        ("runs/${name}/${seed}", ["seed=1", "threads=2"], {"seed", "threads"}, "threads=2"),
        ("runs/a", ["run_dir=runs/a"], {"run_dir"}, ""),
    ],
)
def test_a_job_s_name_tells_what_its_folder_does_not(run_dir, overrides, swept, name):
    assert job_name(run_dir, overrides, swept) == name


def test_only_keys_of_several_values_are_swept():
    typed = ["-m", "experiment=a/b", "seed=range(3)", "optim.optimizer.lr=1e-3,2e-3", "freeze=[a,b]"]
    assert swept_keys(typed) == {"seed", "optim.optimizer.lr"}
