"""The Makefile, run with interpreters that only write down what they are asked; dependencies and imports."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from rhobin.cli import doctor

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FAKE = """#!/bin/sh
case "$*" in
  *sys.version_info*) echo {version} ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/pip" ;;
  *) ;;
esac
echo "$(basename "$0") $*" >> {log}
"""
SHIM = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"


@pytest.fixture
def bench(tmp_path):
    """``bench({name: version or None}, *arguments)``: make with these interpreters; status, output, calls."""
    log = tmp_path / "log"

    def run(scripts, *arguments):
        tools, work = tmp_path / "bin", tmp_path / "work"
        shutil.rmtree(tools, ignore_errors=True)
        tools.mkdir()
        work.mkdir(exist_ok=True)
        for tool in ("make", "sh", "mkdir", "cp", "basename", "touch", "test"):
            (tools / tool).symlink_to(shutil.which(tool))
        for name in ("Makefile", "build.lock", "requirements.lock", "pyproject.toml"):
            shutil.copy2(ROOT / name, work)
        for name, version in scripts.items():
            (tools / name).write_text(FAKE.format(version=version, log=log) if version else SHIM)
            (tools / name).chmod(0o755)
        log.write_text("")
        done = subprocess.run(
            ["make", ".venv/installed", *arguments],
            cwd=work,
            env={"PATH": str(tools)},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr, log.read_text()

    return run


def test_the_lock_is_installed_as_it_is_and_then_checked(bench):
    status, output, calls = bench({"python3.11": "3.11"})
    assert status == 0, output
    pip = [line.split("-m pip ")[1] for line in calls.splitlines() if "-m pip" in line]
    assert [re.search(r"(-r \S+|-e \.|check)$", line)[0] for line in pip] == [
        "-r build.lock",
        "-r requirements.lock",
        "-e .",
        "check",
    ]
    assert all("--no-deps --no-build-isolation" in line for line in pip[:3])
    assert all("--require-hashes" in line for line in pip[:2])
    assert "-m pip" not in bench({"python3.11": "3.11"})[2], "installed once"


@pytest.mark.parametrize(
    ("scripts", "taken"),
    [
        ({"python3.11": "3.11", "python3.13": "3.13"}, "python3.11"),
        ({"python3.11": None, "python3.12": "3.12", "python3.13": "3.13"}, "python3.12"),
        ({"python3.10": "3.10", "python3.11": None, "python3.13": "3.13"}, "python3.13"),
    ],
)
def test_the_first_interpreter_that_runs_is_taken(bench, scripts, taken):
    status, output, calls = bench(scripts)
    assert status == 0, output
    assert f"{taken} -m venv .venv" in calls


@pytest.mark.parametrize("scripts", [{}, {"python3.11": None, "python3.10": "3.10"}])
def test_without_an_interpreter_make_says_what_it_looked_for(bench, scripts):
    status, output, calls = bench(scripts)
    assert status != 0
    assert "none of python3.11 python3.12 python3.13 on the PATH runs" in output
    assert "make PYTHON=" in output
    assert "venv" not in calls


def test_an_interpreter_that_is_named_must_run_and_fit(bench):
    scripts = {"python3.11": "3.11", "python3.10": "3.10", "python3.12": "3.12", "python3.13": None}

    def refused(name):
        status, output, _ = bench(scripts, f"PYTHON={name}")
        assert status != 0
        return output

    assert "needs Python 3.11, 3.12 or 3.13; PYTHON=python3.10 is 3.10" in refused("python3.10")
    assert "PYTHON=python3.13 does not run" in refused("python3.13")
    status, _, calls = bench(scripts, "PYTHON=python3.12")
    assert status == 0
    assert "python3.12 -m venv .venv" in calls
    assert ".venv has Python 3.12, and PYTHON=python3.11 is 3.11" in refused("python3.11")
    assert bench(scripts)[0] == 0


def test_the_same_pythons_are_named_everywhere():
    makefile = (ROOT / "Makefile").read_text()
    names = re.search(r"PYTHONS := (.+)", makefile)[1].split()
    classified = [text.split(" :: ")[-1] for text in PROJECT["classifiers"] if re.search(r"3\.\d+$", text)]
    assert [f"python{version}" for version in classified] == names
    assert PROJECT["requires-python"] == f">={classified[0]}"
    assert f"*,{' | *,'.join(classified)})" in makefile
    compiled = re.findall(r"--python-version (3\.\d+)|for version in ([\d. ]+);", makefile)
    assert " ".join(filter(None, sum(compiled, ()))).split()[: len(classified)] == classified
    assert any(f"{sys.version_info.major}.{sys.version_info.minor}" == version for version in classified)


def test_core_dependencies_are_what_the_package_imports():
    distributions = {
        "cv2": "opencv-python-headless",
        "hydra": "hydra-core",
        "lightning_fabric": "pytorch-lightning",
        "yaml": "pyyaml",
    }
    optional = {"pytorch3d", "bpy", "wandb", "optuna", "submitit"}  # of the extras
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            imported |= {name.split(".")[0] for name in names}
    foreign = imported - set(sys.stdlib_module_names) - {"rhobin"} - optional
    core = {Requirement(text).name for text in PROJECT["dependencies"]}
    assert {distributions.get(name, name).replace("_", "-") for name in foreign} == core
    assert {doctor.DISTRIBUTIONS.get(name, name) for name in doctor.CORE} == core


def test_doctor_names_the_extra_of_every_package_that_some_commands_need():
    extras = PROJECT["optional-dependencies"]
    brought = {Requirement(text).name for extra in ("log", "sweep", "slurm") for text in extras[extra]}
    assert doctor.EXTRAS.keys() == brought
    for name, (_, extra) in doctor.EXTRAS.items():
        assert name in {Requirement(text).name for text in extras[extra]}
    lacking = doctor._extra("no-such-package", "rhobin sweep", "sweep")
    assert (lacking.ok, lacking.found) == (None, "not installed; rhobin sweep needs it")
    assert lacking.fix == "pip install -e '.[sweep]'"


def test_the_locks_pin_every_requirement_and_agree():
    pins = {}
    for lock in ("requirements.lock", "build.lock"):
        text = (ROOT / lock).read_text()
        found = dict(re.findall(r"^([a-z0-9][\w.-]*)==(\S+) \\$", text, re.MULTILINE))
        assert text.count("--hash=sha256:") >= len(found)
        assert {name: pins[name] for name in found if name in pins} == {
            n: found[n] for n in found if n in pins
        }
        pins |= found
    extras = PROJECT["optional-dependencies"]
    for text in [*PROJECT["dependencies"], *extras["p3d"], *extras["log"], *extras["dev"]]:
        requirement = Requirement(text)
        assert pins[requirement.name] in requirement.specifier, text
