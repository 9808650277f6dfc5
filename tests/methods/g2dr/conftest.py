"""Templates as G2DR's tables, and a drawer of maps."""

import pytest
from g2dr_batches import REGIONS, STRIDE

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.data.targets.maps import MapConfig, ObjectMapper
from rhobin.methods.g2dr.shapes import Shapes
from rhobin.objects.load import load_templates


@pytest.fixture(scope="session")
def assets():
    return Assets.of(load_bodies(), load_templates())


@pytest.fixture(scope="session")
def shapes(assets):
    return Shapes(assets, "box", REGIONS, 500)


@pytest.fixture(scope="session")
def mapper(assets):
    return ObjectMapper(assets.templates, MapConfig(stride=STRIDE))
