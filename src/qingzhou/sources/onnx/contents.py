"""What an ONNX model holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import FileMissing, LabelError, NoCard, say
from ...files.limits import MOST_AXES
from ...files.types import LONGEST_FACT
from ...graph.count import numbers
from ...graph.form import UNRANKED, Graph, Value
from ...labels import read_labels
from ...labels.text import parse
from ...onnxfile.outside import is_name
from ...onnxfile.read import OnnxFile, free_sizes, incomplete, macs_in, read_onnx, work_in
from ...own_files import is_plain
from ...runtime.file import is_file
from ...runtime.model.card import KEY, Card
from ..source import Contents, Part
from . import is_zip
from .meaning import names_of
from .read import LISTS, tool_of

SHOWN = 6  # free sizes, or letters of a list, in a sentence


def contents(path: Path) -> Contents:
    """Its operators, and its card, where it is one of ours; FileMissing, ModelError."""
    model = _load(path)
    found = Contents(
        "onnx",
        model.size,
        list(_nodes(model.graph)),
        opset=model.opset,
        ir_version=model.ir_version,
        parameters=numbers(model.graph) + model.inner,
    )
    if KEY in model.metadata:
        return replace(found, card=Card.from_json(model.metadata[KEY]), macs=work_in(model).macs)
    return replace(
        found,
        tool=tool_of(model),
        facts=_foreign(model.metadata),
        macs=macs_in(model),
        problem=no_card(path),
        inputs=_in_words(model.graph.inputs, model, model.graph.optional),
        outputs=_in_words(model.graph.outputs, model),
        domains={name or "ai.onnx": number for name, number in model.graph.opsets.items()},
        labels=_labels(model),
        notes=_notes(model),
    )


def card_of(path: Path) -> Card | None:
    """The card of an .onnx, whose network nothing is done with; None where it has none, or lies in a zip with its
    weights. FileMissing, ModelError.
    """
    if is_zip(path):
        return None
    entries = _load(path).metadata
    return Card.from_json(entries[KEY]) if KEY in entries else None


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
    """Metadata that other tools wrote, shown as text and never interpreted; lists of names are labels."""
    short = {key: value for key, value in entries.items() if not _names(key, value)}
    return {key: value[:LONGEST_FACT] for key, value in list(short.items())[:20]}


def _labels(model: OnnxFile) -> Sequence[str]:
    """What the classes are called; of a network that reads text its letters."""
    for key in LISTS:
        if names := _names(key, model.metadata.get(key, "")):
            return names
    named = names_of(model.graph.nodes)
    return named if isinstance(named, list) else ()


def _names(key: str, text: str) -> Sequence[str]:
    """Those in a list, as Python or JSON writes it, or one a line; () of any other text."""
    if key not in LISTS or (text[:1] not in ("[", "{", "(") and "\n" not in text):
        return ()
    try:
        return read_labels(parse(text)).names
    except LabelError:
        return ()


def _in_words(values: Sequence[Value], model: OnnxFile, but: frozenset[str] = frozenset()) -> dict[str, str]:
    """ "float32 [N, 3, height, width]", "sequence(map(int64, float32))"."""
    return {value.name: model.types.get(value.name) or _type(value) for value in values if value.name not in but}


def _type(value: Value) -> str:
    if value.shape == UNRANKED:
        return value.dtype
    return f"{value.dtype} [{', '.join(_size(n) for n in value.shape)}]"


def _size(n: int | str) -> str:
    """Free sizes that exporters reckoned out are long formulas."""
    known = isinstance(n, int) and n > 0
    return str(n) if known or (isinstance(n, str) and len(n) <= LONGEST_FACT // 4 and n != "?") else "?"


def _notes(model: OnnxFile) -> list[str]:
    notes = []
    free = free_sizes(model)
    if free:
        named = ", ".join(_size(n) for n in free[:SHOWN])
        notes.append(
            say(
                en=f"How much it computes depends on sizes that the file leaves open: {named}.",
                zh=f"计算量取决于文件没有写明的尺寸：{named}。",
            )
        )
    notes += [_outside(model.path, name) for name in model.outside]
    if model.traces:
        notes.append(
            say(
                en=f"The exporter left lines of somebody's program and paths at {model.traces} nodes, with names of "
                "people, maybe. What Qingzhou writes of it has none of these.",
                zh=f"导出工具在 {model.traces} 个节点里留下了程序代码和文件路径，其中可能有人名。"
                "轻舟写出的文件里不会有这些内容。",
            )
        )
    return notes


def _outside(path: Path, name: str) -> str:
    shown = name[:LONGEST_FACT]
    there = is_name(name) and is_plain(path.parent / name)
    if there:
        return say(
            en=f"Its weights lie in {shown}, beside it: both belong together.",
            zh=f"它的权重在旁边的 {shown} 里，两个文件缺一不可。",
        )
    return say(
        en=f"Its weights lie in {shown}, which is not beside it: without that file it does not run.",
        zh=f"它的权重在 {shown} 里，而这个文件不在旁边，缺少它就无法运行。",
    )


def _nodes(graph: Graph) -> Iterator[Part]:
    for node in graph.nodes:
        weight = next((graph.constants[name].shape[:MOST_AXES] for name in node.inputs if name in graph.constants), ())
        yield Part(node.outputs[0] if node.outputs else node.name, node.op, weight)


def no_card(path: Path) -> NoCard:
    """Why nothing is said of what goes in, and the way out."""
    return NoCard(
        en=f"{path.name} has no card that says how to prepare its input, so it was not written by Qingzhou. Let "
        f"Qingzhou write one: qingzhou convert {path.name}",
        zh=f"{path.name} 里没有说明卡，不是轻舟生成的模型，不知道如何处理输入。请让轻舟补上："
        f"qingzhou convert {path.name}",
    )
