"""The card of a network that was recorded operator by operator: what goes in, what comes out, what nobody said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...errors import OptionError, say
from ...graph.form import BLOCK, Graph, Value
from ...nets.recorded import Wanted
from ...runtime.model.card import COLORS, MOST_INPUTS, Card, Input, Output
from ...spelling import option
from ..network import MOST_CLASSES, Network, many_values, origin
from ..source import Opened
from ..torch.transforms import preparation
from .words import Words

# What changes no number, or only rounds it
BACKWARD = ("Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Cast", "QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class Made:
    """A network as a source has recorded it.

    words      how the source speaks
    container  what the file is;  facts: what it says of its making, in short plain values
    tensors    all that the file holds;  title: what it is called, "" where the file does not say
    pictures   the inputs that are pictures, channels first by now; None where shapes tell them, as in PyTorch
    """

    words: Words
    tool: str
    container: str
    graph: Graph
    facts: Mapping[str, object]
    tensors: Sequence[str]
    outputs: Sequence[str]
    title: str = ""
    notes: Sequence[str] = field(default=())
    pictures: Collection[str] | None = None


def network_of(opened: Opened, made: Made, wanted: Wanted) -> Network:
    """The network with its card; OptionError for a size that it cannot have, UnsupportedCheckpoint."""
    graph = _sized(made, wanted)
    if len(graph.inputs) > MOST_INPUTS or not graph.inputs:
        raise made.words.refused(f"it takes {len(graph.inputs)} inputs", f"它有 {len(graph.inputs)} 个输入")
    entries, notes = [], list(made.notes)
    for value in graph.inputs:
        entry, told = _entry(value, made)
        entries.append(entry)
        notes += told
    task, scores = meaning(graph, entries[0])
    used = graph.tensors
    left = [key for key in made.tensors if key not in used and not key.endswith("num_batches_tracked")]
    notes += [*_batch(graph, made.words), *_arrays(graph, made), *many_values(graph), *_left(left)]
    card = Card(
        task,
        made.title or made.container,
        made.tool,
        entries[0],
        Output(graph.outputs[0].name, scores),
        origin=origin(opened.path, made.container, made.facts),
        notes=notes,
        assumed=_untold(entries),
        others=entries[1:],
    )
    reason = say("in no layer that runs", "不参与计算")
    width = graph.outputs[0].shape[-1] if graph.outputs[0].shape else 0
    classes = width if isinstance(width, int) else 0
    return Network(graph, card, made.container, classes, unused=dict.fromkeys(left, reason))


def _sized(made: Made, wanted: Wanted) -> Graph:
    """With the height and width that are asked for, where they are free."""
    graph, asked, words = made.graph, wanted.input_size, made.words
    if asked is None:
        return graph
    first = graph.inputs[0]
    sizes = asked[-2:] if len(first.shape) == 4 else asked
    own = first.shape[len(first.shape) - len(sizes) :]
    if len(sizes) == 1 and len(first.shape) == 4:
        sizes, own = sizes * 2, first.shape[-2:]
    if len(sizes) != len(own) or any(isinstance(n, int) and n != m for n, m in zip(own, sizes, strict=True)):
        shown, wished = " x ".join(map(str, own)), " x ".join(map(str, sizes))
        raise OptionError(
            en=f"{words.sized[0].replace('{}', shown)}, and {option('input_size')} asks for {wished}. "
            f"{words.other_size[0]}.",
            zh=f"{words.sized[1].replace('{}', shown)}，而 {option('input_size')} 要求 {wished}。"
            f"{words.other_size[1]}。",
        )
    named = {str(n): m for n, m in zip(own, sizes, strict=True) if isinstance(n, str)}
    fixed = replace(first, shape=tuple(named.get(str(n), n) for n in first.shape))
    return replace(graph, inputs=(fixed, *graph.inputs[1:]), values={**graph.values, first.name: fixed})


def _entry(value: Value, made: Made) -> tuple[Input, list[str]]:
    """What a sample is: a picture where it has one or three channels of floats, and its source does not deny it."""
    sizes: list[int | None] = [n if isinstance(n, int) else None for n in value.shape]
    picture = len(sizes) == 4 and sizes[1] in COLORS.values() and value.dtype == "float32" and sizes[0] in (None, 1)
    if not picture or (made.pictures is not None and value.name not in made.pictures):
        if not 1 <= len(sizes) <= 6:
            raise made.words.refused(f"an input has {len(sizes)} dimensions", f"一个输入有 {len(sizes)} 维")
        return Input(value.name, "table" if len(sizes) == 2 and value.dtype == "float32" else "array", sizes), []
    channels = sizes[1] or 3
    sides = [n for n in sizes[2:] if n is not None]
    steps, notes = preparation(None, channels, sides if len(sides) == 2 else (0, 0))
    if len(sides) < 2:
        steps = [step for step in steps if step["op"] != "resize"]
        notes = [*notes, _any_size()]
    return Input(value.name, "image", sizes, "RGB" if channels == 3 else "GRAY", steps), notes


def _any_size() -> str:
    return say(
        en=f"The network takes pictures of any size; {option('input_size')} gives it the one of training.",
        zh=f"网络接受任意尺寸的图片；可用 {option('input_size')} 指定训练时的尺寸。",
    )


def _untold(entries: Sequence[Input]) -> list[str]:
    """What the file does not say of pictures."""
    pictures = [entry for entry in entries if entry.kind == "image"]
    sized = any(step["op"] == "resize" for entry in pictures for step in entry.steps)
    return [*(["resize"] if sized else []), *(["color", "normalize"] if pictures else [])]


def meaning(graph: Graph, entry: Input) -> tuple[str, str]:
    """The task, and what the scores are: as of networks that were saved whole."""
    output = graph.outputs[0]
    if len(output.shape) != 2 or not isinstance(output.shape[1], int) or output.dtype != "float32":
        return "values", "values"
    if output.shape[1] > MOST_CLASSES:
        return "values", "values"
    if output.shape[1] == 1:
        return ("regression" if entry.kind == "table" else "values"), "values"
    if last_operator(graph) in ("Softmax", "Sigmoid"):
        return "classification", "probabilities"
    return ("classification", "logits") if entry.kind == "image" else ("values", "values")


def last_operator(graph: Graph) -> str:
    """What the first output ends in, apart from what changes no number, a block with its domain; "" for none."""
    makers, name = graph.makers(), graph.outputs[0].name
    while name in makers and makers[name].op in BACKWARD:
        name = makers[name].inputs[0]
    last = makers.get(name)
    if last is None:
        return ""
    return f"{BLOCK}.{last.op}" if last.domain == BLOCK else last.op


def _batch(graph: Graph, words: Words) -> list[str]:
    """Where only so many inputs go in at a time, that is said, and how to change it."""
    if all(not value.shape or isinstance(value.shape[0], str) for value in graph.inputs):
        return []
    count = next(value.shape[0] for value in graph.inputs if value.shape and isinstance(value.shape[0], int))
    only_en = "" if count == 1 else f", so it takes just {count} at once, never one alone"
    only_zh = "" if count == 1 else f"，因此每次必须正好输入 {count} 个"
    how_en, how_zh = words.free(count, len(graph.inputs))
    return [
        say(
            en=f"The batch is fixed at {count}, {words.batch[0]}{only_en}. {how_en}".strip(),
            zh=f"批量大小固定为 {count}（{words.batch[1]}）{only_zh}。{how_zh}",
        )
    ]


def _arrays(graph: Graph, made: Made) -> list[str]:
    """Pictures that are not taken for such, since several have to go in at a time."""
    first, colours = graph.inputs[0], COLORS.values()
    several = isinstance(first.shape[0] if first.shape else "", int) and first.shape[0] != 1
    if len(first.shape) != 4 or not several or not (first.shape[1] in colours or first.shape[3] in colours):
        return []
    if made.pictures is not None and first.name not in made.pictures:
        return []
    return [
        say(
            en=f"Since {first.shape[0]} pictures have to go in at once, they are given as an array of numbers "
            "(.npy or .npz), prepared as for the training, not as picture files.",
            zh=f"由于每次必须同时输入 {first.shape[0]} 张图片，它们要以数值数组（.npy 或 .npz）给出，"
            "并按训练时的方式预处理好，不能直接给图片文件。",
        )
    ]


def _left(keys: Sequence[str]) -> list[str]:
    if not keys:
        return []
    some = ", ".join(keys[:3]) + (" …" if len(keys) > 3 else "")
    return [say(en=f"{len(keys)} tensors are in no layer that runs: {some}", zh=f"{len(keys)} 个张量未被使用：{some}")]
