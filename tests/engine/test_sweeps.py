"""Members of an ensemble come from one experiment: Hydra runs it once for each."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

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
