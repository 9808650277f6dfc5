"""Read a body model file into checked arrays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from rhobin.body.joints import SMPL_PARENTS, SMPLH_PARENTS, SMPLX_PARENTS
from rhobin.body.model import N_BETAS, BodyArrays
from rhobin.files import written_whole
from rhobin.pickles import load_pickle, read_npz
from rhobin.types import gender_name

REQUIRED = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table")
OPTIONAL = (
    "hands_meanl",
    "hands_meanr",
    "hands_componentsl",
    "hands_componentsr",
    "leaf_vertices",
    "lmk_faces_idx",
    "lmk_bary_coords",
    "model_id",
    "gender",
)
KINDS = {"smpl": 24, "smplh": 52, "smplx": 55}  # joints
TREES = {24: SMPL_PARENTS, 52: SMPLH_PARENTS, 55: SMPLX_PARENTS}
# Vertices of the 29 joints' leaves on the licensed SMPL topology (HybrIK). Only for files that carry no
# model_id of their own: other bodies of the same size name their leaves in the file.
SMPL_VERTS, SMPL_LEAVES = 6890, (411, 2445, 5905, 3216, 6617)
WHOLE = ("f", "kintree_table", "leaf_vertices", "lmk_faces_idx")
COPY_AGAIN = "copy the model file again, or rebuild the stand-in with tools/build_standin_body.py"
HEIGHTS = (0.2, 3.0)  # metres that a body model may be tall
MOST_MOVED = 1.0  # metres by one unit of shape or pose; licensed files stay below 0.2
SUM_TOLERANCE = 0.01  # of skinning weights and regressor rows; float16 files stay below 0.005


def kind_of(joints: int) -> str:
    """Which body model has so many joints: smpl, smplh or smplx."""
    return next(kind for kind, count in KINDS.items() if count == joints)


class BodyFileError(ValueError):
    """A body model file does not hold a usable body."""


def read_arrays(path: Path, gender: str) -> BodyArrays:
    """Read and check a body model.

    Args:
        path: an SMPL-H, SMPL or SMPL-X file, .npz or .pkl.
        gender: the gender the file must hold.

    Returns:
        The model as float64 arrays; skinning weights renormalised, betas cut to the first ten.

    Raises:
        BodyFileError: a key is missing or holds something else than a body model needs.
    """
    raw = _Raw(path, gender)
    raw.check_keys()
    template = raw.template()
    parents = raw.parents()
    verts, joints = len(template), len(parents)
    raw.check_shape("v_template", template, (verts, 3))
    shapedirs = raw.array("shapedirs")
    raw.check_shape("shapedirs", shapedirs[..., :N_BETAS], (verts, 3, N_BETAS))
    posedirs = raw.shaped("posedirs", (verts, 3, 9 * (joints - 1)))
    regressor = raw.shaped("J_regressor", (joints, verts))
    weights = raw.shaped("weights", (verts, joints))
    raw.check_moved("shapedirs", shapedirs[..., :N_BETAS])
    raw.check_moved("posedirs", posedirs)
    raw.check_sums("J_regressor", regressor)
    raw.check_sums("weights", weights)
    if weights.min() < -SUM_TOLERANCE:
        raise raw.error("weights", "no negative skinning weights", f"{weights.min():.3g}")
    return BodyArrays(
        gender=gender,
        model_id=raw.text("model_id", kind_of(joints)),
        template=template,
        shapedirs=shapedirs[..., :N_BETAS],
        posedirs=posedirs,
        regressor=regressor,
        weights=weights / weights.sum(1, keepdims=True),
        faces=raw.indices("f", verts, (-1, 3)),
        parents=parents,
        hands_mean=raw.hands_mean(),
        leaf_vertices=raw.leaves(verts),
    )


class _Raw:
    """The content of a model file, with errors that name the file and the key."""

    def __init__(self, path: Path, gender: str) -> None:
        self.path, self.gender = path, gender
        self.content = _open(path)

    def error(self, key: str, expected: str, found: str, advice: str = COPY_AGAIN) -> BodyFileError:
        return BodyFileError(f"{self.path}: {key}: expected {expected}, found {found}; {advice}")

    def check_keys(self) -> None:
        missing = [key for key in REQUIRED if key not in self.content]
        if missing:
            raise self.error(", ".join(missing), "a key of an SMPL-H file", f"keys {sorted(self.content)}")
        stored = gender_name(self.content.get("gender", self.gender))
        if stored != self.gender:
            advice = f"name the file for the gender that it holds, or put that of {self.gender} in its place"
            raise self.error("gender", self.gender, repr(stored), advice)

    def text(self, key: str, default: str) -> str:
        return str(np.asarray(self.content.get(key, default)).item())

    def template(self) -> np.ndarray:
        value = self.array("v_template")
        if value.ndim != 2 or value.shape[-1] != 3 or not len(value):
            raise self.error("v_template", "shape (V, 3)", f"{value.shape}")
        height = np.ptp(value, axis=0).max()
        if not HEIGHTS[0] < height < HEIGHTS[1]:
            raise self.error(
                "v_template", f"a body of {HEIGHTS[0]} to {HEIGHTS[1]} metres", f"one of {height:.4g}"
            )
        return value

    def array(self, key: str) -> np.ndarray:
        value = self.content[key]
        value = value.toarray() if scipy.sparse.issparse(value) else np.asarray(value)
        if value.dtype.kind not in "fiu":
            raise self.error(key, "numbers", f"dtype {value.dtype}")
        value = value.astype(np.float64)
        if not np.isfinite(value).all():
            raise self.error(
                key, "finite numbers", f"{np.count_nonzero(~np.isfinite(value))} NaN or infinite"
            )
        return value

    def shaped(self, key: str, shape: tuple[int, ...]) -> np.ndarray:
        value = self.array(key)
        self.check_shape(key, value, shape)
        return value

    def check_shape(self, key: str, value: np.ndarray, shape: tuple[int, ...]) -> None:
        if value.shape != shape:
            raise self.error(key, f"shape {shape}", f"{np.asarray(self.content[key]).shape or value.shape}")

    def check_moved(self, key: str, value: np.ndarray) -> None:
        most = np.abs(value).max()
        if most > MOST_MOVED:
            expected = f"vertices moved by at most {MOST_MOVED:g} metre for one unit"
            raise self.error(key, expected, f"{most:.4g}: is it in another unit?")

    def check_sums(self, key: str, value: np.ndarray) -> None:
        worst = np.abs(value.sum(1) - 1).max()
        if worst > SUM_TOLERANCE:
            raise self.error(key, "rows that sum to one", f"a row that is off by {worst:.3g}")

    def indices(self, key: str, count: int, shape: tuple[int, ...]) -> np.ndarray:
        value = self.array(key)
        if value.ndim != len(shape) or value.shape[-1] != shape[-1] or not value.size:
            raise self.error(key, f"shape {shape}", f"{value.shape}")
        if (value % 1).any():
            raise self.error(key, "whole numbers", f"{value[value % 1 != 0].flat[0]}")
        if value.min() < 0 or value.max() >= count:
            raise self.error(key, f"vertex ids below {count}", f"{value.min():g} to {value.max():g}")
        return value.astype(np.int64)

    def parents(self) -> tuple[int, ...]:
        with np.errstate(invalid="ignore"):
            table = self.array("kintree_table").astype(np.int64)
        joints = table.shape[-1] if table.ndim else 0
        if table.shape != (2, joints) or joints not in TREES:
            raise self.error(
                "kintree_table", "shape (2, 52), (2, 24) for SMPL or (2, 55) for SMPL-X", f"{table.shape}"
            )
        found = (-1, *(int(p) for p in table[0, 1:]))
        if found != TREES[joints]:
            wrong = [j for j in range(joints) if found[j] != TREES[joints][j]]
            raise self.error(
                "kintree_table", f"the tree of SMPL's {joints} joints", f"other parents for joints {wrong}"
            )
        return found

    def hands_mean(self) -> np.ndarray:
        """Mean hands (30, 3), left then right; flat where the file has none."""
        present = [key for key in ("hands_meanl", "hands_meanr") if key in self.content]
        if not present:
            return np.zeros((30, 3))
        if len(present) == 1:
            raise self.error("hands_meanl, hands_meanr", "both mean hands or none", f"only {present[0]}")
        sides = [self.shaped(key, (45,)) for key in ("hands_meanl", "hands_meanr")]
        hands = np.concatenate(sides).reshape(30, 3)
        most = np.abs(hands).max()
        if most > 2 * np.pi:
            raise self.error("hands_meanl, hands_meanr", "rotation vectors in radians", f"{most:.4g}")
        return hands

    def leaves(self, verts: int) -> np.ndarray | None:
        if "leaf_vertices" in self.content:
            ids = self.indices("leaf_vertices", verts, (5,))
        elif verts == SMPL_VERTS and "model_id" not in self.content:
            ids = np.array(SMPL_LEAVES)
        else:
            return None
        return ids


def _open(path: Path) -> Mapping[str, Any]:
    """The keys of a .npz or .pkl file that a body model has."""
    if path.suffix.lower() == ".pkl":
        content = load_pickle(path)
        if not isinstance(content, Mapping):
            raise BodyFileError(f"{path}: expected a dictionary of arrays, found {type(content).__name__}")
        return content
    return read_npz(path, (*REQUIRED, *OPTIONAL))


def write_arrays(source: Path, target: Path, gender: str) -> BodyArrays:
    """Check a body model file and write its arrays as a .npz that holds nothing but numbers and names.

    Args:
        source: an SMPL-H, SMPL or SMPL-X file, .npz or .pkl.
        target: the .npz to write; all shape coefficients and the hands' components are kept.
        gender: the gender the file must hold.

    Returns:
        The checked model.

    Raises:
        BodyFileError: as for `read_arrays`.
    """
    arrays = read_arrays(source, gender)
    plain = plain_arrays(source, gender)
    with written_whole(target) as file:
        np.savez_compressed(file, **plain)  # type: ignore[arg-type]
    return arrays


def plain_arrays(source: Path, gender: str) -> dict[str, np.ndarray]:
    """Everything that a body model file holds, as numbers and names; nothing is checked but its keys.

    Args:
        source: a body model file, .npz or .pkl.
        gender: the gender the file must hold.

    Returns:
        Dense arrays by the file's own keys, float64 or int64; all shape coefficients and hand components.

    Raises:
        BodyFileError: a key is missing or holds something else than numbers.
    """
    raw = _Raw(source, gender)
    raw.check_keys()
    plain = {}
    for key in (*REQUIRED, *OPTIONAL):
        if key in raw.content and key not in ("model_id", "gender"):
            plain[key] = raw.array(key).astype(np.int64 if key in WHOLE else np.float64)
    named = {"model_id": raw.text("model_id", "")} if "model_id" in raw.content else {}
    return {**plain, **{key: np.array(name) for key, name in {"gender": gender, **named}.items()}}
