"""Matrices of scipy that keep only what is not zero, as scikit-learn saves what it learnt from texts."""

from __future__ import annotations

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array
from .refuse import garbled, refused

MOST_CELLS = 1 << 26  # once every zero is written out: half a gigabyte


def is_sparse(value: object) -> bool:
    """csr_matrix and csr_array, of whatever module of scipy's."""
    kinds = ("csr_matrix", "csr_array")
    return isinstance(value, Opaque) and value.name.startswith("scipy.sparse.") and value.name.endswith(kinds)


def dense(value: Opaque) -> Array:
    """(rows, columns) with its zeros. UnsupportedCheckpoint where those are too many, CheckpointDamaged where its parts
    do not fit each other (https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.csr_matrix.html).
    """
    state = value.state if isinstance(value.state, dict) else {}
    shape = state.get("_shape")
    if not isinstance(shape, tuple) or len(shape) != 2 or not all(type(n) is int and n >= 0 for n in shape):
        raise _odd()
    if shape[0] * shape[1] > MOST_CELLS:
        raise refused(
            f"one of its sparse matrices has {shape[0]} x {shape[1]} cells",
            f"其中一个稀疏矩阵有 {shape[0]} × {shape[1]} 个元素",
            "Train it with fewer words (max_features=) or fewer rows",
            "请减少词语（max_features=）或训练数据后重新训练",
        )
    ends, places, numbers = (state.get(key) for key in ("indptr", "indices", "data"))
    parts = (ends, places, numbers)
    if not all(isinstance(one, np.ndarray) and one.ndim == 1 and one.dtype.kind in "iubf" for one in parts):
        raise _odd()
    assert isinstance(ends, np.ndarray) and isinstance(places, np.ndarray) and isinstance(numbers, np.ndarray)
    ends, places = ends.astype(np.int64), places.astype(np.int64)
    counts = np.diff(ends)
    if len(ends) != shape[0] + 1 or ends[0] or (counts < 0).any() or not ends[-1] == len(places) == len(numbers):
        raise _odd()
    if len(places) and (places.min() < 0 or places.max() >= shape[1]):
        raise _odd()
    found = np.zeros(shape)
    np.add.at(found, (np.repeat(np.arange(shape[0]), counts), places), numbers)
    return found


def _odd() -> Exception:
    return garbled("the parts of a sparse matrix do not fit each other", "一个稀疏矩阵的各部分互相矛盾")
