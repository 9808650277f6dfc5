"""Vertices of one body topology on another, by the published sparse matrices."""

from pathlib import Path

import numpy as np
import scipy.sparse
from jaxtyping import Float

from rhobin.pickles import load_pickle, read_npz

SOURCE = "smplx2smplh_deftrafo_setup.pkl, 'Model correspondences' at https://smpl-x.is.tue.mpg.de"


def transfer_vertices(path: Path | None, verts: Float[np.ndarray, "T V 3"], wanted: int) -> np.ndarray:
    """Carry vertices over to another topology.

    Args:
        path: .npz or .pkl with a sparse matrix under the key mtx, one row for each vertex wanted; columns for
            normals behind those for vertices are left out. None where both topologies are the same.
        verts: (T, V, 3) vertices.
        wanted: number of vertices of the other topology.

    Returns:
        Vertices (T, wanted, 3), in the unit and frame of those given.

    Raises:
        ValueError: there is no matrix and the numbers of vertices differ, or it is of another size.
    """
    count = verts.shape[1]
    if path is None and count == wanted:
        return verts
    if path is None:
        raise ValueError(
            f"--transfer: expected {wanted} vertices or a matrix that carries {count} vertices over to "
            f"{wanted}, found none; for SMPL-X it is {SOURCE}"
        )
    matrix = _read(path)
    if matrix.shape not in ((wanted, count), (wanted, 2 * count)):
        raise ValueError(
            f"{path}: mtx: expected {wanted} rows and {count} or {2 * count} columns, found {matrix.shape}; "
            f"--transfer for SMPL-X is {SOURCE}"
        )
    return np.stack([matrix[:, :count] @ frame for frame in verts])


def _read(path: Path) -> scipy.sparse.csr_matrix:
    content = load_pickle(path) if path.suffix.lower() == ".pkl" else read_npz(path)
    if not isinstance(content, dict) or "mtx" not in content:
        raise ValueError(f"{path}: mtx: expected this key, found {sorted(content)}; see --transfer")
    return scipy.sparse.csr_matrix(content["mtx"])
