"""Evaluate a run: `python eval.py run=runs/demo`; see configs/eval.yaml for what can be set."""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig

from rhobin.engine.compose import settings_told
from rhobin.engine.held_out import evaluate_views
from rhobin.engine.overrides import with_quotes
from rhobin.engine.streams import print_anything
from rhobin.engine.sweep import end_with_failures, told_job


@hydra.main(config_path="configs", config_name="eval", version_base="1.3")
def main(config: DictConfig) -> None:
    """Compose the config and evaluate; errors meant for people come without a traceback."""
    with told_job():
        evaluate_views(config)


if __name__ == "__main__":
    print_anything()
    sys.argv[1:] = with_quotes(sys.argv[1:])
    with settings_told(sys.argv[1:], "eval"):
        main()
    end_with_failures()
