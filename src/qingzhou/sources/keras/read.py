"""A model of Keras as a Network: its inputs, the walk, its outputs, and what the card says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import ModelError, QingzhouError, say
from ...files.refusals import short
from ...graph.form import Dim, Graph, Value
from ...graph.shapes_call import UNKNOWN
from ...nets.recorded import Wanted
from ...runtime.model.card import COLORS
from ..network import Network
from ..recording.card import Made, network_of
from ..recording.finish import finished
from ..source import Opened
from .card import told
from .container import Whole
from .layer import KerasNet
from .model import Item, Plan, Planner
from .refuse import KERAS_WORDS, garbled, lora_apart, refused
from .walk import Walk

INT64 = 7  # TensorProto.DataType of a Cast
WHOLE = ("int32", "int64", "uint8", "bool")


def read_keras(opened: Opened, whole: Whole, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint names the layer; CheckpointDamaged, UnsafeCheckpoint."""
    try:
        return _read(opened, whole, wanted)
    except RecursionError:
        raise garbled("its models are nested too deeply", "模型嵌套过深") from None
    except ModelError as err:
        if isinstance(err, QingzhouError):
            raise
        raise garbled(err.en[:300], err.zh[:300]) from None


@dataclass(frozen=True)
class Entry:
    """An input of the model as its file describes it."""

    name: str
    shape: tuple[Dim, ...]
    dtype: str


def _read(opened: Opened, whole: Whole, wanted: Wanted) -> Network:
    """Several inputs of free length have lengths of their own, unless the model needs them to be the same."""
    weights = whole.weights()
    entry = whole.entry if whole.known is None else whole.known.entry(wanted.picture)
    planner = Planner(weights, whole.age)
    plan = planner.plan(entry)
    entries = entries_of(plan, entry)
    if sum("time" in entry.shape for entry in entries) > 1:
        apart = [replace(entry, shape=_own_length(entry.shape, i)) for i, entry in enumerate(entries, 1)]
        try:
            found = _recorded(opened, whole, wanted, planner, plan, apart)
            if not any(UNKNOWN in value.shape for value in found.graph.values.values()):
                return found
        except (QingzhouError, ModelError):
            pass  # said again below, if it was not that
    return _recorded(opened, whole, wanted, planner, plan, entries)


def _recorded(
    opened: Opened, whole: Whole, wanted: Wanted, planner: Planner, plan: Plan, entries: Sequence[Entry]
) -> Network:
    weights = whole.weights()
    if not 1 <= len(entries) <= 100:
        raise refused(f"it takes {len(entries)} inputs", f"它有 {len(entries)} 个输入")
    taken = {entry.name for entry in entries}
    names = [f"{name}_out" if name in taken else name for name in _output_names(plan)]
    net = KerasNet(weights, whole.age, [*names, *taken], whole.minor)
    net.theano, net.planner = whole.theano, planner
    axis = 1 if plan.first else 3
    pictures = [entry.name for entry in entries if _is_picture(entry, axis) and whole.teachable != "sound"]
    given = [_entered(net, entry, wanted, len(entries), axis == 3 and entry.name in pictures) for entry in entries]
    outputs = Walk(net).run(plan, given)
    if len(names) != len(outputs):
        names = ["output"] if len(outputs) == 1 else [f"output_{i}" for i in range(len(outputs))]
    graph = finished(net, outputs, names)
    _check_used(graph, weights.keys(), whole)
    title = plan.name if not re.fullmatch(r"(model|sequential|functional)(_\d+)?", plan.name) else "Keras"
    notes = [*_of_stateful(net), *dict.fromkeys(net.notes)]
    made = Made(
        KERAS_WORDS, "Keras", whole.container, graph, whole.facts, weights.keys(), names, title, notes, pictures
    )
    found = network_of(opened, made, wanted)
    return told(found, whole)


def _check_used(graph: Graph, keys: Sequence[str], whole: Whole) -> None:
    """A layer with more arrays than its settings have use for was saved with other settings."""
    used = graph.tensors
    places = {key.rpartition("/")[0] for key in used}
    for key in keys:
        if key not in used and key.rpartition("/")[0] in places and whole.tensors[key].shape:
            if key.rpartition("/")[2].startswith("lora_"):
                raise lora_apart(key)
            raise garbled(
                f"its settings have no use for {short(key, 120)}, which lies beside weights of the same layer",
                f"按配置用不到 {short(key, 120)}，而它与同一层的权重放在一起",
            )


def _own_length(shape: tuple[Dim, ...], i: int) -> tuple[Dim, ...]:
    return tuple(f"time_{i}" if n == "time" and i > 1 else n for n in shape)


def _of_stateful(net: KerasNet) -> list[str]:
    """What the file does not hold: the states that such layers would keep between calls."""
    if not net.stateful:
        return []
    some = ", ".join(name[:60] for name in net.stateful[:3])
    return [
        say(
            en=f"Stateful layers ({some}) start from zeros at each call: nothing is remembered of the call before.",
            zh=f"有状态的层（{some}）每次调用都从零开始，不会记住上一次调用的状态。",
        )
    ]


# -- inputs and outputs -----------------------------------------------------------------------------------------------


def entries_of(plan: Plan, entry: Mapping[str, Any]) -> list[Entry]:
    """What goes in, in the model's own order."""
    if not plan.sequential:
        return [
            _entry_of(plan.items[ref.layer]) if ref.layer in plan.items else _lost(ref.layer) for ref in plan.inputs
        ]
    found = _first_of(plan) or _built(entry)
    if not found:
        raise refused(
            "it is a Sequential that does not say what goes in",
            "它是 Sequential，但没有说明输入的形状",
            "Put keras.Input(shape=…) first, or call model.build(…), and save the model again",
            "请在最前面加上 keras.Input(shape=…)，或调用 model.build(…)，再重新保存",
        )
    return found


def _lost(name: str) -> Entry:
    raise garbled(f"its input '{name[:60]}' is not among its layers", f"输入 '{name[:60]}' 不在层的列表中")


def _first_of(plan: Plan) -> list[Entry]:
    """What the first layer of a Sequential takes."""
    item = next(iter(plan.items.values()), None)
    if item is None:
        return []
    if item.model is not None:
        return _first_of(item.model) if item.model.sequential else entries_of(item.model, {})
    config = item.layer.config
    if item.layer.kind != "InputLayer" and not ("batch_input_shape" in config or "batch_shape" in config):
        return []
    return [_entry_of(item)]


def _built(entry: Mapping[str, Any]) -> list[Entry]:
    """What the model was built for."""
    config = entry.get("config")
    for place in (entry.get("build_config"), config.get("build_input_shape") if isinstance(config, Mapping) else None):
        shape = place.get("input_shape") if isinstance(place, Mapping) else place
        if isinstance(shape, list):
            return [Entry("input", _shape(shape), "float32")]
    return []


def _entry_of(item: Item) -> Entry:
    layer = item.layer
    shape = layer.get("batch_shape") or layer.get("batch_input_shape")
    if shape is None and isinstance(layer.get("input_dim"), int):
        shape = [None, layer.get("input_dim")]
    if not isinstance(shape, list):
        raise layer.garbled("batch_shape")
    dtype: Any = layer.get("dtype", "float32")
    if isinstance(dtype, Mapping):
        config = dtype.get("config")
        dtype = config.get("name", "float32") if isinstance(config, Mapping) else "float32"
    whole = layer.kind == "Embedding"
    name = layer.name if layer.kind == "InputLayer" else "input"
    if layer.flag("sparse") or layer.flag("ragged"):
        raise layer.refuse("it takes sparse or ragged tensors", "它的输入是稀疏或不规则张量")
    return Entry(name, _shape(shape), "int32" if whole else str(dtype))


def _shape(shape: Sequence[Any]) -> tuple[Dim, ...]:
    if not all(n is None or (type(n) is int and 0 < n < 1 << 24) for n in shape) or not 1 <= len(shape) <= 6:
        raise garbled(f"an input has the shape {str(shape)[:60]}", f"输入形状为 {str(shape)[:60]}")
    free = ["batch", "height", "width"] if len(shape) == 4 else ["batch", "time", "second", "third", "fourth", "fifth"]
    return tuple(n if isinstance(n, int) else (free[i] if i < len(free) else f"axis_{i}") for i, n in enumerate(shape))


def _is_picture(entry: Entry, axis: int) -> bool:
    """Whether the axis that layers take for channels has the number of colours."""
    numbers = entry.dtype == "uint8" or entry.dtype not in WHOLE
    return len(entry.shape) == 4 and numbers and entry.shape[axis] in COLORS.values()


def _entered(net: KerasNet, entry: Entry, wanted: Wanted, count: int, picture: bool) -> Value:
    """An input: a picture enters with its channels first, as the runtime gives it, and is turned."""
    shape = entry.shape
    if picture and count == 1 and wanted.picture:
        sizes = [m if isinstance(n, str) else n for n, m in zip(shape[1:3], wanted.picture, strict=True)]
        shape = (shape[0], *sizes, shape[3])
    net.here = entry.name
    if picture:
        x = net.input(entry.name, (shape[0], shape[3], *shape[1:3]))
        x = net.emit("Transpose", [x], perm=(0, 2, 3, 1))
        return net.emit("Cast", [x], to=INT64) if entry.dtype == "uint8" else x
    dtype = entry.dtype if entry.dtype in WHOLE else "float32"
    if entry.dtype == "string":
        raise refused(f"its input '{entry.name[:60]}' is text", f"输入 '{entry.name[:60]}' 是文本")
    x = net.input(entry.name, shape, dtype)
    return net.emit("Cast", [x], to=INT64) if dtype in ("int32", "uint8") else x


def _output_names(plan: Plan) -> list[str]:
    """As a dict of outputs names them; else as their layers, which are told apart."""
    if plan.sequential or len(plan.outputs) == 1:
        return plan.names if len(plan.names) == 1 else ["output"]
    names = plan.names or [ref.layer for ref in plan.outputs]
    found: list[str] = []
    for name in names:
        new, n = name, 1
        while new in found:
            new, n = f"{name}_{n}", n + 1
        found.append(new)
    return found
