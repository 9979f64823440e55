"""Which network of keras.applications a file of weights has, and how its pictures are prepared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ....errors import say
from ....runtime.model.card import Card
from ..weights import Found, Place, snake
from . import branched, classics, mobilenets
from .build import Builder, Map

IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
# (color, mean, std) on 0..255: https://keras.io/api/applications/, imagenet_utils.preprocess_input
MODES: Mapping[str, tuple[str, Sequence[float], Sequence[float]]] = {
    "caffe": ("BGR", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
    "tf": ("RGB", (127.5,) * 3, (127.5,) * 3),
    "torch": ("RGB", IMAGENET_MEAN, IMAGENET_STD),
    "inside": ("RGB", (), ()),
}


@dataclass(frozen=True)
class Application:
    """One network in one size.

    title   for people;  size: of the pictures that it was made for;  mode: one of MODES
    build   (builder, picture, classes) -> its last layer; 0 classes: without the end
    flat    whether its dense layers take a whole map, whose size tells that of the pictures
    """

    title: str
    size: int
    mode: str
    build: Callable[[Builder, Map, int], Map]
    flat: bool = False


def _of(title: str, size: int, mode: str, build: Callable[..., Map], **sizes: Any) -> Application:
    return Application(title, size, mode, lambda b, x, classes: build(b, x, classes, **sizes))


def _applications() -> Iterator[Application]:
    for alpha in (1.0, 0.75, 0.5, 0.25):
        yield _of(f"MobileNet {alpha:g}x", 224, "tf", mobilenets.mobilenet, alpha=alpha)
    for alpha in (1.0, 0.75, 0.5, 0.35, 1.3, 1.4):
        yield _of(f"MobileNetV2 {alpha:g}x", 224, "tf", mobilenets.mobilenet_v2, alpha=alpha)
    for large, name in ((True, "Large"), (False, "Small")):
        for alpha in (1.0, 0.75):
            for minimal in (False, True):
                title = f"MobileNetV3 {name} {alpha:g}x{' minimalistic' if minimal else ''}"
                settings = {"large": large, "alpha": alpha, "minimal": minimal}
                yield _of(title, 224, "inside", mobilenets.mobilenet_v3, **settings)
    for depth, blocks in ((50, (3, 4, 6, 3)), (101, (3, 4, 23, 3)), (152, (3, 8, 36, 3))):
        yield _of(f"ResNet{depth}", 224, "caffe", classics.resnet, blocks=blocks)
        yield _of(f"ResNet{depth}V2", 224, "tf", classics.resnet_v2, blocks=blocks)
    for depth, repeats in ((16, (2, 2, 3, 3, 3)), (19, (2, 2, 4, 4, 4))):
        yield replace(_of(f"VGG{depth}", 224, "caffe", classics.vgg, repeats=repeats), flat=True)
    scales = ((1, 1, 224), (1, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 300), (1.4, 1.8, 380), (1.6, 2.2, 456))
    for i, (width, deep, size) in enumerate((*scales, (1.8, 2.6, 528), (2.0, 3.1, 600))):
        for imagenet in (False, True):
            settings = {"width": width, "depth": deep, "imagenet": imagenet}
            yield _of(f"EfficientNetB{i}", size, "inside", mobilenets.efficientnet, **settings)
    yield _of("InceptionV3", 299, "tf", branched.inception_v3)
    yield _of("Xception", 299, "tf", classics.xception)
    for depth, blocks in ((121, (6, 12, 24, 16)), (169, (6, 12, 32, 32)), (201, (6, 12, 48, 32))):
        yield _of(f"DenseNet{depth}", 224, "torch", classics.densenet, blocks=blocks)
    yield _of("NASNetMobile", 224, "tf", branched.nasnet_mobile)


APPLICATIONS = tuple(_applications())


@dataclass(frozen=True)
class Ordered:
    """The numbers of a known network: of each layer in their order, whatever the file calls them."""

    layers: Mapping[str, Sequence[Found]]

    def find(self, place: Place, roles: Sequence[str]) -> list[Found]:
        """The first of a layer's."""
        return list(self.layers[place.names[-1]][: len(roles)])

    def has_group(self, place: Place) -> bool:
        """There are no models inside."""
        return True

    def keys(self) -> list[str]:
        """All of them."""
        return [key for layer in self.layers.values() for key, _ in layer]


@dataclass(frozen=True)
class Known:
    """A network that was recognised. classes: 0 without the end of the network."""

    application: Application
    classes: int
    weights: Ordered = field(repr=False)

    def entry(self, size: Sequence[int] | None = None) -> dict[str, Any]:
        """As Keras' own settings, for pictures of a size."""
        height, width = size or (self.application.size,) * 2
        return _built(self.application, self.classes, height, width).entry(self.application.title)

    def prepared(self, card: Card) -> Card:
        """The card with what preprocess_input of this network does."""
        color, mean, std = MODES[self.application.mode]
        steps = [step for step in card.input.steps if step["op"] != "normalize"]
        steps += [{"op": "normalize", "mean": list(mean), "std": list(std)}] if mean else []
        notes = [*card.notes, self._told()]
        assumed = [one for one in card.assumed if mean or one != "normalize"]
        return replace(card, input=replace(card.input, color=color, steps=steps), notes=notes, assumed=assumed)

    def _told(self) -> str:
        title = self.application.title
        end_en = "" if self.classes else " It has no layer of classes, and gives feature maps."
        end_zh = "" if self.classes else "它没有分类层，输出的是特征图。"
        return say(
            en=f"The file holds weights only; their shapes are those of {title} of keras.applications, and pictures "
            f"are prepared as its preprocess_input does. What no weight tells was taken as usual: pictures of "
            f"{self.application.size} x {self.application.size}, softmax at the end.{end_en}",
            zh=f"文件里只有权重；其形状与 keras.applications 的 {title} 相同，图片按其 preprocess_input 预处理。"
            f"权重中看不出的部分按惯例处理：图片 {self.application.size} x {self.application.size}，最后是 softmax。"
            f"{end_zh}",
        )


def recognised(layers: Mapping[str, Sequence[Found]], by_key: bool) -> Known | None:
    """The network whose weights these are, by the file's names of its layers.

    by_key: the names are those of a .weights.h5, which number the layers of each class; else only their order tells.
    """
    for application in APPLICATIONS:
        for ends in (True, False):
            known = _fitting(application, ends, layers, by_key)
            if known is not None and not _is_other(known):
                return known
    return None


def _built(application: Application, classes: int, height: int, width: int) -> Builder:
    builder = Builder()
    application.build(builder, builder.picture(height, width), classes)
    return builder


def _fitting(application: Application, ends: bool, layers: Mapping[str, Sequence[Found]], by_key: bool) -> Known | None:
    """None where a layer or a shape differs."""
    size = application.size
    names = _names(_built(application, int(ends), size, size))
    if len(names) != len(layers):
        return None
    keys = _keys(_built(application, int(ends), size, size), names) if by_key else list(layers)
    if any(key not in layers for key in keys):
        return None
    found = {name: layers[key] for name, key in zip(names, keys, strict=True)}
    classes = int([0, *found[names[-1]][0][1].shape][-1]) if ends else 0
    if ends and not classes:
        return None
    if application.flat and ends:
        application = replace(application, size=_side(found[names[-3]]))
        size = application.size
    shapes = _built(application, classes, size, size).shapes
    fits = all(tuple(ref.shape for _, ref in found[name]) == shapes[name] for name in names)
    return Known(application, classes, Ordered(found)) if fits else None


def _side(layer: Sequence[Found]) -> int:
    """Of square pictures whose map, 32 times smaller and of 512 channels, a dense layer takes."""
    return 32 * min(max(math.isqrt([*layer[0][1].shape, 0][0] // 512), 1), 64)


def _names(builder: Builder) -> list[str]:
    """The layers that have weights, in Keras' order."""
    return [name for name in builder.order() if name in builder.shapes]


def _keys(builder: Builder, names: Sequence[str]) -> list[str]:
    """As a .weights.h5 calls them: conv2d, conv2d_1, …"""
    counts: dict[str, int] = {}
    keys = []
    for name in names:
        kind = snake(builder.entries[name]["class_name"])
        counts[kind] = counts.get(kind, -1) + 1
        keys.append(f"{kind}_{counts[kind]}" if counts[kind] else kind)
    return keys


def _is_other(known: Known) -> bool:
    """EfficientNet: whether its pictures are divided once more is in no shape, but in the numbers it subtracts."""
    entries = _built(known.application, 0, 224, 224).entries
    name = next((name for name, entry in entries.items() if entry["class_name"] == "Normalization"), None)
    if name is None:
        return False
    variance = np.asarray(known.weights.layers[name][1][1].load())
    again: bool = sum(entry["class_name"] == "Rescaling" for entry in entries.values()) == 2
    return again != bool(np.allclose(variance, mobilenets.STD, atol=1e-3))
