"""An earlier run is shown beside one of the same length, batch and data, and beside no other."""

import json

import pytest
from together import composed

from rhobin.behave.layout import SYNTHETIC
from rhobin.engine.experiments import config_folder
from rhobin.engine.reference import FOLDER, read_reference, reference_of

NAME = "khor_synthetic"


@pytest.fixture
def data(tmp_path):
    """A folder that says that it holds the reference's data."""
    written = read_reference(config_folder() / FOLDER / f"{NAME}.yaml").data
    (tmp_path / SYNTHETIC).write_text(json.dumps({**written, "meshes": True}))
    return tmp_path


def config(root, *more):
    return composed("experiment=khor/synthetic", f"data.root={root}", *more)


def test_the_same_data_and_length_have_one(data):
    assert reference_of(config(data)).scores["joint"]["SMPL"] > 0


@pytest.mark.parametrize(
    "more", ["trainer.max_steps=10", "data.batch_size=8", "name=mine", "name=khor_smoke"]
)
def test_another_length_batch_or_preset_has_none(data, more):
    assert reference_of(config(data, more)) is None


@pytest.mark.parametrize("changed", [{"seed": 1}, {"size": "long"}, {"frames": 3}, {"body": "mine"}])
def test_other_generated_data_have_none(data, changed):
    path = data / SYNTHETIC
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    assert reference_of(config(data)) is None


@pytest.mark.parametrize("content", [None, "[]", "{", "{}"])
def test_real_data_have_none_nor_have_roots_that_cannot_be_read(data, content):
    (data / SYNTHETIC).unlink()
    if content is not None:
        (data / SYNTHETIC).write_text(content)
    assert reference_of(config(data)) is None
