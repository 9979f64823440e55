"""What fills the programs in these tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qingzhou.boards.programs import Filling
from qingzhou.runtime.model.card import Card, Input, Output

SHORT: Any = [
    {"op": "resize", "short": 256, "interpolation": "pillow"},
    {"op": "center_crop", "size": [224, 224]},
]
SQUARE: Any = [{"op": "resize", "size": [32, 32], "interpolation": "cv2"}]
NASTY = ['say "hi"', "a\nb", "back\\slash", "小猫", "%s%n", "\u202eevil", "*/ // ??/"]


def filling(language: str = "en", grey: bool = False, labels: list[str] | None = None, **more: Any) -> Filling:
    """Of MobileNetV2 in colour, or of LeNet in grey."""
    shape, steps = ([1, 1, 32, 32], SQUARE) if grey else ([1, 3, 224, 224], SHORT)
    entry = Input("input", "image", shape, "GRAY" if grey else "RGB", steps)
    card = Card(
        "classification", "Net", "MMEdu", entry, Output("probs", "probabilities"), labels=labels or ["cat", "dog"]
    )
    mean, std = ((33.46,), (78.87,)) if grey else ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    facts = {"memory": 9408, "input_exponent": -6, "float_output": 1}
    found = Filling(card, "best.pth", "best.file", 2_500_000, {"nncase": "2.11.0"}, mean, std, facts, language)
    return replace(found, **more)
