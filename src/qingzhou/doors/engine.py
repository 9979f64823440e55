"""What the Workflow runs: a model fed as its card says, or, for task custom, exactly as the caller says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import InputError
from ..runtime.engine.session import open_session
from ..runtime.model.card import KEY, Card, Input
from ..runtime.model.detect import Detection
from ..runtime.model.image import open_picture
from ..sources.onnx.originals import Port, original_card
from .answers import Array
from .common import hint


class Engine:
    """A model with its card: the one inside the file, or the one that fits an original export."""

    def __init__(self, path: Path) -> None:
        self.predictor = _predictor(path)
        self.card: Card = self.predictor.card
        self._answer: Any = None

    def outputs(self, data: Any) -> list[Array]:
        """The network's raw outputs; InputError or ImageError if `data` does not fit."""
        self._answer = None
        if self.card.input.kind != "image":
            return list(self.predictor.outputs(self.predictor.prepare(data)))
        if (prepared := _prepared(data, self.card)) is not None:
            return list(self.predictor.outputs(prepared))
        outputs = self.predictor.outputs(self.predictor.prepare(as_picture(data)))
        self._answer = self.predictor.answer(outputs)
        return list(outputs)

    def detections(self, data: Any, threshold: float) -> list[Detection]:
        """What is found in a picture with at least this confidence."""
        found: list[Detection] = self.predictor.predict(as_picture(data), threshold=threshold)
        self._answer = found
        return found

    def drawn(self, data: Any, labelled: bool) -> Image.Image:
        """The picture with the last answer on it; a blank one where `data` was no picture."""
        from ..runtime.draw import draw

        if self._answer is None:
            return Image.new("RGB", (320, 240), "white")
        picture = as_picture(data)
        if labelled:
            drawn: Image.Image = draw(picture, self._answer)
            return drawn
        shown: Image.Image = open_picture(picture)
        return shown


class Raw:
    """A model without any preparation, for task custom."""

    def __init__(self, path: Path) -> None:
        self.session: Any = open_session(path)  # onnxruntime's own, which can be asked for single outputs

    def outputs(self, fed: Any) -> list[Array]:
        """The arrays of the output named "output", or of all; `fed` is an array, or a dict of them by input name."""
        names = [one.name for one in self.session.get_inputs()]
        entry = "input" if "input" in names else names[0]
        feed = dict(fed) if isinstance(fed, Mapping) else {entry: np.asarray(fed)}
        wanted = ["output"] if "output" in (one.name for one in self.session.get_outputs()) else None
        try:
            return list(self.session.run(wanted, feed))
        except Exception as err:  # onnxruntime has a class of its own for every kind of wrong input
            shapes = {one.name: one.shape for one in self.session.get_inputs()}
            raise InputError(
                en=f"The model refused what it was fed: {str(err)[:200]}. It expects {shapes}. "
                "Give inference(data=..., preprocess=...) a function that returns such an array.",
                zh=f"模型不接受输入的数据：{str(err)[:200]}。它需要 {shapes}。"
                "请在 inference(data=..., preprocess=...) 里写一个返回这种数组的函数。",
            ) from None


def _predictor(path: Path) -> Any:
    """The predictor by the file's own card, or by what an original export says of itself."""
    from ..runtime.predict import Predictor

    session = open_session(path)
    metadata = session.get_modelmeta().custom_metadata_map
    if KEY in metadata:
        return Predictor(path, session=session)
    entry, out = session.get_inputs()[0], session.get_outputs()[0]
    card = original_card(metadata, Port(entry.name, _sizes(entry.shape)), Port(out.name, _sizes(out.shape)))
    for note in card.notes:
        hint(note, note)
    return Predictor(path, card=card, session=session)


def _sizes(shape: Sequence[Any]) -> tuple[int | None, ...]:
    return tuple(n if isinstance(n, int) else None for n in shape)


def as_picture(data: Any) -> Any:
    """A path or PIL picture as it is; an array (H, W[, channels]), BGR as OpenCV and cameras give it, as a picture."""
    if not isinstance(data, (np.ndarray, list)):
        return data
    pixels = np.asarray(data)
    if pixels.dtype != np.uint8:
        numbers = pixels.astype(np.float64)
        pixels = (numbers * (255 if numbers.max(initial=0) <= 1 else 1)).clip(0, 255).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.size and (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))):
        return Image.fromarray(pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., _rgb(pixels.shape[2])]))
    raise _misshapen(list(pixels.shape), ["H", "W", 3])


def _rgb(channels: int) -> list[int]:
    """The order that turns BGR or BGRA into RGB or RGBA."""
    return [2, 1, 0, 3][:channels]


def _prepared(data: Any, card: Card) -> Array | None:
    """An array of the network's own shape: uint8 are pixels and still normalised, others are fed as they are."""
    if not isinstance(data, (np.ndarray, list)) or np.ndim(data) != 4:
        return None
    array, expected = np.asarray(data), card.input.shape
    if not all(n in (None, m) for n, m in zip(expected[1:], array.shape[1:], strict=True)):
        raise _misshapen(list(array.shape), expected)
    if array.dtype == np.uint8 or card.input.dtype == "float32":
        return normalized(array, card.input) if array.dtype == np.uint8 else array.astype(np.float32)
    if not np.isin(array, np.arange(256)).all():
        raise _no_pixels()
    return array.astype(np.uint8)


def _no_pixels() -> InputError:
    return InputError(
        en="The data are no pixels of 0 to 255, but the model takes just these (uint8) and normalises them itself. "
        "Give the picture as it is, or convert the checkpoint without --input uint8.",
        zh="输入数据不是 0 到 255 的像素，而这个模型只接受像素（uint8），并在内部归一化。请直接给出图片，"
        "或不带 --input uint8 重新转换。",
    )


def normalized(batch: Array, entry: Input) -> Array:
    """Pixels that have the network's size and layout already, (N, C, H, W) or (N, H, W, C) -> as the network
    takes them, normalised as the card says.
    """
    from ..runtime.model.prepare import prepare

    pictures = batch if entry.layout == "NHWC" else batch.transpose(0, 2, 3, 1)
    only = replace(entry, steps=[step for step in entry.steps if step["op"] == "normalize"])
    done = [prepare(np.ascontiguousarray(picture), only) for picture in pictures]
    return np.concatenate(done) if done else batch.astype(entry.dtype)


def _misshapen(found: list[int], expected: list[Any]) -> InputError:
    wanted = [n or "any" for n in expected]
    return InputError(
        en=f"The data have the shape {found}, but the model expects {wanted}. Reshape the array, or give a picture.",
        zh=f"输入数据的形状是 {found}，而模型需要 {wanted}。请调整数组的形状，或直接给出图片。",
    )
