"""From a file of Ultralytics to its network: the walk, the form that is wanted, and the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...errors import OptionError, say
from ...files.types import Checkpoint
from ...graph.form import Graph, Value
from ...graph.record import Recorder
from ...nets.detection import Thresholds
from ...nets.recorded import Wanted
from ...nets.settings import Step
from ...runtime.model.card import Card, Input, Output
from ...spelling import option
from ..network import Network, origin
from ..torch.module import Module
from . import rows
from .heads import CLASSIFY, OBB, ONE, Head, Predictions, Task, classify, predict, read_head, task_of
from .notes import NETWORKS, no_heads, no_nms, other_network, other_repository, said_of_heads, said_of_letterbox
from .said import channels, image_size, title, training
from .walk import LAYERS, features

NAME = "images"
GREY = 114  # what Ultralytics fills pictures up with


@dataclass(frozen=True)
class Saved:
    """A file with the module in it. root: its walk; size: (height, width) of the input."""

    checkpoint: Checkpoint
    root: Module
    head: Module
    task: Task
    size: tuple[int, int]
    channels: int
    assumed: tuple[str, ...]


def read_ultralytics(checkpoint: Checkpoint, wanted: Wanted) -> Network:
    """The network in a file, without its numbers; UnsupportedCheckpoint, TensorMismatch, OptionError."""
    saved = _opened(checkpoint, wanted)
    return _classifier(saved, wanted) if saved.task is CLASSIFY else _detector(saved, wanted)


def _opened(checkpoint: Checkpoint, wanted: Wanted) -> Saved:
    module = checkpoint.module
    assert module is not None
    if not module.name.startswith("ultralytics."):
        raise other_repository(module.name)
    if module.name.rpartition(".")[0] != "ultralytics.nn.tasks" or module.name.rpartition(".")[2] not in NETWORKS:
        raise other_network(module.name)
    root = Module.of(module, LAYERS)
    layers = root.child("model").children()
    if not layers:
        raise root.refuse("it has no layers", "它没有网络层")
    taken = channels(module)
    if taken not in (1, 3):
        raise root.refuse(f"it takes pictures of {taken} channels", f"它的输入图片有 {taken} 个通道")
    task = task_of(layers[-1])
    size, assumed = _size(checkpoint, task, taken, wanted)
    return Saved(checkpoint, root, layers[-1], task, size, taken, assumed)


def _size(checkpoint: Checkpoint, task: Task, taken: int, wanted: Wanted) -> tuple[tuple[int, int], tuple[str, ...]]:
    """The size that is asked for, else that of the training; and what was assumed."""
    given = wanted.input_size
    if given is None:
        size, unsaid = image_size(checkpoint, task.name)
        return size, ("input_size",) if unsaid else ()
    if wanted.picture is None or given[:-2] not in ((), (taken,), (1, taken)):
        raise OptionError(
            en=f"{option('input_size')} is {','.join(map(str, given))}, but the network takes pictures of {taken} "
            f"channels. Give {option('input_size', 'height,width')}.",
            zh=f"{option('input_size')} 的值是 {','.join(map(str, given))}，但网络的输入是 {taken} 个通道的图片。"
            f"请写 {option('input_size', '高,宽')}。",
        )
    return wanted.picture, ()


# -- classifiers -------------------------------------------------------------------------------------------------------


def _classifier(saved: Saved, wanted: Wanted) -> Network:
    if wanted.head is not None:
        raise no_heads()
    height, width = saved.size
    resize: Step = {"short": height} if height == width else {"size": [height, width]}
    steps: list[Step] = [{"op": "resize", **resize, "interpolation": "pillow"}]
    steps += [{"op": "center_crop", "size": [height, width]}] if height == width else []
    entry = _entry(saved, steps)
    net = Recorder()
    head, maps = features(net, saved.root, _image(net, entry))
    graph = net.freeze(classify(net, head, maps), names=["output0"]).without_dead()
    card = _card(saved, entry, Output("output0", "probabilities"), ())
    return _network(saved, graph, card, _width(graph))


def _width(graph: Graph) -> int:
    size = graph.outputs[0].shape[-1]
    assert isinstance(size, int)
    return size


# -- detectors ---------------------------------------------------------------------------------------------------------


def _detector(saved: Saved, wanted: Wanted) -> Network:
    head = read_head(saved.head, wanted.head)
    size, notes = _whole_strides(saved.size, max(head.strides), wanted)
    saved = replace(saved, size=size)
    steps: list[Step] = [
        {"op": "resize", "letterbox": list(size), "interpolation": "cv2"},
        {"op": "pad_to", "size": list(size), "value": [GREY] * saved.channels, "center": True},
    ]
    entry, net = _entry(saved, steps), Recorder()
    _, maps = features(net, saved.root, _image(net, entry))
    found = predict(net, head, maps)
    heads = rows.heads(net, found)
    how = _thresholds(wanted, head)
    graph = _form(net, head, found, how, wanted.form)
    output = Output("output0", "raw" if wanted.form == "raw" else "rows", also=_also(saved, head, found))
    card = _card(saved, entry, output, [*notes, *said_of_heads(head), *said_of_letterbox(size)], max(head.strides))
    decoding = {"kind": "ultralytics"} if wanted.form == "raw" else None
    card = replace(card, thresholds=how.for_card(), decoding=decoding)
    return replace(_network(saved, graph, card, head.classes, head), heads=heads)


def _form(net: Recorder, head: Head, found: Predictions, how: Thresholds, form: str) -> Graph:
    rotated = head.task is OBB
    if form == "raw":
        return rows.raw(net, found, rotated)
    if head.which == ONE:
        return rows.rows_by_score(net, found, how.most)
    return rows.rows_by_nms(net, found, how, rotated)


def _thresholds(wanted: Wanted, head: Head) -> Thresholds:
    """Ultralytics' own, or those that are asked for; a head without NMS has boxes that no other may suppress."""
    usual, free = rows.USUAL, head.which == ONE
    if free and wanted.iou is not None:
        raise no_nms()
    return Thresholds(
        usual.score if wanted.score is None else wanted.score,
        usual.most if wanted.most is None else wanted.most,
        1.0 if free else usual.iou if wanted.iou is None else wanted.iou,
    )


def _also(saved: Saved, head: Head, found: Predictions) -> dict[str, object]:
    """What the rows say of a thing besides its box, as cards have it."""
    if found.masks is not None:
        stride = _stride_of(saved, found.masks)
        return {"masks": {"prototypes": rows.MASKS[0], "coefficients": found.masks.channels, "stride": stride}}
    if head.task.name == "pose":
        return {"keypoints": list(head.keypoints)}
    return {"rotated": True} if head.task is OBB else {}


def _stride_of(saved: Saved, masks: Value) -> int:
    """How many pixels of the input a cell of the prototypes is; UnsupportedCheckpoint where that is no whole number."""
    (height, width), (high, wide) = saved.size, masks.shape[2:]
    assert isinstance(high, int) and isinstance(wide, int)
    if height % high or height // high * wide != width:
        raise saved.head.refuse(f"its masks are {high} x {wide}", f"它的掩码是 {high} x {wide}")
    return height // high


def _whole_strides(size: tuple[int, int], stride: int, wanted: Wanted) -> tuple[tuple[int, int], list[str]]:
    """A size of whole strides: OptionError for another that is asked for; the training's is rounded up, as there."""
    height, width = (-(-n // stride) * stride for n in size)
    if (height, width) == size:
        return size, []
    if wanted.input_size is not None:
        raise OptionError(
            en=f"{option('input_size')} is {size[0]},{size[1]}, but this network needs multiples of {stride}, such as "
            f"{height},{width}.",
            zh=f"{option('input_size')} 的值是 {size[0]},{size[1]}，但这个网络需要 {stride} 的倍数，"
            f"例如 {height},{width}。",
        )
    note = say(
        f"The training's size {size[0]} x {size[1]} was rounded up to {height} x {width}, multiples of {stride}, as "
        "Ultralytics does.",
        f"训练尺寸 {size[0]} x {size[1]} 已按 Ultralytics 的做法向上取整为 {stride} 的倍数：{height} x {width}。",
    )
    return (height, width), [note]


# -- the card ----------------------------------------------------------------------------------------------------------


def _entry(saved: Saved, steps: list[Step]) -> Input:
    scaled: Step = {"op": "normalize", "mean": [0.0] * saved.channels, "std": [255.0] * saved.channels}
    color = "RGB" if saved.channels == 3 else "GRAY"
    return Input(NAME, "image", [1, saved.channels, *saved.size], color, [*steps, scaled])


def _image(net: Recorder, entry: Input) -> Value:
    return net.input(entry.name, tuple(n or 1 for n in entry.shape))


def _card(saved: Saved, entry: Input, output: Output, notes: Sequence[str], stride: int = 1) -> Card:
    checkpoint = saved.checkpoint
    facts = {**training(checkpoint), "stride": stride}
    return Card(
        "classification" if saved.task is CLASSIFY else "detection",
        title(checkpoint, saved.task.name),
        "Ultralytics",
        entry,
        output,
        origin=origin(checkpoint.origin.path, checkpoint.origin.container, facts),
        notes=[*checkpoint.notes, *notes],
        assumed=list(saved.assumed),
    )


def _network(saved: Saved, graph: Graph, card: Card, classes: int, head: Head | None = None) -> Network:
    named = saved.checkpoint.module and saved.checkpoint.module.state.get("names")
    return Network(graph, card, "YOLO", classes, named, unused=_unused(saved, graph, head))


def _unused(saved: Saved, graph: Graph, head: Head | None) -> dict[str, str]:
    """Why the other tensors of the file are not in the network."""
    used, found = graph.tensors, dict(saved.checkpoint.ignored)
    training_only = say("only for training", "只用于训练")
    for key in saved.checkpoint.tensors:
        if key not in used:
            of_head = head is not None and key.startswith(f"{head.module.path}.") and "flow_model" not in key
            other = of_head and key.removeprefix(f"{saved.head.path}.").startswith(("one2one_", "cv"))
            is_counter = key.endswith("num_batches_tracked")
            found[key] = (
                say("of the head that was not taken", "属于没有采用的检测头")
                if other and not is_counter
                else training_only
            )
    return found
