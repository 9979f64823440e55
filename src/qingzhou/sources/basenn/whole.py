"""Networks pickled whole: BaseNN's checkpoints, nn().save(), and plain torch.save(model) of standard layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import OptionError, QingzhouError, TensorMismatch, UnsupportedCheckpoint, say
from ...files.refusals import short
from ...files.types import Checkpoint, Opaque
from ...graph.form import Graph, Shape, Value
from ...graph.record import Recorder
from ...labels import named_in
from ...nets.architecture import imagenet_input
from ...nets.pictures import resized
from ...runtime.model.card import COLORS, Card, Input, Output
from ...spelling import option
from ..network import MOST_CLASSES, Network, many_values, origin
from ..torch.module import Module, entries, integers
from ..torch.transforms import preparation
from .modules import LAYERS, LSTM_NETWORK, layers_in, lstm_network, record_module, recorder_of, table_of

KINDS = {"img": "image", "tab": "table", "npz": "array", "other": "array"}  # meta["dataset_type"] -> card
SIDES_OF_VISION = (224, 224)  # that torchvision's networks were made for
SIDES = range(8, 513)  # of square pictures that are tried where a file does not say
TRIED, TRIED_BY_BYTE = 6_000, 1 / 24  # layers that are walked through for it, and more for large files
MOST_WORDS = 1 << 20


@dataclass(frozen=True)
class Saved:
    """A pickled module with what its file says of it."""

    module: Opaque
    meta: Mapping[str, Any]
    from_basenn: bool
    given: tuple[int, ...]  # --input-size, () if not given
    size: int = 0  # bytes of the file

    @property
    def is_vision(self) -> bool:
        """Whether it is one of torchvision's networks for pictures."""
        return self.module.name.startswith("torchvision.models.")

    @property
    def kind(self) -> str:
        """ "image", "table" or "array": as the file says, else by the first layer that needs a certain input."""
        said = KINDS.get(str(self.meta.get("dataset_type")))
        if said is not None:
            return said
        layer = next(_needing_shape(self.module), None)
        name = layer.name.rpartition(".")[2] if layer else ""
        if name == "Conv2d" and layer and integers(entries(layer.state).get("in_channels")) in ((1,), (3,)):
            return "image"
        return "table" if name == "Linear" else "array"


def read_basenn(checkpoint: Checkpoint, given: Sequence[int] | None = None) -> Network:
    """The network in a checkpoint that holds a pickled module.

    `given` is (height, width), or the whole input shape, where it is not the trained one. UnsupportedCheckpoint for
    layers whose program is not in the file, TensorMismatch where sizes do not fit together.
    """
    assert checkpoint.module is not None
    module = checkpoint.module
    said = checkpoint.meta.get("tool") == "BaseNN"
    source = Saved(
        module, checkpoint.meta, said or _looks_like_basenn(module), tuple(given or ()), checkpoint.origin.size
    )
    if module.name == LSTM_NETWORK:
        return _text(source, checkpoint)
    if checkpoint.meta.get("tool") == "fastai":
        return _of_fastai(source, checkpoint)
    return _network(source, checkpoint)


def _of_fastai(source: Saved, checkpoint: Checkpoint) -> Network:
    """The network of a Learner; UnsupportedCheckpoint with the lines that work."""
    from ..torch.learner import notes_of, refused, untold

    known = table_of(source.module)
    unknown = next((one for one in layers_in(source.module) if one.name not in known), None)
    if unknown is not None:
        name = short(unknown.name, 60)
        raise refused(
            f"the network has a {name}, whose program is not in the file", f"网络里有 {name}，其程序代码不在文件中"
        )
    side = () if source.given or source.kind != "image" else integers(checkpoint.meta.get("side"))
    try:
        found = _network(replace(source, given=side or source.given), checkpoint)
    except UnsupportedCheckpoint as err:
        raise refused(err.en.partition(".")[0], err.zh.partition("。")[0]) from None
    card = found.card
    notes, assumed = [*card.notes, *notes_of(checkpoint.meta)], untold(card.assumed, checkpoint.meta)
    return replace(found, card=replace(card, tool="fastai", notes=notes, assumed=assumed))


def _network(source: Saved, checkpoint: Checkpoint) -> Network:
    module = source.module
    shape, assumed = _input_shape(source)
    graph = record(module, shape)
    entry, notes = _entry(source, shape)
    assumed = [*assumed, *(("resize", "color", "normalize") if _is_untold(source, entry) else ())]
    task, scores = _meaning(graph, source)
    tool = "BaseNN" if source.from_basenn else "torchvision" if source.is_vision else "PyTorch"
    title = module.name.rpartition(".")[2]
    left = _left(checkpoint, graph)
    card = Card(
        task,
        title,
        tool,
        entry,
        Output(graph.outputs[0].name, scores),
        origin=origin(checkpoint.origin.path, checkpoint.origin.container, checkpoint.facts),
        notes=[*checkpoint.notes, *notes, *many_values(graph), *_said_of(left)],
        assumed=assumed,
    )
    reason = say("in no layer that runs", "不参与计算")
    unused = {**checkpoint.ignored, **dict.fromkeys(left, reason)}
    return Network(graph, card, "Sequential", _width(graph), named_in(source.meta, checkpoint.root), unused=unused)


def _width(graph: Graph) -> int:
    """Size of the output's last axis."""
    size = graph.outputs[0].shape[-1]
    return size if isinstance(size, int) else 0


def record(module: Opaque, shape: Sequence[int]) -> Graph:
    """The network for inputs of (N, …); `shape` is without the batch, which stays free."""
    net = recorder_of(module)
    x = net.input("input", ("batch", *shape))
    y = record_module(net, module, x)
    if y is x:
        raise UnsupportedCheckpoint(
            en="The network has no layer that computes anything. Save the trained model again.",
            zh="这个网络里没有任何计算层。请重新保存训练好的模型。",
        )
    return net.freeze(y, names=["output"])


def _looks_like_basenn(module: Opaque) -> bool:
    """A bare nn().save(): layers of BaseNN's own classes, or numbered as it numbers them (conv2d1, relu2)."""
    children = entries(entries(module.state).get("_modules"))
    own = any(isinstance(child, Opaque) and child.name.startswith("BaseNN.") for child in children.values())
    return own or any(re.fullmatch(r"(conv[12]d|linear|maxpooling|relu|softmax)\d+", str(name)) for name in children)


# -- the input ------------------------------------------------------------------------------------------------------


def _input_shape(source: Saved) -> tuple[tuple[int, ...], list[str]]:
    """The input's shape without the batch, and whether it was assumed, as the card's `assumed` says it."""
    trained = integers(source.meta.get("input_size"))[1:]
    given = source.given
    if source.kind == "image" and len(given) in (1, 2):
        return ((trained or (_channels(source),))[0], given[0], given[-1]), []
    if given:
        with_batch = trained and len(given) == len(trained) + 1 and given[0] == 1
        return (given[1:] if with_batch else given), []
    if trained:
        return trained, []
    layer = next(_needing_shape(source.module), None)
    if layer is not None and layer.name.endswith(".Linear"):
        return integers(entries(layer.state).get("in_features")), []
    if source.is_vision:
        return (_channels(source), *SIDES_OF_VISION), ["input_size"]
    if source.kind == "image":
        return _fitting_picture(source)
    raise _unknown_size()


def _needing_shape(module: Opaque, depth: int = 0) -> Iterator[Opaque]:
    """The layers, in order, that are made for an input of a certain size."""
    state = entries(module.state)
    if {"in_channels", "in_features", "input_size", "num_embeddings", "num_features"} & set(state):
        yield module
    for child in entries(state.get("_modules")).values():
        if isinstance(child, Opaque) and depth < 40:
            yield from _needing_shape(child, depth + 1)


def _channels(source: Saved) -> int:
    layer = next(_needing_shape(source.module), None)
    return (integers(entries(layer.state).get("in_channels")) or (3,))[0] if layer else 3


def _fitting_picture(source: Saved) -> tuple[tuple[int, ...], list[str]]:
    """The square picture that the network can take: several sizes may fit, of which the roundest is taken."""
    channels = _channels(source)
    steps = iter(range(TRIED + int(source.size * TRIED_BY_BYTE)))
    try:
        fitting = [side for side in SIDES if _fits(source.module, (channels, side, side), steps)]
    except UnsupportedCheckpoint:
        if next(steps, None) is None:
            raise _unknown_size() from None
        raise
    if not fitting or len(fitting) > 64:  # none; or any, since the network pools over all positions
        raise _unknown_size()
    side = max(fitting, key=lambda n: (n % 32 == 0, n % 16 == 0, n % 8 == 0, n % 4 == 0, n % 2 == 0, -n))
    return (channels, side, side), ["input_size"]


def _fits(module: Opaque, shape: tuple[int, ...], steps: Iterator[int]) -> bool:
    net = recorder_of(module)
    try:
        record_module(net, module, net.input("input", ("batch", *shape)), steps=steps)
    except TensorMismatch:
        return False
    return True


def _unknown_size() -> OptionError:
    others = option("input_size", "6,12")
    return OptionError(
        en="The file does not say how large the network's input is. Give the shape of one sample as in training: "
        f"{option('input_size', 'height,width')} for pictures, or all its sizes, such as {others}.",
        zh=f"文件里没有网络输入的大小。请给出训练时一个样本的形状：图片用 {option('input_size', '高,宽')}，"
        f"其他数据写出各维大小，例如 {others}。",
    )


def _entry(source: Saved, shape: tuple[int, ...]) -> tuple[Input, list[str]]:
    """The card's input: what a sample is and how a picture becomes one; notes."""
    sizes: list[int | None] = [None, *shape]
    if source.kind != "image" or len(shape) != 3 or shape[0] not in COLORS.values():
        return Input("input", "table" if source.kind == "table" and len(shape) < 4 else "array", sizes), []
    in_color = shape[0] == 3 or source.meta.get("color") == "RGB"  # then a Grayscale made the one channel
    if source.is_vision and in_color and "transform" not in source.meta:
        return replace(resized(imagenet_input(), (shape[1], shape[2])), shape=sizes), []
    color = ("BGR" if source.from_basenn else "RGB") if in_color else "GRAY"
    steps, notes = preparation(source.meta.get("transform"), shape[0], shape[1:])
    return Input("input", "image", sizes, color, steps), notes


def _is_untold(source: Saved, entry: Input) -> bool:
    """Whether the file does not say how pictures become the input."""
    return entry.kind == "image" and "dataset_type" not in source.meta


# -- the output -----------------------------------------------------------------------------------------------------


def _meaning(graph: Graph, source: Saved) -> tuple[str, str]:
    """The task, and what the scores are. BaseNN's regression has one output; its classifiers one per class."""
    output = graph.outputs[0]
    last = graph.makers()[output.name]
    if len(output.shape) != 2 or not isinstance(output.shape[1], int):
        return "values", "values"
    if output.shape[1] > MOST_CLASSES:
        return "values", "values"
    if output.shape[1] == 1:
        return ("regression" if source.kind == "table" else "values"), "values"
    if last.op == "Softmax" and last.attrs["axis"] == 1:
        return "classification", "probabilities"
    if last.op == "Sigmoid":
        return "classification", "probabilities"
    if named_in(source.meta) or source.kind == "image" or source.meta.get("dataset_type") == "tab":
        return "classification", "logits"
    return "values", "values"


def _left(checkpoint: Checkpoint, graph: Graph) -> list[str]:
    """Parameters that the network's forward pass never reads, as BaseNN's res_block has some."""
    used, counters = graph.tensors, "num_batches_tracked"  # of BatchNorm, which only training reads
    return [key for key in checkpoint.tensors if key not in used and not key.endswith(counters)]


def _said_of(left: Sequence[str]) -> list[str]:
    if not left:
        return []
    count, some = len(left), ", ".join(left[:3]) + (" …" if len(left) > 3 else "")
    return [say(en=f"{count} tensors are in no layer that runs: {some}", zh=f"{count} 个张量不参与计算：{some}")]


# -- text -----------------------------------------------------------------------------------------------------------


def _text(source: Saved, checkpoint: Checkpoint) -> Network:
    """BaseNN's em_lstm: one token or several at a time, with its state as optional inputs and as outputs."""
    module = Module.of(source.module, LAYERS)
    inner = module.child("lstm")
    ways = 2 if inner.flag("bidirectional") else 1
    shape: Shape = (inner.whole("num_layers") * ways, 1, inner.whole("hidden_size"))
    net = Recorder()
    tokens = net.input("input", ("length", 1), "int64")
    state = (net.input("h_before", shape, optional=True), net.input("c_before", shape, optional=True))
    outputs: tuple[Value, ...] = lstm_network(net, module, tokens, state)
    graph = net.freeze(*outputs, names=["output", "h", "c"])
    vocabulary = _vocabulary(source.meta.get("word2idx"), module)
    card = Card(
        "generation",
        "LSTM",
        "BaseNN",
        Input("input", "tokens", [None, 1]),
        Output("output", "logits"),
        vocabulary=vocabulary,
        origin=origin(checkpoint.origin.path, checkpoint.origin.container, checkpoint.facts),
    )
    return Network(graph, card, "Sequential", _width(graph))


def _vocabulary(words: object, module: Module) -> dict[str, int]:
    """word2idx, checked: every word one number that the embedding has."""
    count = module.child("embedding").whole("num_embeddings")
    given = entries(words)
    found = {str(word): n for word, n in given.items() if type(n) is int and 0 <= n < count}
    if len(given) > MOST_WORDS or not all(type(n) is int and 0 <= n < count for n in given.values()):
        raise _bad_vocabulary(count)
    return found


def _bad_vocabulary(count: int) -> QingzhouError:
    return TensorMismatch(
        en=f"The file's word list word2idx does not fit its network, which knows {count} words. Save the checkpoint "
        "again from the training program.",
        zh=f"文件里的词表 word2idx 与网络不符（网络有 {count} 个词）。请用训练程序重新保存权重文件。",
    )
