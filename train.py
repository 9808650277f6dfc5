"""Train a method: `python train.py experiment=khor/synthetic`; see configs/train.yaml for what can be set."""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig

from rhobin.engine.compose import settings_told
from rhobin.engine.fit import fit
from rhobin.engine.mistakes import check_experiment
from rhobin.engine.overrides import with_quotes
from rhobin.engine.streams import print_anything
from rhobin.engine.sweep import end_with_failures, in_own_folder, told_job


@hydra.main(config_path="configs", config_name="train", version_base="1.3")
def main(config: DictConfig) -> None:
    """Compose the config and fit; errors meant for people come without a traceback."""
    with told_job():
        fit(in_own_folder(config, sys.argv[1:]))


if __name__ == "__main__":
    print_anything()
    sys.argv[1:] = with_quotes(sys.argv[1:])
    check_experiment(sys.argv[1:])
    with settings_told(sys.argv[1:], "train"):
        main()
    end_with_failures()
