"""Shape checks at run time, and the reference vectors."""

import gc
import os
import sys

# One thread a test process: two run side by side, and bits depend on the number of threads.
os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import install_import_hook

torch.set_num_threads(1)

# Bytecode is kept: some twenty processes of the suite import the same sources.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Every jaxtyping annotation of these packages is checked on each call, in tests only.
install_import_hook(
    ["rhobin.geometry", "rhobin.body", "rhobin.objects", "rhobin.nets", "rhobin.metrics"],
    "beartype.beartype",
)


@pytest.fixture(scope="session")
def oracle_folder() -> Path:
    """Reference vectors: the folder named by RHOBIN_ORACLES, else the copies in tests/oracles."""
    return Path(os.environ.get("RHOBIN_ORACLES") or Path(__file__).parent / "oracles")


@pytest.fixture(scope="session")
def oracle(oracle_folder) -> Callable[[str], dict[str, np.ndarray]]:
    """Reads one reference file by its name without suffix."""

    def read(name: str) -> dict[str, np.ndarray]:
        with np.load(oracle_folder / f"{name}.npz", allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}

    return read


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest test, which would otherwise end alone."""
    items.sort(key=lambda item: item.path.name != "test_fuzz.py")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, and never look for it among what was collected: it all stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
