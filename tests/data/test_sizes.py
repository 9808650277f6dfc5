"""Batches of several input sizes: one size a batch, the same targets, maps as wide as size over stride."""

import numpy as np
import pytest
import torch
from data_samples import differing, make_dataset, merged, sample_config, tensors
from prepared_roots import make_prepared

from rhobin.data.augment.draw import AugmentConfig
from rhobin.data.datamodule import BehaveDataModule

READS = {
    "targets": ["heatmaps", "maps", "bev"],
    "further": {"object": {"crop": "object", "input_size": 48, "targets": ["maps"]}},
}
SIZES = (48, 64, 96)
OPTIONS = {
    "view": {"input_size": 64, "sizes": list(SIZES)},
    "reads": READS,
    "batch_size": 2,
    "validation": {"fraction": 0.25},
    "workers": 0,
}


def made(root, **changes):
    datamodule = BehaveDataModule(root, **merged(OPTIONS, changes))
    datamodule.setup()
    return datamodule


def test_each_batch_has_one_size_whatever_loads_it(release_root):
    every = []
    for workers, kind in ((0, "none"), (2, "none"), (2, "ram")):
        datamodule = made(
            release_root, workers=workers, cache={"kind": kind}, augment={"occluder": {"p": 0.5}}
        )
        every.append(list(datamodule.train_dataloader()))
    assert {batch.image.shape[-1] for batch in every[0]} == set(SIZES)
    for batches in every[1:]:
        assert not any(differing(a, b) for a, b in zip(every[0], batches, strict=True))
    for batch in every[0]:
        width = batch.image.shape[-1]
        assert batch.target.maps.region.shape[-2:] == (width // 4, width // 4)
        assert batch.target.bev.row.shape[-1] == width // 4
        assert batch.further["object"].image.shape[-1] == 48
    assert next(iter(datamodule.val_dataloader())).image.shape[-1] == 64


def test_validation_and_test_views_are_those_of_one_size(release_root):
    several, one = made(release_root), made(release_root, view={"sizes": []})
    for name in ("val_dataset", "test_dataset"):
        for index in range(2):
            assert not differing(getattr(several, name)[index], getattr(one, name)[index])


@pytest.mark.parametrize("augment", [None, AugmentConfig(shift=0.2)])
def test_a_sample_of_a_size_is_that_of_a_run_with_this_input_size(release_root, augment):
    """Up to how colour was decoded; targets in fractions of the crop do not change at all."""
    several = make_dataset(release_root, sample_config(64, READS, sizes=SIZES), augment)
    for size in SIZES:
        alone = make_dataset(release_root, sample_config(size, READS), augment)
        for index in (1, 6, 11):
            sample, expected = several[(2, index, size)], alone[(2, index)]
            others = tensors(expected)
            for name, value in tensors(sample).items():
                if not name.endswith("image") and "maps.visible" not in name:
                    assert torch.allclose(value, others[name], atol=1e-5), name
            gap = (sample.image[:3].float() - expected.image[:3].float()).abs()
            assert gap.mean() < 5
            assert (sample.image[3:] != expected.image[3:]).float().mean() < 0.02
        uvd = [several[(2, 3, width)].target.heatmaps.joints_uvd for width in (size, 64)]
        weight = several[(2, 3)].target.heatmaps.joints_weight[:, None]
        # u = x / W - 0.5 counts from the first pixel's centre, so half a pixel is another share of the crop
        shift = torch.tensor([0.5 / size - 0.5 / 64, 0.5 / size - 0.5 / 64, 0.0])
        assert torch.allclose((uvd[0] + shift) * weight, uvd[1] * weight, atol=1e-5)


def test_small_sizes_do_not_alias(own_root):
    """Fine stripes vanish in a small crop, as they do when it is decoded for its own size."""
    import cv2

    several = make_dataset(own_root, sample_config(16, READS | {"targets": [], "further": {}}, sizes=(96,)))
    alone = make_dataset(own_root, sample_config(16, READS | {"targets": [], "further": {}}))
    stripes = np.zeros((120, 160, 3), np.uint8)
    stripes[:, ::2] = 255
    cv2.imwrite(str(several.release.view_files(1)[0]), stripes, [cv2.IMWRITE_JPEG_QUALITY, 100])
    found, expected = (dataset[1].image[:3, 4:-4, 4:-4].float().std() for dataset in (several, alone))
    assert found < expected + 12 < 60


def test_a_prepared_root_is_asked_for_the_largest(release_root, tmp_path, caplog):
    out = make_prepared(release_root, tmp_path / "out", size=72)
    made(out, view={"input_size": 16, "sizes": [96]})
    assert "fewer pixels are stored than data.view.input_size=96 shows" in caplog.text


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"stride is 4, which does not divide the crop's 50 px"):
        sample_config(64, READS, sizes=(64, 50))
    with pytest.raises(ValueError, match=r"data.view.sizes is \[64, 0\]; expected whole numbers of pixels"):
        sample_config(64, READS, sizes=(64, 0))
