"""A small release to read from, in every layout; tests that break files copy it first."""

import shutil
from pathlib import Path

import pytest
from behave_tree import make_tree

from rhobin.behave.read import read_release
from rhobin.behave.writers.relayout import write_release
from rhobin.body.load import load_bodies
from rhobin.objects.load import load_templates

NO_MESHES = shutil.ignore_patterns("objects")


@pytest.fixture(scope="session")
def release_root(tmp_path_factory) -> Path:
    return make_tree(tmp_path_factory.mktemp("behave") / "tree")


@pytest.fixture
def own_root(release_root, tmp_path) -> Path:
    return Path(shutil.copytree(release_root, tmp_path / "tree"))


@pytest.fixture(scope="session")
def templates():
    return load_templates()


@pytest.fixture(scope="session")
def bodies():
    return load_bodies()


@pytest.fixture(scope="session")
def layout_roots(release_root, tmp_path_factory, templates, bodies) -> dict[str, Path]:
    """The same small release written by the rules of every layout."""
    releases = [read_release(release_root, split, templates=templates) for split in ("train", "test")]
    folder = tmp_path_factory.mktemp("layouts")
    for layout in ("raw", "30fps", "2023", "2024"):
        write_release(releases, folder / layout, layout, bodies)
    return {layout: folder / layout for layout in ("raw", "30fps", "2023", "2024")}


@pytest.fixture
def own_layout(layout_roots, tmp_path):
    """Copies a layout's root without its object meshes, to break."""

    def copy(layout: str) -> Path:
        return Path(shutil.copytree(layout_roots[layout], tmp_path / layout, ignore=NO_MESHES))

    return copy
