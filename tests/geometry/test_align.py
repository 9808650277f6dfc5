import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rhobin.geometry.align import rigid_align


def _problem(batch=6, count=8, seed=0):
    rng = np.random.default_rng(seed)
    a = torch.from_numpy(rng.normal(size=(batch, count, 3)) + rng.normal(size=(batch, 1, 3)))
    R = torch.from_numpy(Rotation.random(batch, rng=rng).as_matrix())
    t = torch.from_numpy(rng.normal(size=(batch, 3)))
    s = torch.from_numpy(rng.uniform(0.3, 3, batch))
    return a, R, t, s


def _apply(a, R, t, s):
    return s[:, None, None] * a @ R.mT + t[:, None]


@pytest.mark.parametrize("scale", [False, True])
def test_exact_correspondences_are_recovered(scale):
    a, R, t, s = _problem()
    s = s if scale else torch.ones_like(s)
    found = rigid_align(a, _apply(a, R, t, s), scale=scale)
    for value, expected in zip(found, (R, t, s), strict=True):
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-12)


def test_rotation_equals_scipy_on_noisy_weighted_points():
    a, R, t, s = _problem(seed=1)
    rng = np.random.default_rng(2)
    b = _apply(a, R, t, torch.ones_like(s)) + torch.from_numpy(rng.normal(scale=0.3, size=a.shape))
    weight = torch.from_numpy(rng.uniform(0.1, 2, a.shape[:2]))
    found, shift, _ = rigid_align(a, b, weight)
    for i in range(len(a)):
        w = weight[i].numpy()
        centre_a, centre_b = (np.average(x[i].numpy(), axis=0, weights=w) for x in (a, b))
        expected, _ = Rotation.align_vectors(b[i].numpy() - centre_b, a[i].numpy() - centre_a, weights=w)
        np.testing.assert_allclose(found[i].numpy(), expected.as_matrix(), atol=1e-8)
        np.testing.assert_allclose(shift[i].numpy(), centre_b - expected.apply(centre_a), atol=1e-8)


def test_scale_minimises_the_error():
    a, R, t, s = _problem(seed=3)
    b = _apply(a, R, t, s) + 0.2 * torch.randn(
        a.shape, dtype=a.dtype, generator=torch.Generator().manual_seed(0)
    )
    R, t, s = rigid_align(a, b, scale=True)
    best = (_apply(a, R, t, s) - b).square().sum((1, 2))
    for factor in (0.99, 1.01):
        shift = b.mean(1) - factor * s[:, None] * (R @ a.mean(1)[..., None]).squeeze(-1)
        assert ((_apply(a, R, shift, factor * s) - b).square().sum((1, 2)) > best).all()


def test_a_mirrored_target_is_not_matched_by_a_reflection():
    a, *_ = _problem(seed=4)
    R, _, s = rigid_align(a, a * torch.tensor([-1.0, 1, 1], dtype=a.dtype), scale=True)
    torch.testing.assert_close(torch.linalg.det(R), torch.ones(len(a), dtype=a.dtype), rtol=0, atol=1e-12)
    assert (s < 0.999).all()


def test_flat_and_degenerate_points_give_proper_rotations_and_finite_gradients():
    a, *_ = _problem(seed=5)
    flat = a * torch.tensor([1.0, 1, 0], dtype=a.dtype)
    line = a * torch.tensor([1.0, 0, 0], dtype=a.dtype)
    for source, target, weight in (
        (flat, flat, None),
        (line, line, None),
        (torch.zeros_like(a), a, None),
        (a, torch.zeros_like(a), None),
        (a, a, torch.zeros_like(a[..., 0])),
    ):
        target = target.clone().requires_grad_()
        R, t, s = rigid_align(source, target, weight, scale=True)
        torch.testing.assert_close(torch.linalg.det(R), torch.ones(len(a), dtype=a.dtype), rtol=0, atol=1e-9)
        (R.sum() + t.sum() + s.sum()).backward()
        assert torch.isfinite(target.grad).all()


def test_small_objects_have_the_gradients_of_large_ones():
    """The rotation does not depend on size, so its gradient scales with 1 / size."""
    a, R, t, _ = _problem(seed=6)
    gradients = []
    for size in (1.0, 1e-4):
        b = (size * (a @ R.mT + t[:, None])).requires_grad_()
        found, *_ = rigid_align(size * a, b)
        found[:, 0, 1].sum().backward()
        gradients.append(size * b.grad)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-6, atol=1e-9)


def test_gradients_equal_finite_differences():
    a, R, t, s = _problem(2, 5, seed=7)
    b = _apply(a, R, t, s) + 0.1 * torch.randn(
        a.shape, dtype=a.dtype, generator=torch.Generator().manual_seed(1)
    )
    inputs = (a.requires_grad_(), b.requires_grad_())
    assert torch.autograd.gradcheck(lambda x, y: rigid_align(x, y, scale=True), inputs)


def test_the_fitted_translation_belongs_to_the_returned_scale():
    """With the scale fixed at one, t must not carry a fitted scale (a known fault of earlier code)."""
    a, R, t, s = _problem(seed=8)
    b = _apply(a, R, t, s)
    R1, t1, s1 = rigid_align(a, b, scale=False)
    torch.testing.assert_close(_apply(a, R1, t1, s1).mean(1), b.mean(1), rtol=0, atol=1e-12)


def test_conthos_fits_of_eight_keypoints_are_met(oracle):
    """Those of single frames; the batched variant that is recorded beside them is wrong."""
    recorded = oracle("contho_pipeline")
    a, b = (torch.from_numpy(recorded[f"kp8/{name}"]) for name in "AB")
    for found, name in zip(rigid_align(a, b, scale=True), ("R", "t", "scale"), strict=True):
        np.testing.assert_allclose(found.numpy(), recorded[f"kp8/{name}"], atol=1e-9)
