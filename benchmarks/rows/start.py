"""From the start of a process to its first result: `qingzhou run`, the program that convert writes, `qingzhou info`."""

from __future__ import annotations

import functools
from functools import partial
from pathlib import Path

from ..desk import Desk, Figure, beside, elsewhere, environment, one_blas_thread, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import BARE, Spent, once

SECONDS = 10  # for each
ONNX = ("-c", "import sys, onnx; onnx.load(sys.argv[1])")
RUN = "the first answer of qingzhou run for a picture, MobileNetV2, the whole process"
PROGRAM = "the same of the program that convert writes beside the model"
INFO = "qingzhou info of an .onnx by another tool, the whole process"


def goals(machine: Machine) -> tuple[Goal, ...]:
    """Each beside the older checkout, and beside what it cannot do without."""
    return (
        Goal("run", "s CPU", RUN, "then", partial(run, other="then"), most=0.75),
        Goal("run, floor", "s CPU", f"{RUN}; numpy, onnxruntime, one run", "floor", partial(run, other="floor")),
        Goal("program", "s CPU", PROGRAM, "then", partial(program, other="then"), most=0.75),
        Goal("program, floor", "s CPU", PROGRAM, "floor", partial(program, other="floor")),
        Goal("info", "s CPU", INFO, "then", partial(info, other="then"), most=1),
        Goal("info, onnx.load", "s CPU", INFO, "onnx.load", partial(info, other="onnx.load"), most=1),
    )


def run(desk: Desk, other: str) -> Figure:
    """CPU seconds."""
    return beside(runs(desk), other, "cpu")


def program(desk: Desk, other: str) -> Figure:
    """CPU seconds."""
    return beside(programs(desk), other, "cpu")


def info(desk: Desk, other: str) -> Figure:
    """CPU seconds."""
    return beside(infos(desk), other, "cpu")


@functools.cache
def runs(desk: Desk) -> list[dict[str, Spent]]:
    """Each checkout with the model that it converted itself."""
    photo = desk.file("photo", "photo.png")
    works = {way: partial(qingzhou, place, "run", model, photo) for way, (place, model) in models(desk).items()}
    return turns({**works, "floor": floor(desk)}, SECONDS)


@functools.cache
def programs(desk: Desk) -> list[dict[str, Spent]]:
    """Each with the runtime that was written beside it."""
    photo = desk.file("photo", "photo.png")
    works = {
        way: partial(once, [model.with_suffix(".py"), photo], environment=environment(place))
        for way, (place, model) in models(desk).items()
    }
    return turns({**works, "floor": floor(desk)}, SECONDS)


@functools.cache
def infos(desk: Desk) -> list[dict[str, Spent]]:
    """Of the same file, which says nothing of us any more."""
    foreign = Path(elsewhere(stripped, desk.converted(desk.file("MobileNet"), "now"), desk.folder / "foreign.onnx"))
    works = {way: partial(qingzhou, place, "info", foreign) for way, place in desk.checkouts.items()}
    return turns({**works, "onnx.load": partial(once, [*ONNX, foreign])}, SECONDS)


def models(desk: Desk) -> dict[str, tuple[Path, Path]]:
    """Checkout and its MobileNetV2."""
    return {way: (place, desk.converted(desk.file("MobileNet"), way)) for way, place in desk.checkouts.items()}


def floor(desk: Desk) -> partial[Spent]:
    """numpy, onnxruntime, one session, one run."""
    model = desk.converted(desk.file("MobileNet"), "now")
    return partial(once, [*BARE, model], environment=one_blas_thread())


def stripped(model: str, target: str) -> str:
    """Write the model as another tool would have written it; its path."""
    import onnx

    proto = onnx.load(model)
    del proto.metadata_props[:]
    proto.producer_name, proto.producer_version, proto.doc_string = "another", "1", ""
    onnx.save(proto, target)
    return target
