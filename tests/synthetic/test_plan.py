"""Dataset plans: BEHAVE's names, the split, every object."""

import hashlib
import re
from collections import Counter
from dataclasses import replace

import pytest

from rhobin.objects.names import OBJECT_NAMES
from rhobin.synthetic.interactions.table import INTERACTIONS
from rhobin.synthetic.people.subjects import SUBJECTS
from rhobin.synthetic.plan import TEST_DATE, TEST_SUBJECTS, actions_of, plan_dataset

KINDS = {"carry", "hold", "hug", "sit", "lift", "push", "touch", "step", "lean"}
HASHES = {
    "tiny": "69fde35cc92cdf3f",
    "demo": "1661fe6f937b1a9a",
    "long": "2a160b40ee72931a",
    "bench": "ed6a5511a7a21d4b",
    "bench_long": "2359a716f972acbb",
}  # SHA-256 of the plans that README's figures are of


def parts(plans, split):
    return [plan for plan in plans if plan.split == split]


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        ("tiny", (4, 0, 2)),
        ("demo", (92, 0, 24)),
        ("long", (950, 0, 40)),
        ("bench", (92, 160, 400)),
        ("bench_long", (950, 160, 400)),
        ("bench_occluded", (0, 0, 160)),
    ],
)
def test_sizes(size, counts):
    plans = plan_dataset(size, 0)
    assert tuple(len(parts(plans, split)) for split in ("train", "val", "test")) == counts
    assert len({plan.name for plan in plans}) == len(plans)
    assert len({plan.seed for plan in plans}) == len(plans)


def test_names_say_what_the_plan_is():
    for plan in plan_dataset("demo", 1):
        match = re.fullmatch(r"(Date\d\d)_(Sub\d\d)_([a-z]+)_([a-z]+)\d*", plan.name)
        assert match, plan.name
        assert match.groups() == (plan.date, plan.subject, plan.object_name, plan.action)
        assert plan.object_name in INTERACTIONS[plan.action].objects
        assert plan.n_frames == 8


@pytest.mark.parametrize("size", ["tiny", "demo", "long"])
def test_the_test_split_is_one_unseen_room_with_an_unseen_person(size):
    plans = plan_dataset(size, 2)
    train, test = parts(plans, "train"), parts(plans, "test")
    assert {plan.date for plan in test} == {TEST_DATE}
    assert TEST_DATE not in {plan.date for plan in train}
    assert {plan.subject for plan in test} <= set(TEST_SUBJECTS)
    assert "Sub03" not in {plan.subject for plan in train}


@pytest.mark.parametrize("size", ["demo", "long"])
def test_every_object_is_in_both_splits_and_every_kind_in_training(size):
    plans = plan_dataset(size, 0)
    for split in ("train", "test"):
        counts = Counter(plan.object_name for plan in parts(plans, split))
        assert set(counts) == set(OBJECT_NAMES)
        assert max(counts.values()) - min(counts.values()) <= 1
    assert {INTERACTIONS[plan.action].kind for plan in parts(plans, "train")} == KINDS
    if size == "long":
        assert {plan.subject for plan in parts(plans, "train")} == set(SUBJECTS) - {"Sub03"}
        played = {(plan.object_name, plan.action) for plan in parts(plans, "train")}
        assert played == {(name, action) for name in OBJECT_NAMES for action in actions_of(name)}


@pytest.mark.parametrize(("size", "trains_as"), [("bench", "demo"), ("bench_long", "long")])
def test_a_bench_trains_as_another_size_and_tests_as_the_other_bench(size, trains_as):
    plans = plan_dataset(size, 7)
    assert parts(plans, "train") == parts(plan_dataset(trains_as, 7), "train")
    for split in ("val", "test"):
        assert parts(plans, split) == parts(plan_dataset("bench", 7), split)


def test_a_bench_shows_every_object_alike_in_rooms_of_its_own_and_hides_half():
    plans = plan_dataset("bench")
    rooms = [{plan.date for plan in parts(plans, split)} for split in ("train", "val", "test")]
    assert sum(map(len, rooms)) == len(set.union(*rooms)) == 11
    assert {plan.subject for plan in parts(plans, "test")} == set(TEST_SUBJECTS)
    assert "Sub03" not in {plan.subject for plan in plans if plan.split != "test"}
    assert all(plan.visible is None for plan in parts(plans, "train"))
    for split in ("val", "test"):
        mine = parts(plans, split)
        counts = Counter(plan.object_name for plan in mine)
        assert set(counts) == set(OBJECT_NAMES)
        assert len(set(counts.values())) == 1
        hidden = [plan for plan in mine if plan.visible != (0.3, 1.0)]
        assert 0.4 < len(hidden) / len(mine) < 0.6
        assert all(0.3 <= plan.visible[0] == plan.visible[1] <= 0.7 for plan in hidden)
        assert len({plan.object_name for plan in hidden}) == len(OBJECT_NAMES)


def test_people_behind_furniture_do_what_the_bench_tests():
    plans, bench = plan_dataset("bench_occluded", 7), parts(plan_dataset("bench", 7), "test")
    alike = {"visible": None, "shown": None}
    assert [replace(plan, **alike) for plan in plans] == [replace(plan, **alike) for plan in bench[:160]]
    assert {plan.visible for plan in plans} == {(0.3, 1.0)}
    shown = sorted(plan.shown for plan in plans)
    assert 0.3 <= shown[0] < 0.33 < 0.72 < shown[-1] <= 0.75
    assert {plan.kinects for plan in plans} == {(1,)}
    assert {(plan.shown, plan.kinects) for plan in bench} == {(None, (0, 1, 2, 3))}


@pytest.mark.parametrize(("size", "told"), HASHES.items())
def test_sizes_that_figures_are_given_for_keep_their_plans(size, told):
    plans = plan_dataset(size)
    rows = [
        (p.name, p.seed, p.n_frames, p.split, p.visible and tuple(round(v, 9) for v in p.visible))
        for p in plans
    ]
    assert hashlib.sha256(repr(rows).encode()).hexdigest()[:16] == told


def test_the_seed_decides():
    assert plan_dataset("demo", 4) == plan_dataset("demo", 4)
    assert plan_dataset("demo", 4) != plan_dataset("demo", 5)


def test_frames_can_be_chosen():
    assert {plan.n_frames for plan in plan_dataset("tiny", 0, frames=5)} == {5}
    with pytest.raises(ValueError, match="at least one frame, got 0"):
        plan_dataset("tiny", 0, frames=0)
    with pytest.raises(ValueError, match="unknown size 'huge'; expected one of tiny, demo, long"):
        plan_dataset("huge")


def test_subjects_are_behaves():
    assert [SUBJECTS[f"Sub{k:02d}"].gender for k in range(1, 9)] == ["male"] * 5 + ["female"] * 3
    shapes = {tuple(subject.betas) for subject in SUBJECTS.values()}
    assert len(shapes) == 8
    assert all(abs(beta) <= 1.5 for shape in shapes for beta in shape)


def test_nobody_is_asked_for_what_they_cannot_do():
    plans = plan_dataset("long")
    sitting = {p.subject for p in plans if (p.action, p.object_name) == ("sit", "yogaball")}
    assert len(sitting) >= 5
    assert "Sub07" not in sitting
    assert "Sub07" in {p.subject for p in plans if (p.action, p.object_name) == ("sit", "stool")}
