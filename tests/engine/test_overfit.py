"""Two views that a small network knows by heart: a short form of tools/trials/overfit.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "trials"))
from overfit import ERRORS, overfit


def test_two_views_are_learnt_and_nothing_is_lost_between_network_and_meshes(smoke, tmp_path):
    wider = ("model.net.backbone.widths=[32,48,64,64]", "model.net.backbone.out_channels=32")
    config = smoke(tmp_path / "run", "experiment=khor/smoke", *wider)
    before, after = (overfit(config, steps, 2) for steps in (0, 500))
    for error in ERRORS:
        assert after["fit"][error] < after["floor"][error] + 3
        assert after["trained"][error] < after["floor"][error] + 0.3 * before["trained"][error]
