"""Every experiment composes, every target exists, every constant says where it comes from."""

import re
import resource
from pathlib import Path

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

from rhobin.engine.build import instantiate
from rhobin.methods.khor.loss import TERMS

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
EXPERIMENTS = sorted(
    str(p.relative_to(CONFIGS / "experiment").with_suffix("")) for p in CONFIGS.glob("experiment/*/*.yaml")
)
FOLDERS = {"backbone", "head", "pixels", "model", "optim", "trainer", "geometry_head", "pnp", "data"}
GROUPS = [p for p in CONFIGS.rglob("*.yaml") if p.parent.name in FOLDERS | {"khor", "g2dr", "chore", "phosa"}]


def composed(*overrides):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", list(overrides))


def targets(node):
    if isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"]
        for value in node.values():
            yield from targets(value)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("logger", ["none", "tensorboard", "wandb", "mlflow"])
def test_experiments_compose_and_their_targets_exist(experiment, logger):
    config = composed(f"experiment={experiment}", f"logger={logger}")
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    found = list(targets(plain))
    assert len(found) >= (8 if config.optim else 2)  # without training there are data and a method
    for target in found:
        assert target.split(".")[0] in {"rhobin", "torch", "pytorch_lightning"}
        get_object(target)


def test_the_paper_s_constants():
    """Report sec. 3.3.1 and 3.3.2."""
    config = composed("experiment=khor/paper")
    assert config.data.view.input_size == 256
    assert config.data.batch_size == 12
    assert config.optim.optimizer._target_ == "torch.optim.Adam"
    assert config.optim.optimizer.lr == 1e-3
    assert list(config.optim.schedule.milestones) == [60, 80]
    assert config.optim.schedule.gamma == 0.1
    assert config.trainer.max_epochs == 90
    assert config.model.net.backbone.variant == "hrnet_w48"
    assert config.model.net.backbone.out_channels == 256
    assert config.model.net.object_classes == 0
    assert {"scale", "rotation_deg", "colour"} <= set(config.data.augment)


@pytest.mark.parametrize("path", GROUPS, ids=lambda p: str(p.relative_to(CONFIGS)))
def test_constants_are_marked_paper_or_assumed(path):
    free = {
        "accumulate_grad_batches",
        "max_steps: -1",
        "max_epochs: -1",
        "devices: 1",
        "workers",
        "mb:",
        "seed",
        "every_n_steps",
        "views",
        "samples",
    }
    for line in path.read_text().splitlines():
        constant = re.match(r"\s*[\w]+: *(\[[\d., ]+\]|-?\d[\d.e-]*)(\s|$)", line)
        if constant and not any(name in line for name in free) and path.stem != "smoke":
            assert re.search(r"# .*(paper|assumed \(docs/decisions/\d{4}\))", line), f"{path}: {line.strip()}"


def test_assumptions_have_their_record():
    named = set(
        re.findall(r"docs/decisions/(\d{4})", "".join(p.read_text() for p in CONFIGS.rglob("*.yaml")))
    )
    written = {p.name[:4] for p in (ROOT / "docs" / "decisions").glob("*.md")}
    assert named
    assert named <= written


def test_an_unknown_key_is_refused():
    config = composed("experiment=khor/smoke", "+model.net.backbone.wdiths=[1]")
    with pytest.raises(Exception, match="wdiths"):
        instantiate(config.model.net.backbone)


def test_loss_weights_name_the_losses():
    terms = [name for names in TERMS.values() for name in names]
    assert sorted(composed("experiment=khor/paper").model.weights) == sorted(terms)


@pytest.fixture(scope="module")
def paper_net():
    torch.manual_seed(0)
    config = composed("experiment=khor/paper", "model.net.backbone.weights=null")
    return instantiate(config.model.net)


def test_the_paper_network_has_its_parts(paper_net):
    assert paper_net.backbone.net.conv1.weight.shape == (64, 5, 3, 3)
    assert paper_net.backbone.fuse[0].weight.shape == (256, 48 + 96 + 192 + 384, 1, 1)
    assert paper_net.human.heatmap.weight.shape == (29 * 64, 256, 1, 1)
    assert paper_net.object.heatmap.weight.shape == (8 * 64, 256, 1, 1)
    assert paper_net.beta.weight.shape == (10, 256)
    assert paper_net.twist.weight.shape == (46, 256)
    assert 64e6 < sum(p.numel() for p in paper_net.parameters()) < 68e6


def test_the_paper_network_learns_from_one_image(paper_net):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    output = paper_net(torch.randn(1, 5, 256, 256), torch.zeros(1, dtype=torch.long))
    assert output.human.uvd.shape == (1, 29, 3)
    assert output.object.uvd.shape == (1, 8, 3)
    sum(
        part.square().mean() for part in (*output.human, *output.object, output.beta, output.twist)
    ).backward()
    idle = [name for name, p in paper_net.named_parameters() if p.grad is None]
    assert idle == []
    grown_gb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    assert grown_gb < 3


def test_experiment_files_say_what_they_reproduce():
    for path in CONFIGS.glob("experiment/*/*.yaml"):
        first, second = path.read_text().splitlines()[:2]
        assert first == "# @package _global_"
        assert second.startswith("# ")
        yaml.safe_load(path.read_text())
