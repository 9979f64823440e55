"""What an ONNX model holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ...errors import FileMissing, ModelError
from ...files.limits import MOST_AXES
from ...files.types import LONGEST_FACT
from ...graph.count import numbers
from ...graph.form import Graph
from ...onnxfile.read import OnnxFile, incomplete, read_onnx, work_in
from ...runtime.file import is_file
from ...runtime.model.card import KEY, Card
from ..source import Contents, Part


def contents(path: Path) -> Contents:
    """Its operators, and its card, where it is one of ours; FileMissing, ModelError."""
    model = _load(path)
    card = Card.from_json(model.metadata[KEY]) if KEY in model.metadata else None
    return Contents(
        "onnx",
        model.size,
        list(_nodes(model.graph)),
        "" if card else model.producer[:LONGEST_FACT],
        {} if card else _foreign(model.metadata),
        model.opset,
        model.ir_version,
        numbers(model.graph),
        work_in(model).macs,
        card,
        None if card else _no_card(path),
    )


def card_of(path: Path) -> Card:
    """The card of an .onnx, whose network nothing is done with; FileMissing, ModelError."""
    entries = _load(path).metadata
    if KEY not in entries:
        raise _no_card(path)
    return Card.from_json(entries[KEY])


def _load(path: Path) -> OnnxFile:
    """The model without the data that lies in other files, whose paths are the file's own choice."""
    if not is_file(path):
        raise FileMissing(
            en=f"There is no file {path}; expected a checkpoint (.pth) or a model (.onnx). Check the name and folder.",
            zh=f"文件 {path} 不存在，应为权重文件（.pth）或模型（.onnx）。请检查文件名和所在的文件夹。",
        )
    model = read_onnx(path)
    if not model.graph.nodes:
        raise incomplete(path)
    return model


def _foreign(entries: Mapping[str, str]) -> dict[str, str]:
    """Metadata that other tools wrote, shown as text and never interpreted."""
    return {key: value[:LONGEST_FACT] for key, value in list(entries.items())[:20]}


def _nodes(graph: Graph) -> Iterator[Part]:
    for node in graph.nodes:
        weight = next((graph.constants[name].shape[:MOST_AXES] for name in node.inputs if name in graph.constants), ())
        yield Part(node.outputs[0] if node.outputs else node.name, node.op, weight)


def _no_card(path: Path) -> ModelError:
    return ModelError(
        en=f"{path.name} has no card that says how to prepare its input, so it was not written by Qingzhou.",
        zh=f"{path.name} 里没有说明卡，不是轻舟生成的模型，不知道如何处理输入。",
    )
