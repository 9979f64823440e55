"""What a chip is fed: pictures prepared as the card says, up to where the chip takes over; and the card of its file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import EngineError, OptionError, QingzhouError
from ..evaluate.result import Case
from ..quant.pair import digest
from ..runtime.model.card import Card, Input
from ..runtime.model.image import read_for
from ..runtime.model.prepare import prepare
from ..runtime.predict import Predictor
from ..runtime.typed import Array
from ..sources.as_bytes import in_bytes
from .target import Target

HALF = 0.51  # of a level: what fills up pictures becomes the nearest byte, and is judged as that


@dataclass(frozen=True)
class Feeding:
    """How pictures come to a chip.

    entry      the input as the board prepares it: uint8 pixels or float32, in the target's layout
    mean, std  of each channel, in levels of 255, which the file takes off inside; () where inputs are float32
    """

    entry: Input
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def prepared(self, data: Any) -> Array:
        """One picture, without the batch's axis."""
        picture: Array = prepare(read_for(data, self.entry), self.entry)[0]
        return picture


def feeding(card: Card, target: Target, path: Path) -> Feeding:
    """EngineError for a network that takes no single picture, or pictures that no byte can hold."""
    entry, name = card.input, path.name
    if entry.kind != "image" or card.others:
        raise EngineError(
            en=f"{name} takes no single picture, and {target.english} is given pictures only. Run it on the board's "
            "processor: --engine onnxruntime or ncnn.",
            zh=f"{name} 的输入不是一张图片，而{target.chinese}只用于图片。请在板子的处理器上运行："
            "--engine onnxruntime 或 ncnn。",
        )
    if entry.layout != "NCHW" or None in entry.shape or entry.shape[0] != 1:
        raise EngineError(
            en=f"{name} takes {entry.layout} pictures of the shape {entry.shape}; {target.english}'s compiler is given "
            "one picture of a fixed size, channels first. Convert the checkpoint itself: qingzhou convert",
            zh=f"{name} 的输入是 {entry.layout}，形状 {entry.shape}；{target.chinese}的编译器需要一张固定尺寸、"
            "通道在前的图片。请直接转换权重文件：qingzhou convert",
        )
    if not target.pixels:
        return Feeding(_laid_out(entry, target.layout))
    try:
        steps, normal = in_bytes(entry, card.network, HALF)
    except OptionError:
        raise EngineError(
            en=f"The pictures of {name} are prepared further after they were normalised, and {target.english} is fed "
            "bytes. Say how they are prepared, when converting: --preprocess",
            zh=f"{name} 的图片在归一化之后还要处理，而{target.chinese}的输入是字节。请在转换时用 --preprocess "
            "说明预处理方法。",
        ) from None
    rows, channels = dict(normal), entry.channels or 3
    mean, std = (rows.get(op, np.full(channels, none, np.float32)) for op, none in (("Sub", 0), ("Div", 1)))
    in_pixels = replace(_laid_out(entry, target.layout), steps=steps, dtype="uint8")
    return Feeding(in_pixels, _numbers(mean, channels), _numbers(std, channels))


def _laid_out(entry: Input, layout: str) -> Input:
    n, c, h, w = entry.shape
    return replace(entry, layout=layout, shape=[n, h, w, c] if layout == "NHWC" else [n, c, h, w])


def _numbers(row: Array, channels: int) -> tuple[float, ...]:
    """One for each channel, short: 0.1 and not 0.10000000149."""
    return tuple(float(str(np.float32(one))) for one in np.broadcast_to(row.reshape(-1), channels))


@dataclass(frozen=True)
class Fed:
    """Prepared inputs: `batch` as the chip takes them, and of each the digest of what the network itself is fed."""

    batch: Array
    digests: tuple[bytes, ...]
    cases: tuple[Case, ...]


def fed(model: Predictor, way: Feeding, cases: Iterable[Case], most: int) -> Fed:
    """The first that can be read; QingzhouError where none can."""
    found: list[tuple[Array, bytes, Case]] = []
    last: QingzhouError | None = None
    for case in cases:
        if len(found) == most:
            break
        try:
            found.append((way.prepared(case.data), digest(model.prepare(case.data)), case))
        except QingzhouError as err:
            last = err
    if not found:
        raise last or AssertionError("no cases")
    batches, digests, kept = zip(*found, strict=True)
    return Fed(np.stack(batches), digests, kept)
