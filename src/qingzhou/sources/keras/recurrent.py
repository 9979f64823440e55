"""Recurrent layers: LSTM, GRU, SimpleRNN, RNN of cells, ConvLSTM, and Bidirectional.

A layer starts from zeros, or from the states that it is given; a stateful one, too: what it would remember of the
samples before is not in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...graph.form import Value
from ..aten.axes import permute
from .cells import Cell, Ran, alike, as_operator, over
from .convlstm import conv_over
from .layer import KerasNet, Kind, Layer
from .masks import Skipped, carried, flipped, mask_of, steps_mask, values_in
from .weights import snake

PLAIN = {
    "LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "SimpleRNN", "LSTMV1": "LSTM", "GRUV1": "GRU", "LSTMV2": "LSTM",
    "GRUV2": "GRU", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU",
}  # fmt: skip
CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN"}
CONVS = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")


def recurrent(t: KerasNet, layer: Layer, x: Any) -> Any:
    """(N, T, C) -> the last step (N, U), or all of them; with return_state then its states."""
    sequences, states, mask = _given(t, layer, x)
    steps, last, ends = run_over(t, layer, sequences, mask, states, layer.flag("zero_output_for_mask"))
    all_steps = layer.flag("return_sequences")
    found: Any = _in_time(t, layer, steps) if all_steps else last
    kept = _mask_behind(t, layer, sequences) if all_steps else None
    if layer.flag("return_state"):
        return carried(t, (found, *ends), [kept, *[None] * len(ends)])
    return carried(t, found, [kept])


def _mask_behind(t: KerasNet, layer: Layer, x: Value) -> Value | None:
    given = layer.call.get("mask")
    return given if isinstance(given, Value) else mask_of(t, x)


def _given(t: KerasNet, layer: Layer, x: Any) -> tuple[Value, list[Value], Value | None]:
    """The sequences, the states before the first step, and the mask that acts here."""
    first, *rest = values_in(x)
    more = layer.more[0] if layer.more else None
    given = layer.call.get("initial_state")
    states = rest or values_in(more if given is None else given)
    if layer.call.get("constants") or layer.get("num_constants"):
        raise layer.refuse("it takes constants", "它使用 constants")
    if (given is not None or more is not None) and not states:
        raise layer.refuse("its initial state is none of the network's tensors", "初始状态不是网络中的张量")
    if layer.flag("stateful"):
        t.told_stateful(layer.name)
    mask = layer.call.get("mask")
    if mask is None and not (states and t.age == 3):  # Keras 3 fills masks in for layers that get one tensor
        mask = mask_of(t, first)
    return first, states, steps_mask(t, layer, mask)


def _in_time(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Keras 2's time_major keeps time first."""
    return permute(t, x, (1, 0, *range(2, len(x.shape)))) if layer.flag("time_major") else x


def cells_of(layer: Layer) -> list[Cell]:
    """Those of a layer, each of which reads what the one before gives; UnsupportedCheckpoint."""
    if layer.kind in PLAIN:
        cudnn = layer.kind.startswith("CuDNN")
        return [Cell(PLAIN[layer.kind], layer, "" if cudnn else "cell", cudnn)]
    entry = layer.get("cell")
    if not isinstance(entry, Mapping):
        raise layer.garbled("cell")
    return _cells_in(layer, layer.inner(entry, "cell"))


def _cells_in(layer: Layer, cell: Layer) -> list[Cell]:
    if cell.kind in CELLS:
        return [Cell(CELLS[cell.kind], cell)]
    entries = cell.get("cells")
    if cell.kind != "StackedRNNCells" or not isinstance(entries, list) or not entries or len(entries) > 100:
        raise layer.refuse(f"its cell is of the class {cell.kind[:60]}", f"它的单元属于类 {cell.kind[:60]}")
    if cell.flag("reverse_state_order"):
        raise layer.refuse("its cells keep their states in reverse", "它的单元以相反顺序保存状态")
    counts: dict[str, int] = {}
    found: list[Cell] = []
    for one in entries:
        key = snake(str(one.get("class_name", "")).rpartition(">")[2]) if isinstance(one, Mapping) else ""
        counts[key] = counts.get(key, -1) + 1
        at = f"cells/{key}_{counts[key]}" if counts[key] else f"cells/{key}"
        found += _cells_in(layer, cell.inner(one, at))
    return found


def run_over(
    t: KerasNet, layer: Layer, x: Value, mask: Value | None, states: Sequence[Value], zero: bool
) -> tuple[Value, Value, list[Value]]:
    """All steps in the order in which they were made (N, T, …), the last one, and the states behind it."""
    if layer.kind in CONVS:
        return conv_over(t, layer, _turned(t, layer, x), _turned(t, layer, mask), states, zero)
    if len(x.shape) != 3:
        raise layer.refuse(f"its input has the shape {list(x.shape)}", f"它的输入形状为 {list(x.shape)}")
    if layer.flag("time_major"):
        x = permute(t, x, (1, 0, 2))
        mask = None if mask is None else permute(t, mask, (1, 0))
    x, cells = _turned(t, layer, x), cells_of(layer)
    skipped = None if mask is None else Skipped.of(t, _turned(t, layer, mask))
    ready = x if skipped is None else skipped.gathered(t, x)
    ends: list[Value] = []
    left = list(states)
    for cell in cells:
        count = 2 if cell.kind == "LSTM" else 1
        before, left = left[:count], left[count:]
        if states and len(before) < count:
            raise layer.refuse(f"it is given {len(states)} states", f"给出的状态有 {len(states)} 个")
        needs_c = skipped is not None and layer.flag("return_state") and count == 2
        padding = skipped.padding(t) if skipped is not None and needs_c else None
        ran = over(t, cell, ready, before, padding)
        ends += _ends(t, ran, skipped, before)
        ready = ran.steps
    if left:
        raise layer.refuse(f"it is given {len(states)} states", f"给出的状态有 {len(states)} 个")
    if skipped is not None:
        return skipped.spread(t, ready, zero), skipped.last(t, ready, zero), ends
    last = ends[-2] if cells[-1].kind == "LSTM" else ends[-1]
    return ready, last, ends


def _turned(t: KerasNet, layer: Layer, x: Any) -> Any:
    return flipped(t, x) if layer.flag("go_backwards") and isinstance(x, Value) else x


def _ends(t: KerasNet, ran: Ran, skipped: Skipped | None, before: Sequence[Value]) -> list[Value]:
    """States behind the last step that counts."""
    if skipped is None:
        return ran.states
    h = skipped.after(t, ran.steps, before[0] if before else None)
    return [h, *ran.states[1:]]


# -- both directions -------------------------------------------------------------------------------------------------


def bidirectional(t: KerasNet, layer: Layer, x: Any) -> Any:
    """A layer from the first step on and one from the last; the second's results are turned round to the steps."""
    forward, backward = sides_of(layer)
    sequences, states, mask = _given(t, layer, x)
    all_steps = forward.flag("return_sequences")
    half = len(states) // 2
    split = (states[:half], states[half:])
    found = _at_once(t, forward, backward, sequences, split) if mask is None else None
    if found is None:
        found = []
        for side, before in zip((forward, backward), split, strict=True):
            steps, last, ends = run_over(t, side, sequences, mask, before, all_steps)
            found.append((steps, last, ends))
        if all_steps:
            steps, last, ends = found[1]
            found[1] = (flipped(t, steps), last, ends)
    for side in (forward, backward):
        if side.flag("stateful"):
            t.told_stateful(layer.name)
    results = [steps if all_steps else last for steps, last, _ in found]
    merged: Any = _merged(t, layer, results)
    ends = [one for _, _, each in found for one in each]
    if all_steps and forward.flag("time_major"):
        many = isinstance(merged, tuple)
        merged = tuple(_in_time(t, forward, one) for one in merged) if many else _in_time(t, forward, merged)
    kept = _mask_behind(t, layer, sequences) if all_steps else None
    outs = merged if isinstance(merged, tuple) else (merged,)
    if forward.flag("return_state"):
        return carried(t, (*outs, *ends), [*[kept] * len(outs), *[None] * len(ends)])
    return carried(t, outs, [kept] * len(outs)) if len(outs) > 1 else carried(t, outs[0], [kept])


def sides_of(layer: Layer) -> tuple[Layer, Layer]:
    """The layer forwards, and the one backwards: its own, or the same the other way round."""
    entry, other = layer.get("layer"), layer.get("backward_layer")
    if not isinstance(entry, Mapping):
        raise layer.garbled("layer")
    forward = layer.inner(entry, "forward_layer")
    backward = layer.inner(other if isinstance(other, Mapping) else entry, "backward_layer")
    if not isinstance(other, Mapping):
        turned = {**backward.config, "go_backwards": not forward.flag("go_backwards")}
        backward = replace(backward, config=turned)
    for side in (forward, backward):
        if side.kind not in (*PLAIN, *CONVS, "RNN"):
            raise layer.refuse(f"it wraps a layer of the class {side.kind[:60]}", f"它包装的层属于类 {side.kind[:60]}")
    return forward, backward


def _at_once(
    t: KerasNet, forward: Layer, backward: Layer, x: Value, states: tuple[Sequence[Value], Sequence[Value]]
) -> list[tuple[Value, Value, list[Value]]] | None:
    """As one operator in two directions, where the two are alike."""
    if forward.kind in CONVS or backward.kind in CONVS or forward.flag("go_backwards") or len(x.shape) != 3:
        return None
    a, b = cells_of(forward), cells_of(backward)
    if len(a) > 1 or len(b) > 1 or not alike(a[0], b[0]) or not backward.flag("go_backwards"):
        return None
    count = 2 if a[0].kind == "LSTM" else 1
    if any(states) and [len(one) for one in states] != [count, count]:
        return None
    x = permute(t, x, (1, 0, 2)) if forward.flag("time_major") else x
    ran = as_operator(t, [a[0], b[0]], x, [list(one) for one in states])
    return None if ran is None else [(one.steps, one.states[0], one.states) for one in ran]


def _merged(t: KerasNet, layer: Layer, results: Sequence[Value]) -> Any:
    mode = layer.config.get("merge_mode", "concat")
    if mode is None:
        return tuple(results)
    if mode == "concat":
        return t.emit("Concat", list(results), axis=len(results[0].shape) - 1)
    if mode not in ("sum", "mul", "ave"):
        raise layer.garbled("merge_mode")
    found = t.emit("Mul" if mode == "mul" else "Add", list(results))
    return t.emit("Mul", [found, t.scalar(0.5)]) if mode == "ave" else found


RECURRENT: dict[str, Kind] = {
    **{kind: Kind(recurrent, "own") for kind in (*PLAIN, *CONVS, "RNN")},
    "Bidirectional": Kind(bidirectional, "own"),
}
