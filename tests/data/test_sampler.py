"""The order of training."""

import pytest

from rhobin.data.sampler import ResumableSampler


def batches(sampler):
    flat = list(sampler)
    return [flat[i : i + sampler.batch_size] for i in range(0, len(flat), sampler.batch_size)]


def test_an_epoch_is_a_permutation_and_epochs_differ():
    sampler = ResumableSampler(22, 4, seed=5)
    first, second = list(sampler), list(sampler)
    assert len(first) == len(sampler) == 20
    assert len({index for _, index in first}) == 20
    assert [epoch for epoch, _ in first + second] == [0] * 20 + [1] * 20
    assert [i for _, i in first] != [i for _, i in second]
    assert first == list(ResumableSampler(22, 4, seed=5))
    assert first != list(ResumableSampler(22, 4, seed=6))


@pytest.mark.parametrize("done", [0, 1, 4, 5, 7, 15])
def test_seeking_gives_what_would_have_come(done):
    whole = ResumableSampler(22, 4, seed=5)
    expected = [batch for _ in range(5) for batch in batches(whole)]
    resumed = ResumableSampler(22, 4, seed=5)
    resumed.seek(done)
    rest = [batch for _ in range(5) for batch in batches(resumed)]
    assert rest[: len(expected) - done] == expected[done:]
    assert len(resumed) == 20


def test_a_position_decides_where_every_iteration_begins():
    whole = ResumableSampler(22, 4, seed=5)
    expected = [batch for _ in range(3) for batch in batches(whole)]
    done = 3
    sampler = ResumableSampler(22, 4, seed=5, position=lambda: done)
    assert batches(sampler) == batches(sampler) == expected[3:5]
    done = 5
    assert batches(sampler) == expected[5:10]


def test_an_iterator_keeps_its_epoch_whatever_follows():
    sampler = ResumableSampler(22, 4, seed=5)
    expected = list(ResumableSampler(22, 4, seed=5))
    iterator = iter(sampler)
    sampler.seek(9)
    assert list(iterator) == expected


def test_ranks_share_an_epoch():
    alone = batches(ResumableSampler(22, 4, seed=5))
    pair = [batches(ResumableSampler(22, 2, seed=5, rank=rank, ranks=2)) for rank in range(2)]
    assert [a + b for a, b in zip(*pair, strict=True)] == alone


def test_a_batch_has_one_size_that_all_ranks_and_resumed_runs_agree_on():
    sizes = (512, 576, 640, 704)
    make = lambda **kwargs: ResumableSampler(400, 4, seed=5, sizes=sizes, **kwargs)  # noqa: E731
    whole = make()
    alone = [batch for _ in range(2) for batch in batches(whole)]
    drawn = [{size for _, _, size in batch} for batch in alone]
    assert all(len(one) == 1 for one in drawn)
    counts = [sum(one == {size} for one in drawn) for size in sizes]
    assert min(counts) > 25
    assert drawn[:100] != drawn[100:]
    assert [[item[:2] for item in batch] for batch in alone[:100]] == batches(
        ResumableSampler(400, 4, seed=5)
    )
    resumed = make()
    resumed.seek(137)
    assert batches(resumed) == alone[137:]
    pair = [batches(ResumableSampler(400, 2, seed=5, rank=rank, ranks=2, sizes=sizes)) for rank in range(2)]
    assert [a + b for a, b in zip(*pair, strict=True)] == alone[:100]


def test_too_few_samples():
    with pytest.raises(ValueError, match="3 training views are fewer than one batch of 4"):
        ResumableSampler(3, 4)
