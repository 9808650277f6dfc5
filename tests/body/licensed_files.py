"""Files in the format of the licensed SMPL, SMPL-H and SMPL-X, filled with the stand-in body."""

import pickle

import numpy as np

from rhobin.body.arrays import read_arrays
from rhobin.body.joints import JOINTS24, SMPL_PARENTS, SMPLX_PARENTS
from rhobin.body.load import find

SMPLX_VERTS = 10475
SMPLX_OF = [*range(22), *range(25, 55)]  # SMPL-X's joints in the order of SMPL-H


def smpl(gender="male"):
    """One surface with SMPL-H's: fingers folded into the hands."""
    arrays = read_arrays(find(gender, None), gender)
    hand = [j if j < 22 else 22 if j < 37 else 23 for j in range(52)]
    return {
        **_common(arrays),
        "posedirs": arrays.posedirs[..., : 9 * 23],
        "J_regressor": arrays.regressor[list(JOINTS24)],
        "weights": arrays.weights @ np.eye(24)[hand],
        "kintree_table": _table(SMPL_PARENTS),
    }


def smplh(gender="male"):
    """The stand-in in double precision, with hand components as the licensed files have them."""
    arrays = read_arrays(find(gender, None), gender)
    left, right = arrays.hands_mean.reshape(2, 45)
    return {
        **_common(arrays),
        **_hands(left, right),
        "posedirs": arrays.posedirs,
        "J_regressor": arrays.regressor,
        "weights": arrays.weights,
        "kintree_table": _table(arrays.parents),
    }


def smplx(gender="male"):
    """The stand-in's 6,890 vertices, then repeated ones; a jaw that moves, eyes, expressions."""
    arrays, rng = read_arrays(find(gender, None), gender), np.random.default_rng(0)
    pick = np.arange(SMPLX_VERTS) % len(arrays.template)
    weights = np.zeros((SMPLX_VERTS, 55))
    weights[:, SMPLX_OF] = arrays.weights[pick]
    weights[:, 22] = 0.3 * weights[:, 15]
    weights[:, 15] *= 0.7
    posedirs = rng.normal(0, 1e-3, (SMPLX_VERTS, 3, 54, 9))
    posedirs[:, :, [j - 1 for j in SMPLX_OF[1:]]] = arrays.posedirs.reshape(-1, 3, 51, 9)[pick]
    regressor = np.zeros((55, SMPLX_VERTS))
    regressor[SMPLX_OF, : len(arrays.template)] = arrays.regressor
    regressor[[22, 23, 24], [10, 20, 30]] = 1
    expressions = rng.normal(0, 1e-3, (SMPLX_VERTS, 3, 10))
    left, right = arrays.hands_mean.reshape(2, 45)
    return {
        **_hands(left, right),
        "v_template": arrays.template[pick],
        "shapedirs": np.concatenate((arrays.shapedirs[pick], expressions), axis=2),
        "posedirs": posedirs.reshape(SMPLX_VERTS, 3, -1),
        "J_regressor": regressor,
        "weights": weights,
        "f": arrays.faces,
        "kintree_table": _table(SMPLX_PARENTS),
        "lmk_faces_idx": np.arange(51),
        "lmk_bary_coords": np.full((51, 3), 1 / 3),
        "joint2num": np.array({"pelvis": 0}, dtype=object),  # the licensed file pickles such notes
    }


def write(path, content):
    """As .npz, or as .pkl."""
    if path.suffix == ".npz":
        np.savez(path, **content)
    else:
        path.write_bytes(pickle.dumps(content))
    return path


def _common(arrays):
    return {"v_template": arrays.template, "shapedirs": arrays.shapedirs, "f": arrays.faces}


def _hands(left, right):
    return {
        "hands_meanl": left,
        "hands_meanr": right,
        "hands_componentsl": np.eye(45),
        "hands_componentsr": np.eye(45),
    }


def _table(parents):
    return np.array([[2**32 - 1, *parents[1:]], range(len(parents))], dtype=np.int64)
