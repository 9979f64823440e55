"""The numbers that shapes are made of: what small operators give, where some of the sizes are only names.

An array that holds names is of dtype object: its elements are numbers and texts, as in a Shape.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from .form import Array, Constant, Dim
from .shapes_axes import shape_slice, span
from .shapes_call import FEW, UNKNOWN, Call, Typed, Unknown, fixed, plus, product, times

Arrays = Sequence[Array]
Fold = Callable[[Call, Arrays, Typed], Array]
COUNTED = {"bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
NUMERIC = COUNTED | {"float16", "float32", "float64"}


def propagate(call: Call, typed: Sequence[Typed]) -> list[Array] | None:
    """The numbers of each output; None where the operator, or what it is fed, is not for that. typed: by shapes.

    The numbers of all inputs must be known, but for those of Shape and Size.
    """
    node = call.node
    if node.domain or node.op not in FOLDS or not all(map(_small, typed)):
        return None
    arrays = [] if node.op in OF_SHAPES else [call.known(i) for i in range(len(node.inputs)) if call.has(i)]
    found = [array for array in arrays if array is not None]
    if len(found) < len(arrays):
        return None
    try:
        with np.errstate(all="ignore"):
            results = _split(call, found, typed) if node.op == "Split" else [FOLDS[node.op](call, found, typed[0])]
            settled = [_settled(array, dtype) for array, (_, dtype) in zip(results, typed, strict=False)]
    except (ArithmeticError, TypeError, ValueError, Unknown):  # a nan to be an integer, a text for a number
        return None
    return settled if all(a.shape == shape for a, (shape, _) in zip(settled, typed, strict=False)) else None


def _small(typed: Typed) -> bool:
    shape, dtype = typed
    sizes = [n for n in shape if isinstance(n, int)]
    return len(sizes) == len(shape) and math.prod(sizes) <= FEW and dtype in NUMERIC


def _settled(array: Array, dtype: str) -> Array:
    """As numbers, if no names are left."""
    named = array.dtype == object and any(isinstance(n, str) for n in array.ravel())
    return array if named else array.astype(dtype)


def listed(sizes: Sequence[Dim]) -> Array:
    """A shape as an array."""
    return _settled(np.array(sizes, dtype=object), "int64")


# -- the same numbers elsewhere --------------------------------------------------------------------------------------


def _sizes(call: Call, arrays: Arrays, typed: Typed) -> Array:
    return listed(shape_slice(call))


def _size(call: Call, arrays: Arrays, typed: Typed) -> Array:
    return listed([product(call.shape(0))]).reshape(())


def _constant(call: Call, arrays: Arrays, typed: Typed) -> Array:
    attrs = call.node.attrs
    value = next(v for k, v in attrs.items() if k.startswith("value"))
    return value.load() if isinstance(value, Constant) else np.array(value)


def _filled(call: Call, arrays: Arrays, typed: Typed) -> Array:
    value = call.tensor("value")
    return np.full(_shape(typed), value.load().reshape(-1)[0] if value else 0.0)


def _range(call: Call, arrays: Arrays, typed: Typed) -> Array:
    return arrays[0] + np.arange(_shape(typed)[0]) * arrays[2]


def _shape(typed: Typed) -> tuple[int, ...]:
    return tuple(n for n in typed[0] if isinstance(n, int))


def _reshaped(call: Call, arrays: Arrays, typed: Typed) -> Array:
    return arrays[0].reshape(_shape(typed))


def _expanded(call: Call, arrays: Arrays, typed: Typed) -> Array:
    return np.broadcast_to(arrays[0], _shape(typed))


def _tiled(call: Call, arrays: Arrays, typed: Typed) -> Array:
    return np.tile(arrays[0], arrays[1].tolist())


def _transposed(call: Call, arrays: Arrays, typed: Typed) -> Array:
    return arrays[0].transpose(call.numbers("perm"))


def _joined(call: Call, arrays: Arrays, typed: Typed) -> Array:
    return np.concatenate(arrays, call.number("axis", 0))


def _gathered(call: Call, arrays: Arrays, typed: Typed) -> Array:
    data, at = arrays
    axis = call.axis(0, data.ndim)
    size = data.shape[axis]
    if at.dtype == object:
        return np.full(_shape(typed), UNKNOWN, dtype=object)
    outside = [i for i in at.ravel().tolist() if not -size <= i < size]
    if outside:
        raise call.wrong(f"it takes number {outside[0]} of {size}", f"要从 {size} 个数中取第 {outside[0]} 个")
    return np.asarray(data.take(at % max(size, 1), axis), dtype=data.dtype)


def _cut(call: Call, arrays: Arrays, typed: Typed) -> Array:
    array = arrays[0]
    starts, ends = call.given("starts", 1) or (), call.given("ends", 2) or ()
    axes = call.axes(3, array.ndim) or range(len(starts))
    steps = call.ints(4) if call.has(4) else (1,) * len(starts)
    for axis, start, end, step in zip(axes, fixed(starts), fixed(ends), fixed(steps), strict=True):
        array = array.take(range(*span(array.shape[axis], start, end, step), step), axis)
    return array


def _split(call: Call, arrays: Arrays, typed: Sequence[Typed]) -> list[Array]:
    axis = call.axis(0, arrays[0].ndim)
    ends = np.cumsum([_shape(one)[axis] for one in typed])
    return np.split(arrays[0], ends[:-1].tolist(), axis)


def _cast(call: Call, arrays: Arrays, typed: Typed) -> Array:
    array = arrays[0]
    if array.dtype != object:
        return array
    counted = typed[1] in COUNTED
    if typed[1] == "bool":
        return _each(lambda n: UNKNOWN if isinstance(n, str) else bool(n), array)
    return _each(lambda n: n if isinstance(n, str) else int(n) if counted else n, array)


def _positions(call: Call, arrays: Arrays, typed: Typed) -> Array:
    if arrays[0].dtype == object or not arrays[0].ndim:
        return np.full((1, 0), 0)  # of no shape that was inferred, so nothing is taken
    return np.array(np.nonzero(arrays[0]))


# -- arithmetic ------------------------------------------------------------------------------------------------------


def _each(function: Callable[..., object], *arrays: Array) -> Array:
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)


def _divided(a: Array, b: Array) -> Array:
    """Towards zero where both are integers, as C does."""
    if a.dtype.kind == "f":
        return np.asarray(a / b)
    away = (np.remainder(a, b) != 0) & ((a < 0) != (b < 0))
    return np.asarray(a // b + away)


def _minus(a: Dim, b: Dim) -> Dim:
    return a if b == 0 else 0 if a == b != UNKNOWN else UNKNOWN


def _over(a: Dim, b: Dim) -> Dim:
    return a if b == 1 else 1 if a == b != UNKNOWN else UNKNOWN


def _alike(a: Dim, b: Dim) -> Dim:
    """Of two, one a name, whether they are equal: a size is never negative."""
    if UNKNOWN in (a, b):
        return UNKNOWN
    return True if a == b else False if any(isinstance(n, int) and n < 0 for n in (a, b)) else UNKNOWN


def _either(a: Dim, b: Dim) -> Dim:
    return a if a == b else UNKNOWN


def _chosen(truth: Dim, a: Dim, b: Dim) -> Dim:
    return _either(a, b) if isinstance(truth, str) else a if truth else b


def _itself(a: Dim) -> Dim:
    return a


def _unknown(*sizes: Dim) -> Dim:
    return UNKNOWN


def _where(truth: Array, a: Array, b: Array) -> Array:
    return np.where(truth, a, b)


# Operator -> of numbers, and where names are among them
Arithmetic = tuple[Callable[..., Array], Callable[..., Dim]]
ARITHMETIC: dict[str, Arithmetic] = {
    "Add": (np.add, plus), "Sum": (np.add, plus), "Sub": (np.subtract, _minus), "Mul": (np.multiply, times),
    "Div": (_divided, _over), "Mod": (np.mod, _unknown), "Pow": (np.power, _unknown),
    "Min": (np.minimum, _either), "Max": (np.maximum, _either),
    "Equal": (np.equal, _alike), "Less": (np.less, _unknown), "LessOrEqual": (np.less_equal, _unknown),
    "Greater": (np.greater, _unknown), "GreaterOrEqual": (np.greater_equal, _unknown),
    "And": (np.logical_and, _unknown), "Or": (np.logical_or, _unknown), "Xor": (np.logical_xor, _unknown),
    "Not": (np.logical_not, _unknown), "Neg": (np.negative, _unknown), "Abs": (np.abs, _itself),
    "Floor": (np.floor, _itself), "Ceil": (np.ceil, _itself), "Round": (np.round, _itself),
    "Sqrt": (np.sqrt, _unknown), "Where": (_where, _chosen),
}  # fmt: skip
VARIADIC = {"Sum", "Min", "Max"}
ALL = {"ReduceSum": "Add", "ReduceProd": "Mul", "ReduceMin": "Min", "ReduceMax": "Max"}


def _computed(call: Call, arrays: Arrays, typed: Typed) -> Array:
    both = ARITHMETIC[call.node.op]
    dtypes = [call.dtype(i) for i in range(len(arrays))]
    if call.node.op in VARIADIC:
        return functools.reduce(lambda a, b: _with_names(both, [a, b], dtypes[:2]), arrays)
    return _with_names(both, arrays, dtypes)


def _with_names(both: Arithmetic, arrays: Arrays, dtypes: Sequence[str]) -> Array:
    of_numbers, of_names = both
    if all(array.dtype != object for array in arrays):
        return of_numbers(*arrays)

    def one(*items: Dim) -> object:
        if any(isinstance(item, str) for item in items):
            return of_names(*items)
        return of_numbers(*map(np.asarray, items, dtypes)).item()

    return _each(one, *arrays)


def _reduced(call: Call, arrays: Arrays, typed: Typed) -> Array:
    """Over all axes; other forms do not occur in shapes."""
    if math.prod(_shape(typed)) != 1 or not arrays[0].size:
        return arrays[0]
    both, dtypes = ARITHMETIC[ALL[call.node.op]], [call.dtype()] * 2
    found = functools.reduce(lambda a, b: _with_names(both, [a, b], dtypes), map(np.asarray, arrays[0].ravel()))
    return found.reshape(_shape(typed))


OF_SHAPES = {"Shape", "Size"}
FOLDS: dict[str, Fold] = {
    **dict.fromkeys(ARITHMETIC, _computed),
    **dict.fromkeys(ALL, _reduced),
    **dict.fromkeys(("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"), _reshaped),
    "Shape": _sizes,
    "Size": _size,
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Range": _range,
    "Expand": _expanded,
    "Tile": _tiled,
    "Transpose": _transposed,
    "Concat": _joined,
    "Gather": _gathered,
    "Slice": _cut,
    "Split": _reshaped,
    "Cast": _cast,
    "NonZero": _positions,
}
