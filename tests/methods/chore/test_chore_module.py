"""CHORE's Lightning module: when it fits, how often it asks the network, and where it starts."""

import pickle

import numpy as np
import pytest
import torch
from made_batches import made_batch

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.engine.build import build_module
from rhobin.engine.compose import compose_config
from rhobin.objects.load import load_templates


@pytest.fixture(scope="module")
def assets():
    return Assets.of(load_bodies(), load_templates())


def built(assets, *overrides):
    torch.manual_seed(0)
    return build_module(compose_config(["experiment=chore/smoke", *overrides]), assets).eval()


def predicted(module, batch):
    """What is predicted as `eval.py` does, and how often the heads were asked for it."""
    asked = []
    hook = module.net.asked.register_forward_hook(lambda *_: asked.append(1))
    with torch.inference_mode():
        found = module.predict(batch)
    hook.remove()
    return found, len(asked)


def test_a_fit_asks_once_a_step_and_leaves_the_weights_alone(assets):
    module = built(assets)
    found, asked = predicted(module, made_batch())
    assert asked == module.search["steps"] + 1 + sum(module.fit.steps.values())
    assert all(p.grad is None for p in module.parameters())
    for value in (found.human.theta, found.human.beta, found.human.trans, found.object.R, found.object.t):
        assert value.isfinite().all()
    assert torch.allclose(found.object.R @ found.object.R.mT, torch.eye(3), atol=1e-5)


def test_a_training_is_validated_without_a_fit(assets):
    module = built(assets)
    module.clock.begin(10)
    _, asked = predicted(module, made_batch())
    assert asked == module.search["steps"] + 1


def test_the_encoder_runs_once(assets):
    module, runs = built(assets), []
    module.net.register_forward_hook(lambda *_: runs.append(1))
    predicted(module, made_batch())
    assert len(runs) == 1


def test_a_training_step_teaches_every_weight_and_the_mean_body(assets):
    module, batch = built(assets).train(), made_batch()
    module.check_finite = lambda losses, batch: None
    loss = module.training_step(batch, 0)["loss"]
    loss.backward()
    assert [name for name, p in module.net.named_parameters() if p.grad is None] == []
    assert torch.allclose(module.net.mean.beta, batch.target.human.beta.mean(0))


def test_a_fit_starts_from_another_run_s_bodies(tmp_path, assets):
    batch = made_batch()
    frames = [key.frame for key in batch.keys]
    record = {"frames": frames, "poses": np.zeros((2, 156)), "betas": np.ones((2, 10))}
    (tmp_path / "results.pkl").write_bytes(pickle.dumps({"sequence": record}))
    module = built(assets, f"model.start={tmp_path}")
    module.clock.begin(10)
    human = predicted(module, batch)[0].human
    assert torch.allclose(human.beta, torch.ones(2, 10))
    assert torch.allclose(human.theta[:, :22], torch.eye(3).expand(2, 22, 3, 3))
