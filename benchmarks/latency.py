"""Seconds a frame of each method, from a file on disk to files on disk (Table 5), by part.

    python benchmarks/latency.py khor/paper g2dr/paper bev_hybrik/paper_base [--batches 1 8] [--repeats 10]
    python benchmarks/latency.py runs/khor_synthetic --device cuda

Names of experiments have random weights, which cost what trained ones do; folders are runs or exports. The
frame is a JPEG of 2048 x 1536 pixels, as BEHAVE's, with PNG masks; it is in the system's file cache.
Evaluations of the network are counted by a hook on it; of CHORE, by one on the head that is asked for
distances, at every step of its fit. "kinematics" is inverse kinematics alone, "fit" everything else between
the network's output and the parameters: translation, rigid fit, PnP, an optimisation. "mesh" poses the
vertices, "write" writes every file of `rhobin predict`. Medians over repetitions, after two to warm up. A
method that trains nothing (phosa) is named by a run, which holds the training views' mean body.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch

from rhobin.assets import Assets
from rhobin.body import from_joints
from rhobin.body.load import load_bodies
from rhobin.data.photos.camera import photo_camera
from rhobin.data.photos.photo import read_photo
from rhobin.data.photos.pointer import Pointer, Told
from rhobin.engine.build import build_trained, instantiate
from rhobin.engine.compose import compose_config
from rhobin.engine.photo_files import write_photo
from rhobin.engine.photo_network import PhotoNetwork, open_network
from rhobin.engine.photos import predict_shots, prepare_photo
from rhobin.files import write_json
from rhobin.methods.base import Method
from rhobin.methods.untrained import Untrained
from rhobin.objects.load import load_templates

SIZE = (2048, 1536)
PARTS = ("load", "crop", "network", "kinematics", "fit", "mesh", "write")
AFTER = ("kinematics", "fit", "mesh")
"""What comes between the network and a mesh."""


class Watch:
    """Seconds by name, and evaluations of the network."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.evaluations = device, 0
        self.spent: dict[str, float] = defaultdict(float)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the seconds of a block, which must be over on the device, too."""
        begin = self.now()
        yield
        self.spent[name] += self.now() - begin

    def now(self) -> float:
        """Seconds, once the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    @contextmanager
    def watching(self, method: Method) -> Iterator[None]:
        """Time every pass of a method's network, and count its evaluations."""
        begins: list[float] = []

        def after(*_: Any) -> None:
            self.spent["network"] += self.now() - begins.pop()

        def count(*_: Any) -> None:
            self.evaluations += 1

        hooks = (
            method.net.register_forward_pre_hook(lambda *_: begins.append(self.now())),
            method.net.register_forward_hook(after),
            method.evaluated.register_forward_hook(count),
        )
        yield
        for hook in hooks:
            hook.remove()

    def wrapped(self, name: str, function: Any) -> Any:
        """The same function, timed."""

        def call(*args: Any, **kwargs: Any) -> Any:
            with self.timed(name):
                return function(*args, **kwargs)

        return call


def opened(name: str, device: str) -> PhotoNetwork:
    """A run, an export, or an experiment with random weights."""
    if Path(name).is_dir():
        return open_network(Path(name), body=None, device=device)
    config = compose_config([f"experiment={name}", "data.body=standin"])
    torch.manual_seed(0)
    assets = Assets.of(load_bodies(None), load_templates())
    samples = instantiate(config.data).settings.samples.one_size
    module, there = build_trained(config, assets).eval(), torch.device(device)
    if isinstance(module, Untrained):
        raise SystemExit(
            f"{name} trains nothing and starts from the mean body of its run: name a run folder, which "
            f"python train.py experiment={name} writes in seconds"
        )
    objects = assets.templates if "object" in samples.reads.parts else {}
    origin = {"run": name, "method": module.name, "checkpoint_hash": "random", "body": "stand-in"}
    return PhotoNetwork(
        Path(name), module.to(there), samples, assets.bodies.to(there), objects, there, origin
    )


def write_scene(folder: Path) -> tuple[Path, Pointer]:
    """A photograph of BEHAVE's size and the masks of a person and an object in it."""
    person, obj = np.zeros(SIZE[::-1], np.uint8), np.zeros(SIZE[::-1], np.uint8)
    cv2.ellipse(person, (950, 760), (150, 480), 5, 0, 360, 255, -1)
    cv2.rectangle(obj, (1120, 800), (1400, 1150), 255, -1)
    noise = np.random.default_rng(0).normal(120, 20, (SIZE[1] // 4, SIZE[0] // 4, 3)).clip(0, 255)
    image = cv2.resize(noise.astype(np.uint8), SIZE)
    for name, pixels in (("photo.jpg", image), ("person.png", person), ("object.png", obj)):
        cv2.imwrite(str(folder / name), pixels)
    return folder / "photo.jpg", Pointer(Told(mask=folder / "person.png"), Told(mask=folder / "object.png"))


def one_batch(network: PhotoNetwork, size: int, scene: tuple[Path, Pointer], watch: Watch) -> None:
    """Predict one batch of the same photograph, from file to files."""
    file, pointer = scene
    people = "human" in network.samples.reads.parts
    gender, name = "neutral" if people else None, "stool" if network.objects else None
    shots = []
    for _ in range(size):
        with watch.timed("load"):
            photo = read_photo(file)
        with watch.timed("crop"):
            shots.append(
                prepare_photo(network, photo, pointer, photo_camera(photo, None, 980.0), gender, name)
            )
    before = watch.spent["network"] + watch.spent["kinematics"]
    begin = watch.now()
    found = predict_shots(network, shots)
    whole = watch.now() - begin
    watch.spent["fit"] += whole - (watch.spent["network"] + watch.spent["kinematics"] - before)
    for number, one in enumerate(found):
        with watch.timed("mesh"):
            _ = one.meshes
        with watch.timed("write"):
            write_photo(file.parent / "out", f"photo{number}", one)


def measure(
    network: PhotoNetwork, size: int, repeats: int, scene: tuple[Path, Pointer]
) -> tuple[dict[str, float], int]:
    """Seconds a frame by part, and evaluations of the network a batch."""
    rounds = []
    for number in range(repeats + 2):
        watch = Watch(network.device)
        wrapped = watch.wrapped("kinematics", from_joints.hybrik)
        with watch.watching(network.module), patch.object(from_joints, "hybrik", wrapped):
            one_batch(network, size, scene, watch)
        if number > 1:
            rounds.append(watch)
    seconds = {part: statistics.median(w.spent[part] for w in rounds) / size for part in PARTS}
    return seconds, rounds[0].evaluations


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+", metavar="EXPERIMENT or RUN")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, help="of the CPU (default: as many as PyTorch takes)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    where = (
        torch.cuda.get_device_name() if args.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    )
    print(f"milliseconds a frame, {where}, medians of {args.repeats}\n")
    print(f"| | batch | evaluations | {' | '.join(PARTS)} | all | after the network |")
    print("|---" * (len(PARTS) + 5) + "|")
    figures = []
    with tempfile.TemporaryDirectory() as place:
        scene = write_scene(Path(place))
        for name in args.names:
            network = opened(name, args.device)
            for size in args.batches:
                seconds, evaluations = measure(network, size, args.repeats, scene)
                cells = [f"{1000 * seconds[part]:.1f}" for part in PARTS]
                after = sum(seconds[part] for part in AFTER)
                share = f"{after / seconds['network']:.1%} of it" if seconds["network"] else "no network"
                total = 1000 * sum(seconds.values())
                row = [name, str(size), str(evaluations), *cells, f"{total:.1f}", share]
                print(f"| {' | '.join(row)} |", flush=True)
                figures.append(
                    {"name": name, "batch": size, "evaluations": evaluations, "seconds": dict(seconds)}
                )
    if args.json:
        write_json(args.json, {"where": where, "repeats": args.repeats, "frames": figures})


if __name__ == "__main__":
    main()
