"""An .onnx that somebody else wrote -> its network and a card: what the file says, and what is assumed, aloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import CheckpointTypeError, LabelError, ModelError, say
from ...files.types import LONGEST_FACT
from ...graph.count import numbers
from ...graph.form import Graph, Value
from ...graph.infer import inferred
from ...graph.settle import with_channels
from ...labels import read_labels
from ...labels.text import parse
from ...nets.pictures import final_size
from ...nets.recorded import Wanted
from ...onnxfile.read import OnnxFile, incomplete, read_onnx
from ...onnxfile.upgrade import upgraded
from ...runtime.model.card import KEY, Card, Input, Output
from ..network import AsItIs, Network, many_values, origin
from ..recording.pixels import of_pixels, takes_pixels
from ..source import Opened
from ..torch.hub import Described, described
from . import yolo
from .entry import entries_of, untold
from .meaning import Meaning, meaning
from .originals import Port, original_card

LISTS = ("names", "labels", "classes", "class_names", "character")  # under which names tools keep those of classes
TOOLS = {  # what a producer is called
    "pytorch": "PyTorch",
    "tf2onnx": "TensorFlow",
    "paddlepaddle": "PaddlePaddle",
    "skl2onnx": "scikit-learn",
    "keras2onnx": "Keras",
    "onnxmltools": "scikit-learn",
}
PADDLE = ("p2o.", "DynamicDimension")  # Paddle2ONNX's names of free sizes


@dataclass(frozen=True)
class Found:
    """A file on its way to a network. graph: in today's meaning, with the shapes that can be known."""

    opened: Opened
    file: OnnxFile
    graph: Graph
    wanted: Wanted

    @property
    def metadata(self) -> Mapping[str, str]:
        """What tools wrote beside the network."""
        return self.file.metadata


def read_foreign(opened: Opened, wanted: Wanted) -> Network:
    """The network, which stays as it is, and its card; CheckpointTypeError of one of ours, ModelError."""
    file = read_onnx(opened.path)
    if KEY in file.metadata:
        raise _ours(opened.path.name)
    if not file.graph.nodes:
        raise incomplete(opened.path)
    graph = shaped(file)
    found = Found(opened, file, graph, wanted)
    if yolo.is_ultralytics(file.metadata) or yolo.is_yolov5(file.metadata, graph):
        return _yolo(found)
    if "MODEL_INFO" in file.metadata or {"input_size", "dataset_type"} <= file.metadata.keys():
        return _original(found)
    return _by_structure(found)


def shaped(file: OnnxFile) -> Graph:
    """The graph with all shapes that can be known; as the file has it where its operators contradict themselves."""
    graph = with_channels(file.graph)
    try:
        return inferred(upgraded(graph))
    except ModelError:
        return graph


def tool_of(file: OnnxFile) -> str:
    """Which tool wrote it, as people call it."""
    sizes = [n for value in (*file.graph.inputs, *file.graph.outputs) for n in value.shape if isinstance(n, str)]
    if any(n.startswith(PADDLE) for n in sizes):
        return "PaddlePaddle"
    return TOOLS.get(file.producer.lower(), file.producer[:LONGEST_FACT] or "ONNX")


def _network(found: Found, card: Card, classes: int, named: object, added: AsItIs, graph: Graph) -> Network:
    training = card.origin.get("training", {})
    start = origin(found.opened.path, "onnx", training if isinstance(training, dict) else {})
    card = replace(card, origin=start)
    if not card.others and card.input.kind == "image" and takes_pixels(found.graph, card.input.name):
        card = of_pixels(card)
    return Network(graph, card, card.network, classes, named, as_it_is=added)


# -- what metadata say ----------------------------------------------------------------------------------------------


def _yolo(found: Found) -> Network:
    """The size of the training, where the file leaves it free."""
    metadata, said = found.metadata, yolo.sides_of(found.metadata)
    first = found.graph.inputs[0]
    free = len(first.shape) == 4 and any(isinstance(n, str) for n in first.shape[2:])
    asked = found.wanted.input_size or (said if free else None)
    (entry, *_), _ = entries_of(found.graph, asked)
    graph, added = found.graph, AsItIs()
    if not yolo.is_ultralytics(metadata):
        graph, added = yolo.as_ultralytics(graph)
    card = yolo.card_of(metadata, _of_size(graph, entry), entry)
    how = card.thresholds
    if how is not None:
        wanted = found.wanted
        given = {"score": wanted.score, "iou": wanted.iou, "most": wanted.most}
        how = {**how, **{key: value for key, value in given.items() if value is not None}}
    assumed = ["input_size"] if None in (*entry.sides(),) or (free and asked is None) else []
    card = replace(card, thresholds=how, assumed=assumed, notes=yolo.told(metadata))
    names = yolo.names_of(metadata)
    return _network(found, card, len(names), list(names), added, graph)


def _of_size(graph: Graph, entry: Input) -> Graph:
    """The shapes that its values have for an input of this size."""
    sizes = {
        name: size
        for name, size in zip(graph.inputs[0].shape, entry.shape, strict=True)
        if isinstance(name, str) and size is not None
    }
    try:
        return inferred(graph, sizes)
    except ModelError:
        return graph


def _original(found: Found) -> Network:
    """What MMEdu or BaseNN exported."""
    entry, out = found.graph.inputs[0], found.graph.outputs[0]
    card = original_card(found.metadata, _port(entry), _port(out))
    width = out.shape[-1] if out.shape else 0
    classes = width if isinstance(width, int) and card.task == "classification" else len(card.labels)
    assumed = ["resize", "normalize"] if card.input.kind == "image" else []
    card = replace(card, assumed=assumed)
    return _network(found, card, classes, card.labels or None, AsItIs(), found.graph)


def _port(value: Value) -> Port:
    return Port(value.name, tuple(n if isinstance(n, int) and n > 0 else None for n in value.shape))


# -- what the structure tells ---------------------------------------------------------------------------------------


def _by_structure(found: Found) -> Network:
    entries, notes = entries_of(found.graph, found.wanted.input_size)
    seen = meaning(found.graph, entries)
    card = Card(
        seen.task,
        "ONNX",
        tool_of(found.file),
        entries[0],
        Output(seen.output.name, seen.scores),
        origin={"training": _facts(found.metadata)},
        assumed=untold(entries),
        others=entries[1:],
    )
    card, named = _beside(card, described(found.opened), seen)
    notes = [
        *notes,
        *_listed(found, seen),
        *_batch(entries),
        *many_values(replace(found.graph, outputs=(seen.output,))),
    ]
    if len(found.graph.outputs) > 1:
        notes.append(_first(seen.output.name, [value.name for value in found.graph.outputs]))
    card = replace(card, notes=[*card.notes, *notes])
    named = named if named is not None else _names(found.metadata, seen.classes)
    added = seen.added or AsItIs()
    return _network(found, card, seen.classes, named, added, added.put_on(found.graph))


def _beside(card: Card, config: Described, seen: Meaning) -> tuple[Card, object]:
    """With what config.json and preprocessor_config.json beside the model say, as timm and transformers write them."""
    steps, entry, assumed = list(card.input.steps), card.input, list(card.assumed)
    said, picture = [dict(step) for step in config.picture.steps], config.picture
    named = seen.named if seen.named is not None else config.labels
    if not said or entry.kind != "image" or entry.channels != 3:
        return card, named
    fits = final_size(said) in (None, list(entry.sides())) or None in entry.sides()
    if picture.sizes and fits:
        kept = [step for step in steps if step["op"] == "normalize"]
        steps, assumed = [*(s for s in said if s["op"] != "normalize"), *kept], _less(assumed, "resize", "input_size")
    if picture.values and entry.dtype == "float32":
        steps = [*(s for s in steps if s["op"] != "normalize"), *(s for s in said if s["op"] == "normalize")]
        assumed = _less(assumed, "normalize", "color")
    title = config.architecture or card.network
    entry = replace(entry, steps=steps, color=picture.color or entry.color)
    return replace(card, network=title, input=entry, assumed=assumed, notes=[*card.notes, *config.notes]), named


def _less(assumed: Sequence[str], *said: str) -> list[str]:
    return [name for name in assumed if name not in said]


def _names(metadata: Mapping[str, str], classes: int) -> object:
    """The list of one of LISTS that has a name for each class; None."""
    for key in LISTS:
        try:
            names = read_labels(parse(metadata[key])).names if classes and key in metadata else ()
        except LabelError:
            continue
        if len(names) == classes > 0:
            return list(names)
    return None


def _facts(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What is short; lists of thousands of letters are for programs."""
    return {key: value for key, value in list(metadata.items())[:20] if 0 < len(value) <= LONGEST_FACT}


def _listed(found: Found, seen: Meaning) -> list[str]:
    """Of a network that reads text: its letters are in the file, but nothing here puts them together."""
    letters = found.metadata.get("character", "").split("\n")
    if len(letters) < 2 or len(seen.output.shape) != 3:
        return []
    return [
        say(
            en=f"The file lists {len(letters)} characters: it reads text (CTC), and its answer is a row of numbers for "
            "each place. Qingzhou gives these numbers; which letters they are is left to your program.",
            zh=f"文件里列有 {len(letters)} 个字符：这是文字识别网络（CTC），输出是每个位置的一行数。"
            "轻舟给出这些数，怎样连成文字由您的程序决定。",
        )
    ]


def _batch(entries: Sequence[Input]) -> list[str]:
    count = entries[0].shape[0] if entries[0].shape else None
    if len(entries) > 1 or count in (None, 1):
        return []
    return [
        say(
            en=f"The model takes just {count} inputs at once, never one alone: that is how it was exported.",
            zh=f"模型导出时固定每次输入正好 {count} 个，不能单独输入一个。",
        )
    ]


def _first(name: str, names: Sequence[str]) -> str:
    shown = ", ".join(one[:60] for one in names[:8])
    return say(
        en=f"The model has {len(names)} outputs ({shown}); the answer is read from {name[:60]}. All of them: qingzhou "
        "run model.onnx arrays.npz, without a card.",
        zh=f"模型有 {len(names)} 个输出（{shown}），答案取自 {name[:60]}。"
        "要得到全部输出，请对没有说明卡的原文件用 qingzhou run model.onnx arrays.npz。",
    )


def _ours(name: str) -> CheckpointTypeError:
    return CheckpointTypeError(
        en=f"{name} is a model of Qingzhou's already, with its card; expected one without. It needs no conversion: use "
        "it as it is. To change its labels or its pre-processing, convert the file that it was made of.",
        zh=f"{name} 已经是轻舟的模型，带有说明卡，不用再转换，直接使用即可。"
        "要修改类别名称或预处理，请重新转换最初的文件。",
    )


def parameters_of(file: OnnxFile) -> int:
    """Numbers that were learnt, also those of its Ifs and Loops."""
    return numbers(file.graph) + file.inner
