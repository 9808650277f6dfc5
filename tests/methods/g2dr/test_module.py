"""G2DR learns a handful of views by heart, whatever its symmetries; and says how sure it is."""

import numpy as np
import pytest
import torch
from g2dr_batches import SIZE, STRIDE, make_batch

from rhobin.clock import Clock
from rhobin.geometry.rotation import geodesic_angle
from rhobin.methods.g2dr.decode import map_intrinsics
from rhobin.methods.g2dr.module import G2dr
from rhobin.methods.g2dr.net import G2drNet
from rhobin.metrics.object import object_errors
from rhobin.metrics.object_track import summarise_object
from rhobin.metrics.points import PointSet
from rhobin.metrics.protocol import OBJECT_MODES
from rhobin.nets.geometry_head import PlainHead
from rhobin.nets.lite import Lite
from rhobin.nets.patch_pnp import PatchPnP
from rhobin.objects.names import OBJECT_NAMES

KINECT = np.array([[979.784, 0, 1018.952], [0, 979.84, 779.486], [0, 0, 1]])  # of the challenge's images
PARTS = ("nocs", "region", "visible", "amodal", "points", "centre", "depth")
ASYMMETRIC = [OBJECT_NAMES.index(name) for name in ("backpack", "chairwood", "chairblack", "keyboard")]


def method(assets, **kwargs):
    torch.manual_seed(0)
    net = G2drNet(
        Lite(3, (16, 24, 32, 48), 32),
        lambda grid_channels: PlainHead(grid_channels, 32),
        lambda **given: PatchPnP(channels=32, hidden=(64, 32), std=None, **given),
        SIZE,
        STRIDE,
    )
    settings = {
        "weights": dict.fromkeys(PARTS, 1.0), "late": {}, "switch": 1.0, "optim": {}, "input_size": SIZE,
        "stride": STRIDE, "nocs": "box", "regions": 64, "hidden": 0.0, "points": 200, "order": 2,
    }  # fmt: skip
    module = G2dr(net, assets=assets, **{**settings, **kwargs})
    module.clock = Clock(max_steps=100)
    return module


@pytest.fixture(scope="module")
def learnt(assets, mapper):
    """A network that has seen eight views, and nothing else, three hundred times."""
    module, batch = method(assets), make_batch(mapper, [*ASYMMETRIC, *ASYMMETRIC])
    torch.manual_seed(1)
    batch.image = torch.randint(0, 255, batch.image.shape, dtype=torch.uint8)
    optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3)
    for step in range(300):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * min(1.0, 2 * (1 - step / 300))
        optimizer.zero_grad()
        module.losses(module.run_net(batch), batch)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
    return module, batch


def test_eight_views_are_learnt_by_heart(learnt, assets):
    """Rotations to three degrees, and AR_all above 0.95 by the challenge's thresholds."""
    module, batch = learnt
    predicted, true = module.predict(batch).object, batch.target.object
    assert torch.rad2deg(geodesic_angle(predicted.R, true.R)).max() < 3
    recalls = []
    for row, object_id in enumerate(batch.object_id.tolist()):
        template, one = assets.templates[object_id], slice(row, row + 1)
        errors = object_errors(
            predicted.R[one], predicted.t[one], true.R[one], true.t[one], PointSet(template.verts),
            (template.symmetries, template.symmetry_offsets), KINECT,
        )  # fmt: skip
        recalls.append(summarise_object(errors, OBJECT_MODES["official"])["AR_all"])
    assert np.mean(recalls) > 0.95


def test_the_network_sees_the_grid_that_its_targets_are_drawn_on(assets, mapper):
    batch, stride = make_batch(mapper, list(range(20))), STRIDE
    assert torch.allclose(map_intrinsics(batch.K_crop, stride), batch.target.maps.K, atol=1e-4)
    assert torch.allclose(method(assets).shapes.box[batch.object_id], batch.target.maps.box)


def test_the_check_by_pnp_is_said_of_every_view(learnt):
    module, batch = learnt
    extras = module.predict(batch).extras
    assert set(extras) == {"confidence", "pnp_inliers", "pnp_turn_deg", "pnp_shift_mm"}
    assert all(value.shape == (8,) for value in extras.values())
    assert (extras["pnp_inliers"] > 0.5).float().mean() > 0.7, "coordinates were learnt too"
    assert ((extras["confidence"] >= 0) & (extras["confidence"] <= 1)).all()


def test_the_form_of_the_translation_is_undone(assets, mapper):
    """Both forms decode their own encoding, though they count in different boxes and depths."""
    from rhobin.geometry.allocentric import decode_site, encode_site
    from rhobin.methods.g2dr.decode import SITES, site_frame

    batch = make_batch(mapper, list(range(20)))
    told = []
    for form in SITES:
        frame = site_frame(batch, SIZE, form)
        site = encode_site(batch.target.object.t, batch.K_crop, frame)
        assert torch.allclose(decode_site(site, batch.K_crop, frame), batch.target.object.t, atol=1e-5)
        told.append(site)
    assert not torch.allclose(told[0], told[1])


@pytest.mark.parametrize(("name", "value"), [("symmetry", "each"), ("site", "metres"), ("order", 3)])
def test_settings_are_checked(assets, name, value):
    with pytest.raises(ValueError, match=f"model.{name} is {value!r}; expected one of"):
        method(assets, **{name: value})


def test_separate_choices_can_contradict_each_other(assets, mapper):
    """What sharing one choice prevents: maps and pose told in two frames."""
    module, batch = method(assets, symmetry="separate"), make_batch(mapper, list(range(20)))
    torch.manual_seed(3)
    output = module.run_net(batch)
    output = output._replace(nocs=torch.rand_like(output.nocs))
    told = module.in_best_frame(output, batch)
    shared = method(assets).in_best_frame(output, batch)
    rows = np.arange(20)
    apart = [
        i for i in rows if not torch.allclose(told.target.maps.nocs[i], shared.target.maps.nocs[i], atol=1e-4)
    ]
    assert apart, "some object's maps are told in another frame than its pose"


def test_mixed_precision_keeps_the_geometry(assets, mapper):
    """Under bfloat16 the network's numbers are coarse; what is made of them is not."""
    module, batch = method(assets), make_batch(mapper, list(range(20)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = module.run_net(batch)
        told = module.in_best_frame(output, batch)
        losses = module.losses_of(output, told)
    assert output.rot6d.dtype == output.site.dtype == output.nocs.dtype == torch.float32
    again = module.in_best_frame(output, batch)
    assert torch.equal(told.target.maps.region, again.target.maps.region)
    assert torch.equal(told.target.object.R, again.target.object.R)
    exact = module.losses_of(output, again)
    for name, value in losses.items():
        assert value.item() == pytest.approx(exact[name].item(), rel=1e-5), name


def test_float16_is_refused_with_two_optimisers(assets):
    module = method(assets)
    module.optim = {"net": {}, "gan": {}}
    with pytest.raises(ValueError, match=r"trainer\.precision is 16-mixed, whose loss scale"):
        module.trainer_settings({"precision": "16-mixed"})
