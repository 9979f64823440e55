"""The text of a .param file, read and followed through by us before ncnn sees it.

ncnn trusts its files: a wrong size makes it read or write beyond its memory, and the process ends. So only what
export/ncnn_layers.py writes is let through, with the sizes of every blob worked out, and the .bin must hold those
numbers and no others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..export.ncnn_emitter import MAGIC, MOST_AXES, ORDERS, SIZES, STORED, TAG_FLOAT16, TAG_FLOAT32, TAG_INT8

CARD = "# qingzhou.card "  # begins the line after the last layer; ncnn reads as many layers as it was told, and no more
LARGEST = 1 << 28  # numbers of a blob
MOST_LAYERS = 1 << 16
LONGEST_NAME = 255  # letters; ncnn's buffer has one more
NUMBER = re.compile(r"-?\d{1,10}(\.\d{1,9})?(e[+-]?\d{1,3})?", re.ASCII)
LONGEST_NUMBER = 15

Shape = tuple[int, ...]  # of a blob, outermost first
Tags = tuple[int, ...]  # that may say how numbers are stored
NONE: Tags = ()
FLOATS: Tags = (TAG_FLOAT32, TAG_FLOAT16)
Numbers = list[tuple[int, Tags]]  # how many, and their tags
WHOLE_OUT = 101  # a convolution's parameter 8: it reads int8, and makes int8
Made = tuple[list[Shape], Numbers]  # what a layer makes, and what it takes from the .bin


class Damaged(Exception):
    """What is wrong: a line of the .param, or the .bin."""


@dataclass(frozen=True)
class NcnnText:
    """A .param file: the text that ncnn takes, the card, and the shapes of in0, in1, … and out0, out1, …

    words   how many a text network knows, whose in0 is one of them and whose other inputs are its state; else 0
    """

    layers: str
    card: str | None
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    numbers: tuple[tuple[int, Tags], ...]
    words: int

    def check_numbers(self, data: bytes) -> None:
        """Damaged unless the .bin holds just what the layers take."""
        at = 0
        for count, tags in self.numbers:
            tag = int.from_bytes(data[at : at + 4], "little") if tags else TAG_FLOAT32
            if tags and tag not in tags:
                raise Damaged(f".bin: {at}")
            at += 4 * bool(tags) + (int(STORED[tag][-1]) * count + 3) // 4 * 4
        if at != len(data):
            raise Damaged(f".bin: {len(data)} / {at}")


@dataclass
class Row:
    """One layer's line. Every parameter must be asked for once."""

    kind: str
    sources: list[str]
    results: list[str]
    params: dict[int, list[float]]
    lists: set[int]

    def whole(self, key: int, low: int, high: int, default: int | None = None) -> int:
        """A whole number in a range."""
        if key not in self.params and default is not None:
            return default
        value = self.real(key)
        need(isinstance(value, int) and low <= value <= high)
        return int(value)

    def real(self, key: int) -> float:
        """Any number."""
        need(key in self.params and key not in self.lists)
        return self.params.pop(key)[0]

    def items(self, key: int, count: int) -> list[float]:
        """A list of just so many."""
        need(count == 0 or (key in self.lists and len(self.params[key]) == count))
        return self.params.pop(key) if count else []


def need(condition: bool) -> None:
    """Damaged, which parse() completes, unless it holds."""
    if not condition:
        raise Damaged


def parse(text: str) -> NcnnText:
    """Read a whole .param; Damaged names the line that is none of ours, or cannot be."""
    lines = text.split("\n")
    try:
        counts = [int(word) for word in " ".join(lines[:2]).split(" ")] if text.isascii() else []
    except ValueError:
        counts = []
    if len(counts) != 3 or counts[0] != MAGIC or not 0 < counts[1] <= min(MOST_LAYERS, len(lines) - 2):
        raise Damaged("1")
    _, layers, blobs = counts
    found = _Blobs()
    for i, line in enumerate(lines[2 : 2 + layers], start=3):
        try:
            found.follow(_row(line))
        except (Damaged, ValueError, IndexError):  # as many blobs or axes as the kind needs, or else
            raise Damaged(f"{i}: {line[:40]}") from None
    if found.count != blobs:
        raise Damaged("2")
    rest = [line for line in lines[2 + layers :] if line]
    if len(rest) > 1 or not all(line.startswith(CARD) for line in rest):
        raise Damaged(f"{3 + layers}: {rest[0][:40]}")
    card = rest[0][len(CARD) :] if rest else None
    inputs, outputs = (tuple(found.named(name)) for name in ("in", "out"))
    if not inputs or not outputs:
        raise Damaged("2")
    return NcnnText("\n".join([*lines[: 2 + layers], ""]), card, inputs, outputs, tuple(found.numbers), found.words)


def _row(line: str) -> Row:
    """kind, name, how many blobs it reads and makes, those, then parameters."""
    words = line.split(" ")
    need(len(words) >= 4 and all(0 < len(word) <= LONGEST_NAME and word.isprintable() for word in words))
    need(words[0] in KINDS and all(re.fullmatch(r"\d{1,4}", word, re.ASCII) for word in words[2:4]))
    reads, makes = int(words[2]), int(words[3])
    need(len(words) >= 4 + reads + makes)
    names, settings = words[4 : 4 + reads + makes], words[4 + reads + makes :]
    params: dict[int, list[float]] = {}
    lists: set[int] = set()
    for word in settings:
        key, values, is_list = _setting(word)
        need(key not in params)
        params[key] = values
        lists |= {key} if is_list else set()
    return Row(words[0], names[:reads], names[reads:], params, lists)


def _setting(word: str) -> tuple[int, list[float], bool]:
    """0=3, or -23300=2,1.0,6.0: a list's key is that much lower, and its length comes first."""
    key, _, text = word.partition("=")
    need(re.fullmatch(r"\d{1,2}|-233\d\d", key, re.ASCII) is not None)
    values = [_number(part) for part in text.split(",")]
    if not key.startswith("-"):
        need(len(values) == 1)
        return int(key), values, False
    need(len(values) <= 16 and values[0] == len(values) - 1)
    return -23300 - int(key), values[1:], True


def _number(text: str) -> float:
    need(len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text) is not None)
    value = float(text) if "." in text or "e" in text else int(text)
    need(abs(value) < 1 << 31)
    return value


class _Blobs:
    """The shapes of the blobs that were made, and not read yet: each has one maker and at most one reader."""

    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = {}
        self.unread: set[str] = set()
        self.entries: set[str] = set()
        self.numbers: Numbers = []
        self.words = 0
        self.whole: set[str] = set()  # of int8, which only convolutions of INT8 can read

    @property
    def count(self) -> int:
        """Of all blobs."""
        return len(self.shapes)

    def follow(self, row: Row) -> None:
        """One layer further."""
        for name in row.sources:
            need(name in self.unread)
            self.unread.remove(name)
        need(len(row.sources) == 1 or row.kind in ("Input", "BinaryOp", "Concat", "LSTM"))
        self.words = int(row.params.get(1, [0])[0]) if row.kind == "Embed" else self.words
        self._follow_whole(row)
        made, numbers = KINDS[row.kind](row, [self.shapes[name] for name in row.sources])
        need(not row.params and len(made) == len(row.results))
        for name, shape in zip(row.results, made, strict=True):
            need(name not in self.shapes and 1 <= len(shape) <= MOST_AXES and min(shape) > 0)
            need(math.prod(shape) <= LARGEST)
            self.shapes[name] = shape
            self.unread.add(name)
        self.entries |= set(row.results) if row.kind == "Input" else set()
        self.numbers += numbers

    def _follow_whole(self, row: Row) -> None:
        """Where numbers are int8 between layers: a layer that reads floats there would read beyond them."""
        convolution = row.kind in ("Convolution", "ConvolutionDepthWise")
        int8 = int(row.params[8][0]) if convolution and 8 in row.params else 0
        reads = self.whole & set(row.sources)
        need(not reads or int8 > 0 or row.kind == "Split")
        if int8 == WHOLE_OUT or (reads and row.kind == "Split"):
            self.whole |= set(row.results)

    def named(self, prefix: str) -> Iterator[Shape]:
        """The shapes of in0, in1, …, which are inputs, or of out0, out1, …, which nothing reads."""
        known = self.entries if prefix == "in" else self.unread - self.whole
        i = 0
        while f"{prefix}{i}" in known:
            yield self.shapes[f"{prefix}{i}"]
            i += 1


# -- kinds of layers: what they make of shapes -----------------------------------------------------------------------


def entry(row: Row, shapes: list[Shape]) -> Made:
    """An input of the sizes that are written."""
    need(not shapes and len(row.results) == 1)
    return [_sizes(row)], []


def _sizes(row: Row) -> Shape:
    """w, h, d and c, as many as there are."""
    keys = next((keys for keys in SIZES.values() if set(keys) == set(row.params)), ())
    need(len(keys) > 0)
    return tuple(row.whole(key, 1, LARGEST) for key in keys)


def same(*whole: int, real: Sequence[int] = (), optional: Sequence[int] = ()) -> Callable[[Row, list[Shape]], Made]:
    """A layer that changes numbers one by one, with parameters whose value does not matter to us."""

    def made(row: Row, shapes: list[Shape]) -> Made:
        (shape,) = shapes
        for key in (*whole, *real, *(key for key in optional if key in row.params)):
            row.whole(key, 0, 1) if key in whole else row.real(key)
        return [shape], []

    return made


def split(row: Row, shapes: list[Shape]) -> Made:
    """As many of the same as are named."""
    (shape,) = shapes
    return [shape] * len(row.results), []


def conv(row: Row, shapes: list[Shape]) -> Made:
    """Convolution, in one dimension or two, in groups or not."""
    shape, kernel, places = _windows(row, shapes, {"kernel": 1, "dilation": 2, "stride": 3}, (4, 14, 15, 16))
    channels, count = row.whole(0, 1, LARGEST), row.whole(6, 1, LARGEST)
    groups = row.whole(7, 1, LARGEST) if "DepthWise" in row.kind else 1
    need(shape[0] % groups == 0 == channels % groups)
    need(count == channels * (shape[0] // groups) * math.prod(kernel))
    _activation(row)
    factors = 0 if row.kind.endswith("1D") else _int8(row, (1, WHOLE_OUT))
    need(not factors or groups == (1 if row.kind == "Convolution" else channels))
    return [(channels, *places)], _weighted(count, _bias(row, 5, channels), channels, factors)


def deconv(row: Row, shapes: list[Shape]) -> Made:
    """Transposed, of two dimensions, kernel and stride alike."""
    ((inner, *size),) = shapes
    channels, factor, count = row.whole(0, 1, LARGEST), row.whole(1, 1, LARGEST), row.whole(6, 1, LARGEST)
    need(len(size) == 2 and row.whole(3, 1, LARGEST) == factor and count == channels * inner * factor**2)
    return [(channels, *(n * factor for n in size))], [(count, FLOATS), *_bias(row, 5, channels)]


def linear(row: Row, shapes: list[Shape]) -> Made:
    """Of one row or several."""
    ((*rows, inner),) = shapes
    features, count = row.whole(0, 1, LARGEST), row.whole(2, 1, LARGEST)
    need(len(rows) <= 1 and count == features * inner)
    _activation(row)
    return [(*rows, features)], _weighted(count, _bias(row, 1, features), features, _int8(row, (1,)))


def embed(row: Row, shapes: list[Shape]) -> Made:
    """A row for each word."""
    ((steps,),) = shapes
    features, words, count = row.whole(0, 1, LARGEST), row.whole(1, 1, LARGEST), row.whole(3, 1, LARGEST)
    need(row.whole(2, 0, 0) == 0 and count == features * words)
    return [(steps, features)], [(count, FLOATS)]


def lstm(row: Row, shapes: list[Shape]) -> Made:
    """(steps, inner), and perhaps the state h and c; the same comes out."""
    (steps, inner), *state = shapes
    hidden, count, direction = row.whole(0, 1, LARGEST), row.whole(1, 1, LARGEST), row.whole(2, 0, 2)
    ways = 2 if direction == 2 else 1
    need(direction != 1 and count == ways * 4 * hidden * inner and len(row.results) in (1, 3))
    need(state in ([], [(ways, hidden)] * 2))
    made: list[Shape] = [(steps, ways * hidden), (ways, hidden), (ways, hidden)]
    return made[: len(row.results)], [(count, FLOATS), (ways * 4 * hidden, FLOATS), (ways * 4 * hidden**2, FLOATS)]


def pool(row: Row, shapes: list[Shape]) -> Made:
    """Over windows or over everything, which leaves the channels."""
    if 4 in row.params:
        need(row.whole(4, 1, 1) == 1 and row.whole(0, 1, 1) == 1 and len(shapes[0]) == 3 - row.kind.endswith("1D"))
        return [shapes[0][:1]], []
    shape, _, places = _windows(row, shapes, {"kernel": 1, "stride": 2}, (3, 13, 14, 15))
    for key, low in ((0, 0), (5, 1), (6, 0)):
        row.whole(key, low, 1)
    return [(shape[0], *places)], []


def _windows(row: Row, shapes: list[Shape], keys: dict[str, int], pads: Sequence[int]) -> tuple[Shape, Shape, Shape]:
    """The shape of what is read, the kernel, and how many places the window has along each dimension."""
    (shape,) = shapes
    dims = 1 if row.kind.endswith("1D") else 2
    need(len(shape) == dims + 1)
    left, top, right, bottom = pads
    kernels, places = [], []
    for size, more, start, end in ((shape[-1], 0, left, right), (shape[-2], 10, top, bottom))[:dims]:
        found = {name: row.whole(key + more, 1, LARGEST) for name, key in keys.items()}
        full = size + row.whole(start, 0, LARGEST) + row.whole(end, 0, LARGEST)
        reach = found.get("dilation", 1) * (found["kernel"] - 1) + 1
        need(reach <= full <= LARGEST // shape[0])
        kernels.append(found["kernel"])
        places.append((full - reach) // found["stride"] + 1)
    return shape, tuple(kernels[::-1]), tuple(places[::-1])


def _activation(row: Row) -> None:
    """None, ReLU, Clip, Sigmoid or HardSwish, with two numbers where there must be."""
    kind = row.whole(9, 1, 6, 0)
    need(kind in (0, 1, 3, 4, 6))
    row.items(10, 2 if kind in (3, 6) else 0)


def _bias(row: Row, key: int, count: int) -> Numbers:
    return [(count, NONE)] if row.whole(key, 0, 1) else []


def _int8(row: Row, allowed: Sequence[int]) -> int:
    """How many factors of activations a layer of INT8 has: of its input, perhaps of what it makes; 0 if it is none."""
    if 8 not in row.params:
        return 0
    kind = row.whole(8, 1, WHOLE_OUT)
    need(kind in allowed)
    return 2 if kind == WHOLE_OUT else 1


def _weighted(count: int, bias: Numbers, channels: int, factors: int) -> Numbers:
    """A weight and its bias; after whole numbers also a factor for each channel, and those of activations."""
    if not factors:
        return [(count, FLOATS), *bias]
    return [(count, (TAG_INT8,)), *bias, (channels, NONE), *[(1, NONE)] * factors]


def batch_norm(row: Row, shapes: list[Shape]) -> Made:
    """Four numbers a channel."""
    need(row.whole(0, 1, LARGEST) == shapes[0][0])
    row.real(1)
    return [shapes[0]], [(shapes[0][0], NONE)] * 4


def group_norm(row: Row, shapes: list[Shape]) -> Made:
    """Two numbers a channel, or none."""
    groups, channels, affine = row.whole(0, 1, LARGEST), row.whole(1, 1, LARGEST), row.whole(3, 0, 1)
    row.real(2)
    need(channels == shapes[0][0] and channels % groups == 0)
    return [shapes[0]], [(channels, NONE)] * 2 * affine


def prelu(row: Row, shapes: list[Shape]) -> Made:
    """One slope, or one a channel."""
    slopes = row.whole(0, 1, LARGEST)
    need(slopes in (1, shapes[0][0]))
    return [shapes[0]], [(slopes, NONE)]


def softmax(row: Row, shapes: list[Shape]) -> Made:
    """Along an axis."""
    row.whole(0, 0, len(shapes[0]) - 1)
    row.whole(1, 1, 1)
    return [shapes[0]], []


def binary(row: Row, shapes: list[Shape]) -> Made:
    """A sum (0) or product (2); a size of 1 broadcasts."""
    need(row.whole(0, 0, 2) != 1)
    left, right = shapes
    need(len(left) == len(right) and all(a == b or 1 in (a, b) for a, b in zip(left, right, strict=True)))
    return [tuple(map(max, left, right))], []


def concat(row: Row, shapes: list[Shape]) -> Made:
    """All other axes alike."""
    first = shapes[0] if shapes else ()
    axis = row.whole(0, 0, len(first) - 1)
    need(len({(*shape[:axis], 0, *shape[axis + 1 :]) for shape in shapes}) == 1)
    return [(*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])], []


def crop(row: Row, shapes: list[Shape]) -> Made:
    """A part of one axis."""
    (start,), (stop,), (axis,) = (row.items(key, 1) for key in (9, 10, 11))
    (shape,) = shapes
    need(all(isinstance(n, int) for n in (start, stop, axis)) and 0 <= axis < len(shape))
    at = int(axis)
    need(0 <= start < stop <= shape[at])
    return [(*shape[:at], int(stop - start), *shape[at + 1 :])], []


def reshape(row: Row, shapes: list[Shape]) -> Made:
    """As many numbers."""
    shape = _sizes(row)
    need(math.prod(shape) == math.prod(shapes[0]))
    return [shape], []


def permute(row: Row, shapes: list[Shape]) -> Made:
    """Axes in another order, w first."""
    (shape,) = shapes
    orders = ORDERS[len(shape)]
    order, axes = orders[row.whole(0, 0, len(orders) - 1)], dict(zip(orders[0], reversed(shape), strict=True))
    return [tuple(axes[axis] for axis in reversed(order))], []


def interp(row: Row, shapes: list[Shape]) -> Made:
    """Nearest (1) or linear (2), to a height and width; without a height where there is none."""
    (shape,) = shapes
    row.whole(0, 1, 2)
    row.whole(6, 0, 1)
    height, width = row.whole(3, 1, LARGEST), row.whole(4, 1, LARGEST)
    need(len(shape) == 3 or (len(shape) == 2 and height == 1))
    return [(shape[0], *([height] if len(shape) == 3 else []), width)], []


KINDS: dict[str, Callable[[Row, list[Shape]], Made]] = {
    "Input": entry,
    "Split": split,
    "Convolution": conv,
    "Convolution1D": conv,
    "ConvolutionDepthWise": conv,
    "ConvolutionDepthWise1D": conv,
    "Deconvolution": deconv,
    "InnerProduct": linear,
    "Embed": embed,
    "LSTM": lstm,
    "Pooling": pool,
    "Pooling1D": pool,
    "BatchNorm": batch_norm,
    "GroupNorm": group_norm,
    "ReLU": same(optional=[0]),
    "Clip": same(real=[0, 1]),
    "Sigmoid": same(),
    "TanH": same(),
    "Swish": same(),
    "HardSigmoid": same(real=[0, 1]),
    "HardSwish": same(real=[0, 1]),
    "GELU": same(0),
    "ELU": same(real=[0]),
    "PReLU": prelu,
    "Softmax": softmax,
    "BinaryOp": binary,
    "Concat": concat,
    "Crop": crop,
    "Reshape": reshape,
    "Permute": permute,
    "Interp": interp,
}
