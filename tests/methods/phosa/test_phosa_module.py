"""PHOSA as a method: views by themselves, what is not seen, people that changed."""

import pickle

import numpy as np
import pytest
import torch

from rhobin.assets import Assets
from rhobin.body.load import load_bodies
from rhobin.methods.phosa.module import Phosa
from rhobin.methods.phosa.scene import TERMS
from rhobin.objects.catalogue import built_in
from rhobin.objects.names import OBJECT_NAMES
from rhobin.types import Batch, SampleKey, Target

SIZE = 64
START = {
    "rotations": 8,
    "refined": 2,
    "together": 2,
    "steps": 2,
    "kernel": 3,
    "lr": 1e-2,
    "edge": 0.5,
    "offscreen": 1000.0,
}
SCENE = {
    "weights": dict.fromkeys(TERMS, 1.0),
    "steps": 3,
    "lr": 1e-3,
    "gap": 2.0,
    "widen": [0.0, 0.7],
    "depth_size": 32,
}


@pytest.fixture(scope="module")
def assets():
    return Assets.of(load_bodies(), {name: built_in(name) for name in OBJECT_NAMES[:3]})


def made(assets, initial="mean"):
    """The method with a body at rest, upright before the camera, as the mean."""
    module = Phosa(assets, initial, START, SCENE, 32, 0.3)
    joints = assets.bodies.rest29(torch.zeros(1, 10), torch.tensor([1]))[0]
    twist = torch.tensor([1.0, 0.0]).expand(23, 2)
    upright = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    means = {"joints": joints - joints[0], "beta": torch.zeros(10), "twist": twist, "facing": upright}
    module.take_means({f"mean_{name}": value for name, value in means.items()})
    return module.eval()


def batch_of(*rows):
    """Views with rectangles as masks: (person, object) as (left, top, right, bottom), or None."""
    image = torch.zeros(len(rows), 5, SIZE, SIZE, dtype=torch.uint8)
    for number, boxes in enumerate(rows):
        for plane, box in zip((3, 4), boxes, strict=True):
            if box is not None:
                left, top, right, bottom = box
                image[number, plane, top:bottom, left:right] = 255
    count = len(rows)
    return Batch(
        image=image,
        K_crop=torch.tensor([[70.0, 0, 31.5], [0, 70.0, 31.5], [0, 0, 1]]).repeat(count, 1, 1),
        window=torch.full((count, 3), 0.5),
        turn=torch.eye(3).repeat(count, 1, 1),
        gender=torch.ones(count, dtype=torch.long),
        object_id=torch.arange(count),
        target=Target(),
        keys=[SampleKey("Date03_Sub04_stool", f"t{i:04d}.000", 1, i) for i in range(count)],
    )


SEEN, NO_OBJECT, NOTHING = ((20, 8, 40, 56), (34, 20, 50, 36)), ((20, 8, 40, 56), None), (None, None)


def test_each_view_is_optimised_by_itself(assets):
    module = made(assets)
    together = module.predict(batch_of(SEEN, NO_OBJECT, NOTHING))
    alone = module.predict(batch_of(SEEN))
    assert torch.equal(together.object.t[:1], alone.object.t)
    assert torch.equal(together.human.trans[:1], alone.human.trans)
    values = (together.object.R, together.object.t, together.object.scale, together.human.theta)
    assert all(value.isfinite().all() for value in (*values, *together.extras.values()))
    assert (together.extras["objective_after"] <= together.extras["objective_before"]).all()


def test_the_person_fills_the_box_of_its_mask_and_a_hidden_object_is_where_the_person_is(assets):
    module, batch = made(assets), batch_of(NO_OBJECT)
    found = module.predict(batch)
    human = found.human
    verts = assets.bodies(human.theta, human.beta, human.trans, batch.gender).verts[0]
    pixels = verts @ batch.K_crop[0].T
    pixels = pixels[:, :2] / pixels[:, 2:]
    low, high = pixels.amin(0), pixels.amax(0)
    assert torch.allclose((low + high) / 2, torch.tensor([29.5, 31.5]), atol=0.1)
    assert float((high - low).norm()) == pytest.approx(np.hypot(20, 48), rel=1e-2)
    assert (found.object.t[0] - verts.mean(0)).norm() < 0.05


def test_results_that_changed_since_the_run_was_made_are_refused(assets, tmp_path):
    file = tmp_path / "results.pkl"
    record = {"frames": ["t0000.000"], "poses": np.zeros((1, 156)), "betas": np.zeros((1, 10)),
              "trans": np.array([[0.0, 0.0, 2.5]])}  # fmt: skip
    file.write_bytes(pickle.dumps({"Date03_Sub04_stool": record}))
    state = made(assets, str(file)).state_dict()
    same = made(assets, str(file))
    same.load_state_dict(state)
    assert torch.equal(same.predict(batch_of(SEEN)).human.trans, torch.tensor([[0.0, 0.0, 2.5]]))
    file.write_bytes(pickle.dumps({"Date03_Sub04_stool": record | {"betas": np.ones((1, 10))}}))
    other = made(assets, str(file))
    other.load_state_dict(state)
    with pytest.raises(ValueError, match="not those that this run was made with"):
        other.predict(batch_of(SEEN))
