"""What is better."""

import pytest

from rhobin.engine.compose import compose_config
from rhobin.engine.monitor import Monitor, check_monitor

MONITOR = "callbacks.evaluator.monitor"


def test_the_direction_counts_and_what_is_no_number_never_wins():
    error, recall = Monitor("val/joint_mm", False), Monitor("val/AR_all", True)
    assert error.better(1.0, None)
    assert error.better(1.0, 2.0)
    assert not error.better(2.0, 2.0)
    assert recall.better(0.0, None)
    assert recall.better(0.3, 0.2)
    assert not recall.better(0.2, 0.3)
    assert not recall.better(float("nan"), None)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (f"{MONITOR}.name=val/joint_m", "'val/joint_m'; did you mean val/joint_mm.*val/loss"),
        (f"{MONITOR}.higher_is_better=true", "true; expected false, since a smaller val/joint_mm is better"),
        (f"{MONITOR}.name=val/AR_all", "false; expected true, since a larger val/AR_all is better"),
    ],
)
def test_a_score_that_cannot_choose_the_best_checkpoint_is_refused_before_training(override, said):
    with pytest.raises(ValueError, match=said):
        check_monitor(compose_config(["experiment=khor/smoke", override]))


def test_scores_that_a_method_has_pass():
    for name in ("val/loss", "val/kpts_laplace", "val/MPJPE_PA"):
        check_monitor(compose_config(["experiment=khor/smoke", f"{MONITOR}.name={name}"]))
    free = ["experiment=khor/smoke", "~model.weights", f"{MONITOR}.name=val/anything"]
    check_monitor(compose_config(free))
    for name in ("g2dr/paper", "bev_hybrik/paper_base", "chore/paper", "phosa/smoke"):
        check_monitor(compose_config([f"experiment={name}"]))
