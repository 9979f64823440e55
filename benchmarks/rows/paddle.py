"""Files of PaddlePaddle, converted without it, beside what paddle2onnx takes for the same."""

from __future__ import annotations

import functools
from functools import partial
from pathlib import Path

from ..desk import Desk, Figure, beside, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import ENVIRONMENT, HERE, Spent, once

SECONDS = 20
PADDLE = ("paddle2onnx", "paddlepaddle==3.3.1 paddle2onnx==2.1.0 packaging setuptools")
WHAT = "qingzhou convert of Paddle's MobileNetV2, checked and with its program, beside paddle2onnx 2.1.0"
RATIO = 1 / 8  # of paddle2onnx's CPU seconds
TIMES, MORE_MB = 2.2, 100.0  # what it may take of memory: so many times the file, and so much besides


def goals(machine: Machine) -> tuple[Goal, ...]:
    """CPU seconds and the largest process's memory, beside paddle2onnx's and beside a limit."""
    return (
        Goal("convert Paddle", "s CPU", WHAT, "paddle2onnx", partial(figure, part="cpu"), most=RATIO),
        Goal("convert Paddle, memory", "MB", WHAT, "paddle2onnx", partial(figure, part="peak")),
        Goal("convert Paddle, memory at most", "MB", WHAT, "limit", within, most=1),
    )


def figure(desk: Desk, part: str) -> Figure:
    """Beside paddle2onnx."""
    return beside(rounds(desk), "paddle2onnx", part)


def within(desk: Desk) -> Figure:
    """The most memory, beside what it may be."""
    folder, _ = made(desk)
    most = TIMES * (folder / "net.pdiparams").stat().st_size / 1e6 + MORE_MB
    found = max(one["now"].peak for one in rounds(desk))
    return Figure(found, most, found / most, len(rounds(desk)))


@functools.cache
def rounds(desk: Desk) -> list[dict[str, Spent]]:
    """Each in fresh processes."""
    folder, python = made(desk)
    ours = partial(qingzhou, desk.checkouts["now"], "convert", folder / "net.json", "-o", folder / "ours.onnx")
    files = [folder / name for name in ("net.json", "net.pdiparams", "theirs.onnx")]
    return turns({"now": ours, "paddle2onnx": partial(_paddle, ["paddle_convert.py", *files], python)}, SECONDS)


@functools.cache
def made(desk: Desk) -> tuple[Path, str]:
    """A folder with the files, and the Python that made them."""
    folder, python = desk.place("paddle"), desk.python_with(*PADDLE)
    _paddle(["paddle_files.py", folder], python)
    return folder, python


def _paddle(argv: list[str | Path], python: str) -> Spent:
    """A script of peers/, without a GPU."""
    return once([HERE / "peers" / argv[0], *argv[1:]], python, {**ENVIRONMENT, "CUDA_VISIBLE_DEVICES": "-1"})
