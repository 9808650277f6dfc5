"""What is better."""

from rhobin.engine.monitor import Monitor


def test_the_direction_counts_and_what_is_no_number_never_wins():
    error, recall = Monitor("val/joint_mm", False), Monitor("val/AR_all", True)
    assert error.better(1.0, None)
    assert error.better(1.0, 2.0)
    assert not error.better(2.0, 2.0)
    assert recall.better(0.0, None)
    assert recall.better(0.3, 0.2)
    assert not recall.better(0.2, 0.3)
    assert not recall.better(float("nan"), None)
