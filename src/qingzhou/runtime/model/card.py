"""Card: what a model needs to be used rightly. It travels as JSON inside the .onnx file; parsed, never evaluated.

Python 3.7; copied next to the generated sample code.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Callable, Dict, List, Optional

from ..errors import ModelError
from . import fields
from .fields import LARGEST_SIDE, MOST_BOXES, bad

KEY = "qingzhou.card"  # the name under which the card lies in the ONNX metadata
VERSION = 2  # 1 is read, too; 2 adds `assumed`
LONGEST = 1 << 24  # characters of a card

TASKS = ("classification", "regression", "values", "generation", "detection")
SCORES = ("probabilities", "sigmoids", "logits", "values", "boxes", "raw")
ASSUMED = ("input_size", "resize", "color", "normalize", "labels")
COLORS = {"RGB": 3, "BGR": 3, "GRAY": 1}
RANKS = {"image": (4,), "tokens": (2,), "table": (1, 2, 3, 4), "array": (1, 2, 3, 4, 5, 6)}


@dataclasses.dataclass(frozen=True)
class Input:
    """What goes into the network, and how a picture becomes it.

    kind    "image" (N, C, H, W), "table" (N, features), "array" (N, ...) or "tokens" (length, N) of int64
    shape   the network's input shape; None where any size is accepted
    color   "RGB", "BGR" or "GRAY" for images, else ""
    steps   done in order on the uint8 picture in `color` order, each a dict with the key "op":
              {"op": "resize", "short": 256, "interpolation": "pillow" | "cv2"}       short side to 256, keep ratio
              {"op": "resize", "size": [h, w], "interpolation": ...}                  squash to exactly h x w
              {"op": "resize", "within": [long, short], "interpolation": ...}         as large as fits, keep ratio
              {"op": "resize", "inside": [h, w], "interpolation": ...}                as large as fits, keep ratio
              {"op": "center_crop", "size": [h, w]}                                   zero-padded where too small
              {"op": "pad", "border": [left, top, right, bottom], "value": 0}
              {"op": "pad_to", "size": [h, w], "value": [...]}                        filled up at the right and bottom
              {"op": "pad_to", "multiple": 32, "value": [...]}                        of each side, the same way;
                                                                                      per channel, zeros without `value`
              {"op": "gray"}                                  0.299, 0.587, 0.114 of the channels in each, or in one
              {"op": "normalize", "mean": [...], "std": [...]}                        (x - mean) / std per channel
            "pillow" is Pillow's antialiased bilinear; "cv2" is OpenCV's INTER_LINEAR on uint8, bit for bit.
    """

    name: str
    kind: str
    shape: List[Optional[int]]
    color: str = ""
    steps: List[Dict[str, Any]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Output:
    """What comes out.

    scores  "probabilities", "sigmoids" (each class by itself: none, one or several are right), "logits" (softmax still
            to be done), "values" (anything else); of detectors:
            "boxes"  the output `name` is (1, K, 5) of x1, y1, x2, y2, score in pixels of the network's input, "labels"
                     (1, K), and "masks" (1, K, 28, 28) may be there; rows with a score of 0 are none
            "raw"    the predictions on each feature map, still to be decoded as the card says
    """

    name: str
    scores: str


@dataclasses.dataclass(frozen=True)
class Sample:
    """One input, {"encoding": "png", "data": base64} or {"encoding": "json", "data": [...]}, and the answer to it.

    A png is decoded and pre-processed as any picture is, so the self-test covers the whole way.
    """

    input: Dict[str, Any]
    output: List[Any]
    tolerance: float = 1e-3


@dataclasses.dataclass(frozen=True)
class Card:
    """Everything about a model that its weights do not say.

    task        "classification", "regression", "values" (raw outputs), "generation" (next-token scores with state)
                or "detection" (boxes)
    network     "MobileNetV2", "Sequential" …;  tool  "MMEdu", "BaseNN" or "PyTorch"
    labels      class names in the order of the output; [] where there are none
    vocabulary  word -> token number, for "generation"
    origin      where it came from: file, sha256, container, training facts
    notes       what the user should know (training-time transforms that were dropped, …), already in his language
    thresholds  of "detection": {"score": boxes score more than this, "iou": above which boxes are the same thing,
                "most": boxes in a picture}; of "sigmoids": {"score": classes that reach it are named, "most": how many}
    decoding    of "raw" outputs: {"kind": "ssd" | "yolo", "levels": [{"scores": output, "deltas": output (ssd only),
                "anchors": [[x1, y1, x2, y2], ...] around the first position, "stride": pixels}, ...],
                "stds": of the deltas, "candidates": best scores of a level that are looked at (ssd),
                "confidence": least objectness (yolo)}
    pictures    brightness and contrast of pictures of the training, in levels of 255: {"brightness": [mean, standard
                deviation], "contrast": [...], "skew": [...] of answers.Look, "transparent": share of them, "count": how
                many}; None if not known
    assumed     what the file did not say and nobody set: some of "input_size", "resize", "color", "normalize", "labels"
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
    thresholds: Optional[Dict[str, Any]] = None
    decoding: Optional[Dict[str, Any]] = None
    assumed: List[str] = dataclasses.field(default_factory=list)
    pictures: Optional[Dict[str, Any]] = None

    @property
    def kind(self) -> str:
        """Of the program for it: "image", "table" and "array" classify, "named" gives several classes;
        "detect", "text", or "values" for all that answers with numbers.
        """
        if self.input.kind == "tokens":
            return "text"
        if self.task == "detection":
            return "detect"
        if self.output.scores == "sigmoids":
            return "named"
        return self.input.kind if self.task == "classification" else "values"

    def to_json(self) -> str:
        """The card as ASCII JSON."""
        return json.dumps(fields.clean(dataclasses.asdict(self)))

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Parse and check a card; ModelError for anything that is not one, with the field at fault."""
        return _card(fields.parse_json(text, LONGEST))


def outputs_of(card: Card) -> List[str]:
    """The names of the outputs without which a card's model cannot be read."""
    if card.output.scores == "raw" and card.decoding is not None:
        return [name for level in card.decoding["levels"] for key, name in level.items() if key in ("scores", "deltas")]
    return [card.output.name, "labels"] if card.output.scores == "boxes" else [card.output.name]


def _card(data: Any) -> Card:
    """A card from what was parsed; nothing is trusted."""
    if type(data) is dict and type(data.get("version")) is int and data["version"] > VERSION:
        raise _too_new(data["version"])
    needed = ("task", "network", "tool", "input", "output")
    names = [field.name for field in dataclasses.fields(Card)]
    fields.record("card", data, needed, names)
    fields.whole("version", data.get("version", VERSION), 1, VERSION)
    card = Card(
        task=fields.one_of("task", data["task"], TASKS),
        network=fields.text("network", data["network"]),
        tool=fields.text("tool", data["tool"]),
        input=_input(data["input"]),
        output=_output(data["output"]),
        labels=fields.items("labels", data.get("labels", []), fields.text),
        vocabulary=fields.table("vocabulary", data.get("vocabulary", {}), _token),
        origin=fields.table("origin", data.get("origin", {}), fields.plain),
        sample=None if data.get("sample") is None else _sample(data["sample"]),
        notes=fields.items("notes", data.get("notes", []), fields.text, most=1000),
        thresholds=None if data.get("thresholds") is None else _thresholds(data["thresholds"]),
        decoding=None if data.get("decoding") is None else _decoding(data["task"], data["decoding"]),
        assumed=fields.items("assumed", data.get("assumed", []), _assumed, most=len(ASSUMED)),
        pictures=None if data.get("pictures") is None else _pictures(data["pictures"]),
    )
    _check_detection(card)
    _check_sigmoids(card)
    return card


def _assumed(at: str, value: Any) -> str:
    return fields.one_of(at, value, ASSUMED)


def _pictures(data: Any) -> Dict[str, Any]:
    fields.record("pictures", data, ("brightness", "contrast", "skew", "transparent", "count"))
    found = {name: _pair("pictures.%s" % name, data[name]) for name in ("brightness", "contrast", "skew")}
    if not all(0 <= level <= 255 for level in found["brightness"] + found["contrast"]):
        raise bad("pictures", data)
    share = fields.share("pictures.transparent", data["transparent"])
    return {**found, "transparent": share, "count": fields.whole("pictures.count", data["count"], 1, 1 << 24)}


def _pair(at: str, value: Any) -> List[float]:
    """Mean and standard deviation."""
    found = fields.items(at, value, fields.number, most=2)
    if len(found) != 2:
        raise bad(at, value)
    return found


def _check_detection(card: Card) -> None:
    """What detectors have and others have not; raw outputs need a known size, to which boxes are cut."""
    boxes, raw = card.output.scores in ("boxes", "raw"), card.output.scores == "raw"
    if (card.task == "detection") != boxes or (boxes and card.input.kind != "image"):
        raise bad("output.scores", card.output.scores)
    if boxes != (card.thresholds is not None and "iou" in card.thresholds):
        raise bad("thresholds", card.thresholds)
    if raw != (card.decoding is not None):
        raise bad("decoding", card.decoding)
    if raw and None in card.input.shape[2:]:
        raise bad("input.shape", card.input.shape)
    if boxes and card.sample is not None and not all(_is_box(row) for row in card.sample.output):
        raise bad("sample.output", card.sample.output)


def _check_sigmoids(card: Card) -> None:
    """What classifiers of several classes at once have and others have not."""
    several = card.output.scores == "sigmoids"
    if several and card.task != "classification":
        raise bad("output.scores", card.output.scores)
    if several != (card.thresholds is not None and "iou" not in card.thresholds):
        raise bad("thresholds", card.thresholds)


def _is_box(row: Any) -> bool:
    return type(row) is list and len(row) == 6 and not any(type(n) is list for n in row)


def _input(data: Any) -> Input:
    fields.record("input", data, ("name", "kind", "shape"), ("color", "steps"))
    kind = fields.one_of("input.kind", data["kind"], tuple(RANKS))
    shape = fields.items("input.shape", data["shape"], fields.size, most=8)
    color = fields.one_of("input.color", data.get("color", ""), tuple(COLORS) if kind == "image" else ("",))
    steps = fields.items("input.steps", data.get("steps", []), _step, most=32)
    if kind != "image" and steps:
        raise bad("input.steps", steps)
    channels = COLORS.get(color, 0)
    for i, step in enumerate(steps):
        channels = shape[1] if step["op"] == "gray" and shape[1:] and shape[1] == 1 else channels
        if any(len(step[name]) != channels for name in ("mean", "std", "value") if type(step.get(name)) is list):
            raise bad("input.steps[%d]" % i, step)
    if len(shape) not in RANKS[kind] or (kind == "image" and not _fits(shape, channels)):
        raise bad("input.shape", shape)
    return Input(fields.text("input.name", data["name"]), kind, shape, color, steps)


def _fits(shape: List[Optional[int]], channels: int) -> bool:
    """Whether (N, C, H, W) is a picture of so many channels and of a size that fits into memory."""
    return shape[1] == channels and all(side is None or side <= LARGEST_SIDE for side in shape[2:])


def _step(at: str, data: Any) -> Dict[str, Any]:
    if type(data) is not dict or type(data.get("op")) is not str or data["op"] not in STEPS:
        raise bad(at, data)
    checks = STEPS[data["op"]]
    fields.record(at, data, ("op",), tuple(checks))
    choice = CHOICES.get(data["op"], ())
    if choice and sum(key in data for key in choice) != 1:
        raise bad(at, data)
    if any(key not in data for key in checks if key not in choice and key not in FREE.get(data["op"], ())):
        raise bad(at, data)
    return {"op": data["op"], **{key: checks[key]("%s.%s" % (at, key), data[key]) for key in data if key != "op"}}


def _side(at: str, value: Any) -> int:
    return fields.whole(at, value, 1, LARGEST_SIDE)


def _size(at: str, value: Any) -> List[int]:
    return _exactly(2, at, fields.items(at, value, _side, most=2))


def _border(at: str, value: Any) -> List[int]:
    return _exactly(4, at, fields.items(at, value, lambda place, n: fields.whole(place, n, 0, LARGEST_SIDE), most=4))


def _exactly(count: int, at: str, found: List[int]) -> List[int]:
    if len(found) != count:
        raise bad(at, found)
    return found


def _means(at: str, value: Any) -> List[float]:
    return fields.items(at, value, fields.number, most=3)


def _stds(at: str, value: Any) -> List[float]:
    """Numbers that can be divided by, also in float32."""
    found = _means(at, value)
    if not all(abs(std) > 1e-30 for std in found):
        raise bad(at, value)
    return found


def _interpolation(at: str, value: Any) -> str:
    return fields.one_of(at, value, ("pillow", "cv2"))


STEPS: Dict[str, Dict[str, Callable[[str, Any], Any]]] = {
    "resize": {"short": _side, "size": _size, "within": _size, "inside": _size, "interpolation": _interpolation},
    "center_crop": {"size": _size},
    "pad": {"border": _border, "value": fields.number},
    "pad_to": {"size": _size, "multiple": _side, "value": _means},
    "gray": {},
    "normalize": {"mean": _means, "std": _stds},
}
CHOICES = {"resize": ("short", "size", "within", "inside"), "pad_to": ("size", "multiple")}  # just one of these
FREE = {"pad_to": ("value",)}  # may be missing


def _output(data: Any) -> Output:
    fields.record("output", data, ("name", "scores"))
    scores = fields.one_of("output.scores", data["scores"], SCORES)
    return Output(fields.text("output.name", data["name"]), scores)


def _thresholds(data: Any) -> Dict[str, Any]:
    fields.record("thresholds", data, ("score", "most"), ("iou",))
    checks = {"score": fields.share, "iou": fields.share, "most": _most}
    return {key: check("thresholds.%s" % key, data[key]) for key, check in checks.items() if key in data}


def _decoding(task: str, data: Any) -> Dict[str, Any]:
    if task != "detection":
        raise bad("decoding", data)
    from .decoding import decoding

    return decoding(data)


def _most(at: str, value: Any) -> int:
    return fields.whole(at, value, 1, MOST_BOXES)


def _token(at: str, value: Any) -> int:
    return fields.whole(at, value, 0, fields.LARGEST_SIZE)


def _sample(data: Any) -> Sample:
    fields.record("sample", data, ("input", "output"), ("tolerance",))
    entry = fields.record("sample.input", data["input"], ("encoding", "data"))
    encoding = fields.one_of("sample.input.encoding", entry["encoding"], ("png", "json"))
    if encoding == "json":
        fields.numbers("sample.input.data", entry["data"])
    elif type(entry["data"]) is not str:
        raise bad("sample.input.data", entry["data"])
    output = fields.items("sample.output", data["output"], fields.numbers)
    tolerance = fields.number("sample.tolerance", data.get("tolerance", 1e-3))
    if not 0 < tolerance <= 0.1:  # more would let any answer pass
        raise bad("sample.tolerance", tolerance)
    return Sample(dict(entry), output, tolerance)


def _too_new(version: int) -> ModelError:
    return ModelError(
        en="The model's card has version %d, but this program reads versions up to %d. Update Qingzhou, or take the "
        "folder qingzhou_runtime that was written beside the model." % (version, VERSION),
        zh="模型里的说明卡是第 %d 版，而这个程序最多能读第 %d 版。请更新轻舟，或使用与模型一起生成的 "
        "qingzhou_runtime 文件夹。" % (version, VERSION),
    )
