"""Freed tensors leave their pages to the next ones."""

import subprocess
import sys

import pytest

COUNT_FAULTS = """
import resource, sys, torch
from rhobin.engine.memory import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()
torch.set_num_threads(1)

def step():
    torch.ones(2**24)  # 64 MiB, more than glibc ever keeps by itself

for _ in range(40):  # until the heap is as large as it needs to be
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_no_page_is_mapped_again():
    """64 MiB a step are 16,384 pages, or 32 huge ones, if the system hands out each of them anew."""
    faults = [
        int(subprocess.check_output([sys.executable, "-c", COUNT_FAULTS, how], text=True))
        for how in ("keep", "return")
    ]
    if faults[1] < 10 * 32:
        pytest.skip("this system does not count page faults")
    assert faults[0] < 0.1 * faults[1]
