"""Files of PyTorch's world, converted without torch, beside what torch and Ultralytics take for the same."""

from __future__ import annotations

import functools
from functools import partial
from pathlib import Path

from ..desk import Desk, Figure, NotHere, beside, environment, qingzhou, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import HERE, Spent, once

SECONDS = 20  # for each
PEERS = HERE / "peers"
TORCH = ("torchvision", "torch==2.13.0 torchvision onnx onnxscript")
YOLO = ("ultralytics", "ultralytics torch==2.13.0 onnx onnxslim onnxruntime")
LIVE = ("torchvision", "torch==2.13.0 torchvision, and qingzhou's own packages")
FILES = {"MobileNetV2": "mobilenet_v2", "ResNet18": "resnet18"}
STATE = "qingzhou convert of a state dict of torchvision, beside torch.onnx.export of the network that loads it"
ARCHIVE = "qingzhou convert of a .pt2, beside torch.onnx.export of the same network"
MODULE = "qingzhou.convert of a live module with its torch, beside torch.onnx.export of the same"
DETECTOR = "qingzhou convert of YOLO11n at 640, checked and with its program, beside yolo export format=onnx"
PARTS = {"cpu": ("s CPU", ""), "peak": ("MB", ", memory")}


def goals(machine: Machine) -> tuple[Goal, ...]:
    """CPU seconds and the largest process's memory, each beside the tool's own."""
    rows = []
    for part, (unit, more) in PARTS.items():
        seconds = part == "cpu"
        rows += [
            Goal(
                f"convert YOLO11n{more}",
                unit,
                DETECTOR,
                "yolo export",
                partial(detector, part=part),
                most=1 / 8 if seconds else 200 / 583,
            ),
            *(
                Goal(
                    f"convert torchvision's {name}{more}",
                    unit,
                    STATE,
                    "torch.onnx",
                    partial(state, name=file, part=part),
                    most=1 / 12 if seconds else 1 / 3,
                )
                for name, file in FILES.items()
            ),
            Goal(f"convert a .pt2{more}", unit, ARCHIVE, "torch.onnx", partial(archive, part=part)),
            Goal(f"convert a live module{more}", unit, MODULE, "torch.onnx", partial(live, part=part), most=1),
        ]
    return tuple(rows)


def detector(desk: Desk, part: str) -> Figure:
    """YOLO11n with random weights."""
    return beside(exported(desk), "yolo export", part)


@functools.cache
def exported(desk: Desk) -> list[dict[str, Spent]]:
    """Rounds of it."""
    folder, python = desk.place("yolo"), desk.python_with(*YOLO)
    settled = {**environment(desk.checkouts["now"]), "YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true"}
    peer = partial(once, python=python, environment={**settled, "YOLO_AUTOINSTALL": "false"})
    own, theirs = folder / "yolo11n.pt", folder / "theirs.pt"
    for file in (own, theirs):
        peer([PEERS / "yolo_export.py", "new", file])
    return _turns(desk, own, "yolo export", partial(peer, [PEERS / "yolo_export.py", theirs, "640"]))


def state(desk: Desk, name: str, part: str) -> Figure:
    """A state dict alone: the page of the network stands in Qingzhou."""
    return beside(beside_torch(desk, f"{name}.pth", name), "torch.onnx", part)


def archive(desk: Desk, part: str) -> Figure:
    """A MobileNetV2 of torch.export."""
    return beside(beside_torch(desk, "net.pt2", "mobilenet_v2"), "torch.onnx", part)


@functools.cache
def beside_torch(desk: Desk, file: str, name: str) -> list[dict[str, Spent]]:
    """Rounds of one file."""
    folder, python = made(desk)
    return _turns(desk, folder / file, "torch.onnx", partial(_torch, python, folder, "export", name))


def live(desk: Desk, part: str) -> Figure:
    """Both have to import torch."""
    return beside(modules(desk), "torch.onnx", part)


@functools.cache
def modules(desk: Desk) -> list[dict[str, Spent]]:
    """Rounds of it; NotHere where the Python with torch lacks what Qingzhou needs."""
    folder, python = made(desk)
    ours = partial(_torch, python, folder, "live")
    try:
        ours()
    except SystemExit as err:
        raise NotHere(f"{LIVE[1]}: {err}") from None
    return turns({"now": ours, "torch.onnx": partial(_torch, python, folder, "export", "mobilenet_v2")}, SECONDS)


@functools.cache
def made(desk: Desk) -> tuple[Path, str]:
    """A folder with the files, and the Python that made them."""
    folder, python = desk.place("pytorch"), desk.python_with(*TORCH)
    _torch(python, folder, "make")
    return folder, python


def _torch(python: str, folder: Path, what: str, *names: str) -> Spent:
    """A fresh process of peers/torch_files.py."""
    return once([PEERS / "torch_files.py", what, folder, *names], python, environment(HERE.parent))


def _turns(desk: Desk, source: Path, other: str, peer: partial[Spent]) -> list[dict[str, Spent]]:
    ours = partial(qingzhou, desk.checkouts["now"], "convert", source, "-o", desk.place("pytorch") / "ours.onnx")
    return turns({"now": ours, other: peer}, SECONDS)
