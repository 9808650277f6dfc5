"""Decoding images, with what libjpeg says of the damage that it passes over."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

JPEG = b"\xff\xd8"
PADDING = 64  # bytes; cameras pad their scans, and all pixels were decoded before
_COMPLAINT = re.compile(rb"^(?:Corrupt JPEG data|Premature end of JPEG)[^\n]*\n?", re.MULTILINE)
_SURPLUS = re.compile(rb"(\d+) extraneous bytes before marker 0xd9")
_MOST_TEXT = 65536  # bytes that a pipe holds
_lock = threading.Lock()


def decode_image(content: bytes, flag: int) -> tuple[np.ndarray | None, str]:
    """Decode an image file with OpenCV.

    libjpeg fills what it cannot read with grey, and says so only on the process's standard error.

    Args:
        content: of the file.
        flag: of `cv2.imdecode`.

    Returns:
        The image, None where there is none; what libjpeg said of damaged data, "" for nothing.
    """
    with _standard_error(content.startswith(JPEG)) as said:
        try:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), flag)
        except cv2.error:
            image = None
    complaints = [text for text in _COMPLAINT.findall(said) if not _is_padding(text)]
    return image, complaints[0].decode().strip() if complaints else ""


def _is_padding(complaint: bytes) -> bool:
    surplus = _SURPLUS.search(complaint)
    return surplus is not None and int(surplus[1]) <= PADDING


@contextmanager
def _standard_error(listen: bool) -> Iterator[bytearray]:
    """What is written to standard error meanwhile; all but complaints of libjpeg goes on to it afterwards."""
    said = bytearray()
    if not listen:
        yield said
        return
    with _lock:
        kept = _duplicate(2)
        if kept is None:
            yield said
            return
        reader, writer = os.pipe()
        os.dup2(writer, 2)
        os.close(writer)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.set_blocking(reader, False)
            said += _read(reader)
            os.close(reader)
            others = _COMPLAINT.sub(b"", bytes(said))
            if others:
                os.write(2, others)


def _duplicate(descriptor: int) -> int | None:
    """A second descriptor of the same file; None where the first is closed."""
    try:
        return os.dup(descriptor)
    except OSError:
        return None


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, _MOST_TEXT)
    except BlockingIOError:
        return b""
