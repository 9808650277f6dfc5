"""A small release to read from; tests that break files copy it first."""

import shutil
from pathlib import Path

import pytest
from behave_tree import make_tree


@pytest.fixture(scope="session")
def release_root(tmp_path_factory) -> Path:
    return make_tree(tmp_path_factory.mktemp("behave") / "tree")


@pytest.fixture
def own_root(release_root, tmp_path) -> Path:
    return Path(shutil.copytree(release_root, tmp_path / "tree"))
