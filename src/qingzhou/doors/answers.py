"""Answers in the form of XEduHub: its keys in its languages, its pictures as cv2 or PIL arrays."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import OptionError, OutputError
from ..runtime.model.answers import named_in
from ..runtime.model.card import Card
from ..runtime.model.detect import Detection
from ..whole_file import replacing

Array = npt.NDArray[Any]
LABEL, CONFIDENCE, RESULT, VALUE, SCORE, BOX = "标签", "置信度", "预测结果", "预测值", "分数", "坐标"  # of inference()

TRANSLATIONS: Mapping[str, Mapping[str, str]] = {
    "zh": {},
    "en": {
        LABEL: "label",
        CONFIDENCE: "confidence",
        RESULT: "result",
        VALUE: "prediction",
        SCORE: "scores",
        BOX: "box",
    },
    "ru": {
        LABEL: "метка",
        CONFIDENCE: "уверенность",
        RESULT: "результат",
        VALUE: "прогноз",
        SCORE: "баллы",
        BOX: "координаты",
    },
    "de": {
        LABEL: "Label",
        CONFIDENCE: "Konfidenz",
        RESULT: "Ergebnis",
        VALUE: "Vorhersage",
        SCORE: "Partituren",
        BOX: "Koordinaten",
    },
    "fr": {
        LABEL: "étiquette",
        CONFIDENCE: "confiance",
        RESULT: "résultat",
        VALUE: "prédiction",
        SCORE: "partitions",
        BOX: "coordonnées",
    },
}


def classified(output: Array, card: Card) -> dict[str, Any] | list[dict[str, Any]]:
    """The likeliest class of one output row, (1, C) or (C,), as task mmedu gives it; of several classes a list."""
    scores = output.reshape(-1).astype(np.float64)
    named = named_in(scores, card)
    if named is not None:
        return [{LABEL: one.index, CONFIDENCE: one.confidence, RESULT: one.label} for one in named]
    if card.output.scores == "logits":
        scores = np.exp(scores - scores.max())
        scores /= scores.sum()
    index = int(scores.argmax())
    answer: dict[str, Any] = {LABEL: index, CONFIDENCE: float(scores[index])}
    if index < len(card.labels):
        answer[RESULT] = card.labels[index]
    return answer


def detected(found: Sequence[Detection]) -> list[dict[str, Any]]:
    """What was found in one picture, as task mmedu gives it: whole pixels of the picture; [] if nothing was."""
    return [_box(one) for one in found]


def _box(one: Detection) -> dict[str, Any]:
    corners = dict(zip(("x1", "y1", "x2", "y2"), map(int, one.box), strict=True))
    answer: dict[str, Any] = {LABEL: one.index, CONFIDENCE: float(one.confidence), BOX: corners}
    return {**answer, RESULT: one.label} if one.label else answer


def listed(output: Array, card: Card) -> dict[int, dict[str, Any]]:
    """Row number -> its largest value, as task basenn's format_output gives it; with the class name where known."""
    rows = output.reshape(len(output) if output.ndim > 1 else 1, -1)
    words = {number: word for word, number in card.vocabulary.items()}
    return {i: _row(row, words, card.labels) for i, row in enumerate(rows)}


def _row(row: Array, words: Mapping[int, str], labels: Sequence[str]) -> dict[str, Any]:
    index = int(row.argmax())
    answer: dict[str, Any] = {VALUE: words.get(index, index), SCORE: float(row[index])}
    if not words and index < len(labels) and len(labels) == len(row) > 1:
        answer[RESULT] = labels[index]
    return answer


def translated(answer: Any, lang: str) -> Any:
    """The same answer with its keys in another language; OptionError for a language that is not there."""
    if lang not in TRANSLATIONS:
        raise OptionError(
            en=f"lang is {lang!r}; expected one of {', '.join(TRANSLATIONS)}. Write format_output(lang='en').",
            zh=f"lang 的值是 {lang!r}，应为 {'、'.join(TRANSLATIONS)} 之一。请写成 format_output(lang='zh')。",
        )
    if isinstance(answer, list):
        return [translated(one, lang) for one in answer]
    if isinstance(answer, dict):
        return {TRANSLATIONS[lang].get(key, key): translated(value, lang) for key, value in answer.items()}
    return answer


def as_array(picture: Image.Image, img_type: str) -> Array:
    """(H, W, 3) uint8: BGR for "cv2", RGB for "pil"."""
    pixels = np.asarray(picture.convert("RGB"))
    return np.ascontiguousarray(pixels[..., ::-1]) if img_type == "cv2" else pixels.copy()


def check_img_type(img_type: object) -> str | None:
    """ "cv2", "pil" or None; OptionError for anything else."""
    chosen = img_type.lower() if isinstance(img_type, str) else img_type
    if chosen is None or chosen in ("cv2", "pil"):
        return None if chosen is None else str(chosen)
    raise OptionError(
        en=f"img_type is {img_type!r}; expected 'cv2' or 'pil', or leave it out to get no picture.",
        zh=f"img_type 的值是 {img_type!r}，应为 'cv2' 或 'pil'；不需要图片时可以不写。",
    )


def to_picture(image: Any, img_type: str) -> Image.Image:
    """A picture that can be shown or saved, from what inference() returned: an array, or the pair (result, array)."""
    image = image[1] if isinstance(image, tuple) else image
    if isinstance(image, Image.Image):
        return image
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        pixels = (pixels * 255).clip(0, 255).astype(np.uint8)
    if pixels.ndim == 3 and img_type == "cv2":
        pixels = pixels[..., ::-1]
    return Image.fromarray(np.ascontiguousarray(pixels))


def save_picture(picture: Image.Image, path: str | Path) -> None:
    """Write it in the format of its suffix, making missing folders; OutputError if that cannot be."""
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        flat = picture.convert("RGB") if target.suffix.lower() in (".jpg", ".jpeg") else picture
        with replacing(target) as part:
            flat.save(part)
    except (OSError, ValueError) as err:
        raise OutputError(
            en=f"Cannot save the picture as {target}: {err}. Use a name that ends in .png or .jpg.",
            zh=f"无法把图片保存为 {target}：{err}。请用以 .png 或 .jpg 结尾的文件名。",
        ) from None


def show_picture(picture: Image.Image) -> None:
    """In matplotlib's window or notebook where it is installed, else in the system's own viewer."""
    try:
        pyplot: Any = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        picture.show()
        return
    pyplot.imshow(np.asarray(picture), cmap="gray")
    pyplot.show()
