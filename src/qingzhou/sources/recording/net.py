"""Net: a Recorder that infers shapes, reckons with sizes that are free, and computes what is constant."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ModelError
from ...files.types import TensorRef
from ...graph.form import BLOCK, Array, Constant, Dim, Node, Shape, Value
from ...graph.propagate import OF_SHAPES, propagate
from ...graph.record import Recorder
from ...graph.shapes import answer
from ...graph.shapes_call import DTYPES, FEW, UNKNOWN, Call, Typed
from .folding import FOLDS
from .words import Words

NUMBERS = {name: number for number, name in DTYPES.items()}
MAX_ELEMENTS = 1 << 28  # of one value, for one sample: 1 GiB
COMPUTED = 1 << 24  # numbers that are computed of constants and kept, in all
OPENED = 1 << 16  # ... and of one result, that are computed at once
AGAIN = 8  # ... what is larger, whenever it is asked for, where that takes at most so many for each of its own


@dataclass(frozen=True)
class Size:
    """A whole number that is known only when the network runs: its name among the sizes, and an int64 (1,)."""

    name: str
    value: Value


Int = int | Size
Ints = tuple[Int, ...]


def plain(dtype: str) -> str:
    """The dtype that a kind of number has here: float32, int64 or bool; text of another kind as it is."""
    kind = np.dtype("float32" if dtype == "bfloat16" else dtype).kind
    return {"f": "float32", "i": "int64", "u": "int64", "b": "bool"}.get(kind, dtype)


class Net(Recorder):
    """Writes down operators of ONNX. A constant is a Value, too, whose name is in `constants`.

    words     how it speaks of what cannot be converted
    here      what the next values are called after
    reserved  names that no value may have: of the inputs to come, and of outputs
    zeros     values that are nothing but zeros
    counted   rows that count from 0 by a step -> that step
    turned    constants that are another one turned, (C, features) of (features, C)
    """

    def __init__(self, words: Words, reserved: Iterable[str] = ()) -> None:
        super().__init__()
        self.words = words
        self.here = ""
        self.reserved = set(reserved)
        self.zeros: set[str] = set()
        self.counted: dict[str, int] = {}
        self.turned: dict[str, Value] = {}
        self.numbers: dict[str, Array] = {}  # of few; sizes may be names
        self.lazy: dict[str, int] = {}  # constants that are computed when they are asked for -> numbers that this takes
        self.sizes: dict[tuple[str, int], Size] = {}
        self.shapes_of: dict[str, Value] = {}
        self.computed = 0

    def unique(self, name: str) -> str:
        """The name that a new value gets if it is asked to have this one; no constant has it either."""
        new = super().unique(name)
        while new in self.constants or new in self.reserved:
            self.taken[name] = self.taken.get(name, 1) + 1
            new = f"{name}_{self.taken[name]}"
            new = super().unique(new) if new in self.values else new
        return new

    def input(self, name: str, shape: Shape, dtype: str = "float32", optional: bool = False) -> Value:
        """An input of the network, whose name is its own; CheckpointDamaged where two have it."""
        if name in self.values or name in self.constants:
            raise self.words.garbled(f"two of its values are called {name[:60]}", f"有两个值都叫 {name[:60]}")
        return super().input(name, shape, dtype, optional)

    # -- constants ---------------------------------------------------------------------------------------------------

    def tensor(self, key: str, ref: TensorRef, dtype: str = "") -> Value:
        """A tensor of the file, in float32, int64 or bool, whatever its own kind of number asks for."""
        dtype = dtype or plain(ref.dtype.name)
        name = self.unique(key)
        chunks = ref.chunks if dtype == ref.dtype.name else None
        load = ref.load if dtype == ref.dtype.name else lambda: ref.load().astype(dtype)
        self.constants[name] = Constant(ref.shape, dtype, load, chunks, {key: ref.shape})
        return Value(name, ref.shape, dtype)

    def array(self, array: Array, near: str = "") -> Value:
        """Numbers of the network's own."""
        array = np.ascontiguousarray(array) if array.ndim else array
        name = self.unique(near or f"{self.here or 'constant'}/numbers")
        self.constant(name, array)
        if not array.any():
            self.zeros.add(name)
        return Value(name, array.shape, array.dtype.name)

    def scalar(self, value: float, dtype: str = "float32") -> Value:
        """One number, of shape ()."""
        name = f"number/{dtype}/{value!r}"
        if name not in self.constants:
            self.constant(name, np.array(value, dtype))
        return Value(name, (), dtype)

    def whole(self, *values: int) -> Value:
        """A row of int64."""
        name = f"whole/{','.join(map(str, values))}"
        if name not in self.constants or len(name) > 80:
            name = name if len(name) <= 80 else self.unique(f"{self.here}/whole")
            self.constant(name, np.array(values, np.int64))
        return Value(name, (len(values),), "int64")

    def is_constant(self, x: Value) -> bool:
        """Whether its numbers are known."""
        return x.name in self.constants

    def known(self, x: Value) -> Array | None:
        """The numbers of a constant; None of what is computed when the network runs."""
        if x.name not in self.constants:
            return None
        return self._loaded(x.name)

    def _loaded(self, name: str) -> Array:
        found = self.numbers.get(name)
        if found is None:
            constant = self.constants[name]
            found = constant.load()
            if math.prod(constant.shape) <= FEW:
                self.numbers[name] = found
        return found

    # -- operators ---------------------------------------------------------------------------------------------------

    def emit(self, op: str, inputs: Sequence[Value | None], shape: Shape | None = None, **attrs: Any) -> Value:
        """One operator of ONNX with one result; `shape` says what the rules of shapes cannot know."""
        return self.emits(op, inputs, 1, shape, **attrs)[0]

    def emits(
        self, op: str, inputs: Sequence[Value | None], count: int, shape: Shape | None = None, **attrs: Any
    ) -> list[Value]:
        """The same with several results."""
        names = tuple("" if x is None else x.name for x in inputs)
        call = Call(Node(op, names, tuple(map(str, range(count))), attrs), inputs, self._asked(inputs))
        try:
            typed = answer(call)
        except ModelError as err:
            said_en, said_zh = err.en.split(". ")[0], err.zh.split("。")[0]  # without what to do about an .onnx
            raise self.words.garbled(said_en[:300].rstrip("."), said_zh[:300]) from None
        if typed is None:
            raise self.words.refused(f"the shape of {op} cannot be known", f"{op} 的形状无法确定")
        typed = [(_filled(found, shape), dtype) for found, dtype in typed]
        for found, _ in typed:
            self._check_size(found)
        folded = self._folded(call, typed[0]) if count == 1 else None
        if folded is not None:
            return [folded]
        outs = self.ops(
            op,
            self.here,
            ["" if x is None else x for x in inputs],
            [s for s, _ in typed],
            [d for _, d in typed],
            **attrs,
        )
        self._propagated(call, typed, outs)
        return outs

    def blocks(self, op: str, inputs: Sequence[Value], shape: Shape, **attrs: Any) -> Value:
        """One of our own operators, in float32."""
        self._check_size(shape)
        return self.op(op, self.here, inputs, shape, "float32", BLOCK, **attrs)

    def _asked(self, inputs: Sequence[Value | None]) -> Callable[[int], Array | None]:
        def numbers(i: int) -> Array | None:
            x = inputs[i] if i < len(inputs) else None
            if x is None:
                return None
            if x.name in self.constants and math.prod(self.constants[x.name].shape) <= FEW:
                return self._loaded(x.name)
            return self.numbers.get(x.name)

        return numbers

    def _propagated(self, call: Call, typed: Sequence[Typed], outs: Sequence[Value]) -> None:
        """What is known of the numbers of small results: sizes, and what is reckoned with them."""
        asked = (x is None or call.known(i) is not None for i, x in enumerate(call.inputs))
        known = call.node.op in OF_SHAPES or all(asked)
        found = propagate(call, typed) if known else None
        for value, array in zip(outs, found or (), strict=False):
            self.numbers[value.name] = array

    def _folded(self, call: Call, typed: Typed) -> Value | None:
        """The constant that an operator makes of constants."""
        given = [x for x in call.inputs if x is not None]
        fold = FOLDS.get(call.node.op)
        sizes = [n for n in typed[0] if isinstance(n, int)]
        count = math.prod(sizes)
        fine = fold and given and len(given) == len(call.inputs) and all(map(self.is_constant, given))
        if not fine or fold is None or len(sizes) < len(typed[0]):
            return None
        names, attrs, (shape, dtype) = [x.name for x in given], call.node.attrs, typed
        sources = [self.constants[name] for name in names]
        keys = {key: size for one in sources for key, size in one.keys.items()}
        own = sum(map(math.prod, keys.values()))
        if count > max(OPENED + own, *(math.prod(one.shape) for one in sources)):
            return None  # it would be larger than all that it is made of

        def load() -> Array:
            with np.errstate(all="ignore"):
                found = fold([np.asarray(one.load(), order="C") for one in sources], attrs).astype(dtype, copy=False)
            assert found.shape == tuple(sizes), f"{call.node.op}: {found.shape}, not {shape}"
            return found  # maybe as a view: what is written next often turns it once more

        name = self.unique(f"{self.here}/{call.node.op.lower()}" if self.here else call.node.op.lower())
        self._keep(name, Constant(tuple(sizes), dtype, load, keys=keys), sum(self.lazy.get(one, 0) for one in names))
        if call.node.op in ("Reshape", "Expand", "Slice", "Cast", "Transpose", "Unsqueeze") and names[0] in self.zeros:
            self.zeros.add(name)
        return Value(name, tuple(sizes), dtype)

    def _keep(self, name: str, made: Constant, before: int) -> None:
        """A constant that is made of others, which take `before` numbers. What is large, as the weights of a file are,
        waits until it is asked for, so that it need not be held; all else, and what would take long again and again,
        is computed now.
        """
        count = math.prod(made.shape)
        if count > OPENED and before + count <= AGAIN * count:
            self.constants[name] = made
            self.lazy[name] = before + count
            return
        self.computed += count
        if self.computed > COMPUTED:
            raise self.words.refused(
                f"more than {COMPUTED} numbers would have to be computed to convert it",
                f"转换它需要预先计算超过 {COMPUTED} 个数",
            )
        array = made.load()
        array = array if array.base is None else array.copy()  # not what a small part was taken of
        self.constants[name] = Constant(made.shape, made.dtype, lambda: array, keys=made.keys)
        if not made.keys and not array.any():
            self.zeros.add(name)

    def _check_size(self, shape: Shape) -> None:
        if math.prod(n for n in shape if isinstance(n, int)) > MAX_ELEMENTS:
            raise self.words.refused(
                f"one of its values is too large: {list(shape)}", f"其中一个中间结果太大：{list(shape)}"
            )

    # -- sizes -------------------------------------------------------------------------------------------------------

    def size(self, x: Value, axis: int) -> Int:
        """How long an axis is."""
        axis = self.axis(x, axis)
        size = x.shape[axis]
        if isinstance(size, int):
            return size
        if (x.name, axis) not in self.sizes:
            if x.name not in self.shapes_of:
                self.shapes_of[x.name] = self.emit("Shape", [x])
            value = self.emit("Gather", [self.shapes_of[x.name], self.whole(axis)], axis=0)
            self.sizes[x.name, axis] = Size(size, value)
        return self.sizes[x.name, axis]

    def axis(self, x: Value, axis: int, more: int = 0) -> int:
        """An axis counted from the front, of `more` axes more than there are."""
        rank = max(len(x.shape) + more, 1)
        if not -rank <= axis < rank:
            raise self.words.garbled(f"axis {axis} is none of {rank} dimensions", f"第 {axis} 轴不存在，只有 {rank} 维")
        return axis % rank

    def row(self, sizes: Sequence[Int]) -> Value:
        """Sizes as an int64 row: a constant where all of them are numbers."""
        if all(isinstance(n, int) for n in sizes):
            return self.whole(*(n for n in sizes if isinstance(n, int)))
        return self.emit("Concat", [self.as_row(n) for n in sizes], axis=0)

    def as_row(self, size: Int) -> Value:
        """One size as an int64 (1,)."""
        return self.whole(size) if isinstance(size, int) else size.value

    def reckoned(self, op: str, a: Int, b: Int, name: str = "") -> Int:
        """Arithmetic with sizes, of which one is free; `name` is what the result is called, if that is known."""
        value = self.emit(op, [self.as_row(a), self.as_row(b)])
        numbers = self.numbers.get(value.name)
        found = numbers[0] if numbers is not None else UNKNOWN
        if not isinstance(found, str):
            return int(found)
        return Size(name or (found if found != UNKNOWN else f"{op}({dim(a)},{dim(b)})"), value)

    def zeros_like(self, x: Value) -> Value:
        """Marks a value as nothing but zeros."""
        self.zeros.add(x.name)
        return x


def dim(size: Int) -> Dim:
    """A size as a shape has it."""
    return size if isinstance(size, int) else size.name


def _filled(found: Shape, stated: Shape | None) -> Shape:
    """What is not known of a shape, as stated."""
    if stated is None or UNKNOWN not in found or len(found) != len(stated):
        return found
    return tuple(b if a == UNKNOWN else a for a, b in zip(found, stated, strict=True))
