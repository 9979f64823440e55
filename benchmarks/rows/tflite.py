"""INT8 .tflite, written by `qingzhou export` without TensorFlow, beside TensorFlow's own converter."""

from __future__ import annotations

import functools
from functools import partial
from pathlib import Path

from ..desk import ORACLE, Desk, Figure, beside, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import ENVIRONMENT, HERE, Spent, once

SECONDS = 20
TENSORFLOW = ("tensorflow", "tensorflow-cpu==2.21.0 keras==3.15.1")
CHECKPOINT, DATA = ORACLE / "trained" / "mobilenet_digits.pth", ORACLE / "digits" / "test"
WHAT = (
    "qingzhou export of a MobileNetV2 that quantize made INT8, compared with onnxruntime, beside TensorFlow's "
    "TFLiteConverter, whose calibration is one picture"
)
MOST_SECONDS, MOST_MB = 2.0, 200.0


def goals(machine: Machine) -> tuple[Goal, ...]:
    """CPU seconds and the largest process's memory, beside the converter's and beside limits."""
    return (
        Goal("INT8 .tflite", "s CPU", WHAT, "TensorFlow", partial(figure, part="cpu")),
        Goal("INT8 .tflite, memory", "MB", WHAT, "TensorFlow", partial(figure, part="peak")),
        Goal("INT8 .tflite, s at most", "s CPU", WHAT, "limit", partial(within, "cpu", MOST_SECONDS), most=1),
        Goal("INT8 .tflite, MB at most", "MB", WHAT, "limit", partial(within, "peak", MOST_MB), most=1),
    )


def figure(desk: Desk, part: str) -> Figure:
    """Beside TensorFlow."""
    return beside(rounds(desk), "TensorFlow", part)


def within(part: str, most: float, desk: Desk) -> Figure:
    """Ours beside a limit; of memory the most of all rounds, of seconds the median."""
    found = sorted(float(getattr(one["now"], part)) for one in rounds(desk))
    now = found[-1] if part == "peak" else found[len(found) // 2]
    return Figure(now, most, now / most, len(found))


@functools.cache
def rounds(desk: Desk) -> list[dict[str, Spent]]:
    """Each in fresh processes."""
    python, small = desk.python_with(*TENSORFLOW), rounded(desk)
    ours = partial(
        qingzhou, desk.checkouts["now"], "export", small, "--engine", "litert", "--precision", "int8",
        "-o", small.with_name("ours.tflite"),
    )  # fmt: skip
    words = [HERE / "peers" / "tflite_convert.py", small.with_name("theirs.tflite")]
    theirs = partial(once, words, python, {**ENVIRONMENT, "CUDA_VISIBLE_DEVICES": "-1"})
    return turns({"now": ours, "TensorFlow": theirs}, SECONDS)


@functools.cache
def rounded(desk: Desk) -> Path:
    """The INT8 .onnx that both figures leave out."""
    out = desk.place("tflite") / "int8.onnx"
    qingzhou(desk.checkouts["now"], "quantize", desk.converted(CHECKPOINT, "now"), "--data", DATA, "--target", "litert",
             "--any-speed", "-o", out)  # fmt: skip
    return out
