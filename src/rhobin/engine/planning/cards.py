"""GPUs, and what is assumed of them: how fast they work, and what of their memory is not for tensors."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 2**30
CONTEXT = 1.0
"""GiB that CUDA, cuDNN and cuBLAS take of a card, assumed."""
FRAGMENTS = 0.10
"""Share of the rest that convolutions' workspaces and gaps between tensors take, assumed."""
MEMORIES = (11, 24, 80)
"""GiB of the cards that batch sizes are told for."""
FULL, HALF = "32-true", "16-bit"


@dataclass(frozen=True)
class Speed:
    """How fast a card works.

    Attributes:
        peak: TFLOP/s of its data sheet, dense.
        used: share of it that a training sustains, assumed.
        units: which units do the work.
    """

    peak: float
    used: float
    units: str

    def hours(self, flops: float) -> float:
        """Hours of so many operations."""
        return flops / (self.peak * self.used * 1e12) / 3600


CARDS: dict[str, dict[str, Speed]] = {
    "RTX 2080 Ti": {FULL: Speed(13.4, 0.50, "float32"), HALF: Speed(53.8, 0.25, "float16 tensor cores")},
    "RTX 3090": {
        FULL: Speed(35.6, 0.40, "TF32 tensor cores"),
        HALF: Speed(71.0, 0.30, "16-bit tensor cores"),
    },
    "A100": {FULL: Speed(156.0, 0.15, "TF32 tensor cores"), HALF: Speed(312.0, 0.12, "16-bit tensor cores")},
    "H100": {FULL: Speed(494.0, 0.08, "TF32 tensor cores"), HALF: Speed(989.0, 0.07, "16-bit tensor cores")},
}
"""Peaks: NVIDIA's data sheets, dense (H100: SXM). Convolutions in 32 bit use TF32 where a card has it,
which is torch's default. The shares fall with the peak: these networks wait for memory and launches."""
WITHOUT_BF16 = "RTX 2080 Ti"
"""Turing has no units for bfloat16: it works in float32's time."""


def usable(gib: float) -> float:
    """Bytes of a card's memory for tensors.

    Args:
        gib: of the card.
    """
    return (gib - CONTEXT) * (1 - FRAGMENTS) * GIB


def speed(card: str, precision: str) -> Speed:
    """What is assumed of a card at the trainer's precision."""
    name = str(precision)
    halved = name.startswith(("16", "bf16")) and not (name.startswith("bf16") and card == WITHOUT_BF16)
    return CARDS[card][HALF if halved else FULL]
