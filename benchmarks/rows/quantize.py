"""`qingzhou quantize` of the digits' MobileNetV2: the whole verb, and the making of the INT8 model alone."""

from __future__ import annotations

import functools
from functools import partial
from pathlib import Path
from typing import Any

from ..desk import ORACLE, Desk, Figure, NotHere, answer, beside, elsewhere, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import HERE, Spent

SECONDS, ALONE_SECONDS = 60, 15  # a round that has begun is ended
DIGITS = ORACLE / "digits" / "test"
CHECKPOINT = ORACLE / "trained" / "mobilenet_digits.pth"
COUNT = 100  # pictures that calibrate
LIMIT = 250.0  # MB
WHOLE = f"qingzhou quantize of MobileNetV2 on all digits: {COUNT} calibrate, all others judge"
ALONE = f"making INT8 of it with {COUNT} pictures, without judging, on one core"
OPENVINO, ONNXRUNTIME = "NNCF on OpenVINO", "onnxruntime MinMax"


def goals(machine: Machine) -> tuple[Goal, ...]:
    """The verb beside the older checkout, its memory beside a limit, making beside the other quantisers."""
    return (
        Goal("quantize, CPU", "s CPU", WHOLE, "then", partial(whole, part="cpu"), most=0.45),
        Goal("quantize, wall", "s wall", WHOLE, "then", partial(whole, part="wall"), most=0.6),
        Goal("quantize, memory", "MB", f"the most memory of {WHOLE}", "limit", memory, most=1),
        Goal(f"making INT8, {OPENVINO}", "s CPU", ALONE, OPENVINO, partial(making, peer=OPENVINO), most=1),
        Goal(f"making INT8, {ONNXRUNTIME}", "s CPU", ALONE, ONNXRUNTIME, partial(making, peer=ONNXRUNTIME), most=1),
    )


def whole(desk: Desk, part: str) -> Figure:
    """CPU or wall seconds."""
    return beside(verbs(desk), "then", part)


def memory(desk: Desk) -> Figure:
    """MB of the largest of all rounds."""
    most = max(one["now"].peak for one in verbs(desk))
    return Figure(most, LIMIT, most / LIMIT, len(verbs(desk)))


@functools.cache
def verbs(desk: Desk) -> list[dict[str, Spent]]:
    """One round at least: it takes about a minute."""
    works = {
        way: partial(qingzhou, place, "quantize", desk.converted(CHECKPOINT, way), "--data", DIGITS, "--any-speed",
                     "-o", desk.place("quantized", way) / "int8.onnx")
        for way, place in desk.checkouts.items()
    }  # fmt: skip
    return turns(works, SECONDS, least=1, warm=False)


# -- making alone -----------------------------------------------------------------------------------------------------


@functools.cache
def making(desk: Desk, peer: str) -> Figure:
    """CPU seconds of ours and of a peer, in turns."""
    data, model = few(desk), desk.converted(CHECKPOINT, "now")
    theirs: partial[float]
    if peer == OPENVINO:
        python = desk.python_with("nncf", "nncf openvino")
        inputs = elsewhere(prepared, model, data, desk.folder / "inputs.npz")
        theirs = partial(answer, [python, HERE / "peers" / "nncf_openvino.py", model, inputs, desk.folder / "nncf.xml"])
    else:
        theirs = partial(elsewhere, made, peer, model, data, desk.folder / "onnxruntime.onnx")
    ours = partial(elsewhere, made, "qingzhou", model, data, finished(desk))
    return beside(turns({"now": ours, peer: theirs}, ALONE_SECONDS, least=1, warm=False), peer)


def finished(desk: Desk) -> Path:
    """Where our INT8 model of making alone is, when it is made."""
    return desk.folder / "int8.onnx"


def few(desk: Desk) -> Path:
    """A folder of so many digits that as many as always calibrate; few are left to judge."""
    folder = desk.place("few")
    for place in sorted(DIGITS.iterdir()):
        for picture in sorted(place.glob("*.png"))[: COUNT // 5]:
            target = desk.place("few", place.name) / picture.name
            target.write_bytes(picture.read_bytes())
    return folder


def made(quantiser: str, model: str, data: str, out: str) -> float:
    """CPU seconds of one of int8.py's quantisers without imports and judging; runs in a process of its own."""
    import int8

    int8.one_core()
    work = int8.Work(model, data, out, COUNT, "auto")
    spent: dict[str, float] = int8.QUANTIZERS[quantiser](work, int8.feeds_of(work))
    return spent["cost"]


def prepared(model: str, data: str, target: str) -> str:
    """Keep the inputs that calibrate, for a tool that knows nothing of us; their path."""
    import int8
    import numpy as np

    feeds: list[dict[str, Any]] = list(int8.feeds_of(int8.Work(model, data, "", COUNT, "auto"))())
    if not feeds:
        raise NotHere("no pictures")
    np.savez(target, *(next(iter(feed.values())) for feed in feeds))
    return target
