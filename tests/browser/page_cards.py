"""Cards of every way to prepare a picture, and pictures."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

# -- the same numbers as in Python ----------------------------------------------------------------------------------

NORMAL = {"op": "normalize", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
CROP = {"op": "center_crop", "size": [224, 224]}


def shrink(by: str, **how: Any) -> dict[str, Any]:
    return {"op": "resize", "interpolation": by, **how}


def scale(mean: float, std: float, channels: int = 1) -> dict[str, Any]:
    return {"op": "normalize", "mean": [mean] * channels, "std": [std] * channels}


def letterbox(side: int) -> list[dict[str, Any]]:
    return [shrink("cv2", letterbox=[side, side])]


AROUND = {"op": "pad_to", "value": [114.0] * 3, "center": True}
PAD = {"op": "pad", "border": [3, 1, 2, 4], "value": 114}
SQUARE, UP, GREY = {"op": "pad_to", "size": [416, 416]}, {"op": "pad_to", "multiple": 32}, {"op": "gray"}
CARDS = {
    "MMEdu LeNet": ("GRAY", [1, 1, 32, 32], [shrink("cv2", size=[32, 32]), scale(33.46, 78.87)]),
    "MobileNet": ("RGB", [1, 3, 224, 224], [shrink("pillow", short=256), CROP, NORMAL]),
    "ResNet": ("RGB", [1, 3, 224, 224], [shrink("cv2", short=256), CROP, NORMAL]),
    "RegNetX": ("BGR", [1, 3, 224, 224], [shrink("cv2", short=256), CROP, NORMAL]),
    "BaseNN": ("BGR", [1, 3, 20, 30], [scale(0, 255, 3)]),
    "BaseNN grey": ("BGR", [1, 1, 24, 24], [GREY, shrink("pillow", size=[24, 24]), scale(127.5, 127.5)]),
    "three greys": ("BGR", [1, 3, 24, 24], [GREY, PAD, shrink("pillow", size=[24, 24])]),
    "floats, pillow": ("RGB", [1, 3, 64, 48], [NORMAL, shrink("pillow", size=[64, 48])]),
    "grey of floats": ("RGB", [1, 1, 64, 48], [NORMAL, GREY]),
    "Yolov3": ("RGB", [1, 3, 416, 416], [shrink("cv2", within=[416, 416]), NORMAL, SQUARE]),
    "Faster R-CNN": ("RGB", [1, 3, None, None], [shrink("cv2", within=[500, 300]), NORMAL, UP]),
    "YOLO11": ("RGB", [1, 3, 320, 320], [*letterbox(320), {**AROUND, "size": [320, 320]}, scale(0, 255, 3)]),
    "YOLO11, any size": ("RGB", [1, 3, None, None], [*letterbox(320), {**AROUND, "multiple": 32}, scale(0, 255, 3)]),
    "letterbox": ("RGB", [1, 3, 320, 256], [shrink("pillow", inside=[320, 256]), CROP, NORMAL]),
}
SIZES = [(300, 260), (37, 411), (640, 480), (19, 17)]


def png(picture: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
