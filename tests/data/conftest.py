"""A small release to read from; tests that break files copy it first."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from behave_tree import make_tree
from damage_kinds import BOX, CHAIR, TEST
from prepared_roots import make_prepared
from preparing import RECIPES, content, run


@pytest.fixture(scope="session")
def release_root(tmp_path_factory) -> Path:
    return make_tree(tmp_path_factory.mktemp("behave") / "tree")


@pytest.fixture
def own_root(release_root, tmp_path) -> Path:
    return Path(shutil.copytree(release_root, tmp_path / "tree"))


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A tree to damage copies of."""
    return make_tree(tmp_path_factory.mktemp("damage") / "tree", train=(BOX, CHAIR), test=(TEST,))


@pytest.fixture
def tree(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "tree", copy_function=os.link))


@pytest.fixture(scope="session")
def prepared(release_root, tmp_path_factory):
    """Content of both kinds of prepared root, uninterrupted, by one process."""
    made = {}
    for name, recipe in RECIPES.items():
        out = tmp_path_factory.mktemp("prepared") / "out"
        run(release_root, out, recipe)
        made[name] = content(out)
    return made


OPTIONS = {
    "folders": {},
    "shards": {"shards": True},
    "whole": {"margin": np.inf},
    "narrow": {"margin": 1.5},
    "object": {"around": "object"},
    "small": {"size": 72},
}


class Roots(dict):
    """Prepared roots by the names of their options, each made when it is first asked for."""

    def __init__(self, release_root, folder):
        self.release_root, self.folder = release_root, folder

    def __missing__(self, name):
        self[name] = make_prepared(self.release_root, self.folder / name, **OPTIONS[name])
        return self[name]


@pytest.fixture(scope="session")
def roots(release_root, tmp_path_factory):
    """Prepared roots of several recipes."""
    return Roots(release_root, tmp_path_factory.mktemp("prepared"))
