"""A forest and an SVM of scikit-learn, converted without it, beside skl2onnx; and one row beside predict_proba()."""

from __future__ import annotations

import functools
import json
import time
from functools import partial
from pathlib import Path

from ..desk import Desk, Figure, beside, elsewhere, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import HERE, Spent, once

SECONDS = 20
SKL2ONNX = ("skl2onnx", "scikit-learn==1.9.1 skl2onnx==1.20.0 onnx")
RATIO = 1 / 3  # of skl2onnx's CPU seconds and memory
FASTER = 1 / 20  # of the seconds of scikit-learn's predict_proba for one row
WHAT = "qingzhou convert of a forest of 100 trees on digits, checked and with its program, beside skl2onnx"
ASKED = "one row from Python by model.predict, beside scikit-learn's predict_proba: "


def goals(machine: Machine) -> tuple[Goal, ...]:
    """CPU seconds and memory of the conversion; CPU seconds of one row."""
    return (
        Goal("convert a forest", "s CPU", WHAT, "skl2onnx", partial(figure, part="cpu"), most=RATIO),
        Goal("convert a forest, memory", "MB", WHAT, "skl2onnx", partial(figure, part="peak"), most=RATIO),
        Goal("one row, forest", "s CPU", ASKED + "a forest", "sklearn", partial(asked, name="forest"), most=FASTER),
        Goal(
            "one row, scaled SVM", "s CPU", ASKED + "a scaled SVC", "sklearn", partial(asked, name="svm"), most=FASTER
        ),
    )


def figure(desk: Desk, part: str) -> Figure:
    """Beside skl2onnx."""
    return beside(rounds(desk), "skl2onnx", part)


@functools.cache
def rounds(desk: Desk) -> list[dict[str, Spent]]:
    """Each in fresh processes."""
    folder, python = made(desk)
    source = folder / "forest.joblib"
    ours = partial(qingzhou, desk.checkouts["now"], "convert", source, "-o", folder / "forest.onnx")
    theirs = partial(once, [HERE / "peers/sklearn_forest.py", "convert", source, folder / "skl2onnx.onnx"], python)
    return turns({"now": ours, "skl2onnx": theirs}, SECONDS)


@functools.cache
def made(desk: Desk) -> tuple[Path, str]:
    """A folder with the files, and the Python that made them."""
    folder, python = desk.place("forest"), desk.python_with(*SKL2ONNX)
    once([HERE / "peers/sklearn_forest.py", "make", folder], python)
    return folder, python


def asked(desk: Desk, name: str) -> Figure:
    """CPU seconds of one row."""
    folder, python = made(desk)
    source, target = folder / f"{name}.joblib", folder / f"{name}.json"
    qingzhou(desk.checkouts["now"], "convert", source, "-o", folder / f"{name}.onnx")
    once([HERE / "peers/sklearn_forest.py", "ask", source, target], python)
    ours, theirs = elsewhere(one_row, folder / f"{name}.onnx"), float(json.loads(target.read_text("utf-8")))
    return Figure(ours, theirs, ours / theirs)


def one_row(path: str) -> float:
    """Seconds of model.predict for one row of 64 numbers."""
    import numpy as np

    import qingzhou as ours

    model, row = ours.load(path), (np.arange(64) % 17).astype(np.float32)
    model.predict(row)
    start = time.process_time()
    for _ in range(300):
        model.predict(row)
    return (time.process_time() - start) / 300
