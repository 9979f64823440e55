"""What can be: the engines and precisions that a model may have, on a device or here, the best first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

from ..devices import Device
from ..engines import Engine
from ..engines.table import engine_on_devices, is_compiled
from ..errors import BundleError, EngineError, ModelError
from ..graph.count import Work
from ..onnxfile.facts import Facts
from ..targets import TARGETS

CLEARLY = 1.1  # times fewer instructions that INT8 must take
LOW = "--opset 13 --ir-version 8"
MOBILENET_V2 = Work(278_790_656, 20_716_416, 6_895_796, 53)  # at 224 x 224: the speeds of the profiles are its

Kind = Literal["compiled", "onnx", "checkpoint"]


@dataclass(frozen=True)
class Form:
    """An engine, and the precision of the weights: "fp32", "fp16" or "int8"."""

    engine: str
    precision: str

    @property
    def name(self) -> str:
        """ "openvino fp16"."""
        return f"{self.engine} {self.precision}"


def kind_of(path: Path) -> Kind:
    """By its name: what an engine made of a model, an .onnx, or what is still to be converted."""
    if path.suffix.lower() == ".onnx":
        return "onnx"
    return "compiled" if is_compiled(path) else "checkpoint"


def precisions(engine: Engine, facts: Facts) -> tuple[str, ...]:
    """Those that a model can have with an engine, "int8" last. One that is INT8 has no other; and none where the engine
    does not know its zero points.
    """
    if facts.quantized:
        knows = engine.int8 != "" and (engine.zero_points or not facts.zero_points)
        return ("int8",) if knows else ()
    return (*engine.precisions, *(["int8"] if engine.int8 else []))


def refusal(engine: Engine, facts: Facts) -> EngineError | None:
    """Why an engine cannot run a model, before anybody waits; None also where the file is no model, which is said when
    it is opened.
    """
    try:
        return engine.takes(facts)
    except ModelError:
        return None


def compiled_in(engine: Engine, precision: str) -> str | None:
    """The precision to compile an .onnx in for a form; None where the engine opens it as it is. Of INT8 what is left of
    floats stays so.
    """
    if precision in ("fp32", "int8") and ".onnx" in engine.opens:
        return None
    return "fp32" if precision == "int8" else precision


def int8_target(engine: Engine | None, device: Device | None) -> str:
    """Whose arithmetic INT8 is for, of quant.TARGETS: the engine's own, else that of the device's processor, else of
    this machine's ("auto").
    """
    own = engine.int8 if engine else "auto"
    return own if own != "auto" or device is None else device.int8_target


# -- for a device ---------------------------------------------------------------------------------------------------


def forms_on(
    device: Device, facts: Facts, engine: str = "", precision: str = "auto", data: bool = False, every: bool = False
) -> list[Form]:
    """Forms that a device allows, in the order of its profile; INT8 before FP32 where there are data to make it with.

    engine, precision  what the user asks for; "" and "auto" leave it to the device
    every              also engines that are taken only if they are asked for, and FP16
    """
    asked = precision if precision != "auto" else ""
    wanted = (
        (asked,) if asked else (*(["int8"] if data or facts.quantized else []), *(["fp16"] if every else []), "fp32")
    )
    return [
        Form(name, one)
        for name in device.engines
        if engine == name or (engine == "" and (every or name in TARGETS or engine_on_devices(name).offered))
        for one in _on_device(name, facts, wanted, asked == "int8", data)
    ]


def _on_device(name: str, facts: Facts, wanted: Iterable[str], asked: bool, data: bool) -> Iterator[str]:
    """Without INT8 where the engine gains nothing by it and nobody asked for it; of a chip INT8 with data alone, which
    its vendor's compiler makes of a model in FP32.
    """
    if name in TARGETS:
        yield from ("int8",) if data and "int8" in wanted and not facts.quantized else ()
        return
    engine = engine_on_devices(name)
    there = precisions(engine, facts)
    for one in ("int8",) if facts.quantized else wanted:
        if one in there and (one != "int8" or engine.int8_helps or asked or facts.quantized):
            yield one


def cheapest_first(forms: list[Form], device: Device, work: Work) -> list[Form]:
    """By the instructions that this network takes where these are known, else in the order given."""
    return sorted(forms, key=lambda form: _price(device, work, form))


def _price(device: Device, work: Work, form: Form) -> float:
    """Instructions; a little more for INT8, which must be clearly fewer to be worth it. Not known: infinite; on a chip
    of its own none of the processor's.
    """
    if form.engine in TARGETS:
        return 0.0
    return (instructions(device, work, form) or inf) * (CLEARLY if form.precision == "int8" else 1)


def instructions(device: Device, work: Work, form: Form) -> float:
    """Millions for a network; of MobileNetV2 where not more is known; 0 where nothing is."""
    found = device.instructions_for(work, form.engine, form.precision) if device.cost else None
    return found or device.instructions.get(form.engine, {}).get(form.precision, 0.0)


def gain(device: Device, work: Work, form: Form) -> float | None:
    """INT8's speed as a multiple of FP32's: the published one of MobileNetV2, as this network's instructions differ
    from its; None where not known.
    """
    if form.precision != "int8":
        return None
    mine, reference = (
        [device.instructions_for(one, form.engine, precision) for precision in ("fp32", "int8")]
        for one in (work, MOBILENET_V2)
    )
    if mine[0] is None or mine[1] is None or reference[0] is None or reference[1] is None:
        return None
    published = device.speed.get("int8", device.speed["fp32"]) / device.speed["fp32"]
    return published * (mine[0] / mine[1]) / (reference[0] / reference[1])


def too_new(facts: Facts, device: Device) -> BundleError | None:
    """Why the device's onnxruntime does not read a model: its opset or IR version. None also where the file is no
    model, which is said when it is opened.
    """
    try:
        opset, ir = facts.opset, facts.ir
    except ModelError:
        return None
    if opset <= device.opset and ir <= device.ir:
        return None
    name, card = facts.path.name, facts.card
    adopted = card is not None and card.origin.get("container") == "onnx"  # there is no checkpoint of it here
    lowered = f"--opset {min(facts.opset, device.opset)} --ir-version {min(facts.ir, device.ir)}"
    made_of = str(card.origin.get("file", "")) if card is not None and adopted else ""
    en = f"Give the checkpoint instead (qingzhou bundle best.pth), or convert it again: qingzhou convert best.pth {LOW}"
    zh = f"请直接用权重文件做包（qingzhou bundle best.pth），或重新转换：qingzhou convert best.pth {LOW}"
    if adopted:
        en, zh = (f"{text} qingzhou convert {made_of} {lowered}" for text in ("Lower them:", "请降低版本："))
    return BundleError(
        en=f"{name} was written with opset {facts.opset} and IR version {facts.ir}; {device.title['en']} reads "
        f"at most opset {device.opset} and IR version {device.ir}. {en}",
        zh=f"{name} 的 opset 是 {facts.opset}、IR 版本是 {facts.ir}，而{device.title['zh']}最高支持 opset "
        f"{device.opset}、IR {device.ir}。{zh}",
    )
