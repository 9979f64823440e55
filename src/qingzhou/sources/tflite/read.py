"""A .tflite as a network: its operators go through the Walk one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ...errors import ModelError, QingzhouError, say
from ...files.archive import directory, inflated
from ...files.file import Record
from ...files.limits import elements
from ...files.refusals import damaged, naming, unsafe
from ...graph.form import Dim, Graph
from ...nets.recorded import Wanted
from ...runtime.model.card import COLORS
from ..network import Network
from ..recording.card import Made, network_of
from ..recording.finish import finished
from ..recording.net import Net, plain
from ..source import Contents, Opened, Part
from ..two_classes import tells_two_apart
from .detection import NAME as POSTPROCESS
from .detection import as_detector, postprocess
from .model import Bytes, Model, Tensor, read_model
from .refuse import EDGE, TFLITE, garbled, unknown
from .said import Said, said_of
from .table import TABLE
from .walk import BATCH, LAST, Walk

LARGEST = 1 << 31  # bytes: a flatbuffer cannot be longer
SIDES = (BATCH, "height", "width")


def model_in(opened: Opened) -> Model:
    """The file, or the one that a zip of Teachable Machine holds."""
    with naming(opened.path):
        data, load = _bytes(opened)
        return read_model(data, load, opened.limits)


def _bytes(opened: Opened) -> tuple[bytes, Bytes]:
    """All of it, which is not kept, and what reads a part of it again."""
    file = opened.file
    if opened.head[4:8] == b"TFL3":
        if file.size > 2 * LARGEST:
            raise unsafe(f"it has {file.size} bytes", f"文件有 {file.size} 字节")
        return file.read(0, file.size), lambda place, size: file.load(Record(place, size), 0, size).data
    entries = [one for one in directory(file, opened.limits) if one.name.endswith(".tflite")]
    chosen = min(entries, key=lambda one: ("edgetpu" in one.name, one.name))
    most = max(opened.limits.spread * file.size, opened.limits.spread_floor)
    data = inflated(file, chosen, min(most, LARGEST))
    if data[4:8] != b"TFL3":
        raise damaged(
            f"{chosen.name} inside is no TensorFlow Lite model", f"其中的 {chosen.name} 不是 TensorFlow Lite 模型"
        )
    view = memoryview(data)
    return data, lambda place, size: view[place : place + size]


def contents(opened: Opened) -> Contents:
    """Its tensors and what it says of itself, also where it cannot be converted."""
    model = opened.content(model_in)
    parts = [Part(one.name, one.dtype, one.shape) for one in model.tensors if one.numbers is not None]
    said = said_of(opened, model)
    return Contents("tflite", opened.file.size, parts, "TensorFlow Lite", {**said.facts, "precision": precision(model)})


def read_tflite(opened: Opened, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint names the operator; CheckpointDamaged, UnsafeCheckpoint."""
    model = opened.content(model_in)
    for op in model.operators:  # before others fail because of it
        if op.name == EDGE:
            raise unknown(EDGE)
    graph, walk = best(model, wanted)
    said = said_of(opened, model)
    weights = [walk.key(one) for one in model.tensors if is_weight(one)]
    facts = {**said.facts, "precision": precision(model)}
    made = Made(
        TFLITE,
        "TensorFlow Lite",
        "TFLite",
        graph,
        facts,
        weights,
        model.output_names,
        said.title,
        [*notes_of(model), *walk.notes],
        pictures_in(model),
    )
    network = as_detector(network_of(opened, made, wanted), walk, wanted)
    card = said.card(network.card, model, network.graph)
    fitting = (network.classes, *([2] if tells_two_apart(network) else []))
    named = said.labels if said.labels is None or len(said.labels) in fitting else None
    note = _left_labels(said, network.classes) if said.labels is not None and named is None else []
    return replace(network, card=replace(card, notes=[*card.notes, *note]), named=named)


def _left_labels(said: Said, classes: int) -> list[str]:
    return [
        say(
            en=f"The list of {len(said.labels or ())} labels that came with it does not fit its {classes} answers, and "
            "was left out.",
            zh=f"随附的标签有 {len(said.labels or ())} 个，与 {classes} 个输出不符，没有使用。",
        )
    ]


def is_weight(tensor: Tensor) -> bool:
    """Whether it holds what was learnt, and not sizes."""
    several = tensor.numbers is not None and math.prod(tensor.shape) > 1
    return several and (tensor.dtype.startswith("float") or tensor.steps is not None)


def best(model: Model, wanted: Wanted) -> tuple[Graph, Walk]:
    """With a free batch where the file has it so and nothing depends on it; else with that of the file."""
    free = [one.sides[:1] == (-1,) for one in map(model.tensors.__getitem__, model.inputs)]
    if free and all(free):
        try:
            graph, walk = recorded(model, wanted, free=True)
        except (QingzhouError, ModelError):
            return recorded(model, wanted, free=False)
        if all(value.shape[:1] == (BATCH,) for value in graph.outputs):
            return graph, walk
    return recorded(model, wanted, free=False)


def recorded(model: Model, wanted: Wanted, free: bool) -> tuple[Graph, Walk]:
    """The graph, and the Walk that wrote it down."""
    taken = set(model.input_names)
    names = [f"{name}_out" if name in taken else name for name in model.output_names]
    sides = model.tensors[model.inputs[0]].shape[1:3] if model.inputs else ()
    table = {**TABLE, POSTPROCESS: postprocess(wanted, sides)}
    walk = Walk(Net(TFLITE, [*names, *taken, "dets", "labels"]), model, table)
    for index, name in zip(model.inputs, model.input_names, strict=True):
        enter(walk, model.tensors[index], name, free, wanted.picture if len(model.inputs) == 1 else None)
    for op in model.operators:
        walk.step(op)
    if walk.detector is not None:
        return finished(walk.t, [walk.detector.dets, walk.detector.labels], ["dets", "labels"]), walk
    return finished(walk.t, [walk.value(index) for index in model.outputs], names), walk


def enter(walk: Walk, tensor: Tensor, name: str, free: bool, size: tuple[int, int] | None) -> None:
    """One input: pictures with their channels first, as the runtime gives them; integers as what they stand for."""
    if tensor.numbers is not None or elements(tensor.shape) is None:
        raise garbled(f"its input {name} is a constant", f"输入 {name} 是常量")
    sides: list[Dim] = [_side(i, n, tensor, free) for i, n in enumerate(tensor.sides)]
    whole = plain(tensor.dtype) if tensor.steps is None else "float32"
    picture = is_picture(tensor)
    dtype = "float32" if picture or whole not in ("int64", "bool") else whole
    t = walk.t
    t.here = name
    if picture and size is not None:
        sides[1:3] = [m if isinstance(n, str) else n for n, m in zip(sides[1:3], size, strict=True)]
    if picture:
        entered = t.input(name, (sides[0], sides[3], sides[1], sides[2]), dtype)
        value = t.emit("Transpose", [entered], perm=LAST)
    else:
        value = t.input(name, tuple(sides), dtype)
    walk.values[tensor.index] = walk.rounded(value, tensor)


def is_picture(tensor: Tensor) -> bool:
    """Whether its last axis are colours; a picture of other tools has them first."""
    return (
        len(tensor.shape) == 4 and tensor.shape[3] in COLORS.values() and tensor.dtype not in ("int64", "bool", "str")
    )


def pictures_in(model: Model) -> list[str]:
    """The inputs that are pictures: also those with colours first that the file itself turns, as litert-torch does."""
    named = zip(model.inputs, model.input_names, strict=True)
    return [name for index, name in named if is_picture(model.tensors[index]) or _turned(model, index)]


def _turned(model: Model, index: int) -> bool:
    """Whether all that reads it first brings what lies second to the end."""
    readers = [op for op in model.operators if index in op.inputs]
    perms = [model.tensors[op.inputs[1]].numbers for op in readers if op.name == "TRANSPOSE" and len(op.inputs) == 2]
    return len(perms) == len(readers) > 0 and all(one is not None and tuple(one().flat) == LAST for one in perms)


def _side(axis: int, size: int, tensor: Tensor, free: bool) -> Dim:
    if size >= 0:
        return size
    if axis == 0:
        return BATCH if free else max(tensor.shape[0], 1)
    return SIDES[axis] if is_picture(tensor) and axis < 3 else f"size_{axis}"


# -- what is told ------------------------------------------------------------------------------------------------------


def precision(model: Model) -> str:
    """Of its weights and what flows: "float32", "float16", "int8 weights", "int8" or "int16x8"."""
    flowing = {one.dtype for one in model.tensors if one.numbers is None and one.steps is not None}
    weights = {one.dtype for one in model.tensors if is_weight(one) and len(one.shape) > 1}
    if flowing & {"int8", "uint8"}:
        return "int8"
    if "int16" in flowing:
        return "int16x8"
    if weights & {"int8", "uint8", "int4"}:
        return "int8 weights"
    return "float16" if "float16" in weights else "float32"


def notes_of(model: Model) -> Sequence[str]:
    """What became of its integers."""
    found = {
        "int8": say(
            en="The file is INT8 already: its integers, scales and zero points are kept, so there is nothing to "
            "quantise. For another precision, convert the model that it was made from.",
            zh="该文件已经是 INT8：整数、比例和零点都保留原样，不需要再量化。如需其他精度，请转换它的原始模型。",
        ),
        "int16x8": say(
            en="Its activations are of 16 bits, which few engines have: they are computed in float32, with the weights "
            "that its integers stand for.",
            zh="它的激活值是 16 位整数，很少有引擎支持：这里用 float32 计算，权重取整数所代表的数值。",
        ),
        "int8 weights": say(
            en="Only its weights are INT8, and they are computed with as floats; quantize makes all of it INT8.",
            zh="只有权重是 INT8，计算时按浮点数处理；可用 quantize 把整个网络变成 INT8。",
        ),
    }
    one = found.get(precision(model))
    return [one] if one else []
