"""The house itself: floors, commands, and what may not be in the tree."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rhobin.__main__ import main

ROOT = Path(__file__).parents[1]


def test_import_contracts_hold():
    done = subprocess.run(
        ["lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, env=_env()
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_arrow_upwards_breaks_the_contracts(tmp_path):
    import shutil

    shutil.copytree(ROOT / "src" / "rhobin", tmp_path / "rhobin", ignore=shutil.ignore_patterns("*.npz"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "rhobin" / "geometry" / "rotation.py").open("a") as stream:
        stream.write("\nimport rhobin.methods.khor.net\n")
    done = subprocess.run(
        ["lint-imports", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=_env(PYTHONPATH=str(tmp_path)),
    )
    assert done.returncode == 1
    assert "rhobin.geometry.rotation" in done.stdout


def test_every_method_is_named_in_the_contracts():
    methods = sorted(f"rhobin.methods.{p.parent.name}" for p in ROOT.glob("src/rhobin/methods/*/__init__.py"))
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    by_name = {contract["name"]: contract for contract in contracts}
    assert by_name["No method imports another"]["modules"] == methods
    assert by_name["Nobody above the methods knows one of them"]["forbidden_modules"] == methods


def test_files_stay_short():
    files = [p for folder in ("src", "tests", "benchmarks", "tools") for p in (ROOT / folder).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert [name for name, length in lengths.items() if length > 300] == []
    own = sorted(length for name, length in lengths.items() if name.startswith("src"))
    assert own[len(own) // 2] <= 110


@pytest.mark.parametrize("script", ["train.py", "eval.py"])
def test_entry_points_stay_short(script):
    assert len((ROOT / script).read_text().splitlines()) < 60


def test_doctor_runs_before_torch_is_importable():
    code = (
        "import sys; sys.modules['torch'] = None; sys.path.insert(0, 'src');"
        "from rhobin.__main__ import main; sys.exit(main(['doctor']))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert re.search(r"FAIL\s+torch ", done.stdout)
    assert "pip install -e ." in done.stdout


def test_doctor_finds_everything_here(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    status, said = main(["doctor"]), capsys.readouterr().out
    assert status == 0, said
    assert "Everything that is needed is here." in said


def test_an_unknown_command_lists_the_known_ones():
    done = subprocess.run(
        [sys.executable, "-m", "rhobin", "dcotor"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "dcotor" in done.stderr
    assert "doctor" in done.stderr


def test_test_files_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert [name for name in set(names) if names.count(name) > 1] == []


def test_no_forbidden_dependency_is_declared():
    declared = (ROOT / "pyproject.toml").read_text() + (ROOT / "requirements.lock").read_text()
    for name in ("albumentationsx", "chumpy", "pyrender", "pyopengl", "\nlightning=="):
        assert name not in declared.lower(), name


def _env(**extra: str) -> dict[str, str]:
    import os

    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **extra}
