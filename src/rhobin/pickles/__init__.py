"""Read pickles and archives of arrays from other people without running their code.

BEHAVE fits, challenge references and licensed body models are pickles. Only plain containers, numpy arrays
and scipy sparse matrices are built; chumpy objects become the arrays they hold. Everything else is refused.
"""

from rhobin.pickles.load import BrokenFileError, UnsafePickleError, load_pickle
from rhobin.pickles.npz import check_expansion, read_npz

__all__ = ["BrokenFileError", "UnsafePickleError", "check_expansion", "load_pickle", "read_npz"]
