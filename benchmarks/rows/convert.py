"""`qingzhou convert` in a fresh process, beside an older one, beside a floor and beside other tools' exporters."""

from __future__ import annotations

import functools
from functools import partial
from pathlib import Path

from ..desk import Desk, Figure, beside, one_blas_thread, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import BARE, HERE, Spent, once

MOST = {"MobileNet": 0.68, "LeNet": 0.75, "SSD_Lite": 0.65, "ResNet50": 0.82}  # of the older one's CPU time
SECONDS = 14  # for each network
WHAT = "qingzhou convert of a checkpoint, the whole process"
FLOOR = "the same beside: import numpy and onnxruntime, one session of the finished file, one run"
PEERS = "the same beside the tool's own export of a MobileNetV2 made there, the whole process"
EXPORTERS = {  # a script of peers/ with its arguments, the package that it needs, and what pip installs for it
    "torch.onnx": (("torch_export.py", "default"), "torch", "torch onnx onnxscript"),
    "torch.onnx, script": (("torch_export.py", "torchscript"), "torch", "torch onnx onnxscript"),
    "tf2onnx": (("keras_export.py",), "tf2onnx", "tensorflow-cpu tf2onnx"),
    "paddle2onnx": (("paddle_export.py",), "paddle2onnx", "paddlepaddle paddle2onnx packaging"),
}


def goals(machine: Machine) -> tuple[Goal, ...]:
    """Every network beside the older checkout and its floor; MobileNetV2 beside the other tools."""
    return (
        *(
            Goal(f"convert {name}", "s CPU", WHAT, "then", partial(figure, name=name, other="then"), most=most)
            for name, most in MOST.items()
        ),
        *(
            Goal(f"convert {name}, floor", "s CPU", FLOOR, "floor", partial(figure, name=name, other="floor"))
            for name in MOST
        ),
        *(
            Goal(f"convert MobileNet, {peer}", "s CPU", PEERS, peer, partial(exported, peer=peer), most=1)
            for peer in EXPORTERS
        ),
    )


def figure(desk: Desk, name: str, other: str) -> Figure:
    """CPU seconds."""
    return beside(rounds(desk, name), other, "cpu")


@functools.cache
def rounds(desk: Desk, name: str) -> list[dict[str, Spent]]:
    """Of both checkouts and of the floor."""
    source = desk.file(name)
    finished = desk.converted(source, "now")
    works = {
        way: partial(qingzhou, checkout, "convert", source, "-o", desk.place("converted", way) / f"{name}.onnx")
        for way, checkout in desk.checkouts.items()
    }
    return turns({**works, "floor": partial(once, [*BARE, finished], environment=one_blas_thread())}, SECONDS)


def exported(desk: Desk, peer: str) -> Figure:
    """CPU seconds of ours and of another tool; few rounds, since those take long."""
    (script, *words), package, install = EXPORTERS[peer]
    python = desk.python_with(package, install)
    argv: list[str | Path] = [HERE / "peers" / script, desk.place("peers") / f"{package}.onnx", *words]
    ours = partial(qingzhou, desk.checkouts["now"], "convert", desk.file("MobileNet"), "-o", desk.folder / "peers.onnx")
    return beside(turns({"now": ours, peer: partial(once, argv, python)}, 15, least=2, warm=False), peer, "cpu")
