"""A setting that there is not is told with the one that may be meant."""

import pytest
from commands import call

from rhobin.engine.compose import compose_config, near_settings

SMOKE = "experiment=khor/smoke"


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("trainer.max_step=5", "trainer.max_steps"),
        ("lr=5", "optim.optimizer.lr"),
        ("optim.lr=5", "optim.optimizer.lr"),
        ("data.augmnt.scale=1", "data.augment.scale"),
        ("dta.root=x", "data.root"),
        ("callbacks.ema.decay=0.9", "callbacks.ema"),
        ("flux_capacitor=1", None),
    ],
)
def test_the_nearest_setting_is_named(override, meant):
    with pytest.raises(ValueError, match="there is no setting") as raised:
        compose_config([SMOKE, override])
    end = f"did you mean {meant}?"
    if meant is None:
        end = f"configs/train.yaml names all, and +{override} would add one"
    assert str(raised.value) == f"there is no setting {override.partition('=')[0]}; {end}"


def test_another_misspelt_setting_beside_it_does_not_matter():
    with pytest.raises(ValueError, match=r"no setting sed; did you mean .*\bseed"):
        compose_config([SMOKE, "sed=1", "trainer.max_step=5"])


def test_a_name_that_several_settings_have_offers_the_likest_three():
    places = ("a", "callbacks.log", "callbacks.evaluator", "callbacks.checkpoints", "z")
    known = [*(f"{place}.every_n_steps" for place in places), "b.c"]
    found = near_settings("callbacks.logs.every_n_steps", known)
    assert found[0] == "callbacks.log.every_n_steps"
    assert len(found) == 3
    assert "b.c" not in found


def test_other_errors_of_hydra_keep_their_words():
    with pytest.raises(ValueError, match="Could not find 'optim/mouon'"):
        compose_config([SMOKE, "optim=mouon"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train.py", SMOKE, "trainer.max_step=5"), "trainer.max_step; did you mean trainer.max_steps?"),
        (("eval.py", "run=x", "trakcs=[joint]"), "trakcs; did you mean tracks?"),
    ],
)
def test_the_programs_end_with_it(words, said):
    done = call(*words)
    assert done.returncode == 1
    assert done.stderr.rstrip().splitlines()[-1] == f"error: there is no setting {said}"
    assert "Traceback" not in done.stderr
