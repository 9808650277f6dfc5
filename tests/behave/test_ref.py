"""The challenge's ref.pkl."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from rhobin.behave.ref import SequenceAnnotation, read_ref, write_ref
from rhobin.objects.load import load_templates


def annotation(length=3):
    rng = np.random.default_rng(0)
    shapes = {"poses": 156, "betas": 10, "trans": 3, "obj_rots": 3, "obj_trans": 3}
    arrays = {key: rng.normal(size=(length, size)) for key, size in shapes.items()}
    return SequenceAnnotation(
        [f"t{i:04d}.000" for i in range(3)], "male", occ_ratios=np.ones(length), **arrays
    )


def test_round_trip(tmp_path):
    templates = {name: load_templates()[name] for name in ("stool", "yogaball")}
    write_ref(tmp_path / "ref.pkl", {"Date03_Sub04_stool": annotation()}, templates)
    annotations, back = read_ref(tmp_path / "ref.pkl")
    for key, value in vars(annotation()).items():
        assert np.array_equal(getattr(annotations["Date03_Sub04_stool"], key), value), key
    assert np.array_equal(back["stool"].verts, templates["stool"].verts)
    R, t = back["yogaball"].symmetries[1]
    assert np.array_equal(R, templates["yogaball"].symmetries[1])
    assert t.shape == (3,)


def test_layout_is_the_evaluators(tmp_path):
    write_ref(
        tmp_path / "ref.pkl", {"Date03_Sub04_stool": annotation()}, {"stool": load_templates()["stool"]}
    )
    content = pickle.loads((tmp_path / "ref.pkl").read_bytes())
    one = content["annotations"]["Date03_Sub04_stool"]
    assert set(one) == {"frames", "gender", "poses", "betas", "trans", "obj_rots", "obj_trans", "occ_ratios"}
    assert isinstance(one["frames"], list)
    assert one["frames"].index("t0002.000") == 2
    assert set(content["templates"]["stool"]) == {"verts", "faces", "symmetries"}
    assert set(content["templates"]["stool"]["symmetries"][0]) == {"R", "t"}


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "ref.pkl"
    with pytest.raises(FileNotFoundError, match=r"no ground truth at .*rhobin synth"):
        read_ref(path)
    stool = load_templates()["stool"]
    write_ref(path, {}, {"stool": replace(stool, verts=stool.verts + 0.01)})
    with pytest.raises(ValueError, match=r"template stool is 10.0 mm off"):
        read_ref(path)
    write_ref(path, {"a": replace(annotation(), trans=np.zeros((2, 3)))}, {})
    with pytest.raises(ValueError, match="a lists 3 frames but 2 trans"):
        read_ref(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: c.pop("templates"), "the file has no 'templates' \\(found: annotations\\)"),
        (lambda c: c["annotations"]["a"].pop("betas"), "a has no 'betas'"),
        (lambda c: c["templates"]["stool"].pop("faces"), "stool has no 'faces'"),
        (lambda c: c.update(annotations={"a": 3}), "a has no 'frames' \\(found: int\\)"),
    ],
)
def test_a_missing_key_is_named(tmp_path, damage, message):
    path = tmp_path / "ref.pkl"
    write_ref(path, {"a": annotation()}, {"stool": load_templates()["stool"]})
    content = pickle.loads(path.read_bytes())
    damage(content)
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=message):
        read_ref(path)
