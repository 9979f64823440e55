"""A `.mindir` as a network: its operations go through the Walk one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...errors import ModelError, QingzhouError, UnsupportedCheckpoint, say
from ...files.refusals import naming, short
from ...files.wire import Message
from ...graph.form import Dim, Graph, Value
from ...graph.infer import inferred
from ...nets.recorded import Wanted
from ...runtime.model.card import COLORS
from ..network import Network
from ..recording.card import Made, network_of
from ..recording.finish import finished
from ..recording.net import Net, plain
from ..recording.rows import by_itself
from ..source import Contents, Opened, Part
from .container import labels_in, numbers_of
from .model import Model, read_model
from .proto import TensorProto
from .refuse import MINDSPORE, garbled, refused
from .table import TABLE
from .walk import BATCH, Walk, as_value

MOST_OUTPUTS = 1000
SIDES = (BATCH, "channels", "height", "width")


def model_in(opened: Opened) -> Model:
    """The file, or the one in a folder or zip, with its data folder."""
    with naming(opened.path), numbers_of(opened) as (data, numbers):
        return read_model(Message(data), numbers)


def contents(opened: Opened) -> Contents:
    """Its parameters, also where it cannot be converted."""
    try:
        model = opened.content(model_in)
    except UnsupportedCheckpoint as err:
        return Contents("MindIR", opened.main.size, [], "MindSpore", problem=err)
    parts = [Part(key, ref.dtype.name, ref.shape) for key, ref in model.tensors.items()]
    return Contents("MindIR", opened.main.size, parts, "MindSpore", {"mindspore": model.version})


def read_mindir(opened: Opened, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint names the operation; CheckpointDamaged, UnsafeCheckpoint."""
    model = opened.content(model_in)
    graph, notes = best(model, wanted)
    if model.preprocessed:
        raise refused(
            "it has a preprocessor, with which MindSpore Lite prepares pictures itself",
            "它带有预处理器（MindSpore Lite 用它自己处理图片）",
        )
    names = output_names(model, len(graph.outputs))
    facts = {"mindspore": model.version}
    made = Made(
        MINDSPORE,
        "MindSpore",
        "MindIR",
        graph,
        facts,
        tuple(model.tensors),
        names,
        model.title,
        notes,
        pictures_in(graph),
    )
    network = network_of(opened, made, wanted)
    labels = labels_in(opened)
    if labels is None or len(labels) == network.classes:
        return replace(network, named=labels)
    note = say(
        en=f"The {len(labels)} lines of labels.txt do not fit its {network.classes} answers, and were left out.",
        zh=f"labels.txt 有 {len(labels)} 行，与 {network.classes} 个输出不符，没有使用。",
    )
    return replace(network, card=replace(network.card, notes=[*network.card.notes, note]))


def pictures_in(graph: Graph) -> list[str]:
    """Inputs of one or three channels, which come first."""
    return [one.name for one in graph.inputs if len(one.shape) == 4 and one.shape[1] in COLORS.values()]


def best(model: Model, wanted: Wanted) -> tuple[Graph, list[str]]:
    """With a free batch where every sample is treated by itself, though the file has that of an example; a note."""
    count = _count(model)
    if not count or wanted.keep_batch:
        return _as_exported(model, wanted)
    try:
        graph, walk = recorded(model, wanted, count)
        whole = inferred(graph, {BATCH: count, **walk.sizes}).values
        fine = _as_told(graph, whole, walk.told, count) and by_itself(graph, whole, count)
    except (QingzhouError, ModelError):
        fine = False
    if not fine:
        return _as_exported(model, wanted)
    return graph, [_freed(count), *walk.notes.values()]


def _as_exported(model: Model, wanted: Wanted) -> tuple[Graph, list[str]]:
    graph, walk = recorded(model, wanted, 0)
    return graph, list(walk.notes.values())


def _count(model: Model) -> int:
    """How many samples the example had, where all inputs have as many; 0 where that is free, or not said."""
    counts = {one.shape[0] if one.shape else 0 for one in model.inputs}
    count = counts.pop() if len(counts) == 1 else 0
    return max(count, 0)


def _as_told(graph: Graph, whole: Mapping[str, Value], told: Mapping[str, tuple[int, ...]], count: int) -> bool:
    """Whether all shapes are those of the file for as many samples as its example had."""
    known = {name: shape for name, shape in told.items() if name in whole and min(shape, default=0) >= 0}
    ends = [whole[one.name].shape for one in graph.outputs]
    return all(whole[name].shape == shape for name, shape in known.items()) and all(one[:1] == (count,) for one in ends)


def _freed(count: int) -> str:
    return say(
        en=f"The network was exported with an example of batch {count}. Every step of it treats each sample by itself, "
        "so any number may go in.",
        zh=f"网络导出时的示例批量是 {count}；其中每一步都对各个样本分别计算，因此批量大小可以任意。",
    )


def recorded(model: Model, wanted: Wanted, count: int) -> tuple[Graph, Walk]:
    """The graph, and the Walk that wrote it down; count: of the example, where the batch is to be free."""
    names = input_names(model)
    walk = Walk(Net(MINDSPORE, [f"output_{i}" for i in range(64)] + ["output"]), model, TABLE, count)
    for one, name in zip(model.inputs, names, strict=True):
        enter(walk, one, name, wanted if len(model.inputs) == 1 else Wanted())
    walk.run()
    ends = _tensors(walk, [walk.item(name) for name in model.outputs])
    return finished(walk.t, ends, output_names(model, len(ends))), walk


def enter(walk: Walk, one: TensorProto, name: str, wanted: Wanted) -> None:
    """One input."""
    if one.odd or one.dtype == "str":
        raise refused(f"its input {short(name)} is no tensor of numbers", f"输入 {short(name)} 不是数值张量")
    if min(one.shape, default=0) < -1 or 0 in one.shape:
        raise garbled(
            f"its input {short(name)} has the shape {list(one.shape)}", f"输入 {short(name)} 的形状是 {list(one.shape)}"
        )
    rank = len(one.shape)
    sides: list[Dim] = [_side(i, n, rank, walk.count) for i, n in enumerate(one.shape)]
    if rank == 4 and wanted.picture is not None:
        sides[2:] = [m if isinstance(n, str) else n for n, m in zip(sides[2:], wanted.picture, strict=True)]
    walk.t.here = name
    walk.values[one.name] = walk.t.input(name, tuple(sides), plain(one.dtype))


def _side(axis: int, size: int, rank: int, count: int) -> Dim:
    if axis == 0 and (count or size == -1):
        return BATCH
    if size >= 0:
        return size
    return SIDES[axis] if rank == 4 and axis > 1 else f"size_{axis}"


def _tensors(walk: Walk, found: Sequence[Any]) -> list[Value]:
    """All tensors of the outputs, in order, out of whatever tuples they are in."""
    ends: list[Value] = []
    left = list(found)[::-1]
    while left:
        one = left.pop()
        if isinstance(one, tuple):
            left += one[::-1]
        else:
            ends.append(as_value(walk.t, one, "output"))
        if len(ends) + len(left) > MOST_OUTPUTS:
            raise refused(f"it gives more than {MOST_OUTPUTS} tensors", f"它的输出超过 {MOST_OUTPUTS} 个")
    return ends


def input_names(model: Model) -> list[str]:
    """As construct() calls them; by number where two would be the same."""
    names = [short(one.name.rpartition(":")[2] or one.name, 100) for one in model.inputs]
    names = [name.replace(" ", "_") for name in names]
    return names if len(set(names)) == len(names) and all(names) else [f"input_{i}" for i in range(len(names))]


def output_names(model: Model, count: int) -> list[str]:
    """The file has none."""
    taken = set(input_names(model))
    names = ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
    return [f"{name}_out" if name in taken else name for name in names]
