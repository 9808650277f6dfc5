"""Output in an encoding that lacks some characters: a terminal or a pipe that is not UTF-8."""

from __future__ import annotations

import io
import sys


def print_anything() -> None:
    r"""Let this process print what its output's encoding lacks, a path in Chinese in cp1252, as `\\u4e2d`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
