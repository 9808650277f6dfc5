"""tools/trials/overfit.py starts, and nothing is lost between perfect heatmap coordinates and meshes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "trials"))
from overfit import ERRORS, overfit


def test_true_keypoints_of_two_views_come_back_as_their_meshes(smoke, tmp_path):
    found = overfit(smoke(tmp_path / "run"), 20, 2)
    for error in ERRORS:
        assert found["fit"][error] < found["floor"][error] + 3
        assert found["trained"][error] > found["floor"][error] + 3
