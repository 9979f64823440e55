"""Recurrent cells over whole sequences: as one operator of ONNX where its meaning is Keras', else step by step.

Keras' gates are i f c o (LSTM) and z r h (GRU) in the columns of its kernels, ONNX's i o f c and z r h in rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.form import BLOCK, Array, Constant, Value
from ...runtime.errors import spaced
from ..aten.axes import chunk, permute, select, squeeze_dims, stack, view
from .activations import by_setting
from .basic import times
from .layer import KerasNet, Layer

GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
MOST_STEPS = 512  # that are written one by one
SURE = 1e4  # a sigmoid of it is 1, and of its negative 0, whatever else is added

# Activations that ONNX's operators have: name -> theirs, alpha, beta
THEIRS: Mapping[str, tuple[str, float | None, float | None]] = {
    "tanh": ("Tanh", None, None), "sigmoid": ("Sigmoid", None, None), "relu": ("Relu", None, None),
    "softsign": ("Softsign", None, None), "softplus": ("Softplus", None, None), "linear": ("Affine", 1.0, 0.0),
    "elu": ("Elu", 1.0, None), "leaky_relu": ("LeakyRelu", 0.2, None),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """kind: LSTM, GRU or SimpleRNN;  layer: whose settings and numbers it has, the latter in its part `at`;
    cudnn: one of those with two biases in a row.
    """

    kind: str
    layer: Layer
    at: str = ""
    cudnn: bool = False

    @property
    def units(self) -> int:
        """Size of its state."""
        return self.layer.whole("units")

    @property
    def reset_after(self) -> bool:
        """Whether a GRU resets what it has multiplied."""
        return self.cudnn or self.layer.flag("reset_after", self.layer.age == 3)

    def act(self, key: str) -> Any:
        """An activation's setting; null is none."""
        usual = "tanh" if key == "activation" else "sigmoid"
        return self.layer.config.get(key, usual)

    def tensors(self, t: KerasNet, width: int) -> tuple[Value, Value, Value | None]:
        """Kernel (C, gates), recurrent kernel (U, gates), bias (gates) or (2, gates); CheckpointDamaged."""
        biased = self.cudnn or self.layer.flag("use_bias", True)
        roles = ("kernel", "recurrent_kernel", *(["bias"] if biased else []))
        kernel, recurrent, *bias = self.layer.tensors(t, *roles, at=self.at)
        wide = GATES[self.kind] * self.units
        rows = bias[0] if bias else None
        if rows is not None and self.cudnn:
            rows = t.emit("Reshape", [rows, t.whole(2, wide)])
        two = (self.kind == "GRU" and self.reset_after) or self.cudnn
        fine = rows is None or rows.shape == ((2, wide) if two else (wide,))
        if kernel.shape != (width, wide) or recurrent.shape != (self.units, wide) or not fine:
            raise self.layer.refuse(
                f"its kernel has the shape {list(kernel.shape)}, and its input {width} features",
                f"权重形状为 {list(kernel.shape)}，输入有 {width} 个特征",
            )
        return kernel, recurrent, rows


@dataclass
class Ran:
    """The results of a cell over a sequence: all of them (N, T, U), and its states behind the last step, (N, U)."""

    steps: Value
    states: list[Value]


def over(t: KerasNet, cell: Cell, x: Value, before: Sequence[Value], padding: Value | None = None) -> Ran:
    """One direction. `padding` is 1 at steps (N, T, 1) behind the last one, after which an LSTM keeps its c."""
    found = as_operator(t, [cell], x, [list(before)], padding)
    if found is not None:
        return found[0]
    length = x.shape[1]
    if not isinstance(length, int) or length > MOST_STEPS:
        for key in ("activation", "recurrent_activation"):
            by_setting(t, cell.layer, x, cell.act(key))  # the author's own are named first
        raise _no_form(cell, f"for {length} steps", f"（{length} 步）")
    return _one_by_one(t, cell, x, list(before), padding)


def _no_form(cell: Cell, for_en: str, for_zh: str) -> Exception:
    keys = ("activation",) if cell.kind == "SimpleRNN" else ("activation", "recurrent_activation")
    names = [_name(cell.act(key)) for key in keys]
    return cell.layer.refuse(
        f"ONNX has no recurrent operator with its activations ({', '.join(map(str, names))}) {for_en}",
        f"ONNX 没有使用这些激活函数（{', '.join(map(str, names))}）的循环算子{spaced(for_zh)}",
        f"Give the input a fixed length of at most {MOST_STEPS} steps, or use tanh and sigmoid",
        f"请把输入固定为不超过 {MOST_STEPS} 步，或使用 tanh 和 sigmoid",
    )


# -- as one operator -------------------------------------------------------------------------------------------------


def _name(found: Any) -> Any:
    """The name of one of Keras' own; None for what is none."""
    if found is None:
        return "linear"
    if isinstance(found, Mapping):
        registered = found.get("registered_name")
        if found.get("class_name") != "function" or (isinstance(registered, str) and ">" in registered):
            return None
        found = found.get("config")
        found = found.get("name") if isinstance(found, Mapping) else found
    return found if isinstance(found, str) else None


def _theirs(t: KerasNet, found: Any) -> tuple[str, float | None, float | None] | None:
    name = _name(found)
    if name == "hard_sigmoid":
        return "HardSigmoid", 0.2 if t.age == 2 else 1 / 6, 0.5
    return THEIRS.get(name) if isinstance(name, str) else None


def _acts(t: KerasNet, cells: Sequence[Cell]) -> list[tuple[str, float | None, float | None]] | None:
    """In ONNX's order, of all directions; None where it has not got one."""
    found = []
    for cell in cells:
        act = _theirs(t, cell.act("activation"))
        gate = act if cell.kind == "SimpleRNN" else _theirs(t, cell.act("recurrent_activation"))
        if act is None or gate is None:
            return None
        found += {"LSTM": [gate, act, act], "GRU": [gate, act], "SimpleRNN": [act]}[cell.kind]
    return found


def as_operator(
    t: KerasNet, cells: Sequence[Cell], x: Value, before: Sequence[list[Value]], padding: Value | None = None
) -> list[Ran] | None:
    """One or both directions of (N, T, C); None where ONNX cannot say it. The second runs from the last step on, and
    its results stand at the steps that they are of.
    """
    acts = _acts(t, cells)
    width = x.shape[2] if len(x.shape) == 3 else None
    if acts is None or not isinstance(width, int):
        return None
    rows = [cell.tensors(t, width) for cell in cells]
    kernels = [row[0] for row in rows]
    first = cells[0]
    if padding is not None:
        if first.kind != "LSTM" or acts[0][0] not in ("Sigmoid", "HardSigmoid"):
            return None
        x = t.emit("Concat", [x, padding], axis=2)
        u = first.units
        sure = np.repeat(np.array([-SURE, SURE, 0, 0], np.float32), u)[None]
        kernels = [t.emit("Concat", [kernel, t.array(sure)], axis=0) for kernel in kernels]
    states = [[] if not any(before) else [one[i] for one in before] for i in range(2 if first.kind == "LSTM" else 1)]
    wide = [_ways(t, each) for each in states]
    timed = permute(t, x, (1, 0, 2))
    if first.kind == "LSTM" and {act[0] for act in acts} == {"Sigmoid", "Tanh"} and _usual(acts):
        steps, h, c = _lstm_block(t, cells, kernels, rows, timed, wide)
        return _parts(t, cells, steps, [h, c])
    steps, *ends = _operator(t, cells, kernels, rows, timed, wide, acts)
    return _parts(t, cells, steps, ends)


def _usual(acts: Sequence[tuple[str, float | None, float | None]]) -> bool:
    return [act[0] for act in acts] == ["Sigmoid", "Tanh", "Tanh"] * (len(acts) // 3)


def _ways(t: KerasNet, states: Sequence[Value]) -> Value | None:
    """(ways, N, U); None where they are zeros."""
    return stack(t, tuple(states), 0) if states else None


def _parts(t: KerasNet, cells: Sequence[Cell], steps: Value, ends: Sequence[Value]) -> list[Ran]:
    """What belongs to each direction; steps are (T, N, ways * U), ends (ways, N, U)."""
    whole = permute(t, steps, (1, 0, 2))
    each = [whole] if len(cells) == 1 else chunk(t, whole, 2, 2)
    states = [[_of_way(t, end, i, len(cells)) for end in ends] for i in range(len(cells))]
    return [Ran(one, state) for one, state in zip(each, states, strict=True)]


def _of_way(t: KerasNet, end: Value, way: int, ways: int) -> Value:
    return squeeze_dims(t, end, (0,)) if ways == 1 else select(t, end, 0, way)


Rows = Sequence[tuple[Value, Value, Value | None]]


def _lstm_block(
    t: KerasNet, cells: Sequence[Cell], kernels: Sequence[Value], rows: Rows, x: Value, states: Sequence[Value | None]
) -> list[Value]:
    names: list[Value | str] = []
    for kernel, (_, recurrent, bias) in zip(kernels, rows, strict=True):
        names += [t.emit("Transpose", [one], perm=(1, 0)) for one in (kernel, recurrent)]
        if bias is not None and len(bias.shape) == 2:
            names += [t.emit("Gather", [bias, t.scalar(i, "int64")], axis=0) for i in (0, 1)]
        else:
            names += ["" if bias is None else bias, "" if bias is None else t.array(np.zeros(bias.shape, np.float32))]
    time, batch, ways, u = *x.shape[:2], len(cells), cells[0].units
    ends = [(time, batch, ways * u), (ways, batch, u), (ways, batch, u)]
    before: list[Value | str] = ["" if one is None else one for one in states]
    return t.ops("Lstm", t.here, [x, *before, *names], ends, ["float32"] * 3, BLOCK, hidden=u, ways=ways)


def _operator(
    t: KerasNet,
    cells: Sequence[Cell],
    kernels: Sequence[Value],
    rows: Rows,
    x: Value,
    states: Sequence[Value | None],
    acts: Sequence[tuple[str, float | None, float | None]],
) -> list[Value]:
    kind, u, ways = cells[0].kind, cells[0].units, len(cells)
    order = {"LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2), "SimpleRNN": (0,)}[kind]
    weights = [_stacked(t, order, kernels), _stacked(t, order, [row[1] for row in rows])]
    bias = _biases(t, order, [row[2] for row in rows], u) if rows[0][2] is not None else None
    attrs: dict[str, Any] = {"hidden_size": u, "direction": "bidirectional" if ways == 2 else "forward"}
    attrs["activations"] = tuple(act[0] for act in acts)
    for key, i in (("activation_alpha", 1), ("activation_beta", 2)):
        numbers = tuple(float(act[i]) for act in acts if act[i] is not None)  # type: ignore[arg-type]
        attrs |= {key: numbers} if numbers else {}
    attrs |= {"linear_before_reset": int(cells[0].reset_after)} if kind == "GRU" else {}
    inputs = [x, *weights, bias, None, *states]
    while inputs[-1] is None:
        inputs.pop()
    op = {"SimpleRNN": "RNN"}.get(kind, kind)
    y, *ends = t.emits(op, inputs, 3 if kind == "LSTM" else 2, **attrs)
    turned = permute(t, y, (0, 2, 1, 3))
    return [view(t, turned, (t.size(x, 0), t.size(x, 1), ways * u)), *ends]


def _stacked(t: KerasNet, order: Sequence[int], kernels: Sequence[Value]) -> Value:
    """(…, gates * U) of each way -> (ways, gates * U, …) with the gates in ONNX's order."""
    sources = [t.constants[one.name] for one in kernels]
    shape = (len(kernels), *sources[0].shape[::-1])
    return _made(t, shape, sources, lambda: np.stack([_sorted(order, one.load().T) for one in sources]))


def _biases(t: KerasNet, order: Sequence[int], biases: Sequence[Value | None], u: int) -> Value:
    """(ways, input and recurrent bias)."""
    sources = [t.constants[one.name] for one in biases if one is not None]
    wide = len(order) * u

    def load() -> Array:
        rows = [one.load() for one in sources]
        pairs = [row if row.ndim == 2 else np.stack([row, np.zeros_like(row)]) for row in rows]
        return np.stack([np.concatenate([_sorted(order, one) for one in pair]) for pair in pairs])

    return _made(t, (len(sources), 2 * wide), sources, load)


def _sorted(order: Sequence[int], array: Array) -> Array:
    parts = np.split(array, len(order))
    return np.concatenate([parts[i] for i in order])


def _made(t: KerasNet, shape: tuple[int, ...], sources: Sequence[Constant], load: Callable[[], Array]) -> Value:
    keys = {key: size for one in sources for key, size in one.keys.items()}
    name = t.unique(f"{t.here}/weights")
    t.constants[name] = Constant(shape, "float32", load, keys=keys)
    return Value(name, shape, "float32")


def alike(a: Cell, b: Cell) -> bool:
    """Whether the two are one operator in two directions."""
    same = a.kind == b.kind and a.units == b.units and a.cudnn == b.cudnn
    biased = a.layer.flag("use_bias", True) == b.layer.flag("use_bias", True)
    return same and biased and (a.kind != "GRU" or a.reset_after == b.reset_after)


# -- step by step ----------------------------------------------------------------------------------------------------


def _one_by_one(t: KerasNet, cell: Cell, x: Value, before: list[Value], padding: Value | None) -> Ran:
    kernel, recurrent, bias = cell.tensors(t, int(x.shape[2]))
    pair: list[Value | None] = [bias, None]
    if bias is not None and len(bias.shape) == 2:
        pair = [*(t.emit("Gather", [bias, t.scalar(i, "int64")], axis=0) for i in (0, 1))]
    entered = times(t, x, kernel, pair[0])
    states: list[Value | None] = list(before) or [None] * (2 if cell.kind == "LSTM" else 1)
    steps = []
    length = x.shape[1]
    assert isinstance(length, int)
    for i in range(length):
        new = STEPS[cell.kind](t, cell, select(t, entered, 1, i), states, recurrent, pair[1])
        if padding is not None:
            late = t.emit("Greater", [select(t, padding, 1, i), t.scalar(0.5)])
            new = [_kept(t, late, old, one) for old, one in zip(states, new, strict=True)]
        states = new
        steps.append(states[0])
    known = [one for one in steps if one is not None]
    return Ran(stack(t, tuple(known), 1), [one for one in states if one is not None])


def _kept(t: KerasNet, late: Value, old: Value | None, new: Value | None) -> Value | None:
    return None if new is None else t.emit("Where", [late, t.scalar(0.0) if old is None else old, new])


Step = Callable[[KerasNet, Cell, Value, Sequence["Value | None"], Value, "Value | None"], "list[Value | None]"]


def _back(t: KerasNet, h: Value | None, recurrent: Value, bias: Value | None) -> Value | None:
    """What the state gives; None for nothing."""
    return bias if h is None else times(t, h, recurrent, bias)


def _plus(t: KerasNet, x: Value, more: Value | None) -> Value:
    return x if more is None else t.emit("Add", [x, more])


def _lstm_step(
    t: KerasNet, cell: Cell, x: Value, states: Sequence[Value | None], recurrent: Value, bias: Value | None
) -> list[Value | None]:
    h, c = states
    i, f, g, o = chunk(t, _plus(t, x, _back(t, h, recurrent, bias)), 4, -1)
    i, f, o = (by_setting(t, cell.layer, one, cell.act("recurrent_activation")) for one in (i, f, o))
    g = by_setting(t, cell.layer, g, cell.act("activation"))
    new = t.emit("Mul", [i, g])
    new = new if c is None else t.emit("Add", [t.emit("Mul", [f, c]), new])
    return [t.emit("Mul", [o, by_setting(t, cell.layer, new, cell.act("activation"))]), new]


def _gru_step(
    t: KerasNet, cell: Cell, x: Value, states: Sequence[Value | None], recurrent: Value, bias: Value | None
) -> list[Value | None]:
    (h,) = states
    u = cell.units
    xs = chunk(t, x, 3, -1)
    if cell.reset_after:
        back = _back(t, h, recurrent, bias)
        hs: list[Value | None] = [None] * 3 if back is None else list(chunk(t, back, 3, -1))
    else:
        gates, last = (
            t.emit("Slice", [recurrent, t.whole(a), t.whole(b), t.whole(1)]) for a, b in ((0, 2 * u), (2 * u, 3 * u))
        )
        hs = [None] * 3 if h is None else [*chunk(t, times(t, h, gates, None), 2, -1), None]
    z, r = (
        by_setting(t, cell.layer, _plus(t, a, b), cell.act("recurrent_activation"))
        for a, b in zip(xs[:2], hs[:2], strict=True)
    )
    if cell.reset_after:
        inner = None if hs[2] is None else t.emit("Mul", [r, hs[2]])
    else:
        inner = None if h is None else times(t, t.emit("Mul", [r, h]), last, None)
    new = by_setting(t, cell.layer, _plus(t, xs[2], inner), cell.act("activation"))
    rest = t.emit("Mul", [t.emit("Sub", [t.scalar(1.0), z]), new])
    return [rest if h is None else t.emit("Add", [t.emit("Mul", [z, h]), rest])]


def _simple_step(
    t: KerasNet, cell: Cell, x: Value, states: Sequence[Value | None], recurrent: Value, bias: Value | None
) -> list[Value | None]:
    (h,) = states
    return [by_setting(t, cell.layer, _plus(t, x, _back(t, h, recurrent, bias)), cell.act("activation"))]


STEPS: Mapping[str, Step] = {"LSTM": _lstm_step, "GRU": _gru_step, "SimpleRNN": _simple_step}
