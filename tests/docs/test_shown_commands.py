"""Every command that a document shows is one that parses, with settings that exist."""

import importlib
import re
from argparse import ArgumentParser
from functools import cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from pages import PAGES, ROOT, blocks, commands, inline, name

from rhobin.__main__ import COMMANDS, main

CONFIGS = str(ROOT / "configs")
METHODS = ("khor/paper", "g2dr/synthetic", "bev_hybrik/paper_augment", "chore/synthetic", "phosa/synthetic")
CHOICES = (*((f"experiment={method}",) for method in METHODS), (f"experiment={METHODS[0]}", "debug=overfit"))
FILES = (".safetensors", ".pt2", ".ckpt")
KEY = re.compile(r"((?:data|model|optim|trainer|callbacks)(?:\.[a-z_0-9]+)+)(?:=.*)?")


def shown(page: Path) -> list[list[str]]:
    """The commands in a page's blocks."""
    return [words for _, code in blocks(page.read_text()) for words in commands(code)]


def test_rhobin_commands_parse(monkeypatch):
    wrong, seen = [], 0
    for page in PAGES:
        for program, *words in shown(page):
            if program == "rhobin" and words[0] in COMMANDS:
                module = importlib.import_module(f"rhobin.cli.{words[0].replace('-', '_')}")
                monkeypatch.setattr(module, "run", lambda *args: 0)
                seen += 1
                wrong += [] if accepted(words) else [f"{name(page)}: rhobin {' '.join(words)}"]
    assert wrong == []
    assert seen > 60


def accepted(words: list[str]) -> bool:
    try:
        return main(words) == 0
    except SystemExit as stopped:
        return stopped.code == 0


def test_commands_name_options_that_exist():
    wrong = []
    for page in PAGES:
        text = page.read_text()
        inside = [words for code in inline(text) for words in commands(code)]
        for program, *words in inside + shown(page):
            if program != "rhobin" or not words or not re.fullmatch(r"[a-z][a-z-]+", words[0]):
                continue
            options = {word for word in words if re.match(r"--\w", word)}
            if words[0] not in COMMANDS or not options <= known_options(words[0]):
                wrong.append(f"{name(page)}: rhobin {' '.join(words)}")
    assert wrong == []


@cache
def known_options(command: str) -> set[str]:
    """Options of a command and of those below it."""
    parser = ArgumentParser()
    importlib.import_module(f"rhobin.cli.{command.replace('-', '_')}").configure(parser)
    parsers, found = [parser], {"--help"}
    while parsers:
        for action in parsers.pop()._actions:
            found |= set(action.option_strings)
            parsers += action.choices.values() if isinstance(action.choices, dict) else []
    return found


def test_trainings_and_evaluations_compose():
    seen = 0
    for page in PAGES:
        inside = [words for code in inline(page.read_text()) for words in commands(code)]
        for program, *words in shown(page) + inside:
            complete = any(word.startswith(("experiment=", "run=")) for word in words)
            if program.endswith(".py") and complete and "..." not in " ".join(words):
                seen += 1
                if "--config-dir" not in words:
                    composed(program.removesuffix(".py"), tuple(word for word in words if word != "-m"))
    assert seen > 40


@cache
def composed(script: str, overrides: tuple[str, ...]):
    """A script's config; of a sweep, that of its first job."""
    overrides = tuple(re.sub(r"\$\w+", "0", word) for word in overrides)
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    if any(override.is_sweep_override() for override in parsed):
        overrides = BasicSweeper.split_arguments(parsed, None)[0][0]
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        return compose(script, list(overrides))


def test_settings_in_backticks_exist():
    wrong, seen = [], 0
    for page in PAGES:
        for word in (word for code in inline(page.read_text()) for word in code.split()):
            key = KEY.fullmatch(word)
            if key and not key[1].endswith(FILES):
                seen += 1
                wrong += [] if exists(key[1]) else [f"{name(page)}: {word}"]
    assert wrong == []
    assert seen > 50


@cache
def exists(key: str) -> bool:
    """Whether one of the methods' configs has a setting."""
    return any(has(composed("train", choice), key) for choice in CHOICES)


def has(config, key: str) -> bool:
    *path, last = key.split(".")
    parent = OmegaConf.select(config, ".".join(path))
    return OmegaConf.is_dict(parent) and last in parent
