"""Predictors whose answers are written down, and data sets of a few pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.image import read_image
from qingzhou.runtime.predict import Prediction

RED, GREEN, BLUE = (250, 10, 30), (10, 240, 20), (10, 20, 240)
COLOURS = {"red": RED, "green": GREEN, "blue": BLUE}


def card(task: str = "classification", labels: Sequence[str] = ("red", "green", "blue"), kind: str = "image") -> Card:
    shape = [1, 3, 8, 8] if kind == "image" else [None, 3]
    return Card(
        task,
        "Tiny",
        "BaseNN",
        Input("input", kind, shape, "RGB" if kind == "image" else ""),
        Output("out", "values"),
        list(labels),
    )


class Eye:
    """Says which of red, green and blue is strongest in a picture, or which number is the largest in a row."""

    def __init__(self, of: Card | None = None) -> None:
        self.card = of or card()

    def predict(self, data: Any) -> Any:
        if self.card.input.kind != "image":
            return [self._answer(row) for row in np.asarray(data, np.float32)]
        return self._answer(read_image(data, "RGB").mean(axis=(0, 1)) / 255)

    def _answer(self, scores: Any) -> Prediction:
        if self.card.task == "regression":
            return Prediction("", 0, float("nan"), scores[:1])
        index = int(np.argmax(scores))
        return Prediction(self.card.labels[index], index, float(scores[index]), scores)


class Boxes:
    """A detector that gives the boxes written down for a picture's name."""

    def __init__(self, answers: Mapping[str, Sequence[Any]], labels: Sequence[str] = ("cat", "dog")) -> None:
        self.card = card("detection", labels)
        self.answers = answers
        self.thresholds: list[float | None] = []

    def predict(self, data: Any, threshold: float | None = None) -> Any:
        read_image(data, "RGB")
        self.thresholds.append(threshold)
        return list(self.answers.get(Path(data).name, ()))


def paint(path: Path, colour: Any = RED, size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def coco(path: Path, images: Sequence[Any], annotations: Sequence[Any], names: Mapping[int, str]) -> Path:
    """images: (id, file, width, height); annotations: (image, category, [x, y, w, h], crowd)."""
    content = {
        "images": [dict(zip(("id", "file_name", "width", "height"), image, strict=True)) for image in images],
        "annotations": [
            {"id": i, "image_id": a[0], "category_id": a[1], "bbox": a[2], "area": a[2][2] * a[2][3], "iscrowd": a[3]}
            for i, a in enumerate(annotations, start=1)
        ],
        "categories": [{"id": number, "name": name} for number, name in names.items()],
    }
    return write(path, json.dumps(content))
