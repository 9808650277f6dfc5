"""Overrides with a wrong name are refused, with the name that was meant."""

import pytest
from hydra.errors import InstantiationException
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue

from rhobin.__main__ import main
from rhobin.engine.compose import compose_config
from rhobin.engine.fit import fit
from rhobin.engine.held_out import evaluate_views
from rhobin.engine.keys import check_keys
from rhobin.engine.mistakes import check_experiment, said, told


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


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("trainer.max_steps=abc", "'abc'; expected a whole number of at least 1, or -1"),
        ("trainer.devices=0", "0; expected how many devices"),
        ("optim.optimizer.lr=1e-3x", "'1e-3x'; expected a number of at least 0"),
        ("data.batch_size=0", "0; expected a whole number of at least 1"),
        ("data.batch_size=2.5", "2.5; expected a whole number"),
        ("seed=abc", "'abc'; expected a whole number of at least 0"),
        ("threads=0", "0; expected a whole number of at least 1, or null"),
        ("resume=true", "True; expected none, auto, afresh or a checkpoint's path"),
        ("optim.optimizer.weight_decay=abc", "'abc'; expected a number of at least 0"),
        ("data.validation.fraction=1.5", "1.5; expected a number from 0 to below 1"),
        ("data.view.input_size=abc", "'abc'; expected a whole number of at least 1"),
        ("callbacks.log.every_n_steps=0", "0; expected a whole number of at least 1"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(smoke, tmp_path, override, expected):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - compared whole below
        fit(smoke(tmp_path / "run", override))
    assert str(error.value).startswith(f"{override.partition('=')[0]} is {expected}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("run=true", "True; expected a run folder"),
        ("checkpoint=3", "3; expected best or last"),
        ("threads=abc", "'abc'; expected a whole number of at least 1, or null"),
        ("protocol.samples=abc", "'abc'; expected a whole number of at least 1"),
    ],
)
def test_values_of_an_evaluation_that_cannot_be_meant_are_refused(override, expected):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - compared whole below
        evaluate_views(compose_config(["run=x", override], "eval"))
    assert str(error.value) == f"{override.partition('=')[0]} is {expected}"


def test_a_missing_gpu_is_told(smoke, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match=r"trainer\.accelerator is gpu.*no CUDA GPU.*trainer=cpu"):
        fit(smoke(tmp_path / "run", "trainer.accelerator=gpu"))


@pytest.mark.parametrize("override", ["trainer.devices=abc", "trainer.accelerator=tpu"])
def test_what_lightning_does_not_take_is_told(smoke, tmp_path, override):
    with pytest.raises(ValueError, match="Lightning does not take a setting of trainer: "):
        fit(smoke(tmp_path / "run", override))
    assert not (tmp_path / "run").exists()


def test_arguments_that_nothing_takes_are_told_with_their_place(smoke, tmp_path):
    with pytest.raises(ValueError, match=r"nothing reads trainer\.foo"):
        fit(smoke(tmp_path / "run", "+trainer.foo=1"))
    with pytest.raises(InstantiationException) as error:
        fit(smoke(tmp_path / "run", "+model.net.foo=1"))
    assert said(error.value) == "KhorNet.__init__() got an unexpected keyword argument 'foo' (in net)"


def test_a_key_that_is_missing_is_told():
    with pytest.raises(MissingMandatoryValue) as error:
        _ = OmegaConf.create({"run": "???"}).run
    assert said(error.value) == "run is not set; give it on the command line, such as run=runs/demo"


def test_experiments_that_are_not_there_are_told():
    for arguments, message in (
        (["experiment=khor/smok"], "did you mean khor/smoke"),
        (["-m", "experiment=g2dr/smoke,khor/smok"], "no experiment=khor/smok; did you mean khor/smoke"),
        (["experiment=nope"], "rhobin experiments lists all"),
        (["seed=3"], "no experiment is named"),
    ):
        with pytest.raises(SystemExit, match=message):
            check_experiment(arguments)
    with pytest.raises(SystemExit) as end:
        check_experiment(["--help"])
    assert not end.value.code
    check_experiment(["-m", "experiment=khor/smoke,g2dr/smoke"])
    for arguments in (["experiment=g2dr/paper"], ["model=khor"], ["--config-dir", "x", "experiment=mine"]):
        check_experiment(arguments)


def test_commands_other_than_train_py_tell_an_experiment_that_is_not_there(capsys):
    assert main(["plan", "experiment=khor/smokee"]) == 1
    assert capsys.readouterr().err == (
        "error: there is no experiment=khor/smokee; did you mean khor/smoke? rhobin experiments lists all\n"
    )


def test_a_program_that_is_stopped_says_so_without_a_traceback(capsys):
    with pytest.raises(SystemExit) as end, told():
        raise KeyboardInterrupt
    assert end.value.code == 130
    assert capsys.readouterr().err == "stopped by you\n"
