"""LSTM, whose weights flow in as one row; GRU and RNN are written out in the file step by step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.form import BLOCK, Shape, Value
from .refuse import garbled
from .walk import Call, Step


def lstm(c: Call) -> tuple[Any, ...]:
    """(T, N, C), h and c (1, N, hidden), a row of weights -> (T, N, hidden), h, c; torch's gates."""
    t, x, attrs = c.t, c.x(0), c.node.attrs
    hidden, inner = int(attrs.get("hidden_size", 0)), x.shape[-1]
    plain = (attrs.get("num_layers", 1), bool(attrs.get("bidirectional")), int(attrs.get("proj_size") or 0)) == (
        1,
        False,
        0,
    )
    c.only(plain, "its LSTM has several layers in one operation, or a projection", "LSTM 算子内含多层、双向或投影")
    if len(x.shape) != 3 or not isinstance(inner, int) or not 0 < hidden < 1 << 16:
        raise garbled(f"its LSTM of {hidden} reads {list(x.shape)}", f"LSTM 的输入是 {list(x.shape)}，隐藏层 {hidden}")
    row = c.x(3)
    rest = math.prod(n for n in row.shape if isinstance(n, int)) - 4 * hidden * (inner + hidden)
    c.only(t.is_constant(row), "the weights of its LSTM are computed", "LSTM 的权重是计算出来的")
    if rest not in (0, 4 * hidden, 8 * hidden):
        raise garbled(f"its LSTM has {rest} biases", f"LSTM 有 {rest} 个偏置")
    flat = t.emit("Reshape", [row, t.whole(-1)])
    sizes = [(4 * hidden, inner), (4 * hidden, hidden), *[(4 * hidden,)] * (rest // (4 * hidden))]
    weights, start = [], 0
    for size in sizes:
        end = start + math.prod(size)
        part = t.emit("Slice", [flat, t.whole(start), t.whole(end), t.whole(0), t.whole(1)])
        weights.append(t.emit("Reshape", [part, t.whole(*size)]) if len(size) > 1 else part)
        start = end
    if len(weights) == 3:
        weights.append(t.array(np.zeros(4 * hidden, np.float32)))
    steps, batch = x.shape[:2]
    ends: list[Shape] = [(steps, batch, hidden), (1, batch, hidden), (1, batch, hidden)]
    inputs: list[Value | str] = [x, *_state(c), *weights]
    found = t.ops("Lstm", t.here, inputs, ends, ["float32"] * 3, BLOCK, hidden=hidden, ways=1)
    return (*found, None, None)


def _state(c: Call) -> list[Value | str]:
    """Before the first step; zeros need not be said."""
    state = [c.x(1), c.x(2)]
    return ["", ""] if all(one.name in c.t.zeros for one in state) else list(state)


RECURRENT: dict[str, Step] = {"LSTM": lstm}
