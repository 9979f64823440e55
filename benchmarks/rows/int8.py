"""How fast INT8 is, warm and on one core, as a multiple of ONNX Runtime's FP32: int8.py measures it."""

from __future__ import annotations

import functools
from functools import partial
from pathlib import Path

from ..desk import Desk, Figure, NotHere, elsewhere
from ..goals import Goal
from ..machine import Machine
from . import quantize

ENGINES = {"ORT": "onnxruntime", "OpenVINO": "openvino"}
WHAT = "speed of one inference by CPU time, one core, as a multiple of onnxruntime's with FP32"


def goals(machine: Machine) -> tuple[Goal, ...]:
    """Without VNNI a processor has half of the arithmetic: nothing is promised there."""
    aims = {"MobileNetV2": (2.0, 2.35), "ResNet18": (2.9, 7.0 if machine.amx else 3.3)}
    return tuple(
        Goal(f"INT8 {network}, {engine}", "x", WHAT, "ORT FP32", partial(speed, network=network, engine=name),
             least=least if machine.vnni else None)
        for network, leasts in aims.items()
        for (engine, name), least in zip(ENGINES.items(), leasts, strict=True)
    )  # fmt: skip


def speed(desk: Desk, network: str, engine: str) -> Figure:
    """Times as fast; NotHere without the engine."""
    found = MEASURED[network](desk)
    if engine not in found:
        raise NotHere(f"{engine} is not installed: pip install {engine}")
    return Figure(found[engine], 1.0, found[engine])


@functools.cache
def digits(desk: Desk) -> dict[str, float]:
    """Of the trained MobileNetV2: what making alone has left, or makes now."""
    model, int8 = desk.converted(quantize.CHECKPOINT, "now"), quantize.finished(desk)
    if not int8.exists():
        elsewhere(quantize.made, "qingzhou", model, quantize.few(desk), int8)
    return elsewhere(speeds, model, int8)


@functools.cache
def resnet18(desk: Desk) -> dict[str, float]:
    """Of random weights, which are enough for a speed."""
    return elsewhere(speeds_of_noise, "ResNet18", desk.place("noise"))


MEASURED = {"MobileNetV2": digits, "ResNet18": resnet18}


def speeds(model: str, quantized: str) -> dict[str, float]:
    """By engine; runs in a process of its own."""
    import int8

    int8.one_core()
    found: dict[str, float] = int8.speeds(model, quantized)[quantized]
    return found


def speeds_of_noise(network: str, folder: str) -> dict[str, float]:
    """The same of a network with random weights and pictures of noise."""
    import engines
    import qingzhou

    place = Path(folder)
    data, model = place / "pictures", engines.made(network, place)
    engines.pictures(data)
    made = qingzhou.quantize(model, data, place, any_speed=True, min_agreement=0, calibration=engines.PICTURES)
    if made.path is None:
        raise NotHere(str(made.explanation))
    return speeds(str(model), str(made.path))
