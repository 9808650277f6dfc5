"""Processor milliseconds a sample costs, decoded every time and from memory.

Usage: python benchmarks/loading.py [ROOT] [INPUT_SIZE]
"""

import sys
import time

from rhobin.data.datamodule import BehaveDataModule


def measure(root: str, input_size: int, cache: str) -> None:
    """Print the cost of three epochs."""
    datamodule = BehaveDataModule(
        root, input_size=input_size, batch_size=16, workers=0, augment={}, cache=cache, on_bad_sample="skip"
    )
    start = time.process_time()
    datamodule.setup()
    print(f"cache={cache}: read and targets {time.process_time() - start:.2f} s")
    loader = datamodule.train_dataloader()
    for epoch in range(3):
        start = time.process_time()
        samples = sum(len(batch) for batch in loader)
        each = (time.process_time() - start) / samples * 1e3
        print(f"  epoch {epoch}: {each:.2f} ms a sample ({samples} samples)")
    stored = datamodule.train_dataset.cache
    if stored is not None:
        print(f"  {stored.used[0] / max(1, stored.ready.sum()) / 1e6:.2f} MB a view")


if __name__ == "__main__":
    root = sys.argv[1] if len(sys.argv) > 1 else "data/behave_synthetic"
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 128
    for mode in ("none", "ram"):
        measure(root, size, mode)
