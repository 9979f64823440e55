"""Card: what a model needs to be used rightly. It travels as JSON inside the .onnx file; parsed, never evaluated.

Python 3.7; copied next to the generated sample code.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ..errors import ModelError
from . import fields
from .fields import LARGEST_SIDE, MOST_BOXES, bad

KEY = "qingzhou.card"  # the name under which the card lies in the ONNX metadata
# 1 is read, too, and of later ones what is known here; 2 adds `assumed`, `others` and `layout`, 3 what Ultralytics
# needs, 4 columns and `label`: only cards that say any of that have it, and what reads less refuses them as too new.
VERSION = 4
LONGEST = 1 << 24  # characters of a card

TASKS = ("classification", "regression", "values", "generation", "detection")
SCORES = ("probabilities", "sigmoids", "logits", "values", "boxes", "rows", "raw")
ASSUMED = ("input_size", "resize", "color", "normalize", "labels")
COLORS = {"RGB": 3, "BGR": 3, "GRAY": 1}
LAYOUTS = {"NCHW": (1, 2, 3), "NHWC": (3, 1, 2)}  # where channels, height and width of pictures lie
DTYPES = ("float32", "uint8")
MOST_INPUTS = 16
RANKS = {"image": (4,), "tokens": (2,), "table": (1, 2, 3, 4), "array": (0, 1, 2, 3, 4, 5, 6)}


@dataclasses.dataclass(frozen=True)
class Input:
    """What goes into the network, and how a picture becomes it.

    kind    "image" (N, C, H, W), "table" (N, features), "array" (N, ...) or "tokens" (length, N) of int64
    shape   the network's input shape; None where any size is accepted
    color   "RGB", "BGR" or "GRAY" for images, else ""
    steps   done in order on the uint8 picture in `color` order, each a dict with the key "op": see steps.py
    layout  of images: "NCHW", or "NHWC", which is (N, H, W, C)
    dtype   of images: "float32", or "uint8", which is pixels as they are: the network normalises them, no step does
    columns of tables whose columns have names: see columns.py
    rest    what a card of a later version says besides
    """

    name: str
    kind: str
    shape: List[Optional[int]]
    color: str = ""
    steps: List[Dict[str, Any]] = dataclasses.field(default_factory=list)
    layout: str = "NCHW"
    dtype: str = "float32"
    columns: List[Dict[str, Any]] = dataclasses.field(default_factory=list)
    rest: Dict[str, Any] = dataclasses.field(default_factory=dict)

    def sides(self, shape: Optional[Sequence[Any]] = None) -> Tuple[Any, Any]:
        """(height, width) of a batch of pictures of such a shape, by default the input's own."""
        _, high, wide = LAYOUTS[self.layout]
        shape = self.shape if shape is None else shape
        return shape[high], shape[wide]

    @property
    def channels(self) -> Optional[int]:
        """Of pictures."""
        return self.shape[LAYOUTS[self.layout][0]]


@dataclasses.dataclass(frozen=True)
class Output:
    """What comes out.

    scores  "probabilities", "sigmoids" (each class by itself: none, one or several are right), "logits" (softmax still
            to be done), "values" (anything else); of detectors "boxes", "rows" or "raw": see also.py
    also    what "rows", or what "ultralytics" decodes, say of a thing besides: see also.py
    label   the output that says which class it is, where that is not always the one with the highest score
    """

    name: str
    scores: str
    also: Dict[str, Any] = dataclasses.field(default_factory=dict)
    label: str = ""
    rest: Dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Sample:
    """One input, {"encoding": "png", "data": base64} or {"encoding": "json", "data": [...]}, and the answer to it.

    A png is decoded and pre-processed as any picture is, so the self-test covers the whole way. Where nobody said what
    a model takes it is "noise": see noise.py.
    others  the same for each of the card's other inputs, in their order
    """

    input: Dict[str, Any]
    output: List[Any]
    tolerance: float = 1e-3
    others: List[Dict[str, Any]] = dataclasses.field(default_factory=list)
    rest: Dict[str, Any] = dataclasses.field(default_factory=dict)


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
    decoding    of "raw" outputs: see decoding.py
    pictures    brightness and contrast of pictures of the training, in levels of 255: {"brightness": [mean, standard
                deviation], "contrast": [...], "skew": [...] of answers.Look, "transparent": share of them, "count": how
                many}; None if not known
    assumed     what the file did not say and nobody set: some of "input_size", "resize", "color", "normalize", "labels"
    others      what goes in beside `input`, of networks that take several at once: pictures, rows or arrays
    rest        what a card of a later version says besides; it is written again, with its version
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
    others: List[Input] = dataclasses.field(default_factory=list)
    rest: Dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def inputs(self) -> List[Input]:
        """All that the network is given."""
        return [self.input, *self.others]

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
        from .written import as_json

        return as_json(self, VERSION)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Parse and check a card; ModelError for anything that is not one, with the field at fault.

        A field that nobody knows is a mistake in a card of our versions. In one of a later version it is kept; a value
        that nobody knows is refused there, too, for what it changes would be left undone.
        """
        return _card(fields.parse_json(text, LONGEST))


def outputs_of(card: Card) -> List[str]:
    """The names of the outputs without which a card's model cannot be read."""
    if card.decoding is not None and "levels" in card.decoding:
        from .decoding import KINDS

        return [level[head] for level in card.decoding["levels"] for head in KINDS[card.decoding["kind"]]["outputs"]]
    masks = card.output.also.get("masks")
    more = [masks["prototypes"]] if masks else ["labels"] if card.output.scores == "boxes" else []
    more += [card.output.label] if card.output.label else []
    return [card.output.name, *more]


def _card(data: object) -> Card:
    """A card from what was parsed; nothing is trusted."""
    found = data.get("version", VERSION) if type(data) is dict else VERSION
    version = found if type(found) is int and VERSION < found <= fields.LARGEST_SIZE else VERSION
    try:
        return _checked(data, version)
    except ModelError:
        if version > VERSION:
            raise fields.too_new(version, VERSION) from None
        raise


def _checked(data: object, version: int) -> Card:
    newer = version > VERSION
    needed = ("task", "network", "tool", "input", "output")
    names = [field.name for field in dataclasses.fields(Card) if field.name != "rest"]
    given, rest = fields.parts("card", data, needed, names, newer)
    fields.whole("version", given.get("version", VERSION), 1, version)
    card = Card(
        task=fields.one_of("task", given["task"], TASKS),
        network=fields.text("network", given["network"]),
        tool=fields.text("tool", given["tool"]),
        input=_input("input", given["input"], newer),
        output=_output(given["output"], newer),
        labels=fields.items("labels", given.get("labels", []), fields.text),
        vocabulary=fields.table("vocabulary", given.get("vocabulary", {}), _token),
        origin=fields.table("origin", given.get("origin", {}), fields.plain),
        sample=None if given.get("sample") is None else _sample(given["sample"], newer),
        notes=fields.items("notes", given.get("notes", []), fields.text, most=1000),
        version=version,
        thresholds=None if given.get("thresholds") is None else _thresholds(given["thresholds"]),
        decoding=None if given.get("decoding") is None else _decoding(given["task"], given["decoding"]),
        assumed=fields.items("assumed", given.get("assumed", []), _assumed, most=len(ASSUMED)),
        pictures=None if given.get("pictures") is None else _pictures(given["pictures"]),
        others=fields.items(
            "others", given.get("others", []), lambda at, one: _input(at, one, newer), most=MOST_INPUTS
        ),
        rest=rest,
    )
    _check_detection(card)
    _check_sigmoids(card)
    _check_others(card)
    return card


def _assumed(at: str, value: object) -> str:
    return fields.one_of(at, value, ASSUMED)


def _pictures(data: object) -> Dict[str, Any]:
    given = fields.record("pictures", data, ("brightness", "contrast", "skew", "transparent", "count"))
    found = {
        name: fields.exactly(2, "pictures.%s" % name, given[name], fields.number)
        for name in ("brightness", "contrast", "skew")
    }
    if not all(0 <= level <= 255 for level in found["brightness"] + found["contrast"]):
        raise bad("pictures", data)
    share = fields.share("pictures.transparent", given["transparent"])
    return {**found, "transparent": share, "count": fields.whole("pictures.count", given["count"], 1, 1 << 24)}


def _check_detection(card: Card) -> None:
    """What detectors have and others have not; outputs of levels need a known size, to which boxes are cut."""
    boxes, raw = card.output.scores in ("boxes", "rows", "raw"), card.output.scores == "raw"
    levels = raw and card.decoding is not None and "levels" in card.decoding
    if (card.task == "detection") != boxes or (boxes and card.input.kind != "image"):
        raise bad("output.scores", card.output.scores)
    if boxes != (card.thresholds is not None and "iou" in card.thresholds):
        raise bad("thresholds", card.thresholds)
    if raw != (card.decoding is not None):
        raise bad("decoding", card.decoding)
    if card.output.also and (levels or card.output.scores not in ("rows", "raw")):
        raise bad("output.also", card.output.also)
    if levels and None in card.input.sides():
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


def _is_box(row: object) -> bool:
    return type(row) is list and len(row) >= 6 and not any(type(n) is list for n in row)


def _check_others(card: Card) -> None:
    """Inputs that go in together: each has its name and its sample; none is a text, which goes word by word, and no
    boxes come out, which are in one picture.
    """
    names, kinds = [entry.name for entry in card.inputs], {entry.kind for entry in card.inputs}
    if len(set(names)) != len(names) or (card.others and (card.task == "detection" or "tokens" in kinds)):
        raise bad("others", names)
    if card.sample is not None and len(card.sample.others) != len(card.others):
        raise bad("sample.others", len(card.sample.others))


def _input(at: str, data: object, newer: bool) -> Input:
    given, rest = fields.parts(
        at, data, ("name", "kind", "shape"), ("color", "steps", "layout", "dtype", "columns"), newer
    )
    kind = fields.one_of("%s.kind" % at, given["kind"], tuple(RANKS))
    shape = fields.items("%s.shape" % at, given["shape"], fields.size, most=8)
    color = fields.one_of("%s.color" % at, given.get("color", ""), tuple(COLORS) if kind == "image" else ("",))
    layout = fields.one_of(
        "%s.layout" % at, given.get("layout", "NCHW"), tuple(LAYOUTS) if kind == "image" else ("NCHW",)
    )
    steps = fields.items("%s.steps" % at, given.get("steps", []), _step, most=32)
    dtype = fields.one_of("%s.dtype" % at, given.get("dtype", "float32"), DTYPES if kind == "image" else DTYPES[:1])
    columns: List[Dict[str, Any]] = []
    if given.get("columns"):
        from .columns import columns_of

        columns = columns_of("%s.columns" % at, given["columns"], kind, shape)
    entry = Input(fields.text("%s.name" % at, given["name"]), kind, shape, color, steps, layout, dtype, columns, rest)
    if len(shape) not in RANKS[kind]:
        raise bad("%s.shape" % at, shape)
    if kind == "image":
        from .steps import channels_after

        channels = channels_after("%s.steps" % at, steps, COLORS[color], entry.channels, dtype != "float32")
        if entry.channels != channels or any(side is not None and side > LARGEST_SIDE for side in entry.sides()):
            raise bad("%s.shape" % at, shape)
    elif steps:
        raise bad("%s.steps" % at, steps)
    return entry


def _step(at: str, data: object) -> Dict[str, Any]:
    from .steps import step

    return step(at, data)


def _output(data: object, newer: bool) -> Output:
    given, rest = fields.parts("output", data, ("name", "scores"), ("also", "label"), newer)
    scores = fields.one_of("output.scores", given["scores"], SCORES)
    more = _also(given["also"]) if "also" in given else {}
    label = fields.text("output.label", given.get("label", ""))
    return Output(fields.text("output.name", given["name"]), scores, more, label, rest)


def _also(data: object) -> Dict[str, Any]:
    from .also import also

    return also(data)


def _thresholds(data: object) -> Dict[str, Any]:
    given = fields.record("thresholds", data, ("score", "most"), ("iou",))
    checks = {"score": fields.share, "iou": fields.share, "most": _most}
    return {key: check("thresholds.%s" % key, given[key]) for key, check in checks.items() if key in given}


def _decoding(task: str, data: object) -> Dict[str, Any]:
    if task != "detection":
        raise bad("decoding", data)
    from .decoding import decoding

    return decoding(data)


def _most(at: str, value: object) -> int:
    return fields.whole(at, value, 1, MOST_BOXES)


def _token(at: str, value: object) -> int:
    return fields.whole(at, value, 0, fields.LARGEST_SIZE)


def _sample(data: object, newer: bool) -> Sample:
    given, rest = fields.parts("sample", data, ("input", "output"), ("tolerance", "others"), newer)
    entry = _sample_input("sample.input", given["input"])
    output = fields.items("sample.output", given["output"], fields.numbers)
    tolerance = fields.number("sample.tolerance", given.get("tolerance", 1e-3))
    if not 0 < tolerance <= 0.1:  # more would let any answer pass
        raise bad("sample.tolerance", tolerance)
    others = fields.items("sample.others", given.get("others", []), _sample_input, most=MOST_INPUTS)
    return Sample(entry, output, tolerance, others, rest)


def _sample_input(at: str, data: object) -> Dict[str, Any]:
    entry = fields.record(at, data, ("encoding", "data"))
    if fields.one_of("%s.encoding" % at, entry["encoding"], ("png", "json", "noise")) == "json":
        fields.numbers("%s.data" % at, entry["data"])
    elif entry["encoding"] == "noise":
        from .noise import check

        check("%s.data" % at, entry["data"])
    elif type(entry["data"]) is not str:
        raise bad("%s.data" % at, entry["data"])
    return dict(entry)
