"""What is inside a file: of a checkpoint before it is converted, of a model afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .assumed import assumed_text
from .engines.table import engine_for, is_compiled, open_predictor
from .errors import CheckpointTypeError, FileMissing, LabelError, ModelError, QingzhouError, as_plain
from .files.limits import MOST_AXES
from .files.types import Checkpoint
from .graph.count import macs, numbers, parameters
from .graph.form import Graph
from .labels import Labels, read_labels
from .onnxfile.read import OnnxFile, incomplete, read_onnx, work_in
from .runtime.file import is_file, open_file
from .runtime.model.card import KEY, Card, Input
from .sources.openmmlab.state import recognise_checkpoint
from .sources.openmmlab.wrapped import open_checkpoint

LONGEST_FACT = 200  # characters of a text that a file says of itself


@dataclass(frozen=True)
class Part:
    """One tensor or operator: its dotted name, what it is, and its shape."""

    name: str
    kind: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Info:
    """Everything `qingzhou info` says. Fields that do not apply are empty; `problem` is why it cannot be converted."""

    path: Path
    size: int
    container: str
    tool: str = ""
    network: str = ""
    task: str = ""
    labels: Sequence[str] = ()
    classes: int = 0
    input: Input | None = None
    parameters: int = 0
    macs: int = 0
    opset: int = 0
    ir_version: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[Part] = ()
    notes: Sequence[str] = ()
    assumed: Sequence[str] = ()
    problem: QingzhouError | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for --json."""
        entry = self.input
        return {
            "file": str(self.path),
            "bytes": self.size,
            "container": self.container,
            "tool": self.tool,
            "network": self.network,
            "task": self.task,
            "classes": self.classes,
            "labels": list(self.labels),
            "input": None
            if entry is None
            else {"kind": entry.kind, "shape": entry.shape, "color": entry.color, "steps": entry.steps},
            "parameters": self.parameters,
            "macs": self.macs,
            "opset": self.opset,
            "ir_version": self.ir_version,
            "training": dict(self.facts),
            "notes": list(self.notes),
            "assumed": list(self.assumed),
            "problem": None if self.problem is None else as_plain(self.problem),
            "tensors": [{"name": part.name, "kind": part.kind, "shape": list(part.shape)} for part in self.parts],
        }


def read_info(path: str | Path) -> Info:
    """What is inside a checkpoint or an ONNX model; an error only where the file can be read as neither."""
    path = Path(path)
    if path.suffix.lower() == ".onnx":
        return _onnx(path)
    if is_compiled(path):
        return _compiled(path)
    try:
        checkpoint = open_checkpoint(path)
    except CheckpointTypeError:
        if _looks_like_onnx(path):
            return _onnx(path)
        raise
    return _checkpoint(path, checkpoint)


# -- checkpoints ----------------------------------------------------------------------------------------------------


def _checkpoint(path: Path, checkpoint: Checkpoint) -> Info:
    common: dict[str, Any] = {
        "path": path,
        "size": checkpoint.origin.size,
        "container": checkpoint.origin.container,
        "facts": checkpoint.facts,
        "parts": list(_tensors(checkpoint)),
    }
    try:
        found = recognise_checkpoint(checkpoint)
    except QingzhouError as err:
        return Info(**common, tool=str(checkpoint.meta.get("tool", ""))[:LONGEST_FACT], problem=err)
    labels, told = _labels(found.named), assumed_text(found.input, found.assumed, found.tool)
    return Info(
        **common,
        tool=found.tool,
        network=found.title,
        task=found.task,
        labels=labels.names,
        classes=found.classes,
        input=found.input,
        parameters=parameters(found.graph),
        macs=macs(found.graph),
        notes=[*([told] if told else []), *found.notes, *labels.notes],
        assumed=[*found.assumed, *(["labels"] if not labels.names and found.classes else [])],
    )


def _labels(named: object) -> Labels:
    """The names in the file; a note where they cannot be used, since others can be given."""
    try:
        return read_labels(named)
    except LabelError as err:
        return Labels(notes=(str(err),))


def _tensors(checkpoint: Checkpoint) -> Iterator[Part]:
    for key, ref in checkpoint.tensors.refs.items():
        yield Part(key, str(ref.dtype), ref.shape)
    for key, reason in checkpoint.ignored.items():
        yield Part(key, reason, ())


# -- engines --------------------------------------------------------------------------------------------------------


def _compiled(path: Path) -> Info:
    """What the card inside says; the network itself is the engine's affair."""
    card, engine = open_predictor(path).card, engine_for(path)
    size = sum(part.stat().st_size for part in engine.files(path))
    return Info(path, size, engine.name, **_described(card))


# -- ONNX -----------------------------------------------------------------------------------------------------------


def _looks_like_onnx(path: Path) -> bool:
    """An ONNX file starts with its ir_version (field 1, a varint) or producer; nothing else here does."""
    with open_file(path) as file:
        return file.read(1) in (b"\x08", b"\x12")


def _onnx(path: Path) -> Info:
    model = _load(path)
    card = Card.from_json(model.metadata[KEY]) if KEY in model.metadata else None
    common: dict[str, Any] = {
        "path": path,
        "size": model.size,
        "container": "onnx",
        "opset": model.opset,
        "ir_version": model.ir_version,
        "parameters": numbers(model.graph),
        "macs": work_in(model).macs,
        "parts": list(_nodes(model.graph)),
    }
    if card is None:
        facts = _foreign(model.metadata)
        return Info(**common, tool=model.producer[:LONGEST_FACT], facts=facts, problem=_no_card(path))
    return Info(**common, **_described(card))


def card_of(path: Path) -> Card:
    """The card of an .onnx, whose network nothing is done with; FileMissing, ModelError."""
    entries = _load(path).metadata
    if KEY not in entries:
        raise _no_card(path)
    return Card.from_json(entries[KEY])


def _described(card: Card) -> dict[str, Any]:
    """The fields of an Info that a card fills."""
    return {
        "tool": card.tool,
        "network": card.network,
        "task": card.task,
        "labels": card.labels,
        "classes": len(card.labels),
        "input": card.input,
        "facts": _origin(card),
        "notes": card.notes,
        "assumed": card.assumed,
    }


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


def _origin(card: Card) -> dict[str, Any]:
    training = card.origin.get("training", {})
    return {"file": card.origin.get("file", ""), **(training if isinstance(training, dict) else {})}


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
