"""Overrides with a wrong name are refused, with the name that was meant."""

import pytest

from rhobin.engine.fit import fit
from rhobin.engine.keys import check_keys


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("+optim.lr=1", "optim.optimizer.lr"),
        ("+lr=1", "optim.optimizer.lr"),
        ("+max_steps=3", "trainer.max_steps"),
        ("+model.optim.net.lr=1", "optim.optimizer.lr"),
        ("+callbacks.every_n_steps=3", "every_n_steps"),
        ("+logger.name=x", "name"),
        ("+Seed=3", "seed"),
    ],
)
def test_what_nothing_reads_is_refused(smoke, tmp_path, override, meant):
    with pytest.raises(
        ValueError, match=rf"nothing reads {override[1:].partition('=')[0]}; did you mean .*{meant}"
    ):
        fit(smoke(tmp_path / "run", override))
    assert not (tmp_path / "run").exists()


def test_what_is_read_passes(smoke, tmp_path):
    more = "{_target_: rhobin.engine.ema.WeightAverage, decay: 0.9}"
    for overrides in ((), (f"+callbacks.mine={more}",), ("logger=tensorboard",), ("logger=wandb",)):
        check_keys(smoke(tmp_path / "run", *overrides))
