"""Shapes of what moves, picks, joins and makes numbers without reckoning with them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .form import Dim, Shape
from .shapes_call import LARGEST, UNKNOWN, Call, Rule, Typed, Unknown, fixed, plus, product, quotient, times, total

FAR = 2**31 - 1  # exporters write this or more for "to the end"
ENDS = (FAR, 2**63 - 1)  # "to the end" in either direction (onnxruntime, core/providers/cpu/tensor/slice_helper.h)


# -- the same numbers in another shape -------------------------------------------------------------------------------


def reshape(c: Call) -> list[Typed]:
    """To the shape in input 1: 0 keeps a size unless allowzero, -1 is what remains."""
    x, wish = c.shape(0), c.given("shape", 1) or ()
    if 0 in wish and not c.number("allowzero", 0):
        wish = tuple(_kept(c, x, i) if n == 0 else n for i, n in enumerate(wish))
    return [(_filled(c, x, wish), c.dtype())]


def _kept(c: Call, x: Shape, i: int) -> Dim:
    if i >= len(x):
        raise c.wrong(f"it keeps the size of axis {i} of {x}", f"要保留 {x} 的第 {i} 轴，但它不存在")
    return x[i]


def _filled(c: Call, x: Shape, wish: Shape) -> Shape:
    """`wish` with the one size that is -1, or unknown, as what remains of x."""
    open_at = [i for i, n in enumerate(wish) if n in (-1, UNKNOWN)]
    if len(open_at) > 1 or (not open_at and fewer(x, wish)):
        return tuple(UNKNOWN if n == -1 else n for n in wish)
    rest = quotient(x, tuple(n for i, n in enumerate(wish) if i not in open_at))
    if rest is None or (not open_at and rest not in (1, UNKNOWN)):
        raise c.wrong(f"{x} cannot become {wish}", f"{x} 不能变成 {wish}")
    return tuple(rest if i in open_at else n for i, n in enumerate(wish))


def fewer(x: Shape, wish: Shape) -> bool:
    """Whether the numbers on both sides cannot be compared: a free size, or none at all."""
    return any(isinstance(n, str) or n == 0 for n in (*x, *wish))


def flatten(c: Call) -> list[Typed]:
    """To two axes."""
    x = c.shape(0)
    axis = c.number("axis", 1)
    axis = axis if axis == len(x) else c.from_front(axis, len(x))
    return [((product(x[:axis]), product(x[axis:])), c.dtype())]


def squeeze(c: Call) -> list[Typed]:
    """Without these axes of size 1, or without all of them."""
    x = c.shape(0)
    axes = c.axes(1, len(x))
    if axes is None:
        return [(tuple(n for n in fixed(x) if n != 1), c.dtype())]
    for axis in axes:
        c.equal(x[axis], 1, "an axis to be dropped is not of size 1", "要去掉的轴尺寸不是 1")
    return [(tuple(n for i, n in enumerate(x) if i not in axes), c.dtype())]


def unsqueeze(c: Call) -> list[Typed]:
    """With axes of size 1, counted in the result."""
    x = list(c.shape(0))
    count = len(c.given("axes", 1) or ())
    for axis in sorted(c.axes(1, len(x) + count) or ()):
        x.insert(axis, 1)
    return [(tuple(x), c.dtype())]


def transpose(c: Call) -> list[Typed]:
    """Axes in the order of `perm`, else reversed."""
    x = c.shape(0)
    perm = c.numbers("perm") or tuple(range(len(x)))[::-1]
    if sorted(perm) != list(range(len(x))):
        raise c.wrong(f"perm {perm} for {x}", f"perm {perm} 与 {x} 不符")
    return [(tuple(x[i] for i in perm), c.dtype())]


def expand(c: Call) -> list[Typed]:
    """Broadcast with the shape in input 1."""
    return [(c.together(c.shape(0), c.ints(1)), c.dtype())]


def tile(c: Call) -> list[Typed]:
    """Each axis repeated as often as input 1 says."""
    x, repeats = c.shape(0), c.ints(1)
    if len(repeats) != len(x):
        raise c.wrong(f"{len(repeats)} repeats for {x}", f"{x} 需要 {len(x)} 个重复数，而不是 {len(repeats)}")
    return [(tuple(map(times, x, repeats)), c.dtype())]


def pad(c: Call) -> list[Typed]:
    """Each axis (or those in input 3) longer by its two pads, which may be negative."""
    x, pads = list(c.shape(0)), c.given("pads", 1) or ()
    axes = [c.from_front(axis, len(x)) for axis in fixed(c.ints(3))] if c.has(3) else list(range(len(x)))
    if len(pads) != 2 * len(axes):
        raise c.wrong(
            f"{len(pads)} pads for {len(axes)} axes", f"{len(axes)} 个轴需要成对的 pads，而不是 {len(pads)} 个"
        )
    for axis, before, after in zip(axes, pads, pads[len(axes) :], strict=False):
        x[axis] = plus(x[axis], plus(before, after))
    return [(tuple(x), c.dtype())]


# -- joining and cutting ---------------------------------------------------------------------------------------------


def concat(c: Call) -> list[Typed]:
    """All inputs along an axis."""
    return [(joined(c, c.shapes(), c.number("axis", 1)), c.dtype())]


def joined(c: Call, parts: Sequence[Shape], axis: int) -> Shape:
    """One shape of several that differ only along the axis."""
    axis = c.from_front(axis, len(parts[0]))
    if len({len(part) for part in parts}) > 1:
        raise c.wrong(f"it joins {', '.join(map(str, parts))}", f"拼接的形状维数不同：{'、'.join(map(str, parts))}")
    shape, *others = [(*part[:axis], 0, *part[axis + 1 :]) for part in parts]
    for part in others:
        shape = tuple(c.equal(a, b, "joined shapes differ", "拼接的形状不同") for a, b in zip(shape, part, strict=True))
    return (*shape[:axis], total(part[axis] for part in parts), *shape[axis + 1 :])


def split(c: Call) -> list[Typed]:
    """Along an axis, into the lengths of input 1 or as many equal ones as there are outputs."""
    x = c.shape(0)
    axis = c.axis(0, len(x))
    lengths = c.given("split", 1) or _shares(c, x[axis])
    if len(lengths) != len(c.node.outputs):
        raise c.wrong(f"{len(lengths)} lengths for {len(c.node.outputs)} outputs", f"{len(lengths)} 段对不上输出的个数")
    c.equal(x[axis], total(lengths), "the parts are not the whole", "各段之和不等于总长")
    return [((*x[:axis], length, *x[axis + 1 :]), c.dtype()) for length in lengths]


def _shares(c: Call, size: Dim) -> Shape:
    count = len(c.node.outputs)
    if isinstance(size, str):
        return (size if count == 1 else UNKNOWN,) * count
    if size % count and "num_outputs" not in c.node.attrs:
        raise c.wrong(f"{size} cannot be split into {count}", f"{size} 不能平均分成 {count} 段")
    share = -(-size // count)
    return (*(share,) * (count - 1), size - share * (count - 1))


def slices(c: Call) -> list[Typed]:
    """From start to end by steps, along axes; negative ones count from the end, as Python's do."""
    x = list(c.shape(0))
    starts, ends = c.given("starts", 1) or (), c.given("ends", 2) or ()
    axes = c.axes(3, len(x)) or range(len(starts))
    steps = c.ints(4) if c.has(4) else (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) <= len(x):
        raise c.wrong(
            f"its starts, ends, axes and steps are not for {c.shape(0)}", "starts、ends、axes、steps 的个数不符"
        )
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step == 0:
            raise c.wrong("a step of 0", "步长为 0")
        x[axis] = cut(x[axis], start, end, step)
    return [(tuple(x), c.dtype())]


def cut(size: Dim, start: Dim, end: Dim, step: Dim) -> Dim:
    """Length of size[start:end:step]."""
    if not (isinstance(start, int) and isinstance(step, int)):
        return UNKNOWN
    if isinstance(size, int) and isinstance(end, int):
        first, last = span(size, start, end, step)
        return max(-((first - last) // step), 0)
    return size if _whole(size, start, end, step) else UNKNOWN


def span(size: int, start: int, end: int, step: int) -> tuple[int, int]:
    """Where a slice begins and ends, for range(); unlike Python's, backwards it begins at 0 at the least."""
    if step < 0 and end in ENDS:
        end = -size - 1
    lowest, highest = (-1, size - 1) if step < 0 else (0, size)
    start, end = (n + size if n < 0 else n for n in (start, end))
    return min(max(start, 0), highest), min(max(end, lowest), highest)


def _whole(size: Dim, start: int, end: Dim, step: int) -> bool:
    if step == 1:
        return start == 0 and (end == size or (isinstance(end, int) and end >= FAR))
    return step == -1 and start in (-1, FAR) and isinstance(end, int) and (end < -FAR or end in ENDS)


# -- picking and placing ---------------------------------------------------------------------------------------------


def gather(c: Call) -> list[Typed]:
    """The indices' shape in the place of one axis."""
    x, indices = c.shape(0), c.shape(1)
    axis = c.axis(0, len(x))
    return [((*x[:axis], *indices, *x[axis + 1 :]), c.dtype())]


def gather_elements(c: Call) -> list[Typed]:
    """The indices' shape."""
    c.axis(0, len(c.shape(0)))
    return [(c.shape(1, len(c.shape(0))), c.dtype())]


def gather_nd(c: Call) -> list[Typed]:
    """The last axis of the indices names positions in the axes behind batch_dims."""
    x, indices = c.shape(0), c.shape(1)
    depth = fixed(indices[-1:])
    behind = c.number("batch_dims", 0) + sum(depth)
    if not depth or behind > len(x):
        raise c.wrong(f"indices of {indices} into {x}", f"索引 {indices} 与 {x} 不符")
    return [((*indices[:-1], *x[behind:]), c.dtype())]


def compress(c: Call) -> list[Typed]:
    """What a truth is true for."""
    x = c.shape(0)
    if "axis" not in c.node.attrs:
        return [((UNKNOWN,), c.dtype())]
    axis = c.axis(0, len(x))
    return [((*x[:axis], UNKNOWN, *x[axis + 1 :]), c.dtype())]


def nonzero(c: Call) -> list[Typed]:
    """(axes, how many); of a scalar as of one number."""
    numbers = c.known(0)
    count: Dim = UNKNOWN if numbers is None or numbers.dtype == object else int((numbers != 0).sum())
    return [((max(len(c.shape(0)), 1), count), "int64")]


def unique(c: Call) -> list[Typed]:
    """Values, where each is first, where each went, how often."""
    x = c.shape(0)
    if "axis" not in c.node.attrs:
        shape: Shape = (UNKNOWN,)
    else:
        axis = c.axis(0, len(x))
        shape = (*x[:axis], UNKNOWN, *x[axis + 1 :])
    return [(shape, c.dtype()), *[((UNKNOWN,), "int64")] * 3]


def top_k(c: Call) -> list[Typed]:
    """The k largest or smallest along an axis, and where they were."""
    x = c.shape(0)
    axis = c.axis(-1, len(x))
    k = c.scalar(1) if c.has(1) else c.number("k", 1)
    size = x[axis]
    if isinstance(k, int) and isinstance(size, int) and k > size:
        raise c.wrong(f"{k} of {size} numbers", f"要从 {size} 个数中取 {k} 个")
    shape = (*x[:axis], k, *x[axis + 1 :])
    return [(shape, c.dtype()), (shape, "int64")]


def non_max_suppression(c: Call) -> list[Typed]:
    """(chosen, 3): batch, class, box."""
    c.shape(0, 3), c.shape(1, 3)
    return [((UNKNOWN, 3), "int64")]


# -- numbers out of shapes -------------------------------------------------------------------------------------------


def shape_of(c: Call) -> list[Typed]:
    """The sizes from `start` to `end`."""
    return [((len(shape_slice(c)),), "int64")]


def shape_slice(c: Call) -> Shape:
    """What a Shape gives."""
    end = c.node.attrs.get("end")
    return c.shape(0)[c.number("start", 0) : None if end is None else int(end)]


def size_of(c: Call) -> list[Typed]:
    """One number."""
    return [((), "int64")]


def constant_of_shape(c: Call) -> list[Typed]:
    """The shape in input 0, of one number."""
    value = c.tensor("value")
    return [(c.ints(0), value.dtype if value else "float32")]


def constant(c: Call) -> list[Typed]:
    """Its one attribute: a tensor, a number, a text, or a list of these."""
    value = c.tensor("value")
    if value is not None:
        return [(value.shape, value.dtype)]
    for name, dtype in (("value_float", "float32"), ("value_int", "int64"), ("value_string", "str")):
        if name in c.node.attrs:
            return [((), dtype)]
        if f"{name}s" in c.node.attrs:
            return [((c.count(f"{name}s"),), dtype)]
    raise Unknown


def random(c: Call) -> list[Typed]:
    """The shape in the attribute."""
    return [(c.numbers("shape") or (), c.named("dtype", 1))]


def multinomial(c: Call) -> list[Typed]:
    """(N, classes) -> (N, sample_size)."""
    return [((c.shape(0, 2)[0], c.number("sample_size", 1)), c.named("dtype", 6))]


def arange(c: Call) -> list[Typed]:
    """From start to limit by delta."""
    numbers = [c.floats(i) for i in range(3)]
    found = [n[0] for n in numbers if n]
    if len(found) < 3:
        first, step = numbers[0] == [0.0], numbers[2] == [1.0]
        return [((c.scalar(1) if first and step and c.dtype() == "int64" else UNKNOWN,), c.dtype())]
    if found[2] == 0:
        raise c.wrong("a delta of 0", "步长为 0")
    steps = (found[1] - found[0]) / found[2]
    return [((max(math.ceil(steps), 0) if abs(steps) < LARGEST else UNKNOWN,), c.dtype())]


def one_hot(c: Call) -> list[Typed]:
    """A new axis of `depth`."""
    indices = c.shape(0)
    axis = c.axis(-1, len(indices) + 1)
    return [((*indices[:axis], c.scalar(1), *indices[axis:]), c.dtype(2))]


def window(c: Call) -> list[Typed]:
    """HannWindow and the like: as many numbers as input 0 says."""
    return [((c.scalar(0),), c.named("output_datatype", 1))]


AXES: dict[str, Rule] = {
    "Reshape": reshape, "Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Transpose": transpose,
    "Expand": expand, "Tile": tile, "Pad": pad, "Concat": concat, "Split": split, "Slice": slices,
    "Gather": gather, "GatherElements": gather_elements, "GatherND": gather_nd, "Compress": compress,
    "NonZero": nonzero, "Unique": unique, "TopK": top_k, "NonMaxSuppression": non_max_suppression,
    "Shape": shape_of, "Size": size_of, "ConstantOfShape": constant_of_shape, "Constant": constant, "Range": arange,
    "RandomNormal": random, "RandomUniform": random, "Multinomial": multinomial, "OneHot": one_hot,
    **dict.fromkeys(("BlackmanWindow", "HammingWindow", "HannWindow"), window),
}  # fmt: skip
