"""What each optional target costs a sample, beside the step of a network that is trained on it.

    python benchmarks/targets.py [--samples 200] [--size 256] [--batch 4] [--out FILE.json]

Processor milliseconds of one thread for one sample: random poses of all twenty objects, in crops about them.
The networks take a forward and a backward pass: the trunk of GDR-Net alone (ResNet-34, so less than G2DR) and
KHOR at its published size (HRNet-W48). Where pytorch3d is installed, its rasteriser draws the same crop for
comparison.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import timm
import torch
from scipy.spatial.transform import Rotation

from rhobin.data.targets.bev import BevConfig, draw_bev
from rhobin.data.targets.maps import MapConfig, ObjectMapper
from rhobin.geometry.backend import rasterise
from rhobin.geometry.camera import crop_intrinsics, project
from rhobin.methods.khor.net import KhorNet
from rhobin.nets.heatmap import VolumetricHead
from rhobin.nets.hrnet import HRNet
from rhobin.objects.canonical import canonical_pose
from rhobin.objects.load import load_templates
from rhobin.objects.names import OBJECT_NAMES
from rhobin.types import BevMaps

KINECT = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])
PLACES = 40


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    targets = {name: each(draw, args.samples) for name, draw in drawings(args.size).items()}
    steps = {name: each(step, 2) / args.batch for name, step in networks(args.size, args.batch).items()}
    shortest = min(steps.values())
    print(f"{args.size} px, one thread; shares are of the shorter step")
    for name, cost in targets.items():
        print(f"  {name:<42}{cost:9.2f} ms a sample{cost / shortest:9.2%}")
    for name, cost in steps.items():
        print(f"  {name:<42}{cost:9.2f} ms a sample")
    if args.out:
        args.out.write_text(
            json.dumps({"size": args.size, "targets_ms": targets, "steps_ms": steps}, indent=2),
            encoding="utf-8",
        )


def each(call: Callable[[], object], times: int) -> float:
    """Processor milliseconds of one call, after a first one that is not counted."""
    call()
    start = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - start) / times * 1e3


def drawings(size: int) -> dict[str, Callable[[], object]]:
    """What to time: one call draws one target of the next of some prepared places."""
    known = load_templates()
    templates = {index: known[name] for index, name in enumerate(OBJECT_NAMES)}
    places, turn = [_place(templates, number, size) for number in range(PLACES)], iter(range(10**9))
    mapper, bev, mask = (
        ObjectMapper(templates, MapConfig()),
        BevConfig(),
        np.full((size, size), 255, np.uint8),
    )
    for place in places:
        mapper(*place, mask)  # acceleration structures are built once a process

    def following() -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        return places[next(turn) % PLACES]

    def bev_profiles() -> BevMaps:
        _, _, centre, K = following()
        return draw_bev(centre, np.array([0.3, 0.7]), K, bev, size)

    def bev_maps() -> object:
        profiles = bev_profiles()
        return profiles.front, profiles.bird, profiles.volume

    def pytorch3d() -> object:
        index, R, t, K = following()
        mesh = templates[index].verts @ R.T + t, templates[index].faces
        return rasterise([mesh], np.diag([0.25, 0.25, 1]) @ K, size // 4, size // 4, "pytorch3d")

    found: dict[str, Callable[[], object]] = {
        "maps: NOCS, regions, masks": lambda: mapper(*following(), mask),
        "bev: profiles, as loaded": bev_profiles,
        "bev: front, bird's eye, volume, as used": bev_maps,
        "canonical pose": lambda: canonical_pose(templates[(place := following())[0]], place[1], place[2]),
    }
    if importlib.util.find_spec("pytorch3d"):
        found["pytorch3d's rasteriser, depth alone"] = pytorch3d
    return found


def networks(size: int, batch: int) -> dict[str, Callable[[], object]]:
    """Forward and backward passes of a batch."""
    image, ids = torch.randn(batch, 5, size, size), torch.zeros(batch, dtype=torch.long)
    trunk = timm.create_model("resnet34", features_only=True, pretrained=False)
    khor = KhorNet(HRNet("hrnet_w48"), VolumetricHead)

    def gdr_step() -> None:
        trunk(image[:, :3])[-1].square().mean().backward()

    def khor_step() -> None:
        answer = khor(image, ids)
        (answer.human.uvd.square().mean() + answer.object.uvd.square().mean()).backward()

    return {"step: GDR-Net's trunk, ResNet-34": gdr_step, "step: KHOR, HRNet-W48": khor_step}


def _place(templates: dict, number: int, size: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Object id, rotation, translation and intrinsics of a crop with GDR-Net's padding."""
    rng = np.random.default_rng(number)
    index = number % len(OBJECT_NAMES)
    R, t = Rotation.random(random_state=rng).as_matrix(), rng.normal((0, 0, 2.5), (0.5, 0.2, 0.3))
    pixels = np.asarray(project(templates[index].verts @ R.T + t, KINECT))
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return index, R, t, crop_intrinsics(KINECT, (low + high) / 2, 1.5 * float((high - low).max()), size)


if __name__ == "__main__":
    main()
