"""A device as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import say


@dataclass(frozen=True)
class Screen:
    """A screen that the device always has: pixels, degrees to turn pictures by, and whether to fill it."""

    width: int
    height: int
    rotate: int = 0
    full_screen: bool = False


@dataclass(frozen=True)
class Npu:
    """A processor for networks: what it is called, and the engine (or compiler) that makes files for it; "" where none
    here does.
    """

    name: str
    engine: str = ""


@dataclass(frozen=True)
class Price:
    """A class of prices in yuan, and who says so: less than `under`, or more than `over`; 0 where that end is open."""

    source: str
    under: int = 0
    over: int = 0


@dataclass(frozen=True)
class Device:
    """One device.

    title         in Chinese and English;  names  others that it goes by
    machine       what Python's platform.machine() says there; "" where it may be any
    glibc         of its C library 2.x, which decides the wheels; 0 where it has another, or none
    memory_mb     of the smallest that is sold;  free_mb  what programs can have of it
    ram_kb        of a microcontroller: memory inside the chip;  psram_mb  beside it
    npu, price    None where there is none, and where nobody said one
    camera        which ones it takes, in Chinese and English;  display  the same of screens
    dot_product   whether its processor multiplies int8 four at a time (ARMv8.2's SDOT, VNNI)
    signed_int8   whether its onnxruntime is faster with int8 activations than with uint8
    pins          the package that switches them; pin_numbers  "pin", "servo", "button" -> which of them can be one
    engines       that run there, the best for FP32 first
    speed         million multiply-accumulates a second by precision, for estimates; and where that comes from
    instructions  million of them for one MobileNetV2, by engine and precision, counted under emulation
    cost          million instructions by engine and precision: for a million multiply-accumulates, for a million of
                  those in groups, for a million numbers that are written, for a thousand layers, and for each inference
    counted_on    the device whose processor was emulated for that: this one, or the nearest that was
    pythons       Python's minor version -> package -> exact version that has a wheel there
    system        packages that only the system's own archive has: name -> its name there
    opset, ir     the newest that its onnxruntime reads
    chip          of a board with a chip that a vendor's compiler writes files for: what --chip names
    programs      of a board without Linux: the languages that it has programs in, of boards.PROGRAMS
    flash_mb      of such a board: where its program and model lie
    camera_pins   of such a board: the camera's wire -> the chip's pin
    """

    name: str
    title: Mapping[str, str]
    names: tuple[str, ...]
    machine: str
    glibc: int
    memory_mb: float
    free_mb: float
    cores: int
    processor: str
    dot_product: bool
    signed_int8: bool
    screen: Screen | None
    camera: Mapping[str, str]
    pins: str
    pin_numbers: Mapping[str, tuple[int, ...]]
    engines: tuple[str, ...]
    speed: Mapping[str, float]
    speed_source: str
    instructions: Mapping[str, Mapping[str, float]]
    cost: Mapping[str, Mapping[str, Sequence[float]]]
    counted_on: str
    pythons: Mapping[str, Mapping[str, str]]
    system: Mapping[str, str]
    opset: int
    ir: int
    notes: Mapping[str, tuple[str, ...]]
    ram_kb: int = 0
    psram_mb: int = 0
    npu: Npu | None = None
    price: Price | None = None
    display: Mapping[str, str] = field(default_factory=dict)
    chip: str = ""
    programs: tuple[str, ...] = ()
    flash_mb: int = 0
    camera_pins: Mapping[str, int] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """Its title in the language in use."""
        return say(self.title["en"], self.title["zh"])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be known of it, in the language in use."""
        return self.notes["zh"] if say("en", "zh") == "zh" else self.notes["en"]

    @property
    def is_page(self) -> bool:
        """Whether it shows a page: a browser."""
        return "onnxruntime-web" in self.engines

    @property
    def is_app(self) -> bool:
        """Whether it runs no program of ours, but an app of somebody's own."""
        return not self.pythons and not self.programs and not self.is_page

    @property
    def int8_target(self) -> str:
        """Whose arithmetic INT8 is judged by, of quant.TARGETS: of computers the one without VNNI, which all have."""
        return "arm" if self.machine else "x86"

    def instructions_for(self, work: Sequence[float], engine: str, precision: str) -> float | None:
        """Million instructions of an inference that has this to do (export.count.Work); None where not known."""
        each = self.cost.get(engine, {}).get(precision)
        if each is None or not any(work[:2]):
            return None
        scales = (1e-6, 1e-6, 1e-6, 1e-3)
        return each[-1] + sum(a * scale * n for a, scale, n in zip(each, scales, work, strict=False))

    @property
    def platforms(self) -> tuple[str, ...]:
        """pip's names for it, the most general first; () where it depends on the computer."""
        if not self.glibc:
            return ()
        return (
            f"manylinux2014_{self.machine}",
            *(f"manylinux_2_{n}_{self.machine}" for n in range(17, self.glibc + 1)),
        )

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for --json."""
        return {
            "name": self.name,
            "title": dict(self.title),
            "names": list(self.names),
            "machine": self.machine or None,
            "processor": self.processor,
            "cores": self.cores,
            "dot_product": self.dot_product,
            "memory_mb": self.memory_mb,
            "free_mb": self.free_mb,
            "ram_kb": self.ram_kb or None,
            "psram_mb": self.psram_mb or None,
            "npu": None if self.npu is None else vars(self.npu),
            "price_yuan": None if self.price is None else vars(self.price),
            "camera": dict(self.camera) or None,
            "display": dict(self.display) or None,
            "pins": self.pins or None,
            "pin_numbers": {kind: list(found) for kind, found in self.pin_numbers.items()},
            "screen": None if self.screen is None else vars(self.screen),
            "engines": list(self.engines),
            "python": {name: dict(found) for name, found in self.pythons.items()},
            "system_packages": dict(self.system),
            "platforms": list(self.platforms),
            "opset": self.opset,
            "ir_version": self.ir,
            "chip": self.chip or None,
            "programs": list(self.programs),
            "flash_mb": self.flash_mb or None,
            "camera_pins": dict(self.camera_pins),
            "million_macs_a_second": dict(self.speed),
            "speed_source": self.speed_source,
            "million_instructions_mobilenet_v2": {name: dict(found) for name, found in self.instructions.items()},
            "million_instructions_each": {
                engine: {name: list(each) for name, each in found.items()} for engine, found in self.cost.items()
            },
            "notes": {name: list(found) for name, found in self.notes.items()},
        }
