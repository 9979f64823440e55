"""The same numbers in another shape, order or number of copies; parts of them, and parts joined."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ...graph.form import Dim, Shape, Value
from ...graph.shapes_call import UNKNOWN, product, quotient
from ..recording.net import Int, Ints, Net, Size, dim
from .bind import Values
from .refuse import garbled, refused

END = 2**63 - 1


# -- shapes -----------------------------------------------------------------------------------------------------------


def view(t: Net, self: Value, size: Ints) -> Value:
    """In this shape, of which one size may be -1: what remains."""
    shape = _wished(self.shape, size)
    if shape == self.shape and UNKNOWN not in shape:
        return self
    return t.emit("Reshape", [self, _target(t, self, size, shape)], shape)


def _wished(x: Shape, size: Ints) -> Shape:
    wish = tuple(map(dim, size))
    if wish.count(-1) > 1 or any(isinstance(n, int) and n < -1 for n in wish):
        raise garbled(f"it reshapes to {list(wish)}", f"它要变形为 {list(wish)}")
    if -1 not in wish:
        return wish
    rest = quotient(x, tuple(n for n in wish if n != -1))
    if rest is None:
        raise garbled(f"{list(x)} cannot become {list(wish)}", f"{list(x)} 不能变成 {list(wish)}")
    return tuple(rest if n == -1 else n for n in wish)


def _target(t: Net, x: Value, size: Ints, shape: Shape) -> Value:
    """What Reshape is told: numbers, 0 for a size that stays where it is, -1 for one more."""
    free = [i for i, n in enumerate(shape) if isinstance(n, str)]
    if len(free) <= 1:
        return t.whole(*(-1 if isinstance(n, str) else n for n in shape))
    stays = {i for i in free if i < len(x.shape) and shape[i] == x.shape[i] != UNKNOWN}
    if len(free) - len(stays) <= 1 and 0 not in shape:
        return t.whole(*(_told(n, i in stays) for i, n in enumerate(shape)))
    return t.row(size)


def _told(size: Dim, stays: bool) -> int:
    return size if isinstance(size, int) else 0 if stays else -1


def flatten(t: Net, self: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    """The axes from start to end, both included, as one."""
    if not self.shape:
        return view(t, self, (1,))
    start, end = t.axis(self, start_dim), t.axis(self, end_dim)
    if start >= end:
        return self
    middle = product(self.shape[start : end + 1])
    sizes: list[Int] = [t.size(self, i) for i in range(start)]
    sizes.append(-1 if isinstance(middle, str) or not math.prod(map(_or_one, self.shape)) else middle)
    sizes += [t.size(self, i) for i in range(end + 1, len(self.shape))]
    if isinstance(middle, str) and any(isinstance(n, Size) for n in sizes):  # -1 is taken: count it
        sizes[start] = counted(t, [t.size(self, i) for i in range(start, end + 1)])
    return view(t, self, tuple(sizes))


def _or_one(size: Dim) -> int:
    return size if isinstance(size, int) else 1


def counted(t: Net, sizes: Sequence[Int]) -> Int:
    """The product of sizes."""
    found: Int = math.prod(n for n in sizes if isinstance(n, int))
    for size in sizes:
        if isinstance(size, Size):
            found = size if found == 1 else t.reckoned("Mul", found, size)
    return found


def unflatten(t: Net, self: Value, dim: int, sizes: Ints) -> Value:
    """One axis as several."""
    axis = t.axis(self, dim)
    around = [t.size(self, i) for i in range(len(self.shape))]
    sizes = _without_rest(self.shape[axis], sizes)
    return view(t, self, (*around[:axis], *sizes, *around[axis + 1 :]))


def _without_rest(size: Dim, sizes: Ints) -> Ints:
    """Sizes whose -1 is known."""
    if -1 not in sizes or not isinstance(size, int) or not all(isinstance(n, int) for n in sizes):
        return sizes
    rest = size // max(1, math.prod(n for n in sizes if isinstance(n, int) and n != -1))
    return tuple(rest if n == -1 else n for n in sizes)


def unsqueeze(t: Net, self: Value, dim: int) -> Value:
    """A new axis of size 1."""
    return t.emit("Unsqueeze", [self, t.whole(t.axis(self, dim, 1) if self.shape else 0)])


def squeeze(t: Net, self: Value) -> Value:
    """Without all axes of size 1."""
    return squeeze_dims(t, self, tuple(i for i, n in enumerate(self.shape) if n == 1))


def squeeze_dims(t: Net, self: Value, dim: tuple[int, ...]) -> Value:
    """Without these axes, as far as they are of size 1."""
    axes = sorted({t.axis(self, one) for one in dim})
    axes = [axis for axis in axes if axis < len(self.shape) and self.shape[axis] == 1]
    return t.emit("Squeeze", [self, t.whole(*axes)]) if axes else self


def permute(t: Net, self: Value, dims: tuple[int, ...]) -> Value:
    """Axes in another order."""
    perm = tuple(t.axis(self, one) for one in dims)
    if sorted(perm) != list(range(len(self.shape))):
        raise garbled(f"it orders {len(self.shape)} axes by {list(perm)}", f"它按 {list(perm)} 排列各轴")
    if perm == tuple(range(len(self.shape))):
        return self
    found = t.emit("Transpose", [self], perm=perm)
    if perm == (1, 0) and t.is_constant(self) and t.is_constant(found):
        t.turned[found.name] = self
    return found


def transpose(t: Net, self: Value, dim0: int, dim1: int) -> Value:
    """Two axes swapped."""
    if not self.shape:
        return self
    order = list(range(len(self.shape)))
    a, b = t.axis(self, dim0), t.axis(self, dim1)
    order[a], order[b] = b, a
    return permute(t, self, tuple(order))


def turned(t: Net, self: Value) -> Value:
    """The last two axes swapped, if there are two."""
    return transpose(t, self, -1, -2) if len(self.shape) > 1 else self


def movedim(t: Net, self: Value, source: tuple[int, ...], destination: tuple[int, ...]) -> Value:
    """These axes to those places, the others in their order."""
    sources, places = ([t.axis(self, one) for one in row] for row in (source, destination))
    left = iter([axis for axis in range(len(self.shape)) if axis not in sources])
    order = [sources[places.index(i)] if i in places else next(left) for i in range(len(self.shape))]
    return permute(t, self, tuple(order))


def expand(t: Net, self: Value, size: Ints, implicit: bool = False) -> Value:
    """Axes of size 1 as often as is asked for; -1 keeps a size."""
    own = (*[1] * (len(size) - len(self.shape)), *self.shape)
    sizes = [1 if n == -1 or dim(n) == mine != UNKNOWN else n for n, mine in zip(size, own, strict=True)]
    shape = tuple(mine if n == 1 else dim(n) for n, mine in zip(sizes, own, strict=True))
    if shape == self.shape:
        return self
    if all(n == 1 for n in sizes):
        return view(t, self, tuple(_kept(t, self, n, i - len(size)) for i, n in enumerate(own)))
    found = t.emit("Expand", [self, t.row(sizes)], shape)
    return t.zeros_like(found) if self.name in t.zeros else found


def _kept(t: Net, x: Value, size: Dim, axis: int) -> Int:
    return size if isinstance(size, int) else t.size(x, axis)


def expand_as(t: Net, self: Value, other: Value) -> Value:
    """To the shape of another."""
    return expand(t, self, sizes_of(t, other))


def view_as(t: Net, self: Value, other: Value) -> Value:
    """In the shape of another."""
    return view(t, self, sizes_of(t, other))


def sizes_of(t: Net, x: Value) -> Ints:
    """All sizes."""
    return tuple(t.size(x, i) for i in range(len(x.shape)))


def repeat(t: Net, self: Value, repeats: Ints) -> Value:
    """Copies along each axis; new axes come first."""
    more = len(repeats) - len(self.shape)
    if more < 0:
        raise garbled("it repeats along fewer axes than there are", "repeat 的轴数不足")
    x = view(t, self, (*[1] * more, *sizes_of(t, self))) if more else self
    return x if all(n == 1 for n in repeats) else t.emit("Tile", [x, t.row(repeats)])


def tile(t: Net, self: Value, dims: Ints) -> Value:
    """The same; missing axes count as 1."""
    return repeat(t, self, (*[1] * (len(self.shape) - len(dims)), *dims))


def repeat_interleave(t: Net, self: Value, repeats: int, dim: int | None = None, output_size: object = None) -> Value:
    """Each element several times in a row."""
    x = flatten(t, self) if dim is None else self
    axis = t.axis(x, dim or 0)
    sizes = sizes_of(t, x)
    wide = unsqueeze(t, x, axis + 1)
    wide = expand(t, wide, (*sizes[: axis + 1], repeats, *sizes[axis + 1 :]))
    long = counted(t, [sizes[axis], repeats])
    return view(t, wide, (*sizes[:axis], long, *sizes[axis + 1 :]))


# -- parts ------------------------------------------------------------------------------------------------------------


def cut(t: Net, x: Value, axis: int, start: Int, end: Int, step: int = 1) -> Value:
    """x[start:end:step] along an axis."""
    size = x.shape[axis]
    if step == 1 and start == 0 and (end == END or (isinstance(end, Size) and end.name == size != UNKNOWN)):
        return x
    if isinstance(size, int) and step == 1 and start == 0 and isinstance(end, int) and end >= size:
        return x
    ends = [t.as_row(n) for n in (start, end)]
    rest = [t.whole(axis), *([t.whole(step)] if step != 1 else [])]
    shape = None
    if isinstance(start, int) and isinstance(end, Size):
        length = t.reckoned("Sub", end, start) if start > 0 else end
        shape = tuple(_length(length, size, step, start) if i == axis else n for i, n in enumerate(x.shape))
    return t.emit("Slice", [x, *ends, *rest], shape)


def _length(length: Int, size: Dim, step: int, start: int) -> Dim:
    """How long a slice to a free end is, where that is certain."""
    return dim(length) if step == 1 and start >= 0 and isinstance(size, str) else UNKNOWN


def slice_(t: Net, self: Value, dim: int = 0, start: Int | None = None, end: Int | None = None, step: int = 1) -> Value:
    """x[start:end:step] along an axis."""
    return cut(t, self, t.axis(self, dim), 0 if start is None else start, END if end is None else end, step)


def narrow(t: Net, self: Value, dim: int, start: Int, length: Int) -> Value:
    """So many from a start on."""
    end = start + length if isinstance(start, int) and isinstance(length, int) else t.reckoned("Add", start, length)
    return cut(t, self, t.axis(self, dim), start, end)


def select(t: Net, self: Value, dim: int, index: Int) -> Value:
    """One position of an axis, which goes away."""
    axis = t.axis(self, dim)
    size = self.shape[axis]
    if isinstance(index, Size):
        return t.emit("Squeeze", [t.emit("Gather", [self, index.value], axis=axis), t.whole(axis)])
    if isinstance(size, int) and not -size <= index < size:
        raise garbled(f"it picks {index} of {size}", f"它要取 {size} 个中的第 {index} 个")
    return t.emit("Gather", [self, t.scalar(index, "int64")], axis=axis)


def split(t: Net, self: Value, split_size: Int, dim: int = 0) -> list[Value]:
    """Parts of this size, the last one smaller."""
    axis = t.axis(self, dim)
    size = self.shape[axis]
    if not isinstance(size, int) or not isinstance(split_size, int) or split_size < 1:
        raise refused("it splits an axis of a free size", "它切分了大小不固定的轴")
    return pieces(t, self, axis, [min(split_size, size - start) for start in range(0, size, split_size)])


def split_with_sizes(t: Net, self: Value, split_sizes: tuple[int, ...], dim: int = 0) -> list[Value]:
    """Parts of these sizes."""
    return pieces(t, self, t.axis(self, dim), list(split_sizes))


def chunk(t: Net, self: Value, chunks: int, dim: int = 0) -> list[Value]:
    """At most so many parts of equal size, the last one smaller."""
    size = self.shape[t.axis(self, dim)]
    if not isinstance(size, int):
        raise refused("it splits an axis of a free size", "它切分了大小不固定的轴")
    return split(t, self, max(1, -(-size // max(1, chunks))), dim)


def tensor_split(t: Net, self: Value, sections: int, dim: int = 0) -> list[Value]:
    """So many parts, the first ones larger."""
    size = self.shape[t.axis(self, dim)]
    if not isinstance(size, int) or sections < 1:
        raise refused("it splits an axis of a free size", "它切分了大小不固定的轴")
    return pieces(t, self, t.axis(self, dim), [size // sections + (i < size % sections) for i in range(sections)])


def pieces(t: Net, x: Value, axis: int, sizes: list[int]) -> list[Value]:
    """Parts of these sizes: by one operator, or one by one where it is a constant."""
    if len(sizes) > 1 << 12:
        raise refused(f"it makes {len(sizes)} parts", f"它把张量切成 {len(sizes)} 份")
    if len(sizes) == 1:
        return [x]
    if t.is_constant(x):
        starts = [sum(sizes[:i]) for i in range(len(sizes))]
        return [cut(t, x, axis, start, start + size) for start, size in zip(starts, sizes, strict=True)]
    return t.emits("Split", [x, t.whole(*sizes)], len(sizes), axis=axis)


def unbind(t: Net, self: Value, dim: int = 0) -> list[Value]:
    """Each position of an axis."""
    size = self.shape[t.axis(self, dim)]
    if not isinstance(size, int) or size > 1 << 12:
        raise refused("it takes an axis of a free size apart", "它拆开了大小不固定的轴")
    return [select(t, self, dim, i) for i in range(size)]


# -- joined -----------------------------------------------------------------------------------------------------------


def cat(t: Net, tensors: Values, dim: int = 0) -> Value:
    """Along an axis. Empty rows are left out, as torch does."""
    parts = [x for x in tensors if x.shape != (0,)] or list(tensors[:1])
    kinds = {x.dtype for x in parts}
    dtype = next(kind for kind in ("float32", "int64", "bool") if kind in kinds)
    axis = t.axis(parts[0], dim)
    alike = [x if x.dtype == dtype else t.emit("Cast", [x], to=1 if dtype == "float32" else 7) for x in parts]
    return alike[0] if len(alike) == 1 else t.emit("Concat", alike, axis=axis)


def stack(t: Net, tensors: Values, dim: int = 0) -> Value:
    """Along a new axis."""
    axis = t.axis(tensors[0], dim, 1)
    return cat(t, tuple(unsqueeze(t, x, axis) for x in tensors), axis)


def beside(axis: int) -> Callable[[Net, Values], Value]:
    """hstack, vstack and dstack."""

    def function(t: Net, tensors: Values) -> Value:
        rank = {0: 2, 1: 1, 2: 3}[axis]
        wide = tuple(_at_least(t, x, rank) for x in tensors)
        return cat(t, wide, min(axis, len(wide[0].shape) - 1))

    return function


def _at_least(t: Net, x: Value, rank: int) -> Value:
    while len(x.shape) < rank:
        x = unsqueeze(t, x, 0 if len(x.shape) < 2 else 2)
    return x


AXES: dict[str, Callable[..., Value | list[Value]]] = {
    **dict.fromkeys(("view", "reshape", "_unsafe_view", "view_copy"), view), "flatten": flatten,
    "unflatten": unflatten, "unsqueeze": unsqueeze, "squeeze": squeeze, "squeeze.dim": squeeze_dims,
    "squeeze.dims": squeeze_dims, "permute": permute, "permute_copy": permute, "transpose": transpose,
    "swapaxes": transpose, "swapdims": transpose, "t": turned, "numpy_T": turned, "mT": turned,
    "movedim": movedim, "moveaxis": movedim, "expand": expand, "expand_copy": expand, "broadcast_to": expand,
    "expand_as": expand_as, "reshape_as": view_as, "view_as": view_as,
    "repeat": repeat, "tile": tile, "repeat_interleave": repeat_interleave,
    "slice": slice_, "slice_copy": slice_, "narrow": narrow, "narrow_copy": narrow, "select": select,
    "select_copy": select, "split": split, "split_with_sizes": split_with_sizes, "split_with_sizes_copy":
    split_with_sizes, "unsafe_split": split, "chunk": chunk, "unsafe_chunk": chunk, "tensor_split": tensor_split,
    "unbind": unbind, "cat": cat, "concat": cat, "concatenate": cat, "stack": stack, "hstack": beside(1),
    "vstack": beside(0), "dstack": beside(2),
}  # fmt: skip
