"""How Paddle's suites prepare pictures, as steps of the card.

ppcls/data/preprocess/ops/operators.py, PaddleDetection deploy/python/preprocess.py, paddleseg/transforms/transforms.py.
All of them read with OpenCV, and bring the channels to RGB unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import say
from ...files.refusals import short
from ...nets.settings import Picture, Step
from ...runtime.model.fields import LARGEST_SIDE

MOST_STEPS = 20
PASSED = ("ToCHWImage", "Permute", "KeepKeys", "ReadImage", "ToBatch", "ToTensor", "DecodeImage")
LINEAR = {None, 1, "bilinear", "linear", "LINEAR", "cv2.INTER_LINEAR"}


@dataclass
class Reading:
    """The steps so far. strange: what is not followed."""

    steps: list[Step] = field(default_factory=list)
    color: str = "RGB"
    sizes: bool = False
    values: bool = False
    failed: bool = False
    count: int = 0
    strange: list[str] = field(default_factory=list)

    def read(self, step: Any) -> None:
        """One step: {"ResizeImage": {…}}, or {"type": "Resize", …}."""
        self.count += 1
        if not isinstance(step, Mapping) or self.count > MOST_STEPS:
            return
        name, about = step.get("type"), step
        if not isinstance(name, str) and len(step) == 1:
            name, about = next(iter(step.items()))
        about = about if isinstance(about, Mapping) else {}
        name = str(name)
        if name == "DecodeImage":
            self.color = "BGR" if about.get("to_rgb") is False or about.get("img_mode") == "BGR" else "RGB"
        elif name in STEPS:
            if not STEPS[name](self, about):
                self.note(name)
        elif name not in PASSED:
            self.note(name)

    def note(self, name: str) -> None:
        """What is not followed; pictures of a size that is made otherwise are another size."""
        self.strange.append(short(name, 40))
        self.failed |= "Normalize" not in name

    def picture(self) -> Picture:
        """All of it."""
        if not self.count:
            return Picture()
        steps = [step for step in self.steps if not self.failed or step["op"] == "normalize"]
        if not any(step["op"] == "normalize" for step in steps) and not self.strange:
            self.values = True  # pixels as they are
        return Picture(tuple(steps), self.color, self.sizes and not self.failed, self.values)

    def notes(self, name: str) -> list[str]:
        """What to tell of it."""
        if not self.strange:
            return []
        some = ", ".join(dict.fromkeys(self.strange))
        return [
            say(
                en=f"{short(name)} prepares pictures by {some}, which is not followed here; set it with --preprocess.",
                zh=f"{short(name)} 中的图片预处理 {some} 这里没有实现；请用 --preprocess 设置。",
            )
        ]

    def resized(self, about: Mapping[str, Any], **how: object) -> bool:
        """A resize; whether its interpolation is known."""
        way = about.get("interpolation", about.get("interp"))
        known = way in LINEAR if isinstance(way, (str, int, type(None))) else False
        pillow = str(about.get("backend", "cv2")).lower() == "pil" and known
        cubic = way in ("bicubic", 2) and str(about.get("backend", "")).lower() == "pil"
        self.steps.append(
            {"op": "resize", **how, "interpolation": "bicubic" if cubic else "pillow" if pillow else "cv2"}
        )
        self.sizes = True
        if not known and not cubic:
            self.strange.append(f"interpolation {short(way, 20)}")
        return True


def _side(value: Any) -> bool:
    return type(value) is int and 0 < value <= LARGEST_SIDE


def _pair(value: Any, turned: bool = False) -> list[int] | None:
    """[height, width] of one number, or of two; turned: given as width and height."""
    row = [value, value] if _side(value) else list(value) if isinstance(value, list) else []
    if len(row) != 2 or not all(map(_side, row)):
        return None
    return row[::-1] if turned else row


def _resize_image(done: Reading, about: Mapping[str, Any]) -> bool:
    """PaddleClas: to a size, or its short side to one."""
    short_side, size = about.get("resize_short"), _pair(about.get("size"), True)
    if _side(short_side):
        return done.resized(about, short=short_side)
    return size is not None and done.resized(about, size=size)


def _crop(done: Reading, about: Mapping[str, Any]) -> bool:
    size = _pair(about.get("size"), True)
    if size is not None:
        done.steps.append({"op": "center_crop", "size": size})
        done.sizes = True
    return size is not None


def _resize(done: Reading, about: Mapping[str, Any]) -> bool:
    """PaddleDetection: target_size is height and width; PaddleSeg's is width and height."""
    size = _pair(about.get("target_size", about.get("size")), "interp" not in about and "keep_ratio" not in about)
    if size is None:
        return False
    if about.get("keep_ratio"):
        return done.resized(about, within=sorted(size, reverse=True))
    return done.resized(about, size=size)


def _letterbox(done: Reading, about: Mapping[str, Any]) -> bool:
    size = _pair(about.get("target_size"))
    if size is None:
        return False
    done.resized({}, letterbox=size)
    done.steps.append({"op": "pad_to", "size": size, "value": [127.5], "center": True})
    return True


def _pad_stride(done: Reading, about: Mapping[str, Any]) -> bool:
    stride = about.get("stride", 0)
    if _side(stride):
        done.steps.append({"op": "pad_to", "multiple": stride, "value": [0.0]})
    return _side(stride) or stride == 0


def _number(value: Any) -> float | None:
    """Also "1.0/255.0", as PaddleClas writes it."""
    try:
        if isinstance(value, str):
            above, _, below = value.partition("/")
            value = float(above) / float(below or 1)
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return found if 1e-9 < abs(found) < 1e9 else None


def _row(value: Any, usual: list[float]) -> list[float] | None:
    row = usual if value is None else value if isinstance(value, list) else [value]
    fine = len(row) in (1, 3) and all(isinstance(n, (int, float)) and abs(n) < 1e6 for n in row)
    return [float(n) for n in row] if fine else None


def _normalize_image(done: Reading, about: Mapping[str, Any]) -> bool:
    """(x * scale - mean) / std; PaddleDetection says is_scale for 1 / 255, and norm_type none for nothing more."""
    plain = about.get("norm_type") == "none"
    mean = _row(None if plain else about.get("mean"), [0.0] if plain else [0.485, 0.456, 0.406])
    std = _row(None if plain else about.get("std"), [1.0] if plain else [0.229, 0.224, 0.225])
    is_detection = "type" in about
    usual = 1 / 255 if not is_detection or about.get("is_scale", True) else 1.0
    scale = _number(about.get("scale", usual)) if about.get("scale") is not None else usual
    return _normalized(done, mean, std, scale)


def _normalize(done: Reading, about: Mapping[str, Any]) -> bool:
    """PaddleSeg: (x / 255 - mean) / std."""
    return _normalized(done, _row(about.get("mean"), [0.5]), _row(about.get("std"), [0.5]), 1 / 255)


def _normalized(done: Reading, mean: list[float] | None, std: list[float] | None, scale: float | None) -> bool:
    done.values = bool(mean and std and scale and all(abs(n) > 1e-9 for n in std))
    if mean is None or std is None or not scale or not done.values:
        return False
    wide = max(len(mean), len(std))
    rows = [[n / scale for n in (row * wide if len(row) == 1 else row)] for row in (mean, std)]
    done.steps.append({"op": "normalize", "mean": rows[0], "std": rows[1]})
    return True


STEPS: Mapping[str, Callable[[Reading, Mapping[str, Any]], bool]] = {
    "ResizeImage": _resize_image, "CropImage": _crop, "Resize": _resize, "LetterBoxResize": _letterbox,
    "PadStride": _pad_stride, "NormalizeImage": _normalize_image, "Normalize": _normalize,
}  # fmt: skip
