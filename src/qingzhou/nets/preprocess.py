"""How pictures are prepared, where the user says it: --preprocess with a name, a .toml file, or a dict in Python."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import FileMissing, OptionError, say
from ..runtime.card import COLORS, LARGEST_SIDE, Input
from ..runtime.read import open_file
from ..sources.network import Recognised
from .pictures import MEAN, STD, final_size
from .settings import Step

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Row = tuple[float, ...]
# What becomes of pixels of 0 to 255: (x - mean) / std, for RGB
PRESETS: dict[str, tuple[Row, Row]] = {
    "imagenet": (tuple(MEAN), tuple(STD)), "0-1": ((0.0,), (255.0,)), "-1-1": ((127.5,), (127.5,)),
    "raw": ((0.0,), (1.0,)),
}  # fmt: skip
KEYS = ("normalize", "mean", "std", "pixels", "color", "resize", "fit", "crop", "interpolation", "pad")
LARGEST_FILE = 1 << 16


@dataclass(frozen=True)
class Preprocess:
    """What the user says of his pictures; None and () where he leaves it to the file or the tool.

    mean, std  of pixels 0 to 255: one number, or one for each channel in the order of the picture
    rgb        whether these are in the order red, green, blue, whatever the order of the picture is
    color      "RGB", "BGR" or "GRAY"
    resize     the card's step, less its interpolation;  crop: (height, width) of the centre
    fit        (height, width) into which pictures are fitted, and filled up with `pad`
    interpolation   "pillow" or "cv2"
    """

    mean: Row = ()
    std: Row = ()
    rgb: bool = False
    color: str | None = None
    resize: Step | None = None
    crop: tuple[int, int] | None = None
    fit: tuple[int, int] | None = None
    pad: Row = ()
    interpolation: str | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the network's input, as far as this decides it."""
        exact = self.resize.get("size") if self.resize else None
        return self.fit or self.crop or (exact and (exact[0], exact[1])) or None


def read_preprocess(given: object) -> Preprocess | None:
    """A preset's name, the path of a .toml file, or a dict with the same keys; OptionError, FileMissing."""
    if given is None or isinstance(given, Preprocess):
        return given
    if isinstance(given, Mapping):
        return _of(given)
    if str(given) in PRESETS:
        return _of({"normalize": str(given)})
    return _of(_toml(Path(str(given))))


def _toml(path: Path) -> Mapping[str, Any]:
    if path.suffix.lower() != ".toml":
        raise _wrong(
            "", path, say(en=f"{', '.join(PRESETS)}, or a .toml file", zh=f"{'、'.join(PRESETS)}，或 .toml 文件")
        )
    try:
        with open_file(path) as file:
            data = file.read(LARGEST_FILE + 1)
        return tomllib.loads(data.decode("utf-8-sig"))
    except OSError:
        raise FileMissing(
            en=f"There is no file {path}. Check the name and the folder, or use {', '.join(PRESETS)}.",
            zh=f"文件 {path} 不存在。请检查文件名和文件夹，或使用 {'、'.join(PRESETS)}。",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as err:
        raise OptionError(
            en=f'{path} is no TOML file: {str(err)[:100]}. Write lines such as mean = [127.5] and color = "RGB".',
            zh=f'{path} 不是 TOML 文件：{str(err)[:100]}。请写成 mean = [127.5]、color = "RGB" 这样的行。',
        ) from None


def _of(given: Mapping[str, Any]) -> Preprocess:
    """Checked; what contradicts itself is an error."""
    for key in given:
        if key not in KEYS:
            raise _wrong("", key, ", ".join(KEYS))
    mean, std, rgb = _values(given)
    if "fit" in given and ("resize" in given or "crop" in given):
        raise _wrong("fit", given["fit"], say(en="it without resize and crop", zh="不与 resize、crop 同时使用"))
    if "pad" in given and "fit" not in given:
        raise _wrong("pad", given["pad"], say(en="it together with fit", zh="与 fit 一起使用"))
    return Preprocess(
        mean, std, rgb, _choice(given, "color", tuple(COLORS)), _resize(given.get("resize")), _size(given, "crop"),
        _size(given, "fit"), _row(given, "pad"), _choice(given, "interpolation", ("pillow", "cv2")),
    )  # fmt: skip


def _values(given: Mapping[str, Any]) -> tuple[Row, Row, bool]:
    """mean and std of pixels 0 to 255, and whether they are for RGB."""
    preset = _choice(given, "normalize", tuple(PRESETS))
    mean, std, pixels = _row(given, "mean"), _row(given, "std"), _choice(given, "pixels", ("0-255", "0-1"))
    if preset is not None:
        if mean or std or pixels:
            raise _wrong(
                "normalize", preset, say(en="it without mean, std and pixels", zh="不与 mean、std、pixels 同时使用")
            )
        return *PRESETS[preset], preset == "imagenet"
    if bool(mean) != bool(std) or any(not abs(n) > 1e-6 for n in std):
        raise _wrong(
            "std", list(std), say(en="mean and std together, std not 0", zh="mean 与 std 一起给出，std 不为 0")
        )
    if std and pixels is None and max(map(abs, (*mean, *std))) <= 1.0:  # ImageNet's numbers stand in both ways in code
        raise _wrong("mean, std", [*mean, *std], say(
            en='pixels = "0-1" beside them if they are for pixels divided by 255, or pixels = "0-255"',
            zh='同时写明：如果用于除以 255 之后的像素，写 pixels = "0-1"，否则写 pixels = "0-255"',
        ))  # fmt: skip
    scale = 255.0 if pixels == "0-1" else 1.0
    return tuple(n * scale for n in mean), tuple(n * scale for n in std), False


def _row(given: Mapping[str, Any], key: str) -> Row:
    """One number or three."""
    value = given.get(key)
    if value is None:
        return ()
    row = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if len(row) not in (1, 3) or any(type(n) not in (int, float) or not abs(n) <= 1e6 for n in row):
        raise _wrong(key, value, say(en="one number, or three", zh="一个或三个数"))
    return tuple(map(float, row))


def _choice(given: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str | None:
    value = given.get(key)
    if value is not None and value not in allowed:
        raise _wrong(key, value, ", ".join(allowed))
    return value


def _resize(value: Any) -> Step | None:
    """A number is the short side, two are (height, width)."""
    if value is None:
        return None
    if _is_side(value):
        return {"short": value}
    return {"size": list(_two("resize", value))}


def _size(given: Mapping[str, Any], key: str) -> tuple[int, int] | None:
    value = given.get(key)
    return None if value is None else (value, value) if _is_side(value) else _two(key, value)


def _two(key: str, value: Any) -> tuple[int, int]:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(map(_is_side, value)):
        raise _wrong(key, value, say(en="a number, or [height, width]", zh="一个数，或 [高, 宽]"))
    return value[0], value[1]


def _is_side(value: Any) -> bool:
    return type(value) is int and 0 < value <= LARGEST_SIDE


def _wrong(key: str, found: object, expected: str) -> OptionError:
    name = f"--preprocess: {key}" if key else "--preprocess"
    return OptionError(en=f"{name} is {found}; expected {expected}.", zh=f"{name} 的值是 {found}，应为 {expected}。")


def prepared_already() -> OptionError:
    """A way to prepare pictures that is given for a model that has one."""
    return OptionError(
        en="How pictures are prepared, and their size, are set when a checkpoint is converted, but this file is a "
        "model that has both. Leave them out, or convert the checkpoint again.",
        zh="图片的预处理和尺寸在转换权重文件时设定，而这个文件已经是带有这些设置的模型。请不要填写，或重新转换权重文件。",
    )


# -- and into the network's input --------------------------------------------------------------------------------------


def as_asked(found: Recognised, asked: Preprocess | None) -> Recognised:
    """The network with its pictures prepared as the user says; OptionError where that does not fit it."""
    if asked is None:
        return found
    entry = found.input
    if entry.kind != "image":
        raise OptionError(
            en=f"--preprocess is for pictures, but {found.title} takes other data. Leave it out.",
            zh=f"--preprocess 用于图片，而 {found.title} 的输入不是图片。请去掉这个选项。",
        )
    color = _color(entry, asked, found.title)
    _check_crop(sized := _with_sizes(entry.steps, asked))
    steps = _with_values(sized, entry, asked, color)
    if None not in entry.shape[2:] and final_size(steps) not in (None, list(entry.shape[2:])):
        raise _wrong("", final_size(steps), say(
            en=f"the size of the network's input, {entry.shape[2]} x {entry.shape[3]}; --input-size changes that",
            zh=f"网络的输入尺寸 {entry.shape[2]} x {entry.shape[3]}；可以用 --input-size 改变",
        ))  # fmt: skip
    return replace(found, input=replace(entry, color=color, steps=steps), assumed=_left(found.assumed, asked))


def _check_crop(steps: Sequence[Step]) -> None:
    """OptionError for a centre that is larger than the picture it is cut from."""
    short = next((step["short"] for step in steps if "short" in step), None)
    crop = next((step["size"] for step in steps if step["op"] == "center_crop"), None)
    if short and crop and max(crop) > short:
        raise _wrong("resize", short, say(en=f"at least the {max(crop)} of crop", zh=f"不小于 crop 的 {max(crop)}"))


def _color(entry: Input, asked: Preprocess, title: str) -> str:
    color = asked.color or entry.color
    if COLORS[color] != entry.shape[1] and not any(step["op"] == "gray" for step in entry.steps):
        raise _wrong("color", color, say(en=f"the {entry.shape[1]} channels of {title}",
                                         zh=f"与 {title} 的 {entry.shape[1]} 个通道相符"))  # fmt: skip
    return color


def _with_sizes(steps: Sequence[Step], asked: Preprocess) -> list[Step]:
    """The steps with those of the size that are asked for."""
    kept = [dict(step) for step in steps]
    if asked.fit:
        way = _interpolation(kept, asked)
        pad: Step = {"op": "pad_to", "size": list(asked.fit)}
        pad = {**pad, "value": list(asked.pad)} if asked.pad else pad
        first: list[Step] = [{"op": "resize", "inside": list(asked.fit), "interpolation": way}, pad]
        return [*first, *(step for step in kept if step["op"] not in ("resize", "center_crop", "pad", "pad_to"))]
    if asked.resize:
        way = _interpolation(kept, asked)
        dropped = ("resize", "pad_to") if "short" in asked.resize else ("resize", "pad_to", "center_crop")
        kept = [step for step in kept if step["op"] not in dropped]
        kept.insert(0, {"op": "resize", **asked.resize, "interpolation": way})
    if asked.crop:
        place = 1 + max((i for i, step in enumerate(kept) if step["op"] == "resize"), default=-1)
        kept = [*kept[:place], {"op": "center_crop", "size": list(asked.crop)},
                *(step for step in kept[place:] if step["op"] not in ("center_crop", "pad_to"))]  # fmt: skip
    way = _interpolation(kept, asked)
    return [{**step, "interpolation": way} if step["op"] == "resize" else step for step in kept]


def _interpolation(steps: Sequence[Step], asked: Preprocess) -> str:
    said = [str(step["interpolation"]) for step in steps if step["op"] == "resize"]
    return asked.interpolation or (said[0] if said else "pillow")


def _with_values(steps: Sequence[Step], entry: Input, asked: Preprocess, color: str) -> list[Step]:
    """The steps with the mean and std that are asked for, in the order of the channels; the last of all."""
    channels = entry.shape[1] or 3
    done = [{**step, "value": _spread("pad", step["value"], channels)} if "value" in step and step["op"] == "pad_to"
            else step for step in steps]  # fmt: skip
    turned = {"RGB", "BGR"} == {color, entry.color}
    if not asked.mean:
        return [_turned(step) if turned and step["op"] == "normalize" else step for step in done]
    mean, std = (_spread(name, row, channels, asked.rgb) for name, row in (("mean", asked.mean), ("std", asked.std)))
    normal: Step = {"op": "normalize", "mean": mean, "std": std}
    normal = _turned(normal) if asked.rgb and color == "BGR" else normal
    return [*(step for step in done if step["op"] != "normalize"), normal]


def _turned(step: Step) -> Step:
    return {**step, "mean": step["mean"][::-1], "std": step["std"][::-1]}


def _spread(name: str, row: Sequence[float], channels: int, averaged: bool = False) -> list[float]:
    """A number for each channel; a preset's for grey are the mean of the colours'."""
    if len(row) == channels:
        return list(row)
    if len(row) == 1 or averaged:
        return [sum(row) / len(row)] * channels
    raise _wrong(name, list(row), say(en=f"{channels} numbers", zh=f"{channels} 个数"))


def _left(assumed: Sequence[str], asked: Preprocess) -> tuple[str, ...]:
    """What is still assumed."""
    said = {
        "normalize": bool(asked.mean), "color": asked.color is not None, "input_size": asked.size is not None,
        "resize": bool(asked.resize or asked.fit or asked.crop),
    }  # fmt: skip
    return tuple(name for name in assumed if not said.get(name))
