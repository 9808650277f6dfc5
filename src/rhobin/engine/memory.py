"""Memory that one training step frees is kept for the next."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # names of glibc's malloc.h, without their M_
MIB = 2**20
SETTINGS = ((MMAP_THRESHOLD, 1024 * MIB), (TRIM_THRESHOLD, 2**31 - 1), (TOP_PAD, 64 * MIB))


def keep_freed_memory() -> bool:
    """Tell glibc to keep what is freed, where it would hand large tensors back to the system.

    Every step makes and frees the same tensors. Handed back, their pages are mapped and cleared again in each
    step (docs/decisions/0079).

    Returns:
        Whether this process's C library takes such settings; others are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, value) == 1 for name, value in SETTINGS)
