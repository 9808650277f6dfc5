"""Ways to damage a file, by the kind of the file: bytes, pickles, JSON, npz, pictures, tables.

Each takes the sound bytes and a generator and returns damaged ones, or None where it does not fit. `LOUD`
names those that a reader can always tell: it must refuse them, skip them with a word, or say something.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from zip_bomb import bomb

CANARY = "CANARY"  # the file that code in a pickle or a config would write into the working folder
Damage = Callable[[bytes, np.random.Generator], bytes | None]


class _Code:
    def __reduce__(self) -> tuple:
        return eval, (f"open({CANARY!r}, 'w')",)


def empty(data: bytes, rng: np.random.Generator) -> bytes:
    """No bytes."""
    return b""


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """The first 5 to 90 %."""
    return data[: int(len(data) * rng.uniform(0.05, 0.9))]


def page(data: bytes, rng: np.random.Generator) -> bytes:
    """A server's answer in place of the file."""
    return b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n"


def text(data: bytes, rng: np.random.Generator) -> bytes:
    """What Git LFS leaves where a file was not fetched."""
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"


def zeros(data: bytes, rng: np.random.Generator) -> bytes:
    """A tenth overwritten by zeros."""
    start = int(len(data) * rng.uniform(0, 0.9))
    size = max(1, len(data) // 10)
    return data[:start] + bytes(len(data[start : start + size])) + data[start + size :]


def flips(data: bytes, rng: np.random.Generator) -> bytes:
    """Up to twenty flipped bits."""
    array = np.frombuffer(data, np.uint8).copy()
    at = rng.integers(len(array), size=min(20, len(array)))
    array[at] ^= (1 << rng.integers(8, size=len(at))).astype(np.uint8)
    return array.tobytes()


def inserted(data: bytes, rng: np.random.Generator) -> bytes:
    """Up to 63 further bytes somewhere."""
    at = int(rng.integers(len(data)))
    return data[:at] + rng.bytes(int(rng.integers(1, 64))) + data[at:]


def appended(data: bytes, rng: np.random.Generator) -> bytes:
    """200 further bytes at the end."""
    return data + rng.bytes(200)


def moved(data: bytes, rng: np.random.Generator) -> bytes:
    """Two parts exchanged."""
    a, b = sorted(int(x) for x in rng.integers(len(data), size=2))
    return data[b:] + data[a:b] + data[:a]


# What a single value, a leaf of a pickle, of JSON or of an npz, is replaced by.


def _numbers(value: Any) -> np.ndarray | None:
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array.astype(float) if array.dtype.kind in "iuf" and array.size else None


def _of_all(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any, np.random.Generator], Any]:
    def changed(value: Any, rng: np.random.Generator) -> Any:
        array = _numbers(value)
        if array is None:
            return value
        result = change(array)
        return result if isinstance(value, np.ndarray) else result.tolist()

    return changed


def _one(value: float) -> Callable[[Any, np.random.Generator], Any]:
    def changed(old: Any, rng: np.random.Generator) -> Any:
        array = _numbers(old)
        if array is None:
            return old
        array.flat[rng.integers(array.size)] = value
        return array if isinstance(old, np.ndarray) else array.tolist()

    return changed


def _nested(value: Any, rng: np.random.Generator) -> Any:
    for _ in range(300):
        value = [value]
    return value


VALUES: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "nan": _one(math.nan),
    "infinite": _one(math.inf),
    "huge": _one(1e300),
    "thousandfold": _of_all(lambda x: 1000 * x),
    "negative": _of_all(lambda x: -x),
    "no dimension": _of_all(lambda x: x.reshape(-1)[0]),
    "one axis more": _of_all(lambda x: x[None]),
    "one short": _of_all(lambda x: x.reshape(-1)[:-1]),
    "transposed": _of_all(lambda x: x.T),
    "none": lambda value, rng: None,
    "words": lambda value, rng: "abc",
    "empty list": lambda value, rng: [],
    "mapping": lambda value, rng: {"a": value},
    "nested": _nested,
}
MISSING = "missing"


def leaves(content: Any, path: tuple = ()) -> Iterator[tuple]:
    """Paths of the values of nested mappings and lists of mappings; lists of plain values are one value."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from leaves(value, (*path, key))
    elif isinstance(content, list | tuple) and content and isinstance(content[0], dict):
        for number, value in enumerate(content):
            yield from leaves(value, (*path, number))
    else:
        yield path


def changed(content: Any, path: tuple, how: str, rng: np.random.Generator) -> Any:
    """The content with one value replaced, or without it."""
    if not path:
        return VALUES[how](content, rng) if how != MISSING else None
    copy = dict(content) if isinstance(content, dict) else list(content)
    key, *rest = path
    if how == MISSING and not rest:
        del copy[key]
    else:
        copy[key] = changed(copy[key], tuple(rest), how, rng)
    return copy


def in_content(
    how: str, load: Callable[[bytes], Any], dump: Callable[[Any], bytes], used: tuple[str, ...]
) -> Damage:
    """Damage one value, of those whose path has a part that is in `used`."""

    def damage(data: bytes, rng: np.random.Generator) -> bytes | None:
        content = load(data)
        paths = [path for path in leaves(content) if not used or {*used} & {*path}]
        path = paths[rng.integers(len(paths))]
        try:
            damaged = dump(changed(content, path, how, rng))
        except (TypeError, ValueError):  # JSON holds no such value
            return None
        return None if damaged == dump(content) else damaged  # text has no numbers to change

    return damage


def read_npz(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of a sound npz."""
    with np.load(io.BytesIO(data)) as file:
        return dict(file)


def write_npz(content: dict[str, Any]) -> bytes:
    """An npz of what can be an array."""
    file = io.BytesIO()
    np.savez(file, **{key: np.asarray(value) for key, value in content.items()})
    return file.getvalue()


def deep_json(data: bytes, rng: np.random.Generator) -> bytes:
    """A hundred thousand lists in each other."""
    return b"[" * 100_000 + b"]" * 100_000


def deep_pickle(data: bytes, rng: np.random.Generator) -> bytes:
    """A hundred thousand lists in each other."""
    return pickle.PROTO + b"\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."


def code(data: bytes, rng: np.random.Generator) -> bytes:
    """A pickle that opens a file when it is read."""
    return pickle.dumps({"annotations": _Code(), "pose": _Code()}, protocol=2)


def code_npz(data: bytes, rng: np.random.Generator) -> bytes:
    """An npz with such a pickle in one array."""
    file, content = io.BytesIO(), read_npz(data)
    name = sorted(content)[rng.integers(len(content))]
    np.savez(file, **{**content, name: np.array([_Code()], dtype=object)})
    return file.getvalue()


def code_yaml(data: bytes, rng: np.random.Generator) -> bytes:
    """A config with an object of YAML that opens a file."""
    return b"trap: !!python/object/apply:builtins.open ['CANARY', 'w']\n" + data


def target_yaml(data: bytes, rng: np.random.Generator) -> bytes:
    """A config whose first `_target_` is a function of Python."""
    return data.replace(b"_target_: rhobin.", b"_target_: builtins.open\n# ", 1)


def aliases_yaml(data: bytes, rng: np.random.Generator) -> bytes:
    """A config of ten billion values by aliases."""
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [b"a%d: &a%d [%s]" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 10)]
    return b"\n".join(lines) + b"\n" + data


# Pictures.


def _redrawn(change: Callable[[np.ndarray], np.ndarray], kind: str = "") -> Damage:
    def damage(data: bytes, rng: np.random.Generator) -> bytes:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        extension = kind or (".png" if data[:4] == b"\x89PNG" else ".jpg")
        return cv2.imencode(extension, change(image))[1].tobytes()

    return damage


def _declared(data: bytes, rng: np.random.Generator) -> bytes:
    """A PNG that says it is 40,000 pixels wide and high."""
    header = b"IHDR" + (40_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    chunks = [header, b"IDAT" + zlib.compress(bytes(1000)), b"IEND"]
    parts = [len(c[4:]).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


BYTES: dict[str, Damage] = {
    f.__name__: f for f in (empty, cut, page, text, zeros, flips, inserted, appended, moved)
}
PICTURES: dict[str, Damage] = {
    "one pixel": _redrawn(lambda image: image[:1, :1]),
    "turned": _redrawn(lambda image: np.rot90(image)),
    "half the height": _redrawn(lambda image: image[: len(image) // 2]),
    "40,000 pixels": _declared,
    "16 bits": _redrawn(lambda image: image.astype(np.uint16) * 257, ".png"),
}
LOUD = {
    "empty", "cut", "page", "text", "nan", "infinite", "huge", "none", "words", "mapping", "nested",
    "deep_json", "deep_pickle", "code", "code_npz", "code_yaml", "target_yaml", "aliases_yaml", "bomb",
    "one pixel", "turned", "half the height", "40,000 pixels",
}  # fmt: skip


def damages(kind: str, used: tuple[str, ...] = ()) -> dict[str, Damage]:
    """All damages of a kind of file: bytes, pickle, json, npz, zip, yaml, picture.

    Args:
        kind: of the file.
        used: parts of the paths of values that are read; others may say anything.
    """
    formats: dict[str, tuple] = {
        "pickle": (pickle.loads, lambda content: pickle.dumps(content, protocol=4)),
        "json": (json.loads, lambda content: json.dumps(content).encode()),
        "npz": (read_npz, write_npz),
    }
    found = dict(BYTES)
    if kind in formats:
        found |= {how: in_content(how, *formats[kind], used) for how in (*VALUES, MISSING)}
    further: dict[str, tuple[Damage, ...]] = {
        "pickle": (code, deep_pickle), "json": (deep_json,), "npz": (code_npz, bomb), "zip": (bomb,),
        "yaml": (code_yaml, target_yaml, aliases_yaml), "checkpoint": (code, bomb),
    }  # fmt: skip
    found |= {damage.__name__: damage for damage in further.get(kind, ())}
    return found | (PICTURES if kind == "picture" else {})
