"""What ONNX's operators give for constants, in numpy: those of which weights, masks and positions are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...graph.form import Array
from ...graph.shapes_call import DTYPES

Arrays = Sequence[Array]
Attrs = Mapping[str, Any]
Fold = Callable[[Arrays, Attrs], Array]


def _plain(function: Callable[..., Any]) -> Fold:
    return lambda arrays, attrs: np.asarray(function(*arrays))


def _divided(a: Array, b: Array) -> Any:
    """Whole numbers are cut towards zero."""
    return a / b if a.dtype.kind == "f" else np.trunc(a / b)


def _reduced(function: Callable[..., Any]) -> Fold:
    def fold(arrays: Arrays, attrs: Attrs) -> Array:
        axes = arrays[1].tolist() if len(arrays) > 1 else attrs.get("axes", range(arrays[0].ndim))
        return np.asarray(function(arrays[0], axis=tuple(axes), keepdims=bool(attrs.get("keepdims", 1))))

    return fold


def _reshape(arrays: Arrays, attrs: Attrs) -> Array:
    x, wish = arrays[0], arrays[1].tolist()
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(wish)])


def _slice(arrays: Arrays, attrs: Attrs) -> Array:
    x, starts, ends, axes = arrays[:4]
    steps = arrays[4].tolist() if len(arrays) > 4 else [1] * len(starts)
    where = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes.tolist(), starts.tolist(), ends.tolist(), steps, strict=True):
        where[axis] = slice(start, None if step < 0 and end < -x.shape[axis] else end, step)
    return x[tuple(where)]


def _expand(arrays: Arrays, attrs: Attrs) -> Array:
    x, wish = arrays[0], tuple(arrays[1].tolist())
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, wish))


def _gather(arrays: Arrays, attrs: Attrs) -> Array:
    return np.asarray(np.take(arrays[0], arrays[1], axis=attrs.get("axis", 0)))


def _gathered(arrays: Arrays, attrs: Attrs) -> Array:
    return np.take_along_axis(arrays[0], arrays[1], axis=attrs.get("axis", 0))


def _joined(arrays: Arrays, attrs: Attrs) -> Array:
    return np.concatenate(arrays, axis=attrs["axis"])


def _turned(arrays: Arrays, attrs: Attrs) -> Array:
    return arrays[0].transpose(attrs["perm"])


def _wider(arrays: Arrays, attrs: Attrs) -> Array:
    return np.expand_dims(arrays[0], tuple(arrays[1].tolist()))


def _narrower(arrays: Arrays, attrs: Attrs) -> Array:
    return np.squeeze(arrays[0], tuple(arrays[1].tolist()))


def _cast(arrays: Arrays, attrs: Attrs) -> Array:
    return arrays[0].astype(DTYPES[attrs["to"]])


def _tiled(arrays: Arrays, attrs: Attrs) -> Array:
    return np.tile(arrays[0], arrays[1].tolist())


def _clipped(arrays: Arrays, attrs: Attrs) -> Array:
    return np.clip(arrays[0], arrays[1], arrays[2] if len(arrays) > 2 else None)


def _summed(arrays: Arrays, attrs: Attrs) -> Array:
    return np.cumsum(arrays[0], axis=int(arrays[1]))


def _soft(arrays: Arrays, attrs: Attrs) -> Array:
    x = arrays[0].astype(np.float64)
    powers = np.exp(x - x.max(axis=attrs["axis"], keepdims=True))
    return np.asarray(powers / powers.sum(axis=attrs["axis"], keepdims=True))


def _modulo(arrays: Arrays, attrs: Attrs) -> Array:
    return np.asarray(np.fmod(*arrays) if attrs.get("fmod") else np.mod(*arrays))


FOLDS: Mapping[str, Fold] = {
    "Add": _plain(np.add), "Sub": _plain(np.subtract), "Mul": _plain(np.multiply), "Div": _plain(_divided),
    "Pow": _plain(np.power), "Mod": _modulo, "Neg": _plain(np.negative), "Abs": _plain(np.abs),
    "Sqrt": _plain(np.sqrt), "Exp": _plain(np.exp), "Log": _plain(np.log), "Reciprocal": _plain(lambda x: 1 / x),
    "Sin": _plain(np.sin), "Cos": _plain(np.cos), "Floor": _plain(np.floor), "Ceil": _plain(np.ceil),
    "Round": _plain(np.rint), "Sign": _plain(np.sign), "Tanh": _plain(np.tanh),
    "Sigmoid": _plain(lambda x: 1 / (1 + np.exp(-x.astype(np.float64)))), "Relu": _plain(lambda x: np.maximum(x, 0)),
    "Min": _plain(np.minimum), "Max": _plain(np.maximum), "Clip": _clipped,
    "Equal": _plain(np.equal), "Less": _plain(np.less), "Greater": _plain(np.greater), "Not": _plain(np.logical_not),
    "And": _plain(np.logical_and), "Or": _plain(np.logical_or), "Xor": _plain(np.logical_xor),
    "Where": _plain(np.where), "MatMul": _plain(np.matmul), "Identity": _plain(lambda x: x),
    "ReduceSum": _reduced(np.sum), "ReduceMean": _reduced(np.mean), "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min), "ReduceProd": _reduced(np.prod), "Softmax": _soft, "CumSum": _summed,
    "Reshape": _reshape, "Transpose": _turned, "Unsqueeze": _wider, "Squeeze": _narrower, "Concat": _joined,
    "Slice": _slice, "Gather": _gather, "GatherElements": _gathered, "Expand": _expand, "Tile": _tiled, "Cast": _cast,
}  # fmt: skip
