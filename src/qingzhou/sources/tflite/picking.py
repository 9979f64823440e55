"""Numbers picked by their place: gathered, looked up, turned round; and pictures in another size."""

from __future__ import annotations

import numpy as np

from ...errors import say
from ...graph.form import Value
from ..recording.windows import nearest_places, resized
from .model import Steps
from .pointwise import casted
from .refuse import garbled, refused
from .walk import Call, Step, whole


def gather(c: Call) -> Value:
    """GATHER: slices along an axis, by their numbers."""
    x, at = c.x(0), casted(c, c.x(1), "int64")
    if c.option("batch_dims"):
        raise refused("it gathers within each sample (batch_dims)", "它在每个样本内部按索引取值（batch_dims）")
    return c.t.emit("Gather", [x, at], axis=c.axis(c.option("axis"), len(x.shape)))


def gather_nd(c: Call) -> Value:
    """GATHER_ND: parts by their places along the first axes."""
    return c.t.emit("GatherND", [c.x(0), casted(c, c.x(1), "int64")])


def embedding(c: Call) -> Value:
    """EMBEDDING_LOOKUP: rows of a table by their numbers."""
    return c.t.emit("Gather", [c.x(1), casted(c, c.x(0), "int64")], axis=0)


def one_hot(c: Call) -> Value:
    """ONE_HOT: the number `on` at each index, `off` elsewhere."""
    _tell_of_steps(c)
    at, (many,) = casted(c, c.x(0), "int64"), c.ints(1)
    below = c.t.emit("Less", [at, c.t.scalar(0, "int64")])  # which is no index here, and counts from the end in ONNX
    at = c.t.emit("Where", [below, c.t.scalar(many, "int64"), at])
    ends = [c.t.emit("Reshape", [c.x(i), c.t.whole(1)]) for i in (3, 2)]
    axis = c.option("axis")
    return c.t.emit("OneHot", [at, c.t.whole(many), c.t.emit("Concat", ends, axis=0)], axis=axis)


def _tell_of_steps(c: Call) -> None:
    """TFLite's kernel copies the integers of both numbers, also where its converter gave them other steps than the
    result: an `off` of 0 with its zero at 0 then stands for 0.5 where the zero is at -128.
    """
    own = c.out().steps
    if own is None or all(_alike(own, c.tensor(i).steps) for i in (2, 3)):
        return
    note = say(
        en="ONE_HOT: its two numbers are written in other steps than its result. They are taken for what they stand "
        "for; TensorFlow Lite copies their integers, so that its own answers differ.",
        zh="ONE_HOT：它的两个数与结果的量化步长不同。这里按它们代表的数值计算；"
        "TensorFlow Lite 直接复制整数，所以结果不同。",
    )
    if note not in c.walk.notes:
        c.walk.notes.append(note)


def _alike(one: Steps, other: Steps | None) -> bool:
    return (
        other is not None
        and one.scales.tolist() == other.scales.tolist()
        and one.zeros.tolist() == other.zeros.tolist()
    )


def reverse(c: Call) -> Value:
    """REVERSE_V2: backwards along some axes."""
    x = c.x()
    axes = c.axes(1, len(x.shape))
    rows = [[-1] * len(axes), [-(1 << 62)] * len(axes), axes, [-1] * len(axes)]
    return c.t.emit("Slice", [x, *(c.t.whole(*row) for row in rows)])


def reverse_sequence(c: Call) -> Value:
    """REVERSE_SEQUENCE: of each sample as many steps as it has."""
    steps, batch = c.option("seq_dim"), c.option("batch_dim")
    if {steps, batch} != {0, 1}:
        raise refused(
            f"it turns sequences round along the axes {steps} and {batch}", f"它沿第 {steps} 和 {batch} 轴反转序列"
        )
    return c.t.emit("ReverseSequence", [c.x(), casted(c, c.x(1), "int64")], time_axis=steps, batch_axis=batch)


def scatter(c: Call) -> Value:
    """SCATTER_ND: rows added into zeros, each at a place of its own."""
    at, shape = casted(c, c.x(0), "int64"), c.ints(2)
    known = c.t.known(at)
    if known is None or len(np.unique(known.reshape(-1, known.shape[-1]), axis=0)) < known[..., 0].size:
        raise refused("it adds up numbers at places that are only known when it runs", "它在运行时才知道的位置累加数值")
    zeros = c.t.emit("Expand", [c.t.scalar(0, c.x(1).dtype), c.t.whole(*shape)])
    return c.t.emit("ScatterND", [zeros, at, c.x(1)])


# -- pictures in another size ------------------------------------------------------------------------------------------


def resize(linear: bool) -> Step:
    """(N, H, W, C) -> (N, H', W', C)."""

    def step(c: Call) -> Value:
        x, size = c.x(), c.ints(1)
        if len(size) != 2 or len(x.shape) != 4 or min(size) < 1:
            raise garbled(f"it resizes {list(x.shape)} to {size}", f"它把 {list(x.shape)} 缩放到 {size}")
        own = whole(Value(x.name, x.shape[1:3]))
        if own == size:
            return x
        corners, centres = bool(c.option("align_corners")), bool(c.option("half_pixel_centers"))
        where = "align_corners" if corners else "half_pixel" if centres else "asymmetric"
        turned = c.turned(x, (0, 3, 1, 2))
        if linear:
            found = resized(c.t, turned, own, size, {"mode": "linear", "coordinate_transformation_mode": where})
        elif all(m % n == 0 for n, m in zip(own, size, strict=True)) and not corners:
            rule = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
            found = resized(c.t, turned, own, size, rule)
        else:
            found = turned
            for axis, (n, m) in enumerate(zip(own, size, strict=True), start=2):
                found = c.t.emit("Gather", [found, c.t.array(nearest_places(n, m, corners, centres))], axis=axis)
        return c.turned(found, (0, 2, 3, 1))

    return step


PICKING: dict[str, Step] = {
    "GATHER": gather, "GATHER_ND": gather_nd, "EMBEDDING_LOOKUP": embedding, "ONE_HOT": one_hot, "REVERSE_V2": reverse,
    "REVERSE_SEQUENCE": reverse_sequence, "SCATTER_ND": scatter, "RESIZE_BILINEAR": resize(linear=True),
    "RESIZE_NEAREST_NEIGHBOR": resize(linear=False),
}  # fmt: skip
