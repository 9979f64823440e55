"""Operators of networks without pictures, in numpy; what they mean: https://onnx.ai/onnx/operators/ (opset 17).

Python 3.7; copied to boards. Each is a function of arrays, followed by the names that its attributes may have.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, Callable, Dict, Tuple

import numpy as np

LARGEST = 1 << 27  # numbers that one becomes


def divide(x: Any, y: Any) -> Any:
    """Whole numbers are cut towards 0."""
    if np.result_type(x).kind == "f":
        return np.divide(x, y)
    found = x // y
    return found + ((x % y != 0) & ((x < 0) != (y < 0)))


def over(function: Callable[..., Any]) -> Callable[..., Any]:
    """Along axes, which are an input or an attribute; along all where there are none."""

    def found(x: Any, axes: Any = None, keepdims: int = 1) -> Any:
        axis = None if axes is None or not np.size(axes) else tuple(int(n) for n in np.ravel(axes))
        return function(x, axis=axis, keepdims=bool(keepdims))

    return found


def softmax(x: Any, axis: int = -1) -> Any:
    """Shares of e to the power of x."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def gemm(a: Any, b: Any, c: Any = 0, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0) -> Any:
    """A @ B + C."""
    found = np.matmul(a.T if transA else a, b.T if transB else b)
    found = found if alpha == 1 else found * found.dtype.type(alpha)
    return found + (c if beta == 1 else c * found.dtype.type(beta))


def squeeze(x: Any, axes: Any = None) -> Any:
    """Without axes of size 1."""
    return np.squeeze(x, None if axes is None else tuple(int(n) for n in axes))


def unsqueeze(x: Any, axes: Any) -> Any:
    """With axes of size 1 at these places of the result."""
    rank = np.ndim(x) + len(axes)
    for axis in sorted(int(n) % rank for n in axes):
        x = np.expand_dims(x, axis)
    return x


def reshape(x: Any, shape: Any) -> Any:
    """0 is the size that x has there, -1 what is left."""
    return np.reshape(x, [x.shape[i] if n == 0 else int(n) for i, n in enumerate(shape)])


def flatten(x: Any, axis: int = 1) -> Any:
    """Two axes: those before `axis`, and the others."""
    return np.reshape(x, (int(np.prod(x.shape[:axis])), -1))


def expand(x: Any, shape: Any) -> Any:
    """Repeated along axes of size 1."""
    sizes = [int(n) for n in shape]
    if reduce(lambda a, b: a * b, sizes, 1) > LARGEST:
        raise ValueError("%s numbers" % sizes)
    return np.broadcast_to(x, np.broadcast(x, np.broadcast_to(False, sizes)).shape)


def cut(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    """From each start to before its end."""
    places = [slice(None)] * np.ndim(x)
    axes = range(len(starts)) if axes is None else axes
    for axis, start, end, step in zip(axes, starts, ends, [1] * len(starts) if steps is None else steps):
        places[int(axis)] = slice(int(start), int(end), int(step))
    return x[tuple(places)]


def top(x: Any, k: Any, axis: int = -1, largest: int = 1, sorted: int = 1) -> Tuple[Any, Any]:
    """The k largest or smallest and their places; of equal ones the first."""
    order = np.argsort(-x if largest else x, axis=axis, kind="stable")
    places = np.take(order, np.arange(int(np.ravel(k)[0])), axis=axis)
    return np.take_along_axis(x, places, axis), places


def argmax(x: Any, axis: int = 0, keepdims: int = 1) -> Any:
    """The place of the first of the largest."""
    found = np.argmax(x, axis)
    return np.expand_dims(found, axis) if keepdims else found


def trees(x: Any, column: Any, limit: Any, sides: Any, missing: Any, said: Any, roots: Any, depth: int = 0) -> Any:
    """(N, C) -> (N, T): what the leaf says at which each tree ends. A node goes left where x is below its limit, or is
    missing and `missing`; `sides` has for each the node to its right, then that to its left: of a leaf itself.
    """
    node = np.broadcast_to(roots, (len(x), len(roots)))
    for _ in range(depth):
        value = np.take_along_axis(x, column[node], 1)
        left = (value < limit[node]) | (np.isnan(value) & missing[node])
        node = sides[2 * node + left]
    return said[node]


OPERATORS: Dict[str, Tuple[Callable[..., Any], Tuple[str, ...]]] = {
    "Abs": (np.abs, ()),
    "Add": (np.add, ()),
    "And": (np.logical_and, ()),
    "ArgMax": (argmax, ("axis", "keepdims")),
    "Cast": (lambda x, to: x.astype(to), ("to",)),
    "Ceil": (np.ceil, ()),
    "Concat": (lambda *parts, axis: np.concatenate(parts, axis), ("axis",)),
    "CumSum": (lambda x, axis: np.cumsum(x, int(np.ravel(axis)[0])), ()),
    "Div": (divide, ()),
    "Equal": (np.equal, ()),
    "Exp": (np.exp, ()),
    "Expand": (expand, ()),
    "Flatten": (flatten, ("axis",)),
    "Floor": (np.floor, ()),
    "Gather": (lambda x, places, axis=0: np.take(x, places, axis), ("axis",)),
    "GatherElements": (lambda x, places, axis=0: np.take_along_axis(x, places, axis), ("axis",)),
    "Gemm": (gemm, ("alpha", "beta", "transA", "transB")),
    "Greater": (np.greater, ()),
    "GreaterOrEqual": (np.greater_equal, ()),
    "Identity": (lambda x: x, ()),
    "Less": (np.less, ()),
    "LessOrEqual": (np.less_equal, ()),
    "Log": (np.log, ()),
    "MatMul": (np.matmul, ()),
    "Max": (lambda *parts: reduce(np.maximum, parts), ()),
    "Min": (lambda *parts: reduce(np.minimum, parts), ()),
    "Mul": (np.multiply, ()),
    "Neg": (np.negative, ()),
    "Not": (np.logical_not, ()),
    "Or": (np.logical_or, ()),
    "Pow": (np.power, ()),
    "ReduceMax": (over(np.max), ("axes", "keepdims")),
    "ReduceMean": (over(np.mean), ("axes", "keepdims")),
    "ReduceMin": (over(np.min), ("axes", "keepdims")),
    "ReduceSum": (over(np.sum), ("keepdims",)),
    "Relu": (lambda x: np.maximum(x, x.dtype.type(0)), ()),
    "Reshape": (reshape, ()),
    "Shape": (lambda x: np.array(np.shape(x), np.int64), ()),
    "Sigmoid": (lambda x: 1 / (1 + np.exp(-x)), ()),
    "Slice": (cut, ()),
    "Softmax": (softmax, ("axis",)),
    "Sqrt": (np.sqrt, ()),
    "Squeeze": (squeeze, ()),
    "Sub": (np.subtract, ()),
    "Tanh": (np.tanh, ()),
    "TopK": (top, ("axis", "largest", "sorted")),
    "Transpose": (lambda x, perm=None: np.transpose(x, perm), ("perm",)),
    "Trees": (trees, ("depth",)),
    "Unsqueeze": (unsqueeze, ()),
    "Where": (np.where, ()),
}
