"""A small zip that unpacks to several GiB."""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np


def bomb(data: bytes, rng: np.random.Generator, gibibytes: int = 6) -> bytes:
    """A zip whose one member, of the sound one's name, unpacks to several GiB of zeros."""
    block, packer = bytes(1 << 26), zlib.compressobj(9, wbits=-15)
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    times = gibibytes * 16
    crc = 0
    for _ in range(times):
        crc = zlib.crc32(block, crc)
    with zipfile.ZipFile(io.BytesIO(data)) as sound:
        name = sound.namelist()[0]
    body = first * times + zlib.compressobj(9, wbits=-15).flush()
    return _zip_of(name.encode(), body, crc, times << 26)


def _zip_of(name: bytes, body: bytes, crc: int, size: int) -> bytes:
    """A zip of one deflated member, with 64-bit sizes."""
    extra = (1).to_bytes(2, "little") + (16).to_bytes(2, "little") + size.to_bytes(8, "little")
    extra += len(body).to_bytes(8, "little")
    both = b"\x2d\x00\x00\x00\x08\x00" + bytes(4) + crc.to_bytes(4, "little") + b"\xff" * 8
    lengths = len(name).to_bytes(2, "little") + len(extra).to_bytes(2, "little")
    local = b"PK\x03\x04" + both + lengths + name + extra + body
    central = b"PK\x01\x02\x2d\x00" + both + lengths + bytes(14) + name + extra
    end = b"PK\x05\x06" + bytes(4) + b"\x01\x00\x01\x00" + len(central).to_bytes(4, "little")
    return local + central + end + len(local).to_bytes(4, "little") + bytes(2)
