"""What can be trained: the files under configs/experiment, and what each says about itself.

The comment under `# @package _global_` describes an experiment: free text, then lines `# key: value`.
"""

from dataclasses import dataclass
from pathlib import Path

import rhobin

FACTS = ("paper", "state", "data", "hardware")


@dataclass(frozen=True)
class Experiment:
    """One file under configs/experiment.

    Attributes:
        name: what `train.py experiment=NAME` takes.
        title: first line of its description.
        facts: the values of FACTS that the file states.
    """

    name: str
    title: str
    facts: dict[str, str]


def config_folder() -> Path:
    """The folder that `train.py` composes from: configs of the working directory, or of this checkout.

    Raises:
        FileNotFoundError: there is none; a wheel does not carry the configs.
    """
    folders = [Path.cwd() / "configs", Path(rhobin.__file__).parents[2] / "configs"]
    folder = next((folder for folder in folders if (folder / "train.yaml").is_file()), None)
    if folder is None:
        raise FileNotFoundError(
            f"expected configs/train.yaml in {Path.cwd()}, found none; "
            "run this in the folder that you cloned, the one with train.py"
        )
    return folder


def experiments(folder: Path) -> list[Experiment]:
    """The experiments of a folder of configs, by name."""
    places = (folder / "experiment").rglob("*.yaml")
    return sorted((_read(path, folder / "experiment") for path in places), key=lambda found: found.name)


def _read(path: Path, root: Path) -> Experiment:
    header: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        header.append(line.lstrip("#").strip())
    described = [line for line in header if not line.startswith("@package")]
    said = [line.partition(": ") for line in described]
    facts = {key: value for key, _, value in said if key in FACTS}
    free = [line for line in described if line.partition(": ")[0] not in FACTS]
    return Experiment(path.relative_to(root).with_suffix("").as_posix(), free[0] if free else "", facts)
