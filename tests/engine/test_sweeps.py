"""Each job of a sweep has a folder of its own, also the members of an ensemble."""

from pathlib import Path

import pytest
from commands import succeed
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from rhobin.engine.runinfo import read_run
from rhobin.engine.sweep import job_name, swept_keys

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
