"""The fused recurrent layers, which converters of Keras 2 write: their state is zero where a sample begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import say
from ...files.tflite_schema import ACTIVATIONS
from ...graph.form import Array, Constant, Dim, Value
from .model import Tensor
from .refuse import garbled, refused
from .walk import Call, Step

GATES = (0, 3, 1, 2)  # i f c o, as ONNX wants them: i o f c
ACTIVATED = {"TANH": "Tanh", "RELU": "Relu", "NONE": "Affine"}


def lstm(c: Call) -> Value:
    """UNIDIRECTIONAL_SEQUENCE_LSTM: (N, T, C) or (T, N, C), 24 inputs of which many are left out -> (…, hidden)."""
    _check_plain(c, (16, 17, *range(20, 24)), (18, 19))
    return _lstm(c, [(1, 5, 12, 9)])


def both_ways(c: Call) -> list[Value]:
    """BIDIRECTIONAL_SEQUENCE_LSTM: the same forwards and backwards, in one tensor or in two."""
    _check_plain(c, (16, 17, 33, 34, *range(39, 48)), (35, 36, 37, 38))
    found = _lstm(c, [(1, 5, 12, 9), (18, 22, 29, 26)])
    if c.option("merge_outputs"):
        return [found]
    half = found.shape[-1]
    if not isinstance(half, int):
        raise garbled("its width is not known", "宽度未知")
    return c.t.emits("Split", [found, c.t.whole(half // 2, half // 2)], 2, axis=2)


def _check_plain(c: Call, absent: Sequence[int], states: Sequence[int]) -> None:
    """No projection, no normalisation, and a state that is nobody else's."""
    if any(c.has(i) for i in absent):
        raise refused("its LSTM has a projection or normalises its gates", "它的 LSTM 带有投影或门归一化")
    if any(c.has(i) and not c.tensor(i).variable for i in states):
        raise refused("its LSTM begins with a state of its own", "它的 LSTM 从外部给定的状态开始")
    kind = c.option("fused_activation_function")
    if ACTIVATIONS[kind] not in ("TANH", "RELU"):
        raise refused(f"its LSTM has the activation {ACTIVATIONS[kind]}", f"它的 LSTM 使用激活函数 {ACTIVATIONS[kind]}")


def _lstm(c: Call, ways: Sequence[tuple[int, int, int, int]]) -> Value:
    """ways: for each direction where its input weights, its recurrent ones, biases and peepholes begin."""
    x, hidden = _in_time(c), c.tensor(ways[0][0] + 1).shape[0]
    weights = [_stacked(c, [[way[i] + k for k in GATES] for way in ways]) for i in (0, 1)]
    biases = _stacked(c, [[way[2] + k for k in GATES] for way in ways], (len(ways), 4 * hidden))
    inputs: list[Value | None] = [x, *weights, _with_zeros(c, biases, 4 * hidden), None, None, None]
    if c.has(ways[0][3] + 1):
        inputs.append(_stacked(c, [[way[3] + k for k in (0, 2, 1)] for way in ways], (len(ways), 3 * hidden)))
    while inputs[-1] is None:
        inputs.pop()
    kind = ACTIVATED[ACTIVATIONS[c.option("fused_activation_function")]]
    _tell_of_clip(c, x.shape[0])
    direction = "bidirectional" if len(ways) == 2 else "forward"
    attrs = {} if kind == "Tanh" else {"activations": ("Sigmoid", kind, kind) * len(ways)}
    found = c.t.emit("LSTM", inputs, hidden_size=hidden, direction=direction, **attrs)
    return _out_of_time(c, found, len(ways) * hidden)


def _tell_of_clip(c: Call, steps: Dim) -> None:
    """Each step adds at most 1 to the cell: a few cannot reach the limit, which converters set and Keras has not."""
    limit = float(c.option("cell_clip"))
    if limit > 0 and not (isinstance(steps, int) and steps <= limit):
        note = say(
            en=f"The LSTM's cells are not cut off at {limit:g}, as TensorFlow Lite does it: Keras, which trained it, "
            "does not either.",
            zh=f"LSTM 的细胞状态不会像 TensorFlow Lite 那样在 {limit:g} 处截断：训练它的 Keras 也不截断。",
        )
        if note not in c.walk.notes:
            c.walk.notes.append(note)


def rnn(c: Call) -> Value:
    """UNIDIRECTIONAL_SEQUENCE_RNN: (N, T, C) or (T, N, C) -> (…, hidden)."""
    hidden, kind = c.tensor(1).shape[0], ACTIVATIONS[c.option("fused_activation_function")]
    if not c.tensor(4).variable or kind not in ("TANH", "RELU"):
        raise refused(
            f"its recurrent layer begins with a state of its own, or has the activation {kind}", "它的循环层不支持"
        )
    weights = [_stacked(c, [[i]]) for i in (1, 2)]
    biases = _with_zeros(c, _stacked(c, [[3]], (1, hidden)), hidden)
    found = c.t.emit("RNN", [_in_time(c), *weights, biases], hidden_size=hidden, activations=(ACTIVATED[kind],))
    return _out_of_time(c, found, hidden)


def _in_time(c: Call) -> Value:
    """(T, N, C)."""
    x = c.x()
    if len(x.shape) != 3:
        raise garbled(f"a recurrent layer reads {list(x.shape)}", f"循环层的输入是 {list(x.shape)}")
    return x if c.option("time_major") else c.turned(x, (1, 0, 2))


def _out_of_time(c: Call, y: Value, width: int) -> Value:
    """(T, ways, N, hidden) -> as it came in."""
    row = (0, 0, width)
    if c.option("time_major"):
        return c.t.emit("Reshape", [c.turned(y, (0, 2, 1, 3)), c.t.whole(*row)], (y.shape[0], y.shape[2], width))
    return c.t.emit("Reshape", [c.turned(y, (2, 0, 1, 3)), c.t.whole(*row)], (y.shape[2], y.shape[0], width))


def _stacked(c: Call, rows: Sequence[Sequence[int]], shape: tuple[int, ...] = ()) -> Value:
    """(ways, all gates, …): the tensors of each way one after the other."""
    found = [[_known(c, i) for i in row] for row in rows]
    flat = [one for row in found for one in row]
    if len({one.shape for one in flat}) != 1:
        raise garbled("the gates of a recurrent layer are of several shapes", "循环层各个门的形状不一致")
    first = flat[0].shape
    new = shape or (len(rows), len(rows[0]) * first[0], *first[1:])
    loads = [[c.t.constants[c.walk.value(one.index).name] for one in row] for row in found]

    def load() -> Array:
        return np.stack([np.concatenate([one.load() for one in row]) for row in loads]).reshape(new)

    name = c.t.unique(f"{c.t.here}/weights")
    keys = {c.walk.key(one): one.shape for one in flat}
    c.t.constants[name] = Constant(new, "float32", load, keys=keys)
    return Value(name, new, "float32")


def _known(c: Call, i: int) -> Tensor:
    if not c.has(i):
        raise refused("its LSTM has an input gate that is coupled, or no bias", "它的 LSTM 缺少输入门或偏置")
    tensor = c.tensor(i)
    if tensor.numbers is None:
        raise refused("the weights of a recurrent layer are computed", "循环层的权重是计算出来的")
    return tensor


def _with_zeros(c: Call, bias: Value, width: int) -> Value:
    """ONNX adds two biases."""
    old = c.t.constants.pop(bias.name)
    shape = (bias.shape[0], 2 * width)
    assert isinstance(shape[0], int)
    fixed = (int(shape[0]), 2 * width)

    def load() -> Array:
        array = old.load()
        return np.concatenate([array, np.zeros_like(array)], axis=1)

    c.t.constants[bias.name] = Constant(fixed, "float32", load, keys=old.keys)
    return Value(bias.name, fixed, "float32")


RECURRENT: dict[str, Step] = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm, "BIDIRECTIONAL_SEQUENCE_LSTM": both_ways, "UNIDIRECTIONAL_SEQUENCE_RNN": rnn,
}  # fmt: skip
