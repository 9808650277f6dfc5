"""How results that another program saved become a plain pickle, in words to copy into a terminal."""

from __future__ import annotations

import shlex
from pathlib import Path

TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""What `torch.save` of old begins with, as a pickle of its own."""

_LOAD = {
    "torch": ("torch", "torch.load(sys.argv[1], map_location='cpu', weights_only=False)"),
    "joblib": ("joblib", "joblib.load(sys.argv[1])"),
    "pickle": ("numpy", "pickle.load(open(sys.argv[1], 'rb'))"),
}
_PLAIN = (
    "{s: {k: v if k in ('frames', 'gender') else numpy.array(v.detach().cpu() if hasattr(v, 'detach') else v)"
    " for k, v in d.items()} for s, d in r.items()}"
)
_PACKED = (b"\x78", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x04\x22\x4d\x18")  # zlib, gzip, bzip2, xz, lz4


def how_to_convert(saved_by: str, path: Path) -> str:
    """What to run in the environment that wrote a file.

    Args:
        saved_by: torch, joblib or pickle.
        path: the file.

    Returns:
        A sentence with a command that reads the file, makes plain dicts and arrays of it, and writes those.
    """
    module, load = _LOAD[saved_by]
    modules = ", ".join(dict.fromkeys(("pickle", "sys", "numpy", module)))
    code = f"import {modules}; r = {load}; pickle.dump({_PLAIN}, open(sys.argv[2], 'wb'))"
    plain = path.with_name(f"{path.stem}-plain.pkl")
    return (
        "If you trust its author, write it anew where it was made: "
        f'python -c "{code}" {shlex.quote(str(path))} {shlex.quote(str(plain))}'
    )


def saved_by(asked: str) -> str:
    """Whose names a pickle asks for, by the message of the reader that refused it."""
    return "joblib" if "asks for joblib." in asked else "pickle"


def is_packed(path: Path) -> bool:
    """Whether a file begins as compressed ones do, which joblib reads."""
    with path.open("rb") as stream:
        return stream.read(8).startswith(_PACKED)
