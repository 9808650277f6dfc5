"""Preparing a root in one line, and what it wrote."""

from rhobin.data.prepare.build import plan, prepare
from rhobin.data.prepare.recipe import Recipe
from rhobin.data.splits import available_splits

RECIPES = {"folders": Recipe(), "shards": Recipe(shards=True)}


def read_raw(root):
    return list(available_splits(root).releases.values())


def run(root, out, recipe=RECIPES["folders"], workers=1):
    todo = plan(read_raw(root), out, recipe)
    prepare(todo, workers)
    return todo


def content(folder):
    """Every file of a folder, byte for byte."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
