"""Batches, steps and epochs of a run."""

import pytest

from rhobin.clock import Clock


def run(clock, batches_per_epoch):
    """Count to the end; which batches completed a step, and the epoch of each."""
    clock.begin(batches_per_epoch)
    stepped, epochs = [], []
    while not clock.finished:
        opened, will, last = clock.will_open, clock.will_step, clock.will_end_epoch
        clock.count()
        assert clock.stepped == will
        assert last == (clock.batches % batches_per_epoch == 0)
        if opened:
            assert clock.batches == 1 or stepped[-1]
        stepped.append(clock.stepped)
        epochs.append(clock.epoch)
    return stepped, epochs


@pytest.mark.parametrize("accumulate", [1, 2, 3])
def test_a_step_is_so_many_batches_and_none_crosses_an_epoch(accumulate):
    clock = Clock(max_epochs=2, accumulate=accumulate)
    stepped, epochs = run(clock, 5)
    one = [(i + 1) % accumulate == 0 or i == 4 for i in range(5)]
    assert stepped == one * 2
    assert epochs == [0] * 5 + [1] * 5
    assert clock.step == clock.total == sum(one) * 2
    assert clock.progress == 1


def test_the_shorter_limit_counts():
    clock = Clock(max_steps=7, max_epochs=3)
    clock.begin(6)
    assert clock.total == 7
    clock = Clock(max_steps=100, max_epochs=3)
    clock.begin(6)
    assert clock.total == 18


def test_periodic_things_happen_once_a_step_and_at_the_end():
    clock = Clock(max_steps=7, accumulate=2)
    clock.begin(100)
    due = []
    while not clock.finished:
        clock.count()
        due.append(clock.due(3))
    assert [i + 1 for i, is_due in enumerate(due) if is_due] == [6, 12, 14]


def test_a_run_without_an_end_is_refused():
    with pytest.raises(ValueError, match=r"max_steps is -1 and trainer\.max_epochs is -1"):
        Clock()
    with pytest.raises(ValueError, match="accumulate_grad_batches is 0"):
        Clock(max_steps=1, accumulate=0)
