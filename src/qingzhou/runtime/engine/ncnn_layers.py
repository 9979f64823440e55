"""The kinds of layers that engines/ncnn/layers.py writes: what each makes of shapes, and takes from the .bin."""

from __future__ import annotations

from typing import Callable, Dict, List, Sequence, Tuple

from .ncnn_format import ORDERS, SIZES, TAG_FLOAT16, TAG_FLOAT32, TAG_INT8
from .ncnn_row import Row, need

LARGEST = 1 << 28  # numbers of a blob

Shape = Tuple[int, ...]  # of a blob, outermost first
Tags = Tuple[int, ...]  # that may say how numbers are stored
NONE: Tags = ()
FLOATS: Tags = (TAG_FLOAT32, TAG_FLOAT16)
Numbers = List[Tuple[int, Tags]]  # how many, and their tags
WHOLE_OUT = 101  # a convolution's parameter 8: it reads int8, and makes int8
Made = Tuple[List[Shape], Numbers]  # what a layer makes, and what it takes from the .bin


def product(sizes: Sequence[int]) -> int:
    """math.prod(), which Python 3.7 has not."""
    result = 1
    for size in sizes:
        result *= size
    return result


def entry(row: Row, shapes: List[Shape]) -> Made:
    """An input of the sizes that are written."""
    need(not shapes and len(row.results) == 1)
    return [_sizes(row)], []


def _sizes(row: Row) -> Shape:
    """w, h, d and c, as many as there are."""
    keys = next((keys for keys in SIZES.values() if set(keys) == set(row.params)), ())
    need(len(keys) > 0)
    return tuple(row.whole(key, 1, LARGEST) for key in keys)


def same(*whole: int, real: Sequence[int] = (), optional: Sequence[int] = ()) -> Callable[[Row, List[Shape]], Made]:
    """A layer that changes numbers one by one, with parameters whose value does not matter to us."""

    def made(row: Row, shapes: List[Shape]) -> Made:
        (shape,) = shapes
        for key in (*whole, *real, *(key for key in optional if key in row.params)):
            row.whole(key, 0, 1) if key in whole else row.real(key)
        return [shape], []

    return made


def split(row: Row, shapes: List[Shape]) -> Made:
    """As many of the same as are named."""
    (shape,) = shapes
    return [shape] * len(row.results), []


def conv(row: Row, shapes: List[Shape]) -> Made:
    """Convolution, in one dimension or two, in groups or not."""
    shape, kernel, places = _windows(row, shapes, {"kernel": 1, "dilation": 2, "stride": 3}, (4, 14, 15, 16))
    channels, count = row.whole(0, 1, LARGEST), row.whole(6, 1, LARGEST)
    groups = row.whole(7, 1, LARGEST) if "DepthWise" in row.kind else 1
    need(shape[0] % groups == 0 == channels % groups)
    need(count == channels * (shape[0] // groups) * product(kernel))
    _activation(row)
    factors = 0 if row.kind.endswith("1D") else _int8(row, (1, WHOLE_OUT))
    need(not factors or groups == (1 if row.kind == "Convolution" else channels))
    return [(channels, *places)], _weighted(count, _bias(row, 5, channels), channels, factors)


def deconv(row: Row, shapes: List[Shape]) -> Made:
    """Transposed, of two dimensions, kernel and stride alike."""
    ((inner, *size),) = shapes
    channels, factor, count = row.whole(0, 1, LARGEST), row.whole(1, 1, LARGEST), row.whole(6, 1, LARGEST)
    need(len(size) == 2 and row.whole(3, 1, LARGEST) == factor and count == channels * inner * factor**2)
    return [(channels, *(n * factor for n in size))], [(count, FLOATS), *_bias(row, 5, channels)]


def linear(row: Row, shapes: List[Shape]) -> Made:
    """Of one row or several."""
    ((*rows, inner),) = shapes
    features, count = row.whole(0, 1, LARGEST), row.whole(2, 1, LARGEST)
    need(len(rows) <= 1 and count == features * inner)
    _activation(row)
    return [(*rows, features)], _weighted(count, _bias(row, 1, features), features, _int8(row, (1,)))


def embed(row: Row, shapes: List[Shape]) -> Made:
    """A row for each word."""
    ((steps,),) = shapes
    features, words, count = row.whole(0, 1, LARGEST), row.whole(1, 1, LARGEST), row.whole(3, 1, LARGEST)
    need(row.whole(2, 0, 0) == 0 and count == features * words)
    return [(steps, features)], [(count, FLOATS)]


def lstm(row: Row, shapes: List[Shape]) -> Made:
    """(steps, inner), and perhaps the state h and c; the same comes out."""
    (steps, inner), *state = shapes
    hidden, count, direction = row.whole(0, 1, LARGEST), row.whole(1, 1, LARGEST), row.whole(2, 0, 2)
    ways = 2 if direction == 2 else 1
    need(direction != 1 and count == ways * 4 * hidden * inner and len(row.results) in (1, 3))
    need(state in ([], [(ways, hidden)] * 2))
    made: List[Shape] = [(steps, ways * hidden), (ways, hidden), (ways, hidden)]
    return made[: len(row.results)], [(count, FLOATS), (ways * 4 * hidden, FLOATS), (ways * 4 * hidden**2, FLOATS)]


def pool(row: Row, shapes: List[Shape]) -> Made:
    """Over windows or over everything, which leaves the channels."""
    if 4 in row.params:
        need(row.whole(4, 1, 1) == 1 and row.whole(0, 1, 1) == 1 and len(shapes[0]) == 3 - row.kind.endswith("1D"))
        return [shapes[0][:1]], []
    shape, _, places = _windows(row, shapes, {"kernel": 1, "stride": 2}, (3, 13, 14, 15))
    for key, low in ((0, 0), (5, 1), (6, 0)):
        row.whole(key, low, 1)
    return [(shape[0], *places)], []


def _windows(row: Row, shapes: List[Shape], keys: Dict[str, int], pads: Sequence[int]) -> Tuple[Shape, Shape, Shape]:
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


def batch_norm(row: Row, shapes: List[Shape]) -> Made:
    """Four numbers a channel."""
    need(row.whole(0, 1, LARGEST) == shapes[0][0])
    row.real(1)
    return [shapes[0]], [(shapes[0][0], NONE)] * 4


def group_norm(row: Row, shapes: List[Shape]) -> Made:
    """Two numbers a channel, or none."""
    groups, channels, affine = row.whole(0, 1, LARGEST), row.whole(1, 1, LARGEST), row.whole(3, 0, 1)
    row.real(2)
    need(channels == shapes[0][0] and channels % groups == 0)
    return [shapes[0]], [(channels, NONE)] * 2 * affine


def prelu(row: Row, shapes: List[Shape]) -> Made:
    """One slope, or one a channel."""
    slopes = row.whole(0, 1, LARGEST)
    need(slopes in (1, shapes[0][0]))
    return [shapes[0]], [(slopes, NONE)]


def softmax(row: Row, shapes: List[Shape]) -> Made:
    """Along an axis."""
    row.whole(0, 0, len(shapes[0]) - 1)
    row.whole(1, 1, 1)
    return [shapes[0]], []


def binary(row: Row, shapes: List[Shape]) -> Made:
    """A sum (0), difference (1, or 7 the other way round) or product (2) of two, or with a number; a size of 1
    broadcasts.
    """
    need(row.whole(0, 0, 7) in (0, 1, 2, 7))
    if 1 in row.params:
        row.whole(1, 1, 1)
        row.real(2)
        (shape,) = shapes
        return [shape], []
    left, right = shapes
    need(len(left) == len(right) and all(a == b or 1 in (a, b) for a, b in zip(left, right)))
    return [tuple(map(max, left, right))], []


def unary(row: Row, shapes: List[Shape]) -> Made:
    """Sine (9) or cosine (10)."""
    (shape,) = shapes
    row.whole(0, 9, 10)
    return [shape], []


def memory(row: Row, shapes: List[Shape]) -> Made:
    """Known numbers."""
    need(not shapes and len(row.results) == 1)
    shape = _sizes(row)
    need(product(shape) <= LARGEST)
    return [shape], [(product(shape), NONE)]


def matmul(row: Row, shapes: List[Shape]) -> Made:
    """(..., m, k) times (..., k, n)."""
    row.whole(0, 0, 0)
    left, right = shapes
    need(len(left) == len(right) >= 2 and left[:-2] == right[:-2] and left[-1] == right[-2])
    return [(*left[:-1], right[-1])], []


def concat(row: Row, shapes: List[Shape]) -> Made:
    """All other axes alike."""
    first = shapes[0] if shapes else ()
    axis = row.whole(0, 0, len(first) - 1)
    need(len({(*shape[:axis], 0, *shape[axis + 1 :]) for shape in shapes}) == 1)
    return [(*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])], []


def crop(row: Row, shapes: List[Shape]) -> Made:
    """A part of one axis."""
    (start,), (stop,), (axis,) = (row.items(key, 1) for key in (9, 10, 11))
    (shape,) = shapes
    need(all(isinstance(n, int) for n in (start, stop, axis)) and 0 <= axis < len(shape))
    at = int(axis)
    need(0 <= start < stop <= shape[at])
    return [(*shape[:at], int(stop - start), *shape[at + 1 :])], []


def reshape(row: Row, shapes: List[Shape]) -> Made:
    """As many numbers."""
    shape = _sizes(row)
    need(product(shape) == product(shapes[0]))
    return [shape], []


def permute(row: Row, shapes: List[Shape]) -> Made:
    """Axes in another order, w first."""
    (shape,) = shapes
    orders = ORDERS[len(shape)]
    order, axes = orders[row.whole(0, 0, len(orders) - 1)], dict(zip(orders[0], reversed(shape)))
    return [tuple(axes[axis] for axis in reversed(order))], []


def interp(row: Row, shapes: List[Shape]) -> Made:
    """Nearest (1) or linear (2), to a height and width; without a height where there is none."""
    (shape,) = shapes
    row.whole(0, 1, 2)
    row.whole(6, 0, 1)
    height, width = row.whole(3, 1, LARGEST), row.whole(4, 1, LARGEST)
    need(len(shape) == 3 or (len(shape) == 2 and height == 1))
    return [(shape[0], *([height] if len(shape) == 3 else []), width)], []


KINDS: Dict[str, Callable[[Row, List[Shape]], Made]] = {
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
    "UnaryOp": unary,
    "MemoryData": memory,
    "MatMul": matmul,
    "Concat": concat,
    "Crop": crop,
    "Reshape": reshape,
    "Permute": permute,
    "Interp": interp,
}
