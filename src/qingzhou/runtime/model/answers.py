"""What a model answers, and hints: a picture that is unlike those of the training gets an answer as confident as any.

The limits are explained in docs/en/first-model.md.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import SelfTestFailed, say

if TYPE_CHECKING:
    Answer = Union["Prediction", List["Detection"]]  # of one picture, row or array
    import PIL.Image

    from ..typed import Array
    from .card import Card, Input
    from .detection import Detection


BLANK = 4.0  # levels of 255: the contrast of a covered lens or an empty page is less, of a faint picture more
THROUGH = 0.01  # share of pixels that are seen through: rounded corners of a window are less
FAR, LEAST = 4.0, 20.0  # from the mean of the training pictures: standard deviations, and levels
SKEWED = 0.3  # below this neither light nor dark is the ground
ALPHA, MAYBE = (b"\3", b"\4", b"\6"), (b"RIFF", b"GIF8", b"II*\0", b"MM\0*")  # colour types of PNG; other files
SIDE = 32  # rows and columns that are looked at

TEXTS = {
    "transparent": (
        "Parts of the picture are transparent; the model sees the colour hidden there, often black. Save it without.",
        "图片有透明的部分，模型看到的是那里隐藏的颜色（常常是黑色）。请去掉透明再保存。",
    ),
    "blank": (
        "The picture is nearly of one colour: there is nothing to recognise. Check it, or the camera's lens.",
        "图片几乎只有一种颜色，没有可识别的内容。请检查图片，或摄像头的镜头。",
    ),
    "inverted": (
        "Light and dark are the other way round than in the pictures of training. Invert the picture.",
        "明暗与训练图片相反（例如白底黑字与黑底白字）。请把图片反色。",
    ),
    "dark": (
        "The picture is much darker than those of training. Take it in more light.",
        "图片比训练图片暗得多。请在更亮的地方拍摄。",
    ),
    "bright": (
        "The picture is much brighter than those of training. Take it in less light, or on another ground.",
        "图片比训练图片亮得多。请减弱光线，或换一个背景。",
    ),
    "pale": (
        "The picture has much less contrast than those of training. Check the light and the focus.",
        "图片的对比度比训练图片低得多。请检查光线和对焦。",
    ),
}


class Named(NamedTuple):
    """One of the classes that a picture is in."""

    label: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    confidence: float


class Prediction(NamedTuple):
    """One answer.

    label       the likeliest class; "" where there are no classes (regression, raw values), or none reaches the least
                confidence of a model that may name several
    index       the position of the largest score
    confidence  its score, 0 to 1; NaN where there are no classes
    scores      all scores in the order of the labels, or the values, as one row of float32
    named       where each class is judged by itself (card.output.scores is "sigmoids"), all that are there, the surest
                first; else None
    hint        a sentence where the picture is unlike those of the training, else "": a Hint
    """

    label: str
    index: int  # type: ignore[assignment]  # as above
    confidence: float
    scores: Array
    named: Optional[Tuple[Named, ...]] = None
    hint: str = ""


def label_of(index: int, labels: Sequence[str]) -> str:
    """The name of a class, or its number where it has none."""
    return labels[index] if index < len(labels) else str(index)


def named_in(row: Array, card: Card, threshold: Optional[float] = None) -> Optional[Tuple[Named, ...]]:
    """The classes that a row of scores names, the surest first; None where a model names just one.

    `threshold` replaces the card's least score.
    """
    if card.output.scores != "sigmoids" or card.thresholds is None:
        return None
    least = np.float32(card.thresholds["score"] if threshold is None else threshold)
    order = np.argsort(-row, kind="stable")[: card.thresholds["most"]]
    return tuple(Named(label_of(int(i), card.labels), int(i), float(row[i])) for i in order if row[i] >= least)


def nothing() -> str:
    """What is said where a model that may name several classes names none."""
    return str(say("none of its classes", "没有符合的类别"))


def differs(found: str) -> SelfTestFailed:
    """What to raise where a model does not answer its own sample as it did."""
    return SelfTestFailed(
        en="The model's answer to its own sample differs from the recorded one by %s. The file or the engine is "
        "damaged: convert the checkpoint again, or reinstall the engine (onnxruntime)." % found,
        zh="模型对自带示例的回答与记录的不同，相差 %s。文件或推理引擎可能已损坏："
        "请重新转换，或重新安装推理引擎（onnxruntime）。" % found,
    )


# -- hints ----------------------------------------------------------------------------------------------------------


class Hint(str):
    """A sentence in the language in use; `code` is the same in all languages. Empty where nothing is odd."""

    code = ""


class Things(List[Any]):
    """What a detector found: a list of Detection, with its hint."""

    hint = Hint()


def hinted(answer: Any, found: Hint) -> Any:
    """The answer with its hint: a Prediction, or what a detector found as Things."""
    if not isinstance(answer, list):
        return answer._replace(hint=found)
    things = Things(answer)
    things.hint = found
    return things


class Look(NamedTuple):
    """Brightness and contrast (standard deviation) in levels of 255; the skewness of both, above 0 where light things
    lie on a dark ground; the share of pixels that are seen through.
    """

    brightness: float
    contrast: float
    skew: float
    transparent: float


def look(source: object, batch: Array, entry: Input) -> Look:
    """Of a picture as predict() takes it, and of what the network takes: (1, C, H, W) or (1, H, W, C)."""
    planes = batch[0] if entry.layout == "NCHW" else batch[0].transpose(2, 0, 1)
    some = np.ascontiguousarray(planes[:, :: max(1, planes.shape[1] // SIDE), :: max(1, planes.shape[2] // SIDE)])
    flat = some.reshape(len(some), -1)
    means = flat.mean(axis=1)
    away = flat - means[:, None]
    last = entry.steps[-1] if entry.steps else {}
    if last.get("op") == "normalize":
        scale = np.asarray(last["std"], np.float32)
        means, away = means * scale + np.asarray(last["mean"], np.float32), away * scale[:, None]
    squares = away * away
    contrast = math.sqrt(float(squares.mean()))
    skew = float((squares * away).mean()) / max(contrast, 1.0) ** 3
    return Look(float(means.mean()), contrast, skew, transparency(source))


def hint(seen: Look, pictures: Optional[Dict[str, Any]]) -> Hint:
    """What is odd about a picture, beside what is usual for the model where its card says that."""
    return hint_of(_code(seen, pictures))


def hint_of(code: str) -> Hint:
    """The hint with this code; the empty one for "" and for a code that a newer program knows."""
    found = Hint(say(*TEXTS[code]) if code in TEXTS else "")
    found.code = code if code in TEXTS else ""
    return found


def _code(seen: Look, pictures: Optional[Dict[str, Any]]) -> str:
    if seen.transparent >= THROUGH and (pictures is None or pictures["transparent"] < 0.1):
        return "transparent"
    if seen.contrast < BLANK and not (pictures and pictures["contrast"][0] < 2 * BLANK):
        return "blank"
    if pictures is None:
        return ""
    (bright, spread), (contrast, wide) = pictures["brightness"], pictures["contrast"]
    limit = max(FAR * spread, LEAST)
    if abs(seen.brightness - bright) > limit:
        turned = seen.skew * pictures["skew"][0] < 0 or abs(pictures["skew"][0]) < SKEWED
        if turned and abs(255 - seen.brightness - bright) <= limit:
            return "inverted"
        return "dark" if seen.brightness < bright else "bright"
    return "pale" if seen.contrast < contrast - max(FAR * wide, LEAST) else ""


def transparency(source: Any) -> float:
    """The share of pixels with an alpha below one half; only files that may hold alpha are read for it."""
    try:
        from PIL import Image  # models of tables do without

        from ..file import open_file

        if isinstance(source, np.ndarray):
            return float(np.mean(source[..., 3] < 128)) if source.ndim == 3 and source.shape[2] == 4 else 0.0
        if isinstance(source, Image.Image):
            return _share(source)
        with io.BytesIO(source) if isinstance(source, (bytes, bytearray, memoryview)) else open_file(source) as file:
            start = file.read(26)
            if start[25:] not in ALPHA if start[1:4] == b"PNG" else start[:4] not in MAYBE:
                return 0.0
            file.seek(0)
            with Image.open(file) as image:
                return _share(image)
    except Exception:  # it was read a moment ago; whatever is wrong with its alpha is no reason to stop
        return 0.0


def _share(image: PIL.Image.Image) -> float:
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        image = image.convert("RGBA")
    if image.mode not in ("RGBA", "LA"):
        return 0.0
    counts = image.getchannel("A").histogram()
    hidden: float = sum(counts[:128]) / max(1, sum(counts))
    return hidden
