"""Forward kinematics along a joint tree, and products with a constant, mostly empty matrix."""

import warnings

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csr_matrix
from torch import Tensor, nn

SPARSE_BELOW = 0.1  # share of non-zero entries under which the sparse product is faster on a CPU

# Said once per process by torch; the index arrays below are built by torch itself and never change.
warnings.filterwarnings("ignore", message="Sparse (CSR tensor support|invariant checks)")


class KinematicTree(nn.Module):
    """Chains local transforms along a joint tree in log2(depth) batched products.

    Every round multiplies the transform of each joint by the one of its current ancestor and then jumps twice
    as far, so the 52 joints of SMPL-H take four rounds instead of eleven levels.
    """

    parents: Tensor
    ancestors: Tensor

    def __init__(self, parents: tuple[int, ...]) -> None:
        super().__init__()
        above = len(parents)  # an extra identity joint above the root
        ancestor = torch.tensor([above if p < 0 else p for p in parents] + [above])
        self.register_buffer("parents", ancestor[:-1].clamp(max=above - 1), persistent=False)
        rounds = []
        while bool((ancestor != above).any()):
            rounds.append(ancestor)
            ancestor = ancestor[ancestor]
        self.register_buffer("ancestors", torch.stack(rounds), persistent=False)

    def forward(
        self, theta: Float[Tensor, "*B J 3 3"], rest: Float[Tensor, "*B J 3"]
    ) -> tuple[Float[Tensor, "*B J 3 3"], Float[Tensor, "*B J 3"]]:
        """Global rotations and joint positions; the root stays at its rest position.

        Args:
            theta: local rotations.
            rest: rest joints, metres.
        """
        batch, joints = rest.shape[:-2], rest.shape[-2]
        theta, rest = theta.reshape(-1, joints, 3, 3), rest.reshape(-1, joints, 3)
        bones = rest[:, 1:] - rest.index_select(1, self.parents[1:])
        still = torch.eye(3, dtype=theta.dtype, device=theta.device).expand(len(rest), 1, 3, 3)
        R = torch.cat((theta, still), dim=1)
        t = torch.cat((rest[:, :1], bones, torch.zeros_like(rest[:, :1])), dim=1)[..., None]
        for ancestor in self.ancestors:
            above = R.index_select(1, ancestor)
            t = t.index_select(1, ancestor) + above @ t
            R = above @ R
        return R[:, :joints].reshape(*batch, joints, 3, 3), t[:, :joints, :, 0].reshape(*batch, joints, 3)


def _csr(fields: list[Tensor], width: int) -> Tensor:
    start, index, value = fields
    shape = (len(start) - 1, width)
    return torch.sparse_csr_tensor(start, index, value, shape, check_invariants=False)


class _SparseProduct(torch.autograd.Function):
    """``matrix @ x`` with a constant CSR matrix, and its transpose for the gradient of x."""

    @staticmethod
    def forward(ctx, x, rows, columns, width):
        ctx.columns, ctx.height = columns, len(rows[0]) - 1
        return _csr(rows, width) @ x

    @staticmethod
    def backward(ctx, grad):
        return _csr(ctx.columns, ctx.height) @ grad.contiguous(), None, None, None


@torch.library.custom_op("rhobin::sparse_product", mutates_args=())
def _traced_product(x: Tensor, rows: list[Tensor], columns: list[Tensor]) -> Tensor:
    """The same product as one node of a compiled graph, which cannot hold sparse tensors."""
    return _csr(rows, len(x)) @ x.contiguous()


@_traced_product.register_fake
def _(x: Tensor, rows: list[Tensor], columns: list[Tensor]) -> Tensor:
    return x.new_empty(len(rows[0]) - 1, x.shape[1])


def _traced_context(ctx, inputs, output) -> None:
    _, rows, columns = inputs
    ctx.save_for_backward(*rows, *columns)


def _traced_gradient(ctx, grad):
    saved = list(ctx.saved_tensors)
    return _traced_product(grad, saved[3:], saved[:3]), [None] * 3, [None] * 3


_traced_product.register_autograd(_traced_gradient, setup_context=_traced_context)


class ConstantMatrix(nn.Module):
    """A constant matrix applied to columns: CSR where it is mostly zeros, dense otherwise.

    The index arrays are ordinary buffers, so the module moves between devices and dtypes like any other.
    """

    dense: Tensor

    def __init__(self, matrix: Float[np.ndarray, "M N"]) -> None:
        super().__init__()
        self.shape = matrix.shape
        rows = csr_matrix(matrix)
        self.sparse = rows.nnz < SPARSE_BELOW * matrix.size
        if not self.sparse:
            self.register_buffer("dense", torch.from_numpy(matrix), persistent=False)
            return
        for name, part in (("rows", rows), ("columns", rows.T.tocsr())):
            for field, array in (("start", part.indptr), ("index", part.indices), ("value", part.data)):
                tensor = torch.from_numpy(array.astype(np.int64) if field != "value" else array)
                self.register_buffer(f"{name}_{field}", tensor, persistent=False)

    def forward(self, x: Float[Tensor, "N K"]) -> Float[Tensor, "M K"]:
        """``matrix @ x``."""
        if not self.sparse:
            return self.dense @ x
        rows, columns = self._fields("rows"), self._fields("columns")
        if torch.compiler.is_compiling():
            return _traced_product(x, rows, columns)
        if x.requires_grad and torch.is_grad_enabled():
            return _SparseProduct.apply(x, rows, columns, len(x))
        return _csr(rows, len(x)) @ x

    def _fields(self, name: str) -> list[Tensor]:
        return [getattr(self, f"{name}_{field}") for field in ("start", "index", "value")]

    def matrix(self) -> csr_matrix:
        """The matrix itself, as a scipy array on the CPU."""
        if not self.sparse:
            return csr_matrix(self.dense.cpu().numpy())
        start, index, value = (field.cpu().numpy() for field in self._fields("rows"))
        return csr_matrix((value, index, start), shape=self.shape)
