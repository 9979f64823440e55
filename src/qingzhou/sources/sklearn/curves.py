"""Transformers that bend each column: powers, quantiles, bins, splines, and the functions of numpy that have a name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...files.types import Opaque
from ...files.values import Global
from ...graph.form import Array, Value
from .arithmetic import misfit, width
from .encoders import one_hot
from .fitted import Fitted, listed
from .normal import quantile
from .refuse import refused, unknown
from .scaling import made, standard
from .work import Rows, Transform, Work

MOST_EDGES = 1 << 20


def places_in(w: Work, x: Value, edges: list[Array]) -> Value:
    """(N, C) -> (N, C) int64, how many of a column's ascending edges are not above the cell: a binary search."""
    size = 1
    while size <= max(len(one) for one in edges):
        size *= 2
    if size * len(edges) > MOST_EDGES:
        raise refused("one of its steps has too many edges", "其中一步的分界点太多")
    table = np.full((len(edges), size), np.inf)
    for row, one in zip(table, edges, strict=True):
        row[: len(one)] = one
    flat, first = w.of(table.ravel()), w.of(np.arange(len(edges))[None] * size, "int64")
    place = w.mul(w.cast(w.is_empty(x), "int64"), 0)
    while (size := size // 2) >= 1:
        edge = w.net.emit("Gather", [flat, w.add(w.add(first, place), size - 1)], axis=0)
        past = w.cast(w.op("Not", w.op("Less", x, edge)), "int64")
        place = w.add(place, w.mul(past, size))
    return w.op("Min", place, w.of(np.array([[len(one) for one in edges]]), "int64"))


def picked(w: Work, tables: list[Array], place: Value) -> Value:
    """(N, C): of each column's table the entry at its place."""
    starts = np.cumsum([0, *(len(one) for one in tables[:-1])])
    return w.take(np.concatenate(tables), w.add(place, w.of(starts[None], "int64")))


def between_points(w: Work, x: Value, points: list[Array], heights: list[Array]) -> Value:
    """(N, C): numpy.interp of each column; where points are equal the last of them counts."""
    place = w.sub(places_in(w, x, points), 1)
    place = w.op("Max", place, 0)
    slopes = []
    for at, high in zip(points, heights, strict=True):
        run = np.diff(at)
        slopes.append(np.append(np.divide(np.diff(high), run, out=np.zeros(len(run)), where=run != 0), 0.0))
    ends = [np.array([one[side] for one in points])[None] for side in (0, -1)]
    inside = w.op("Min", w.op("Max", x, ends[0]), ends[1])
    away = w.sub(inside, picked(w, points, place))
    return w.add(w.mul(picked(w, slopes, place), away), picked(w, heights, place))


# -- quantiles ---------------------------------------------------------------------------------------------------------

NEAR = 1e-7  # sklearn/preprocessing/_data.py: BOUNDS_THRESHOLD


def _quantiles(w: Work, e: Fitted, x: Rows) -> Rows:
    """The mean of the line up and the line down, so that equal quantiles count half each way."""
    table, heights = e.numbers("quantiles_", rank=2), e.numbers("references_", rank=1)
    if table.shape != (len(heights), x.width):
        raise misfit(table.shape[1], x.width)
    normal = e.one_of("output_distribution", "uniform", "normal") == "normal"
    up = [np.ascontiguousarray(column) for column in table.T]
    down = [-column[::-1] for column in up]
    rising = between_points(w, x.value, up, [heights] * x.width)
    falling = between_points(w, w.op("Neg", x.value), down, [-heights[::-1]] * x.width)
    found = w.mul(w.sub(rising, falling), 0.5)
    near = NEAR if normal else 0.0
    low, high = table[:1], table[-1:]
    below, above = w.sub(x.value, near), w.add(x.value, near)
    least = w.op("Less", below, low) if normal else w.op("Equal", x.value, low)
    most = w.op("Greater", above, high) if normal else w.op("Equal", x.value, high)
    found = w.where(least, 0.0, w.where(most, 1.0, found))
    return made(_normal(w, found) if normal else found)


def _normal(w: Work, share: Value) -> Value:
    from statistics import NormalDist

    edge = NormalDist().inv_cdf(NEAR - np.spacing(1.0))
    low = NEAR - float(np.spacing(1.0))
    found = quantile(w, w.op("Min", w.op("Max", share, low), 1 - low))
    return w.op("Min", w.op("Max", found, edge), NormalDist().inv_cdf(1 - low))


# -- powers ------------------------------------------------------------------------------------------------------------


def log1p(w: Work, x: Value) -> Value:
    """log(1 + x), exact to its last digits also of small x: Kahan's correction."""
    more = w.add(x, 1.0)
    same = w.op("Equal", more, 1.0)
    safe = w.where(same, 2.0, more)
    return w.where(same, x, w.mul(w.op("Log", safe), w.div(x, w.sub(safe, 1.0))))


def expm1(w: Work, x: Value) -> Value:
    """e^x - 1, exact to its last digits also of small x."""
    power = w.exp(x)
    less = w.sub(power, 1.0)
    near = w.op("Less", w.op("Abs", x), 0.5)
    flat = w.op("Equal", power, 1.0)
    logs = w.op("Log", w.where(w.op("And", near, w.op("Not", flat)), power, 2.0))
    return w.where(near, w.where(flat, x, w.mul(less, w.div(x, logs))), less)


def _powered(w: Work, e: Fitted, x: Rows) -> Rows:
    powers = e.numbers("lambdas_", rank=1)
    if len(powers) != x.width:
        raise misfit(len(powers), x.width)
    bend = {"yeo-johnson": _yeo_johnson, "box-cox": _box_cox}[e.one_of("method", "yeo-johnson", "box-cox")]
    found = made(w.concat([bend(w, w.columns_of(x.value, [i]), float(power)) for i, power in enumerate(powers)]))
    return standard(w, e.inner("_scaler"), found) if e.flag("standardize", True) else found


def _raised(w: Work, logs: Value, power: float) -> Value:
    """(e^(power · logs) - 1) / power, the logarithm itself where power is 0."""
    return logs if power == 0 else w.div(expm1(w, w.mul(logs, power)), power)


def _box_cox(w: Work, x: Value, power: float) -> Value:
    return _raised(w, w.op("Log", x), power)


def _yeo_johnson(w: Work, x: Value, power: float) -> Value:
    eps = float(np.finfo(np.float64).eps)
    low, high = 2.0 - power, power
    up = _raised(w, log1p(w, w.op("Max", x, 0.0)), 0.0 if abs(high) < eps else high)
    down = _raised(w, log1p(w, w.op("Neg", w.op("Min", x, 0.0))), 0.0 if abs(low) <= eps else low)
    return w.where(w.op("Less", x, 0.0), w.op("Neg", down), up)


# -- bins --------------------------------------------------------------------------------------------------------------


def _bins(w: Work, e: Fitted, x: Rows) -> Rows:
    edges = [np.asarray(one, np.float64)[1:-1] for one in listed_arrays(e, "bin_edges_")]
    if len(edges) != x.width:
        raise misfit(len(edges), x.width)
    found = made(w.cast(places_in(w, x.value, edges), "float64"))
    return (
        found
        if e.one_of("encode", "onehot", "onehot-dense", "ordinal") == "ordinal"
        else one_hot(w, e.inner("_encoder"), found)
    )


def listed_arrays(e: Fitted, key: str) -> list[Array]:
    """The arrays in a list or an array of objects; of a matrix its rows."""
    found = e.need(key)
    if isinstance(found, np.ndarray) and found.ndim == 2:
        return [np.asarray(row) for row in found]
    parts = listed(found)
    if not all(isinstance(one, np.ndarray) and one.ndim == 1 and one.dtype.kind in "iuf" for one in parts):
        raise e.odd(key, found)
    return parts


# -- splines -----------------------------------------------------------------------------------------------------------


def _splines(w: Work, e: Fitted, x: Rows) -> Rows:
    """Each piece between two knots is a polynomial in how far a cell is behind the knot."""
    lines = [_pieces(e, one) for one in listed(e.need("bsplines_"))]
    if len(lines) != x.width:
        raise misfit(len(lines), x.width)
    way = e.one_of("extrapolation", "constant", "linear", "continue", "error", "periodic")
    parts = []
    for i, (knots, table) in enumerate(lines):
        value = w.columns_of(x.value, [i])
        low, high = float(knots[0]), float(knots[-1])
        if way == "periodic":
            turns = w.op("Floor", w.div(w.sub(value, low), high - low))
            value = w.sub(value, w.mul(turns, high - low))
        inside = w.op("Min", w.op("Max", value, low), high) if way in ("constant", "linear") else value
        found = _along(w, inside, knots, table)
        if way == "linear":
            found = w.add(found, _straight(w, w.sub(value, inside), inside, knots, table, e.whole("degree", 3)))
        kept = found if e.flag("include_bias", True) else w.columns_of(found, range(width(found) - 1))
        parts.append(kept)
    return made(w.concat(parts))


def _along(w: Work, x: Value, knots: Array, table: Array) -> Value:
    """(N, 1) -> (N, splines)."""
    place = places_in(w, x, [knots[1:-1]])
    away = w.sub(x, w.take(knots[:-1], place))
    found: Value | None = None
    for power in reversed(range(table.shape[1])):
        part = w.flat(w.take(np.ascontiguousarray(table[:, power]), place), 1)
        found = part if found is None else w.add(w.mul(found, away), part)
    assert found is not None
    return found


def _straight(w: Work, away: Value, x: Value, knots: Array, table: Array, degree: int) -> Value:
    """Beyond the ends: on as steep as there."""
    size = table.shape[2]
    run = knots[-1] - knots[-2]
    last = sum(power * table[-1, power] * run ** (power - 1) for power in range(1, table.shape[1]))
    reach = max(degree, 2) if degree <= 1 else degree
    first = np.where(np.arange(size) < reach, table[0, 1] if table.shape[1] > 1 else 0.0, 0.0)
    last = np.where(np.arange(size) >= size - reach, last, 0.0)
    below = w.mul(w.op("Min", away, 0.0), first[None])
    return w.add(below, w.mul(w.op("Max", away, 0.0), last[None]))


def _pieces(e: Fitted, spline: object) -> tuple[Array, Array]:
    """Its knots from the first to the last piece, and (pieces, degree + 1, splines) coefficients: Cox and de Boor."""
    state = spline.state if isinstance(spline, Opaque) and isinstance(spline.state, dict) else {}
    t, c, k = (
        state.get("_t", state.get("t")),
        state.get("_c", state.get("c")),
        state.get("k"),
    )  # scipy 1.15 renames them
    if not isinstance(t, np.ndarray) or not isinstance(c, np.ndarray) or type(k) is not int or not 0 <= k <= 20:
        raise e.odd("bsplines_", spline)
    t, c, count = t.astype(np.float64), c.astype(np.float64), len(t) - k - 1
    if t.ndim != 1 or c.ndim != 2 or len(c) < count or count <= k or np.any(np.diff(t) < 0) or len(t) > 1 << 10:
        raise e.odd("bsplines_", spline)
    table = np.zeros((count - k, k + 1, count))
    for piece in range(k, count):
        basis = {piece: np.eye(1, k + 1)[0]}
        for degree in range(1, k + 1):
            basis = {j: _grown(t, piece, j, degree, basis) for j in range(piece - degree, piece + 1)}
        for j, numbers in basis.items():
            table[piece - k, :, j] = numbers
    return t[k : count + 1], table @ c[:count]


def _grown(t: Array, piece: int, j: int, degree: int, basis: dict[int, Array]) -> Array:
    """A basis function of one degree more, as a polynomial in x - t[piece]."""
    found = np.zeros_like(next(iter(basis.values())))
    if j in basis and (run := t[j + degree] - t[j]):
        found += (np.roll(basis[j], 1) + (t[piece] - t[j]) * basis[j]) / run
    if j + 1 in basis and (run := t[j + degree + 1] - t[j + 1]):
        found += ((t[j + degree + 1] - t[piece]) * basis[j + 1] - np.roll(basis[j + 1], 1)) / run
    return found


# -- functions ---------------------------------------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[[Work, Value], Value]] = {
    "log": lambda w, x: w.op("Log", x),
    "log1p": log1p,
    "log2": lambda w, x: w.div(w.op("Log", x), float(np.log(2))),
    "log10": lambda w, x: w.div(w.op("Log", x), float(np.log(10))),
    "exp": lambda w, x: w.exp(x),
    "expm1": expm1,
    "sqrt": lambda w, x: w.op("Sqrt", x),
    "square": lambda w, x: w.mul(x, x),
    "absolute": lambda w, x: w.op("Abs", x),
    "negative": lambda w, x: w.op("Neg", x),
    "reciprocal": lambda w, x: w.div(1.0, x),
    "sin": lambda w, x: w.op("Sin", x),
    "tanh": lambda w, x: w.op("Tanh", x),
}


def function_of(value: object) -> Callable[[Work, Value], Value] | None:
    """A function of numpy that is applied to each number, by the name under which it was saved; None for any other."""
    if isinstance(value, Global):
        module, _, name = value.name.rpartition(".")
    elif isinstance(value, Opaque) and value.name.endswith("_ufunc_reconstruct") and len(value.args) == 2:
        module, name = (str(one) for one in value.args)
    else:
        return None
    return FUNCTIONS.get(name) if module.partition(".")[0] == "numpy" else None


def _nothing(w: Work, e: Fitted, x: Rows) -> Rows:
    """FunctionTransformer without a function."""
    if e.has("func"):
        raise unknown(e.name)
    return x


TRANSFORMS: dict[str, Transform] = {
    "QuantileTransformer": _quantiles,
    "PowerTransformer": _powered,
    "KBinsDiscretizer": _bins,
    "SplineTransformer": _splines,
    "FunctionTransformer": _nothing,
}
