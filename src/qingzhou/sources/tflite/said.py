"""What a .tflite says of its pictures and classes: metadata, an appended list of labels, the steps of its integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import LabelError, QingzhouError, say
from ...files import tflite_schema as schema
from ...files.archive import Entry, appended, directory, inflated
from ...files.flatbuffer import Table
from ...files.refusals import short
from ...files.types import LONGEST_FACT
from ...graph.form import Graph
from ...labels.decode import decode
from ...labels.text import parse
from ...runtime.model.card import Card, Input
from ..source import Opened
from .model import Model, Tensor

LONGEST_LIST = 1 << 20  # bytes of a list of labels
GENTLE = ("Transpose", "QuantizeLinear", "DequantizeLinear", "Cast", "Identity")
COLORS = (schema.RGB, schema.GREY)  # as many channels as these have, pictures are taken to be of them anyway
Row = Sequence[float]


@dataclass(frozen=True)
class Said:
    """What the file says.

    labels  of its first output;  mean, std: of pixels of 0 to 255, where it says them;  colors: whether it says which
    machine whether it is of Teachable Machine, which cuts the middle square out of a picture
    """

    title: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    labels: Sequence[str] | None = None
    mean: Row = ()
    std: Row = ()
    colors: bool = False
    machine: bool = False

    def card(self, card: Card, model: Model, graph: Graph) -> Card:
        """The card with it; what is still assumed stays so."""
        entry = card.input
        if entry.kind != "image":
            return card
        mean, std = self.prepared(model.tensors[model.inputs[0]], graph)
        steps, assumed = list(entry.steps), list(card.assumed)
        if mean and std:
            steps = [*(one for one in steps if one["op"] != "normalize"), _normal(mean, std, entry)]
            assumed = [one for one in assumed if one != "normalize"]
        if self.colors:
            assumed = [one for one in assumed if one != "color"]
        if not self.machine:
            return replace(card, input=replace(entry, steps=steps), assumed=assumed)
        steps = [*_square(entry), *(one for one in steps if one["op"] != "resize")]
        entry = replace(entry, steps=steps)
        return replace(card, tool="Teachable Machine", input=entry, assumed=[], notes=[*card.notes, _of_machine()])

    def prepared(self, tensor: Tensor, graph: Graph) -> tuple[Row, Row]:
        """Mean and standard deviation of pixels, as far as the file tells: by what it says, by the network's own first
        step, by what bytes as pixels stand for, by how Teachable Machine does it.
        """
        if self.mean:
            return self.mean, self.std
        if scales_itself(graph):
            return (0.0,), (1.0,)
        if tensor.integer and tensor.steps is not None:
            scale, zero = float(tensor.steps.scales[0]), float(tensor.steps.zeros[0])
            return (zero + (128 if tensor.dtype == "int8" else 0),), (1 / scale,)
        if tensor.dtype == "uint8":
            return (0.0,), (1.0,)
        return ((127.5,), (127.5,)) if self.machine else ((), ())


def _normal(mean: Row, std: Row, entry: Input) -> dict[str, Any]:
    channels = entry.channels or 3
    rows = [[float(n) for n in row] * (channels if len(row) == 1 else 1) for row in (mean, std)]
    return {"op": "normalize", "mean": rows[0], "std": rows[1]}


def _square(entry: Input) -> list[dict[str, Any]]:
    """The middle of the picture, as large as it can be: @teachablemachine/image, utils/canvas.ts, cropTo()."""
    height, width = entry.sides()
    if not isinstance(height, int) or not isinstance(width, int):
        return []
    return [
        {"op": "resize", "short": max(height, width), "interpolation": "pillow"},
        {"op": "center_crop", "size": [height, width]},
    ]


def _of_machine() -> str:
    return say(
        en="From Teachable Machine: the square in the middle of a picture, with values from -1 to 1.",
        zh="来自 Teachable Machine：取图片中间的正方形，数值范围 -1 到 1。",
    )


def scales_itself(graph: Graph) -> bool:
    """Whether the first thing that a network does with its pictures is to scale bytes, so that it is fed with these."""
    name = graph.inputs[0].name
    readers = graph.consumers()
    while len(readers[name]) == 1 and readers[name][0].op in GENTLE:
        name = readers[name][0].outputs[0]
    found = False
    for node in readers[name]:
        numbers = [graph.constants[one] for one in node.inputs if one in graph.constants]
        if node.op not in ("Mul", "Div", "Sub") or len(numbers) != 1 or np.prod(numbers[0].shape) > 4:
            return False
        size = float(np.abs(numbers[0].load()).max(initial=0))
        own = {"Mul": 0 < size < 1 / 50, "Div": size > 50, "Sub": size > 50}[node.op]
        found = own
    return found


# -- read --------------------------------------------------------------------------------------------------------------


def said_of(opened: Opened, model: Model) -> Said:
    """All that the file, or the zip that it is in, says; a list that cannot be read is as good as none."""
    lists = _lists(opened)
    metadata = model.metadata
    names = _list_names(model)
    chosen = next((lists[name] for name in names if name in lists), None)
    if chosen is None:
        others = [text for name, text in sorted(lists.items()) if "label" in name.lower()] or list(lists.values())
        chosen = others[0] if len(others) == 1 or "labels.txt" in lists else None
        chosen = lists.get("labels.txt", chosen)
    labels = None if chosen is None else _labels(chosen)
    machine = is_teachable(opened, lists)
    if metadata is None:
        return Said(labels=labels, machine=machine)
    mean, std, colors = _pictures(metadata, model)
    facts = {key: short(metadata[key], LONGEST_FACT) for key in ("description", "version", "author", "license")}
    title = short(metadata["name"], 60)
    return Said(title, {key: text for key, text in facts.items() if text}, labels, mean, std, colors, machine)


def is_teachable(opened: Opened, lists: Mapping[str, bytes]) -> bool:
    """A zip, or what was in it, as Teachable Machine names it: the model and labels that are numbered."""
    names = [name.rpartition("/")[2] for name in opened.members] if opened.members else []
    models = [*names, opened.path.name]
    known = any(name in ("model_unquant.tflite", "model.tflite", "model_edgetpu.tflite") for name in models)
    return known and "labels.txt" in lists and lists["labels.txt"].lstrip()[:2] == b"0 "


def _lists(opened: Opened) -> dict[str, bytes]:
    """The texts that came with it, by their names: behind it, in the same zip, or labels.txt beside it."""
    try:
        if opened.head.startswith(b"PK"):
            return _texts(opened, list(directory(opened.file, opened.limits)))
        found = _texts(opened, appended(opened.file, opened.limits))
        if not found and "labels.txt" in opened.members:
            beside = opened.members["labels.txt"]()
            return {"labels.txt": beside.bytes()} if beside.record.size <= LONGEST_LIST else {}
        return found
    except QingzhouError:
        return {}


def _texts(opened: Opened, entries: Sequence[Entry]) -> dict[str, bytes]:
    wanted = [one for one in entries if one.name.endswith(".txt") and one.size <= LONGEST_LIST][:20]
    return {one.name.rpartition("/")[2]: inflated(opened.file, one, LONGEST_LIST) for one in wanted}


def _labels(data: bytes) -> Sequence[str] | None:
    from ...labels.values import read_labels

    try:
        found = parse(decode(data))
        if isinstance(found, list):  # lists of COCO have places that no class has
            found = [f"({i})" if name == "???" else name for i, name in enumerate(found)]
        return read_labels(found).names or None
    except LabelError:
        return None


def _list_names(model: Model) -> list[str]:
    """The lists that the metadata gives to the outputs."""
    found = []
    for tensor in _tensors(model.metadata, "output_tensor_metadata"):
        kinds = (schema.LABELS_OF_AXIS, schema.LABELS_OF_VALUE)
        found += [str(one["name"]) for one in tensor["associated_files"] if one["type"] in kinds]
    return found


def _tensors(metadata: Table | None, key: str) -> list[Table]:
    graphs = metadata["subgraph_metadata"] if metadata is not None else []
    return list(graphs[0][key]) if graphs else []


def _pictures(metadata: Table, model: Model) -> tuple[Row, Row, bool]:
    """Mean, standard deviation, and whether it says that pictures are RGB or grey."""
    entries = _tensors(metadata, "input_tensor_metadata")
    if not entries:
        return (), (), False
    mean: Row = ()
    std: Row = ()
    for unit in entries[0]["process_units"]:
        options = (
            unit.union("options", "NormalizationOptions") if unit["options_type"] == schema.NORMALIZATION else None
        )
        if options is not None:
            mean, std = options["mean"].tolist(), options["std"].tolist()
    channels = model.tensors[model.inputs[0]].shape[-1:]
    fits = len(mean) == len(std) and len(mean) in (1, *channels) and np.isfinite([*mean, *std]).all() and 0 not in std
    content = entries[0]["content"]
    pictures = None
    if content is not None and content["content_properties_type"] == schema.IMAGE:
        pictures = content.union("content_properties", "ImageProperties")
    return (mean if fits else ()), (std if fits else ()), pictures is not None and pictures["color_space"] in COLORS
