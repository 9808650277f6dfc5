"""Run folders of untrained networks, and photographs with masks drawn for them."""

from pathlib import Path

import cv2
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.engine.build import build_module
from rhobin.engine.runinfo import identity, write_run
from rhobin.objects.load import load_templates

ROOT = Path(__file__).parents[2]
METHODS = ("khor", "g2dr", "bev_hybrik")
STAGES = {
    "g2dr": ("~stages.first", "~stages.second"),
    "bev_hybrik": ("~stages.spatial", "~stages.end_to_end"),
}
SIZE = (160, 120)


def write_run_folder(folder: Path, method: str, *overrides: str) -> Path:
    """A run folder as training leaves it, of a smoke experiment without a step."""
    shared = (f"data.root={folder}/no_data", f"run_dir={folder}", "threads=1", *STAGES.get(method, ()))
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = compose("train", [f"experiment={method}/smoke", *shared, *overrides])
    torch.manual_seed(0)
    module = build_module(config, Assets.of(load_bodies(None), load_templates()))
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(config, resolve=True))
    write_run(folder, {"id": method})
    state = {"state_dict": module.state_dict(), "global_step": 0, "epoch": 0}
    torch.save(state | {"rhobin": {"identity": identity(config)}}, folder / "checkpoints" / "best.ckpt")
    return folder


def draw_photo(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (120, 160, 3) BGR, and the masks of a person and an object in them."""
    rng = np.random.default_rng(seed)
    person, obj = np.zeros(SIZE[::-1], np.uint8), np.zeros(SIZE[::-1], np.uint8)
    x, y = (int(value) for value in rng.integers(-8, 8, 2))
    cv2.ellipse(person, (70 + x, 60 + y), (16, 40), 8, 0, 360, 255, -1)
    cv2.rectangle(obj, (90 + x, 50 + y), (120 + x, 80 + y), 255, -1)
    person[obj > 0] = 0
    image = rng.normal((90, 120, 60), 5, (*SIZE[::-1], 3))
    image[person > 0] = rng.normal((60, 70, 200), 5, ((person > 0).sum(), 3))
    image[obj > 0] = rng.normal((210, 190, 40), 5, ((obj > 0).sum(), 3))
    return image.clip(0, 255).astype(np.uint8), person, obj


def write_photos(folder: Path, names: str = "abc") -> Path:
    """Photographs NAME.jpg in photos/, and their masks NAME.png in person/ and object/."""
    for part in ("photos", "person", "object"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        image, person, obj = draw_photo(seed)
        cv2.imwrite(str(folder / "photos" / f"{name}.jpg"), image)
        cv2.imwrite(str(folder / "person" / f"{name}.png"), person)
        cv2.imwrite(str(folder / "object" / f"{name}.png"), obj)
    return folder


def write_video(folder: Path, frames: int = 7, gaps: tuple[int, ...] = (3,)) -> Path:
    """A video clip.avi, and masks person/clip/000000.png, object/clip/000000.png but for its gaps."""
    for part in ("person", "object"):
        (folder / part / "clip").mkdir(parents=True)
    file = folder / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 10, SIZE)
    for index in range(frames):
        image, person, obj = draw_photo(index)
        writer.write(image)
        if index not in gaps:
            cv2.imwrite(str(folder / "person" / "clip" / f"{index:06d}.png"), person)
            cv2.imwrite(str(folder / "object" / "clip" / f"{index:06d}.png"), obj)
    writer.release()
    return file
