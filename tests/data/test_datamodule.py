"""Loaders: the same batches for any number of workers, from any position, and a clear account of losses."""

import pytest
import pytorch_lightning as pl
import torch
from behave_tree import TEST, TRAIN, make_tree
from data_samples import differing, merged

from rhobin.clock import Clock
from rhobin.data.datamodule import BehaveDataModule
from rhobin.types import map_tensors

OPTIONS = {
    "view": {"input_size": 32},
    "batch_size": 4,
    "augment": {},
    "validation": {"fraction": 0.25},
    "workers": 0,
}


def make(root, **changes):
    datamodule = BehaveDataModule(root, **merged(OPTIONS, changes))
    datamodule.setup()
    return datamodule


def same(a, b):
    return a.keys == b.keys and not differing(a, b)


@pytest.fixture(scope="module")
def expected(release_root):
    loader = make(release_root).train_dataloader()
    return [batch for _ in range(3) for batch in loader]


@pytest.mark.parametrize(("workers", "cache"), [(2, "none"), (2, "ram"), (1, "none"), (0, "ram")])
def test_batches_do_not_depend_on_workers_or_cache(release_root, expected, workers, cache):
    loader = make(release_root, workers=workers, cache={"kind": cache}).train_dataloader()
    batches = [batch for _ in range(3) for batch in loader]
    assert len(batches) == len(expected) == 18
    assert all(same(a, b) for a, b in zip(batches, expected, strict=True))


def test_a_loader_process_hands_over_a_batch_in_one_piece(release_root, expected):
    batch = next(iter(make(release_root, workers=1).train_dataloader()))
    places = []
    map_tensors(batch, lambda tensor: places.append(tensor.untyped_storage().data_ptr()))
    assert len(places) > 10
    assert len(set(places)) == 1
    assert same(batch, expected[0])


def test_workers_fill_the_cache_of_the_main_process(release_root):
    datamodule = make(release_root, workers=2, cache={"kind": "ram"})
    list(datamodule.train_dataloader())
    assert datamodule.train_dataset.decoded.cache.ready.sum() >= 20


@pytest.mark.parametrize("done", [1, 6, 8])
@pytest.mark.parametrize("workers", [0, 2])
def test_seek_goes_on_where_training_stopped(release_root, expected, done, workers):
    loader = make(release_root, workers=workers).train_dataloader()
    loader.sampler.seek(done)
    rest = [batch for _ in range(3) for batch in loader][: 18 - done]
    assert all(same(a, b) for a, b in zip(rest, expected[done:], strict=True))


def test_the_seed_of_training_does_not_choose_validation(release_root):
    def held_out(**changes):
        dataset = make(
            release_root, validation={"by": "sequence", **changes.pop("validation", {})}, **changes
        ).val_dataset
        return {dataset.key(i).sequence for i in range(len(dataset))}

    usual = held_out()
    assert all(held_out(seed=seed) == usual for seed in range(1, 5))
    assert any(held_out(validation={"seed": seed}) != usual for seed in range(1, 9))


def test_splits_share_no_sequence_and_test_is_kinect_1(release_root):
    datamodule = make(release_root)
    names = {}
    for part in ("train", "val", "test"):
        dataset = getattr(datamodule, f"{part}_dataset")
        keys = [dataset.key(i) for i in range(len(dataset))]
        names[part] = {key.sequence for key in keys}
        assert {key.camera for key in keys} == ({1} if part == "test" else {0, 1, 2, 3})
    assert names["train"] | names["val"] == set(TRAIN)
    assert not names["train"] & names["val"]
    assert len({name[:12] for name in names["val"]}) == 1
    assert names["test"] == set(TEST)
    assert datamodule.val_dataset.augment is datamodule.test_dataset.augment is None


def test_validation_can_be_thinned_or_left_out(release_root):
    assert len(make(release_root, validation={"views": 3}).val_dataset) == 3
    without = make(release_root, validation={"fraction": 0})
    assert without.val_dataset is None
    assert without.val_dataloader() == []
    assert len(without.train_dataset) == 32


def test_test_batches_are_complete_and_in_order(release_root):
    datamodule = make(release_root, batch_size=3)
    keys = [key for batch in datamodule.test_dataloader() for key in batch.keys]
    assert [key.index for key in keys] == [0, 1]
    (batch,) = datamodule.predict_dataloader()
    assert batch.image.shape == (2, 5, 32, 32)
    assert len(batch) == 2
    assert batch.target.human.theta.shape == (2, 52, 3, 3)
    assert batch.gender.dtype == torch.int64


def test_losses_at_reading_and_in_workers_end_in_one_manifest(own_root):
    folder = own_root / "sequences" / TRAIN[0]
    (folder / "t0003.000/person/fit02/person_fit.pkl").unlink()
    image = folder / "t0004.000/k1.color.jpg"
    image.write_bytes(image.read_bytes()[:300])
    datamodule = make(own_root, workers=2, view={"on_bad_sample": "skip"}, validation={"fraction": 0})
    batches = list(datamodule.train_dataloader())
    assert sum(len(batch) for batch in batches) == 28
    skipped = datamodule.manifest()["skipped"]
    assert skipped == {
        "missing_person_fit": {"files": 1, "views": 4},
        "unreadable_image": {"files": 1, "views": 1},
    }
    assert {skip.file for skip in datamodule.skips} == {
        f"sequences/{TRAIN[0]}/t0003.000/person/fit02/person_fit.pkl",
        f"sequences/{TRAIN[0]}/t0004.000/k1.color.jpg",
    }


def test_a_missing_root_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"rhobin synth --out"):
        BehaveDataModule(tmp_path / "none").setup()
    with pytest.raises(ValueError, match=r"data.cache.kind is 'disk'; expected one of none, ram"):
        BehaveDataModule(tmp_path, cache={"kind": "disk"})


class Recorder(pl.LightningModule):
    """Keeps the keys of every batch it is trained on."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append([(key.sequence, key.frame, key.camera) for key in batch.keys])
        return self.weight.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Saver(pl.Callback):
    """Counts batches, and writes a checkpoint after one of them, as a run does that is killed later."""

    def __init__(self, folder, step, clock):
        self.folder, self.step, self.clock = folder, step, clock

    def on_train_batch_end(self, trainer, *args):
        self.clock.count()
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.folder / "last.ckpt")


def fit(datamodule, folder, steps, checkpoint=None, save_at=None, done=0):
    module = Recorder()
    datamodule.clock = Clock(steps)
    datamodule.clock.batches = done
    parts = ("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing")
    quiet = dict.fromkeys(parts, False)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=steps,
        limit_val_batches=0,
        callbacks=[Saver(folder, save_at, datamodule.clock)],
        **quiet,
    )
    trainer.fit(module, datamodule=datamodule, ckpt_path=checkpoint, weights_only=True)
    return module.seen


@pytest.fixture(scope="module")
def uninterrupted(release_root, tmp_path_factory):
    return fit(make(release_root), tmp_path_factory.mktemp("run"), 20)


@pytest.mark.parametrize(
    ("workers", "stop", "killed"), [(0, 4, 5), (2, 4, 6), (0, 6, 6), (2, 6, 8), (2, 9, 9)]
)
def test_lightning_resumes_at_the_batch_of_the_checkpoint(
    release_root, tmp_path, uninterrupted, workers, stop, killed
):
    """Epochs have six batches: checkpoints inside and at the end of one; the run dies there or later."""
    datamodule = make(release_root, workers=workers)
    begun = fit(datamodule, tmp_path, killed, save_at=stop)
    rest = fit(make(release_root, workers=workers), tmp_path, 20, tmp_path / "last.ckpt", done=stop)
    assert begun[:stop] + rest == uninterrupted
    assert len(uninterrupted) == 20


def test_resuming_on_other_data_warns(release_root, tmp_path, caplog):
    fit(make(release_root), tmp_path, 3, save_at=3)
    other = make_tree(tmp_path / "other", frames=1, seed=8)
    fit(make(other, validation={"fraction": 0}), tmp_path, 5, tmp_path / "last.ckpt")
    assert "resumed with data.data_hash" in caplog.text
    assert "resumed with data.seed" not in caplog.text
