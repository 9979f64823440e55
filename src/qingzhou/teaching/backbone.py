"""The backbone: any classifier that we read, as far as the features that its last layer tells classes by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import OptionError, say
from ..files.file import File
from ..graph.find import Finder
from ..graph.form import BLOCK, Constant, Graph, Node, Value
from ..graph.infer import inferred
from ..graph.layout import channels_first
from ..onnxfile.integers import is_quantized
from ..onnxfile.read import read_onnx
from ..onnxfile.upgrade import upgraded
from ..options import Options
from ..runtime.model.card import Card
from ..sources.as_asked import as_asked
from ..sources.onnx.contents import card_of
from ..sources.table import open_source

LINEAR = (("", "Gemm"), ("", "MatMul"), (BLOCK, "Linear"))
# What follows the last layer and learns nothing: probabilities, other shapes
BEHIND = {
    *("Softmax", "LogSoftmax", "Sigmoid", "Identity", "Reshape", "Flatten", "Squeeze", "Dropout"),
    *("GlobalAveragePool", "AveragePool"),
}
SHIFTS = {"Add", "Sub", "Mul", "Div"}  # by numbers that are known
UNDONE = {"Softmax", "LogSoftmax", "Sigmoid", "Transpose"}  # also where no last layer is found
TO_LAST = (0, 2, 3, 1)  # a Transpose from (N, C, H, W) to (N, H, W, C), as Keras and TensorFlow give their maps
FEATURES = "taught_features"


@dataclass(frozen=True)
class Backbone:
    """What gives the features.

    graph   from the picture to one output, (N, width), called FEATURES
    card    of the model that it was part of
    notes   what to say of where it ends
    """

    file: File
    graph: Graph
    card: Card
    width: int
    notes: tuple[str, ...] = ()


def open_backbone(path: Path, options: Options) -> Backbone:
    """A checkpoint, or an .onnx with or without a card; what opening raises, OptionError for what is no classifier of
    pictures.
    """
    graph, card, file = _opened(path, options)
    if card.input.kind != "image" or card.others or card.task == "detection":
        raise _of_another_kind(path, card)
    if is_quantized(graph):
        raise OptionError(
            en=f"{path.name} is INT8, whose rounded features tell less. Give the model that it was made of; what is "
            "taught can be made INT8 afterwards: qingzhou quantize",
            zh=f"{path.name} 是 INT8 模型，特征已被取整。请使用量化之前的模型；教好的模型可以再量化：qingzhou quantize",
        )
    return _cut(file, graph, card, path)


def _opened(path: Path, options: Options) -> tuple[Graph, Card, File]:
    opened, source = open_source(path)
    card = card_of(path) if source.name == "onnx" else None
    if card is not None:
        return inferred(upgraded(read_onnx(path).graph)), card, opened.main
    wanted = options.wanted
    network = as_asked(source.read(opened, wanted), wanted.preprocess)
    return network.graph, network.card, opened.main


# -- where it ends --------------------------------------------------------------------------------------------------


def _cut(file: File, graph: Graph, card: Card, path: Path) -> Backbone:
    """Before the last layer with weights, if that gives scores; else all of it, whose output are features already."""
    if FEATURES in graph.values:  # one that was taught here: its head is forgotten, as any other
        made = replace(graph, outputs=(graph.values[FEATURES],))
        return Backbone(file, made.without_dead(), card, graph.values[FEATURES].channels)
    end = next((value for value in graph.outputs if value.name == card.output.name), graph.outputs[0])
    alone = replace(graph, outputs=(end,)).without_dead()
    graph = channels_first(alone, always=True)  # so that axis 1 of a map is that of its features
    name, found = _last(Finder(graph), end.name)
    value = graph.values.get(name)
    if value is None or len(value.shape) not in (2, 4) or not isinstance(value.shape[1], int):
        raise _no_features(path)
    notes = () if found else (_own_output(value),)
    if found and len(end.shape) == 4 and end.shape.count(1) < 2:
        notes = (_places(end),)
    return Backbone(file, _flat(graph, value).without_dead(), card, value.channels, notes)


def _last(finder: Finder, name: str) -> tuple[str, bool]:
    """What the last layer of weights is given, (N, F), or a map (N, C, H, W); where none gives the scores, the output
    itself, but before it was made probabilities, and as it was before its axes changed places.
    """
    output = name
    while (node := finder.makers.get(name)) is not None:
        first = node.inputs[0]
        if _has_weights(finder, node):
            return first, True
        if node.op in BEHIND or _ends_with(finder, node):
            name = first
        elif node.op in SHIFTS and any(one in finder.constants for one in node.inputs):
            name = next(one for one in node.inputs if one not in finder.constants)
        else:
            break
        if node.op in UNDONE:
            output = name
    return output, False


def _ends_with(finder: Finder, node: Node) -> bool:
    """What only some networks have behind their last layer: SqueezeNet a Relu, Keras's a Transpose."""
    if node.op == "Relu":
        return finder.made_by(node.inputs[0], "Conv") is not None
    return node.op == "Transpose" and tuple(node.attrs.get("perm", ())) == TO_LAST


def _has_weights(finder: Finder, node: Node) -> bool:
    """A linear layer, or a convolution that looks at one place."""
    if len(node.inputs) < 2 or node.inputs[1] not in finder.constants:
        return False
    one_place = node.op == "Conv" and set(finder.constants[node.inputs[1]].shape[2:]) == {1}
    return one_place or (node.domain, node.op) in LINEAR


def _flat(graph: Graph, value: Value) -> Graph:
    """With the features as the one output, (N, width): of a map its mean over height and width."""
    nodes, values, constants, name = list(graph.nodes), dict(graph.values), dict(graph.constants), value.name
    width = value.channels
    if len(value.shape) == 4:
        pooled = f"{FEATURES}/pool"
        values[pooled] = Value(pooled, (value.shape[0], width, 1, 1))
        nodes.append(Node("GlobalAveragePool", (name,), (pooled,), name=pooled))
        name = pooled
    shape = f"{FEATURES}/shape"
    sides = np.array([-1, width], np.int64)
    constants[shape] = Constant((2,), "int64", sides.copy)
    nodes.append(Node("Reshape", (name, shape), (FEATURES,), name=FEATURES))
    values[FEATURES] = Value(FEATURES, (value.shape[0], width))
    return replace(graph, nodes=tuple(nodes), values=values, constants=constants, outputs=(values[FEATURES],))


# -- what is said ---------------------------------------------------------------------------------------------------


def _own_output(value: Value) -> str:
    return say(
        en=f"No last layer was found to take off, so the network's own output ({value.name[:60]}) gives the features.",
        zh=f"没有找到可以去掉的最后一层，因此用网络自己的输出（{value.name[:60]}）作为特征。",
    )


def _places(end: Value) -> str:
    return say(
        en=f"The network answers for many places of a picture ({end.name[:60]}: {list(end.shape)}), not once for all "
        "of it; the mean of their features is used. A network that classifies pictures may tell more.",
        zh=f"这个网络对图片的许多位置分别作答（{end.name[:60]}：{list(end.shape)}），而不是对整张图片；"
        "这里使用各位置特征的平均值。图片分类网络可能更好。",
    )


def _of_another_kind(path: Path, card: Card) -> OptionError:
    return OptionError(
        en=f"{path.name} is {card.network}, which does {card.task} with {card.input.kind} input; to teach, a network "
        "is needed that classifies one picture. Give such a model: --from backbone.onnx",
        zh=f"{path.name} 是 {card.network}（任务 {card.task}，输入 {card.input.kind}），而教学需要单张图片的分类网络。"
        "请换一个：--from backbone.onnx",
    )


def _no_features(path: Path) -> OptionError:
    return OptionError(
        en=f"{path.name} has no row of features before its scores that could be read off. Give another network, such "
        "as a MobileNet, ResNet or EfficientNet that classifies pictures.",
        zh=f"{path.name} 的得分之前没有可用的一行特征。请换一个图片分类网络，例如 MobileNet、ResNet 或 EfficientNet。",
    )
