"""A run folder from someone else names what ours do, or nothing of it runs."""

import pytest
import yaml

from rhobin.engine.trusted import UntrustedConfigError, read_config

SOUND = {
    "data": {"_target_": "rhobin.data.datamodule.BehaveDataModule", "root": "data"},
    "model": {
        "_target_": "rhobin.methods.khor.module.Khor",
        "optim": [{"_target_": "torch.optim.AdamW"}, {"_target_": "rhobin.engine.optim.warmup_cosine"}],
    },
    "trainer": {"_target_": "pytorch_lightning.Trainer"},
}


@pytest.fixture
def write(tmp_path):
    def write(content):
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (tmp_path / "config.yaml").write_text(text)
        return tmp_path

    return write


def with_target(target):
    return {**SOUND, "callbacks": {"more": [{"_target_": target, "_args_": ["touch", "x"]}]}}


def test_configs_of_ours_are_read(write):
    assert read_config(write(SOUND)) == SOUND


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "subprocess.check_output",
        "hydra.utils.instantiate",
        "torch.load",
        "torch.hub.load",
        "torch.optim.adam.torch.load",
        "pytorch_lightning.trainer.trainer.os.system",
        "rhobin.files.write_bytes",
        "rhobin.engine.fit.fit",
        "rhobin.engine.session.record",
        "rhobin.methods.base.torch.load",
        "rhobin.methods.base.warnings",
        "rhobin.nets.lite.F.relu",
        "rhobin.nets.nothing.Here",
        "rhobin.nets.lite.nothing",
        "${oc.env:HOME}",
        "",
        7,
    ],
)
def test_other_names_are_refused_before_anything_is_imported(write, target):
    with pytest.raises(UntrustedConfigError, match=r"config\.yaml.*callbacks\.more\.0\._target_.*trust="):
        read_config(write(with_target(target)))


def test_a_package_that_the_user_names_is_trusted_and_no_other(write):
    run = write(with_target("mypackage.mine.Mine"))
    assert read_config(run, ["mypackage"]).callbacks.more[0]._target_ == "mypackage.mine.Mine"
    with pytest.raises(UntrustedConfigError, match=r"trust=\[mypackage\]"):
        read_config(run, ["mypack"])


def test_what_only_looks_small_is_refused(write):
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text in (bomb, "[" * 1000, "a: [", "\x00", "just text", "x: " + "y" * (1 << 20)):
        with pytest.raises(UntrustedConfigError, match=r"config\.yaml"):
            read_config(write(text))
