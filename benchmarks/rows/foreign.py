"""An .onnx of another tool, adopted: opened, run on a sample, written with its card and program."""

from __future__ import annotations

import functools
import sys
from functools import partial

from ..desk import Desk, Figure, beside, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import ENVIRONMENT, HERE, Spent, once

SECONDS = 14
MOST_MB, LOOK_MB = 1.5, 0.7
COPY = HERE / "peers" / "onnx_copy.py"
WHAT = "qingzhou convert of a MobileNetV2 that is ONNX (14 MB), run, and written with card and program, beside onnx.{}"
LOOK = "qingzhou info of it, beside the same"
MOST, MOST_LOOK = 2.0, 1.2  # adopting runs the network too, as it is written and optimised


def goals(machine: Machine) -> tuple[Goal, ...]:
    """CPU seconds and memory beside onnx.load, checker and save."""
    what = WHAT.format("load, checker.check_model and save")
    return (
        Goal("adopt an .onnx", "s CPU", what, "onnx", partial(figure, part="cpu"), most=MOST),
        Goal("adopt an .onnx, memory", "MB", what, "onnx", partial(figure, part="peak"), most=MOST_MB),
        Goal("info of an .onnx", "s CPU", LOOK, "onnx", partial(figure, part="cpu", verb="look"), most=MOST_LOOK),
        Goal("info of an .onnx, memory", "MB", LOOK, "onnx", partial(figure, part="peak", verb="look"), most=LOOK_MB),
    )


def figure(desk: Desk, part: str, verb: str = "adopt") -> Figure:
    """Beside the onnx package."""
    found = [{"now": one[verb], "onnx": one["onnx"]} for one in rounds(desk)]
    return beside(found, "onnx", part)


@functools.cache
def rounds(desk: Desk) -> list[dict[str, Spent]]:
    """Each in fresh processes; the file is ours without its card."""
    folder = desk.place("foreign")
    source = folder / "net.onnx"
    once([COPY, desk.converted(desk.file("MobileNet"), "now"), source, "bare"], sys.executable, ENVIRONMENT)
    now = desk.checkouts["now"]
    return turns(
        {
            "adopt": partial(qingzhou, now, "convert", source, "-o", folder / "adopted.onnx"),
            "look": partial(qingzhou, now, "info", source),
            "onnx": partial(once, [COPY, source, folder / "copied.onnx"], sys.executable, ENVIRONMENT),
        },
        SECONDS,
    )
