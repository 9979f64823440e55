"""Card: what a model needs to be used rightly. It travels as JSON inside the .onnx file, and is parsed, never evaluated.

Python 3.7; copied next to the generated sample code.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Dict, List, Optional

from .errors import ModelError

KEY = "qingzhou.card"  # the name under which the card lies in the ONNX metadata
VERSION = 1


@dataclasses.dataclass(frozen=True)
class Input:
    """What goes into the network, and how a picture becomes it.

    kind    "image" (N, C, H, W), "table" (N, features), "array" (N, ...) or "tokens" (length, N) of int64
    shape   the network's input shape; None where any size is accepted
    color   "RGB", "BGR" or "GRAY" for images, else ""
    steps   done in order on the uint8 picture in `color` order, each a dict with the key "op":
              {"op": "resize", "short": 256, "interpolation": "pillow" | "cv2"}       short side to 256, keep ratio
              {"op": "resize", "size": [h, w], "interpolation": ...}                  squash to exactly h x w
              {"op": "center_crop", "size": [h, w]}                                   zero-padded where too small
              {"op": "pad", "border": [left, top, right, bottom], "value": 0}
              {"op": "gray"}                                                          R, G, B -> luminance, channels kept
              {"op": "normalize", "mean": [...], "std": [...]}                        (x - mean) / std per channel, float32
            "pillow" is Pillow's antialiased bilinear; "cv2" is OpenCV's INTER_LINEAR on uint8, bit for bit.
    """

    name: str
    kind: str
    shape: List[Optional[int]]
    color: str = ""
    steps: List[Dict[str, Any]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Output:
    """What comes out. scores: "probabilities", "logits" (softmax still to be done) or "values" (regression, anything)."""

    name: str
    scores: str


@dataclasses.dataclass(frozen=True)
class Sample:
    """One input with the output it must give: {"encoding": "png", "data": base64} or {"encoding": "json", "data": [...]}.

    A png is decoded and pre-processed as any picture is, so the self-test covers the whole way.
    """

    input: Dict[str, Any]
    output: List[Any]
    tolerance: float = 1e-3


@dataclasses.dataclass(frozen=True)
class Card:
    """Everything about a model that its weights do not say.

    task        "classification", "regression", "values" (raw outputs) or "generation" (next-token scores with state)
    network     "MobileNetV2", "Sequential" …;  tool  "MMEdu", "BaseNN" or "PyTorch"
    labels      class names in the order of the output; [] where there are none
    vocabulary  word -> token number, for "generation"
    origin      where it came from: file, sha256, container, training facts
    notes       what the user should know (training-time transforms that were dropped, …), already in his language
    """

    task: str
    network: str
    tool: str
    input: Input
    output: Output
    labels: List[str] = dataclasses.field(default_factory=list)
    vocabulary: Dict[str, int] = dataclasses.field(default_factory=dict)
    origin: Dict[str, Any] = dataclasses.field(default_factory=dict)
    sample: Optional[Sample] = None
    notes: List[str] = dataclasses.field(default_factory=list)
    version: int = VERSION

    def to_json(self) -> str:
        """The card as ASCII JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Parse and check a card; ModelError for anything that is not one, with the field at fault."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as err:
            raise _bad("JSON", str(err)) from None
        return _card(data)


def _bad(field: str, found: object) -> ModelError:
    shown = repr(found)[:60]
    return ModelError(
        en="The model's card is damaged: %s is %s. Convert the checkpoint again." % (field, shown),
        zh="模型里的说明卡已损坏：%s 是 %s。请重新转换权重文件。" % (field, shown),
    )
