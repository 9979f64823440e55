"""How pictures are prepared, where the user says it: --preprocess with a name, a .toml file, or a dict in Python."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from ..errors import FileMissing, OptionError, say
from ..runtime.file import open_file
from ..runtime.model.card import COLORS
from ..runtime.model.fields import LARGEST_SIDE
from ..runtime.model.steps import INTERPOLATIONS
from ..spelling import option
from .pictures import MEAN, STD
from .settings import Step

Row = tuple[float, ...]
# What becomes of pixels of 0 to 255: (x - mean) / std, for RGB
PRESETS: dict[str, tuple[Row, Row]] = {
    "imagenet": (tuple(MEAN), tuple(STD)),
    "0-1": ((0.0,), (255.0,)),
    "-1-1": ((127.5,), (127.5,)),
    "raw": ((0.0,), (1.0,)),
}
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
    interpolation   "pillow", "bicubic" or "cv2"
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


def _toml(path: Path) -> Mapping[str, object]:
    if path.suffix.lower() != ".toml":
        raise wrong(
            "", path, say(en=f"{', '.join(PRESETS)}, or a .toml file", zh=f"{'、'.join(PRESETS)}，或 .toml 文件")
        )
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
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


def _of(given: Mapping[str, object]) -> Preprocess:
    """Checked; what contradicts itself is an error."""
    for key in given:
        if key not in KEYS:
            raise wrong("", key, ", ".join(KEYS))
    mean, std, rgb = _values(given)
    if "fit" in given and ("resize" in given or "crop" in given):
        raise wrong("fit", given["fit"], say(en="it without resize and crop", zh="不与 resize、crop 同时使用"))
    if "pad" in given and "fit" not in given:
        raise wrong("pad", given["pad"], say(en="it together with fit", zh="与 fit 一起使用"))
    return Preprocess(
        mean,
        std,
        rgb,
        _choice(given, "color", tuple(COLORS)),
        _resize(given.get("resize")),
        _size(given, "crop"),
        _size(given, "fit"),
        _row(given, "pad"),
        _choice(given, "interpolation", INTERPOLATIONS),
    )


def _values(given: Mapping[str, object]) -> tuple[Row, Row, bool]:
    """mean and std of pixels 0 to 255, and whether they are for RGB."""
    preset = _choice(given, "normalize", tuple(PRESETS))
    mean, std, pixels = _row(given, "mean"), _row(given, "std"), _choice(given, "pixels", ("0-255", "0-1"))
    if preset is not None:
        if mean or std or pixels:
            raise wrong(
                "normalize", preset, say(en="it without mean, std and pixels", zh="不与 mean、std、pixels 同时使用")
            )
        return *PRESETS[preset], preset == "imagenet"
    if bool(mean) != bool(std) or any(not abs(n) > 1e-6 for n in std):
        raise wrong("std", list(std), say(en="mean and std together, std not 0", zh="mean 与 std 一起给出，std 不为 0"))
    if std and pixels is None and max(map(abs, (*mean, *std))) <= 1.0:  # ImageNet's numbers stand in both ways in code
        raise wrong(
            "mean, std",
            [*mean, *std],
            say(
                en='pixels = "0-1" beside them if they are for pixels divided by 255, or pixels = "0-255"',
                zh='同时写明：如果用于除以 255 之后的像素，写 pixels = "0-1"，否则写 pixels = "0-255"',
            ),
        )
    scale = 255.0 if pixels == "0-1" else 1.0
    return tuple(n * scale for n in mean), tuple(n * scale for n in std), False


def _row(given: Mapping[str, object], key: str) -> Row:
    """One number or three."""
    value = given.get(key)
    if value is None:
        return ()
    row = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if len(row) not in (1, 3) or any(type(n) not in (int, float) or not abs(n) <= 1e6 for n in row):
        raise wrong(key, value, say(en="one number, or three", zh="一个或三个数"))
    return tuple(map(float, row))


def _choice(given: Mapping[str, object], key: str, allowed: Sequence[str]) -> str | None:
    value = given.get(key)
    if value is None or (isinstance(value, str) and value in allowed):
        return value
    raise wrong(key, value, ", ".join(allowed))


def _resize(value: object) -> Step | None:
    """A number is the short side, two are (height, width)."""
    if value is None:
        return None
    if _is_side(value):
        return {"short": value}
    return {"size": list(_two("resize", value))}


def _size(given: Mapping[str, object], key: str) -> tuple[int, int] | None:
    value = given.get(key)
    return None if value is None else (value, value) if _is_side(value) else _two(key, value)


def _two(key: str, value: object) -> tuple[int, int]:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(map(_is_side, value)):
        raise wrong(key, value, say(en="a number, or [height, width]", zh="一个数，或 [高, 宽]"))
    return value[0], value[1]


def _is_side(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= LARGEST_SIDE


def wrong(key: str, found: object, expected: str) -> OptionError:
    name = option("preprocess") + (f": {key}" if key else "")
    return OptionError(en=f"{name} is {found}; expected {expected}.", zh=f"{name} 的值是 {found}，应为 {expected}。")


def prepared_already() -> OptionError:
    """A way to prepare pictures that is given for a model that has one."""
    return OptionError(
        en="How pictures are prepared, and their size, are set when a checkpoint is converted, but this file is a "
        "model that has both. Leave them out, or convert the checkpoint again.",
        zh="图片的预处理和尺寸在转换权重文件时设定，而这个文件已经是带有这些设置的模型。请不要填写，或重新转换权重文件。",
    )
