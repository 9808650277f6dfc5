"""Evaluate a run: `python eval.py run=runs/demo`; see configs/eval.yaml for what can be set."""

from __future__ import annotations

import os
import sys

import hydra
from omegaconf import DictConfig

from rhobin.engine.held_out import evaluate_views


@hydra.main(config_path="configs", config_name="eval", version_base="1.3")
def main(config: DictConfig) -> None:
    """Compose the config and evaluate; errors meant for people come without a traceback."""
    try:
        evaluate_views(config)
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        sys.exit(f"error: {error}\n(HYDRA_FULL_ERROR=1 shows the traceback)")


if __name__ == "__main__":
    main()
