"""Reading a device's .toml file, with an error that names what is wrong in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from ..errors import ProfileError
from .profile import Device, Npu, Price, Screen

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXTS = ("machine", "processor", "speed_source")
NUMBERS = ("memory_mb", "free_mb", "cores")
SIZES = ("ram_kb", "psram_mb", "flash_mb")
OPTIONAL = (
    "glibc",
    "signed_int8",
    "screen",
    "pins",
    "pin_numbers",
    "python",
    "system",
    "instructions",
    "cost",
    "counted_on",
    *SIZES,
    "npu",
    "price",
    "display",
    "chip",
    "programs",
    "camera_pins",
)
KNOWN = {*TEXTS, *NUMBERS, *OPTIONAL, "camera", "title", "names", "dot_product", "engines", "speed", "ceiling", "notes"}


@cache
def all_devices() -> tuple[Device, ...]:
    """Every device, by name."""
    found = (entry for entry in files(__package__).iterdir() if entry.name.endswith(".toml"))
    return tuple(parse(entry.name[:-5], entry.read_text("utf-8")) for entry in sorted(found, key=lambda e: e.name))


def parse(name: str, text: str) -> Device:
    """A device from its file; ProfileError names the field that is missing, unknown, or of another kind."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise _wrong(name, str(err)) from None
    for key in sorted({*data} - KNOWN):
        raise _wrong(name, f"{key}: unknown")
    for key in sorted(KNOWN - {*data, *OPTIONAL}):
        raise _wrong(name, f"{key}: missing")
    try:
        return _device(name, data)
    except KeyError as err:
        raise _wrong(name, f"{err.args[0]}: missing") from None
    except (TypeError, ValueError, AttributeError) as err:
        raise _wrong(name, str(err)) from None


def _device(name: str, data: Mapping[str, Any]) -> Device:
    """The fields, each of its kind; KeyError or TypeError otherwise."""
    screen = data.get("screen")
    return Device(
        name=name,
        title=_both(data["title"], str),
        names=tuple(_a(str, "names", entry) for entry in data["names"]),
        **{key: _a(str, key, data[key]) for key in TEXTS},
        memory_mb=_number("memory_mb", data["memory_mb"]),
        free_mb=_number("free_mb", data["free_mb"]),
        **{key: _a(int, key, data.get(key, 0)) for key in SIZES},
        cores=_a(int, "cores", data["cores"]),
        npu=None if "npu" not in data else Npu(**_texts("npu", data["npu"])),
        price=None if "price" not in data else _price(data["price"]),
        camera=_in_both("camera", data["camera"]),
        display=_in_both("display", data.get("display", "")),
        glibc=_a(int, "glibc", data.get("glibc", 0)),
        dot_product=_a(bool, "dot_product", data["dot_product"]),
        signed_int8=_a(bool, "signed_int8", data.get("signed_int8", False)),
        screen=None if screen is None else Screen(**screen),
        pins=_a(str, "pins", data.get("pins", "")),
        pin_numbers={key: _numbers(f"pin_numbers.{key}", text) for key, text in data.get("pin_numbers", {}).items()},
        engines=tuple(_a(str, "engines", entry) for entry in data["engines"]),
        speed={key: float(value) for key, value in data["speed"].items()},
        instructions=data.get("instructions", {}),
        cost={
            engine: {name: _five(each) for name, each in found.items()}
            for engine, found in data.get("cost", {}).items()
        },
        counted_on=_a(str, "counted_on", data.get("counted_on", name)),
        pythons={key: _texts(f"python.{key}", found) for key, found in data.get("python", {}).items()},
        system=_texts("system", data.get("system", {})),
        opset=_a(int, "ceiling.opset", data["ceiling"]["opset"]),
        ir=_a(int, "ceiling.ir", data["ceiling"]["ir"]),
        notes={key: tuple(found) for key, found in _both(data["notes"], list).items()},
        chip=_a(str, "chip", data.get("chip", "")),
        programs=tuple(_a(str, "programs", entry) for entry in data.get("programs", ())),
        camera_pins={key: _a(int, key, value) for key, value in data.get("camera_pins", {}).items()},
    )


def _both(found: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """What is there in Chinese and in English."""
    return {language: _a(kind, language, found[language]) for language in ("zh", "en")}


def _in_both(key: str, found: Any) -> dict[str, str]:
    """A text in Chinese and in English: one for both, or {zh, en}; {} for an empty one."""
    return _both(found if isinstance(found, dict) else {"zh": found, "en": found}, str) if found != "" else {}


def _number(key: str, value: Any) -> float:
    """Above zero; a microcontroller has less than one MB."""
    if type(value) not in (int, float) or not value > 0:
        raise TypeError(f"{key}: {value!r}, not a number above 0")
    return float(value) if value != int(value) else int(value)


def _price(found: Mapping[str, Any]) -> Price:
    """ValueError where nobody is said to have said it, or no end is."""
    price = Price(**{key: _a(str if key == "source" else int, f"price.{key}", value) for key, value in found.items()})
    if not price.source or not (price.under or price.over):
        raise ValueError("price: not a source with under or over, in yuan")
    return price


def _numbers(key: str, text: str) -> tuple[int, ...]:
    """ "0-4, 8" -> (0, 1, 2, 3, 4, 8)"""
    if not re.fullmatch(r"\d+(-\d+)?(, *\d+(-\d+)?)*", _a(str, key, text)):
        raise ValueError(f"{key}: {text}, not as 0-4, 8")
    spans = [part.partition("-") for part in text.split(",")]
    return tuple(n for first, _, last in spans for n in range(int(first), int(last or first) + 1))


def _texts(key: str, found: Mapping[str, Any]) -> dict[str, str]:
    return {name: _a(str, f"{key}.{name}", value) for name, value in found.items()}


def _five(each: Sequence[float]) -> tuple[float, ...]:
    """What instructions are counted for; ValueError if there are not five."""
    if len(each) != 5:
        raise ValueError(f"cost: {each!r}, not five numbers")
    return tuple(map(float, each))


def _a(kind: type, key: str, value: Any) -> Any:
    """The value; TypeError if it is of another kind."""
    if type(value) is not kind:
        raise TypeError(f"{key}: {value!r}, not {kind.__name__}")
    return value


def _wrong(name: str, what: str) -> ProfileError:
    return ProfileError(
        en=f"The description of the device, {name}.toml, is wrong: {what}. Compare it with another one in devices/, or "
        "install Qingzhou again.",
        zh=f"设备描述文件 {name}.toml 有误：{what}。请对照 devices/ 里的其他文件修改，或重新安装轻舟。",
    )
