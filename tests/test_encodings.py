"""Text files are UTF-8 whatever the system's own encoding is, and output never fails on a character."""

import ast
import io
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from rhobin.__main__ import main
from rhobin.engine.overrides import with_quotes

ROOT = Path(__file__).parents[1]
BINARY = {"os", "Image", "archive", "tarfile"}


def unsaid(path):
    """Calls that read or write text in the system's encoding."""
    for call in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(call, ast.Call) and not any(word.arg in ("encoding", None) for word in call.keywords):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            owner = getattr(getattr(call.func, "value", None), "id", "")
            modes = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            text = (name == "read_text" and not call.args) or (name == "write_text" and len(call.args) == 1)
            if text or (name == "open" and owner not in BINARY and not any("b" in m for m in modes)):
                yield f"{path.relative_to(ROOT)}:{call.lineno}"


def test_text_files_name_their_encoding():
    files = [p for folder in ("src", "tools", "benchmarks") for p in (ROOT / folder).rglob("*.py")]
    assert [line for path in files for line in unsaid(path)] == []


def test_a_pipe_of_another_encoding_takes_every_path(monkeypatch):
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", pipe)
    assert main(["--version"]) == 0
    print("C:/数据/ümlaut")
    pipe.flush()
    assert pipe.buffer.getvalue().endswith("C:/\\u6570\\u636e/ümlaut\n".encode("cp1252"))


@pytest.mark.parametrize("folder", ["/数据/ü", "/d:a b/é", "C:/data", "/a b/c"])
def test_paths_of_every_script_are_overrides(folder):
    (override,) = OverridesParser.create().parse_overrides(with_quotes([f"data.root={folder}"]))
    assert getattr(override.value(), "text", override.value()) == folder
    typed = ["-m", "name='é'", "freeze=[é]", "seed=1", "--help", "run_dir=${name}é"]
    assert with_quotes(typed) == typed
