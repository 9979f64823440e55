"""The sample of a bundle: a file, the answer to it, and a picture of both."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import QingzhouError
from ..onnxfile.facts import Facts
from ..runtime.bundle.given import predict_file
from ..runtime.bundle.selftest import shown, summary
from ..runtime.draw import draw
from ..runtime.engine.session import open_session
from ..runtime.model.image import open_picture
from ..runtime.predict import Predictor, load
from ..runtime.read import pictures_in
from .form import OnDevice

RESULT = "readme/result.png"  # not beside the program, where the simulated camera would see it
LARGEST = 640  # pixels a side of the sample picture


@dataclass(frozen=True)
class Shown:
    """file: its name in the bundle, "" if there is none; answer: as plain values; words: the same for people."""

    file: str
    answer: list[list[Any]]
    words: str


def show_sample(form: OnDevice, folder: Path, data: Path | None) -> Shown:
    """Write sample.png (.csv, .npz, .txt), and for pictures RESULT with the answer drawn on it."""
    model = answering(form)
    kind = "several" if form.card.others else form.card.input.kind
    name = {
        "image": "sample.png",
        "table": "sample.csv",
        "array": "sample.npz",
        "tokens": "sample.txt",
        "several": "sample.npz",
    }[kind]
    if form.card.sample is None and (data is None or form.chip is not None):
        return Shown("", [], "–")
    if kind == "image":
        _picture(model, form, data).save(folder / name, "PNG", optimize=True)
    else:
        _write_rows(model, kind, folder / name)
    answer = predict_file(model, folder / name)
    if kind == "image":
        place = folder / RESULT
        place.parent.mkdir()
        draw(folder / name, answer, enlarge=True).save(place, "PNG", optimize=True)
    rows = summary(answer)
    return Shown(name, rows, shown(rows))


def answering(form: OnDevice) -> Predictor:
    """Who answers here as the device will: for a chip its simulator, which was asked for the model's own sample."""
    return opened(form.files[0]) if form.chip is None else form.chip.asked


def opened(path: Path) -> Predictor:
    """The model as every processor should compute it: INT8 one operator at a time, since some overflow."""
    if Facts(path).quantized:
        return Predictor(path, session=open_session(path, once=True))
    return load(path)


def _picture(model: Predictor, form: OnDevice, data: Path | None) -> Any:
    """The first picture of the data that can be read, not too large; else the model's own sample. Of a chip one that
    its simulator was asked for.
    """
    for path in _pictures(data) if form.chip is None else form.chip.seen[:10]:
        try:
            picture = open_picture(path, LARGEST)
            picture.thumbnail((LARGEST, LARGEST))
            if form.chip is not None:
                model.predict(picture)
        except QingzhouError:
            continue
        return picture
    return model.sample_input()


def _pictures(data: Path | None) -> list[Path]:
    """Those of a folder and the folders in it, by name; [] where there are none."""
    if data is None or not data.is_dir():
        return []
    for folder in (data, *sorted(path for path in data.rglob("*") if path.is_dir())):
        try:
            return [Path(path) for path in pictures_in(str(folder))[:10]]
        except (OSError, QingzhouError):
            continue
    return []


def _rows_of(sample: Any) -> list[Any]:
    """One row, or several."""
    return list(sample) if np.ndim(sample[0]) else [sample]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.9g}"


def _write_rows(model: Predictor, kind: str, path: Path) -> None:
    """The model's own sample as a file that predict_file() reads."""
    if kind == "several":
        np.savez(path, **{name: np.asarray(one) for name, one in model.sample_input().items()})  # type: ignore[arg-type]
        return
    if kind == "array":
        data = np.asarray(model.sample_input())
        np.savez(path, data=data if data.ndim == len(model.card.input.shape) else data[None])
        return
    if kind == "tokens":
        words = {number: word for word, number in model.card.vocabulary.items()}
        numbers = np.asarray(model.sample_input()).reshape(-1)
        path.write_text("".join(words.get(int(n), "") for n in numbers), "utf-8", newline="\n")
        return
    text = io.StringIO()
    columns = [one["name"] for one in model.card.input.columns]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([columns] if columns else [])
    writer.writerows([_as_text(value) for value in row] for row in _rows_of(model.sample_input()))
    path.write_text(text.getvalue(), "utf-8", newline="\n")
