"""LSTM, GRU and RNN: whole layers, and single steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph.form import BLOCK, Array, Constant, Value
from ..recording.net import Net
from .attention import linear
from .axes import chunk, cut, permute, sizes_of, transpose, view
from .bind import Values
from .refuse import garbled, in_training, refused

ORDER = {"GRU": (1, 0, 2), "RNN": (0,)}  # torch's gates r z n are ONNX's z r h


def _layers(params: Values, biased: bool, layers: int, ways: int) -> list[list[Values]]:
    """The weights of each way of each layer: ih, hh and their biases."""
    each = 4 if biased else 2
    if len(params) != each * layers * ways or layers < 1:
        raise refused("its recurrent layers have projections", "循环层带有投影（proj_size）")
    rows = [params[i : i + each] for i in range(0, len(params), each)]
    return [rows[i : i + ways] for i in range(0, len(rows), ways)]


def _check(t: Net, params: Values, train: bool, dropout: float, input: Value) -> None:
    if train and dropout:
        raise in_training("", "lstm(train=True)")
    if not all(map(t.is_constant, params)) or len(input.shape) != 3:
        raise refused("the weights of its recurrent layers are computed", "循环层的权重是计算出来的")


def lstm(
    t: Net,
    input: Value,  # torch's name
    hx: Values,
    params: Values,
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> list[Value]:
    """(T, N, C) or (N, T, C) -> outputs, h and c (layers * ways, N, hidden)."""
    _check(t, params, train, dropout, input)
    ways = 2 if bidirectional else 1
    x = transpose(t, input, 0, 1) if batch_first else input
    hs, cs = [], []
    for i, rows in enumerate(_layers(params, has_biases, num_layers, ways)):
        before = [_state(t, one, i, ways) for one in hx]
        x, h, c = _lstm_layer(t, x, before, rows, ways)
        hs.append(h)
        cs.append(c)
    out = transpose(t, x, 0, 1) if batch_first else x
    return [out, _joined(t, hs), _joined(t, cs)]


def _joined(t: Net, states: Sequence[Value]) -> Value:
    return states[0] if len(states) == 1 else t.emit("Concat", states, axis=0)


def _state(t: Net, whole: Value, layer: int, ways: int) -> Value | None:
    """The state before the first step, of one layer; None for zeros."""
    if whole.name in t.zeros:
        return None
    return cut(t, whole, 0, layer * ways, (layer + 1) * ways)


def _lstm_layer(t: Net, x: Value, before: Sequence[Value | None], rows: list[Values], ways: int) -> list[Value]:
    hidden = rows[0][1].shape[1]
    time, batch, inner = x.shape
    if not isinstance(hidden, int) or rows[0][0].shape != (4 * hidden, inner):
        raise garbled(f"an LSTM of {list(rows[0][0].shape)} gets {list(x.shape)}", "LSTM 的形状不符")
    state: Sequence[Value | str] = ["" if one is None else one for one in before]
    if any(state) and not all(state):
        state = [_zeros(t, x, ways, hidden) if one == "" else one for one in state]
    names: list[Value | str] = [one for row in rows for one in _all(row)]
    ends = [(time, batch, ways * hidden), (ways, batch, hidden), (ways, batch, hidden)]
    kinds = ["float32"] * 3
    return t.ops("Lstm", t.here, [x, *state, *names], ends, kinds, BLOCK, hidden=hidden, ways=ways)


def _all(row: Values) -> list[Value | str]:
    """The four of one way, "" for what it has not."""
    return [*row, *[""] * (4 - len(row))]


def _zeros(t: Net, x: Value, ways: int, hidden: int) -> Value:
    one = t.array(np.zeros((ways, 1, hidden), np.float32))
    size = t.size(x, 1)
    return t.emit("Expand", [one, t.row((1, size, 1))], (ways, x.shape[1], hidden))


def recurrent(op: str, activation: str = "") -> Callable[..., list[Value]]:
    """gru and rnn: (T, N, C) or (N, T, C) -> outputs, h (layers * ways, N, hidden)."""

    def function(
        t: Net,
        input: Value,
        hx: Value,
        params: Values,
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> list[Value]:
        _check(t, params, train, dropout, input)
        ways = 2 if bidirectional else 1
        x = transpose(t, input, 0, 1) if batch_first else input
        hs = []
        for i, rows in enumerate(_layers(params, has_biases, num_layers, ways)):
            x, h = _layer(t, op, activation, x, _state(t, hx, i, ways), rows)
            hs.append(h)
        return [transpose(t, x, 0, 1) if batch_first else x, _joined(t, hs)]

    return function


def _layer(t: Net, op: str, activation: str, x: Value, before: Value | None, rows: list[Values]) -> tuple[Value, Value]:
    ways, hidden = len(rows), rows[0][1].shape[1]
    if not isinstance(hidden, int) or rows[0][0].shape != (len(ORDER[op]) * hidden, x.shape[2]):
        raise garbled(f"a {op} of {list(rows[0][0].shape)} gets {list(x.shape)}", f"{op} 的形状不符")
    weights = [_stacked(t, op, [row[i] for row in rows]) for i in range(2)]
    bias = _biases(t, op, rows) if len(rows[0]) == 4 else None
    attrs: dict[str, Any] = {"hidden_size": hidden, "direction": "bidirectional" if ways == 2 else "forward"}
    attrs |= {"linear_before_reset": 1} if op == "GRU" else {"activations": (activation,) * ways}
    inputs = [x, *weights, bias, None, before]
    while inputs[-1] is None:
        inputs.pop()
    y, h = t.emits(op, inputs, 2, **attrs)
    y = permute(t, y, (0, 2, 1, 3))
    return view(t, y, (*sizes_of(t, y)[:2], ways * hidden)), h


def _gates(op: str, array: Array) -> Array:
    parts = np.split(array, len(ORDER[op]))
    return np.concatenate([parts[i] for i in ORDER[op]])


def _stacked(t: Net, op: str, weights: Sequence[Value]) -> Value:
    """The weights of all ways, with the gates in ONNX's order."""
    sources = [t.constants[one.name] for one in weights]
    shape = (len(weights), *sources[0].shape)
    return _made(t, shape, sources, lambda: np.stack([_gates(op, one.load()) for one in sources]))


def _biases(t: Net, op: str, rows: list[Values]) -> Value:
    """(ways, both biases)."""
    sources = [[t.constants[one.name] for one in row[2:]] for row in rows]
    flat = [one for row in sources for one in row]
    shape = (len(rows), 2 * flat[0].shape[0])

    def load() -> Array:
        return np.stack([np.concatenate([_gates(op, one.load()) for one in row]) for row in sources])

    return _made(t, shape, flat, load)


def _made(t: Net, shape: tuple[int, ...], sources: Sequence[Constant], load: Callable[[], Array]) -> Value:
    keys = {key: size for one in sources for key, size in one.keys.items()}
    name = t.unique(f"{t.here}/weights")
    t.constants[name] = Constant(shape, "float32", load, keys=keys)
    return Value(name, shape, "float32")


# -- one step ---------------------------------------------------------------------------------------------------------


def lstm_cell(
    t: Net,
    input: Value,
    hx: Values,
    w_ih: Value,
    w_hh: Value,
    b_ih: Value | None = None,
    b_hh: Value | None = None,
) -> list[Value]:
    """nn.LSTMCell: h and c after one step."""
    h, c = hx
    gates = t.emit("Add", [linear(t, input, w_ih, b_ih), linear(t, h, w_hh, b_hh)])
    i, f, g, o = chunk(t, gates, 4, -1)
    i, f, o = (t.emit("Sigmoid", [one]) for one in (i, f, o))
    c = t.emit("Add", [t.emit("Mul", [f, c]), t.emit("Mul", [i, t.emit("Tanh", [g])])])
    return [t.emit("Mul", [o, t.emit("Tanh", [c])]), c]


def gru_cell(
    t: Net,
    input: Value,
    hx: Value,
    w_ih: Value,
    w_hh: Value,
    b_ih: Value | None = None,
    b_hh: Value | None = None,
) -> Value:
    """nn.GRUCell: h after one step."""
    from_x, from_h = chunk(t, linear(t, input, w_ih, b_ih), 3, -1), chunk(t, linear(t, hx, w_hh, b_hh), 3, -1)
    r, z = (t.emit("Sigmoid", [t.emit("Add", [a, b])]) for a, b in zip(from_x[:2], from_h[:2], strict=True))
    n = t.emit("Tanh", [t.emit("Add", [from_x[2], t.emit("Mul", [r, from_h[2]])])])
    return t.emit("Add", [n, t.emit("Mul", [z, t.emit("Sub", [hx, n])])])


def rnn_cell(op: str) -> Callable[..., Value]:
    """nn.RNNCell: h after one step."""

    def function(
        t: Net,
        input: Value,
        hx: Value,
        w_ih: Value,
        w_hh: Value,
        b_ih: Value | None = None,
        b_hh: Value | None = None,
    ) -> Value:
        return t.emit(op, [t.emit("Add", [linear(t, input, w_ih, b_ih), linear(t, hx, w_hh, b_hh)])])

    return function


RECURRENT: dict[str, Callable[..., Value | list[Value]]] = {
    "lstm.input": lstm, "gru.input": recurrent("GRU"), "rnn_tanh.input": recurrent("RNN", "Tanh"),
    "rnn_relu.input": recurrent("RNN", "Relu"), "lstm": lstm, "gru": recurrent("GRU"),
    "rnn_tanh": recurrent("RNN", "Tanh"), "rnn_relu": recurrent("RNN", "Relu"), "lstm_cell": lstm_cell,
    "gru_cell": gru_cell, "rnn_tanh_cell": rnn_cell("Tanh"), "rnn_relu_cell": rnn_cell("Relu"),
}  # fmt: skip
