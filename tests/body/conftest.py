from pathlib import Path

import numpy as np
import pytest
import torch

from rhobin.body.arrays import read_arrays
from rhobin.body.load import load_bodies, load_body
from rhobin.body.model import BodyModel
from rhobin.geometry.rotation import rotvec_to_rotmat


@pytest.fixture(scope="session")
def body():
    """The stand-in male in double precision."""
    return load_body("male", dtype=torch.float64)


@pytest.fixture(scope="session")
def bodies():
    """All stand-ins in double precision."""
    return load_bodies(dtype=torch.float64)


@pytest.fixture(scope="session")
def small_body(oracle_folder):
    """A procedural SMPL-H body of a few hundred vertices, without leaf vertices."""
    return load_body("male", oracle_folder, torch.float64)


@pytest.fixture(scope="session")
def smpl24(oracle_folder):
    """A procedural SMPL body of 24 joints with leaf vertices."""
    return BodyModel(read_arrays(Path(oracle_folder) / "smpl24_neutral.npz", "neutral"), torch.float64)


@pytest.fixture
def pose():
    """Random parameters: ``pose(batch, joints=52, spread=1.0, dtype=float64) -> theta, beta, trans``."""

    def draw(batch, joints=52, spread=0.6, dtype=torch.float64, seed=0):
        rng = np.random.default_rng(seed)
        rotvec, beta, trans = (
            torch.from_numpy(rng.normal(scale=scale, size=(batch, *shape))).to(dtype)
            for scale, shape in ((spread, (joints, 3)), (1, (10,)), (1, (3,)))
        )
        return rotvec_to_rotmat(rotvec), beta, trans

    return draw
