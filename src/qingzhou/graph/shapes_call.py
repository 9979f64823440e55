"""What a shape rule is asked with, and how it reckons with sizes that may be free."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from .form import Array, Constant, Dim, Node, Shape, Value

UNKNOWN = "?"
LARGEST = 2**63 - 1  # of a size
FEW = 4096  # numbers of a constant that are looked at
Typed = tuple[Shape, str]  # shape and dtype of one output
Rule = Callable[["Call"], list[Typed]]
Known = Callable[[int], Array | None]  # the numbers of input i; dtype object where some of them are names of free sizes

# https://onnx.ai/onnx/api/mapping.html: the number of an element type in a file -> its dtype
DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "str", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
    17: "float8_e4m3fn", 18: "float8_e4m3fnuz", 19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4",
    23: "float4_e2m1fn", 24: "float8_e8m0fnu",
}  # fmt: skip


class Unknown(Exception):
    """A rule needs what is not known; never leaves this room."""


@dataclass(frozen=True)
class Call:
    """One node with what is known of its inputs. None among the inputs: left out, or nothing is known of it."""

    node: Node
    inputs: Sequence[Value | None]
    known: Known

    # -- inputs ------------------------------------------------------------------------------------------------------

    def has(self, i: int) -> bool:
        """Whether input i is given."""
        return i < len(self.node.inputs) and self.node.inputs[i] != ""

    def value(self, i: int) -> Value:
        """Input i, which the operator cannot be without."""
        if not self.has(i):
            raise self.wrong(f"its input {i} is missing", f"缺少第 {i} 个输入")
        found = self.inputs[i]
        if found is None:
            raise Unknown
        return found

    def shape(self, i: int, *ranks: int) -> Shape:
        """Shape of input i, which has one of these ranks if any are named."""
        shape = self.value(i).shape
        if ranks and len(shape) not in ranks:
            wish = "/".join(map(str, ranks))
            raise self.wrong(
                f"its input {i} has the shape {shape}, where {wish} dimensions are needed",
                f"第 {i} 个输入的形状是 {shape}，需要 {wish} 维",
            )
        return shape

    def shapes(self, step: int = 1, first: int = 0) -> list[Shape]:
        """Shapes of all inputs, of which there is at least one; or of every `step`th."""
        return [self.shape(i) for i in range(first, max(len(self.node.inputs), first + 1), step)]

    def dtype(self, i: int = 0) -> str:
        """Dtype of input i."""
        return self.value(i).dtype

    def ints(self, i: int) -> Shape:
        """The integers in input i, one by one; "?" for each where only their count is known."""
        numbers = self.known(i)
        if numbers is not None:
            return tuple(self._whole(n) for n in numbers.ravel().tolist())
        count = math.prod(fixed(self.shape(i)))
        if count > FEW:
            raise Unknown
        return (UNKNOWN,) * count

    def _whole(self, n: float | str) -> Dim:
        if isinstance(n, float) and not n.is_integer():
            raise self.wrong(f"{n} is not an integer", f"{n} 不是整数")
        return n if isinstance(n, str) else int(n)

    def floats(self, i: int) -> list[float] | None:
        """The numbers in input i; None where they are not all known."""
        numbers = self.known(i)
        return None if numbers is None or numbers.dtype == object else [float(n) for n in numbers.ravel()]

    def scalar(self, i: int) -> Dim:
        """The one integer in input i."""
        return self.ints(i)[0] if self.shape(i) in ((), (1,)) else UNKNOWN

    # -- attributes --------------------------------------------------------------------------------------------------

    def number(self, name: str, default: int) -> int:
        """An attribute that is an integer."""
        found = self.node.attrs.get(name, default)
        if not isinstance(found, int):
            raise self._odd(name)
        return found

    def text(self, name: str, default: str = "") -> str:
        """An attribute that is a text."""
        found = self.node.attrs.get(name, default)
        if not isinstance(found, str):
            raise self._odd(name)
        return found

    def numbers(self, name: str) -> tuple[int, ...] | None:
        """An attribute that is a list of integers."""
        found = self.node.attrs.get(name)
        if found is not None and not (isinstance(found, tuple) and all(isinstance(n, int) for n in found)):
            raise self._odd(name)
        return found

    def fractions(self, name: str) -> tuple[float, ...] | None:
        """An attribute that is a list of numbers."""
        found = self.node.attrs.get(name)
        if found is not None and not (isinstance(found, tuple) and all(isinstance(n, int | float) for n in found)):
            raise self._odd(name)
        return found

    def count(self, name: str) -> int:
        """Length of an attribute that is a list of anything; 0 without it."""
        found = self.node.attrs.get(name, ())
        if not isinstance(found, tuple):
            raise self._odd(name)
        return len(found)

    def named(self, name: str, default: int) -> str:
        """The dtype that an attribute names by its number."""
        if self.number(name, default) not in DTYPES:
            raise self._odd(name)
        return DTYPES[self.number(name, default)]

    def _odd(self, name: str) -> ModelError:
        found = str(self.node.attrs.get(name))[:40]
        return self.wrong(f"its attribute {name} is {found}", f"属性 {name} 是 {found}")

    def tensor(self, name: str) -> Constant | None:
        """An attribute that is a tensor."""
        found = self.node.attrs.get(name)
        return found if isinstance(found, Constant) else None

    def given(self, name: str, i: int) -> Shape | None:
        """Integers that one opset has as an input and another one as an attribute; None where they are left out."""
        return self.ints(i) if self.has(i) else self.numbers(name)

    def axis(self, default: int, rank: int, name: str = "axis") -> int:
        """An attribute that names an axis, from 0 on."""
        return self.from_front(self.number(name, default), rank)

    def axes(self, i: int, rank: int) -> tuple[int, ...] | None:
        """Axes from 0 on, by input i or by attribute; None where they are left out."""
        found = self.given("axes", i)
        return None if found is None else tuple(self.from_front(axis, rank) for axis in fixed(found))

    # -- contradictions ----------------------------------------------------------------------------------------------

    def wrong(self, en: str, zh: str) -> ModelError:
        """What to raise where inputs contradict the operator; `en` and `zh` say what is wrong, without full stop."""
        where = f"{self.node.op} ({''.join(self.node.outputs[:1])[:80]})"
        return ModelError(
            en=f"The operator {where} cannot be computed: {en[:400]}. The model was damaged, or changed after it was "
            "exported: export it again.",
            zh=f"算子 {where} 无法计算：{zh[:400]}。模型已损坏，或导出后被修改：请重新导出。",
        )

    def from_front(self, axis: int, rank: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < rank:
            raise self.wrong(f"axis {axis} is none of {rank} dimensions", f"第 {axis} 轴不存在，只有 {rank} 维")
        return axis % rank

    def equal(self, a: Dim, b: Dim, en: str, zh: str) -> Dim:
        """What is known of two sizes that must be the same; `en` and `zh` name them."""
        if isinstance(a, int) and isinstance(b, int) and a != b:
            raise self.wrong(f"{en}: {a} and {b}", f"{zh}：{a} 和 {b}")
        return min(a, b, key=_vagueness)

    def together(self, *shapes: Shape) -> Shape:
        """The shape of a broadcast in all directions (https://onnx.ai/onnx/repo-docs/Broadcasting.html)."""
        rank = max(map(len, shapes))
        filled = [(1,) * (rank - len(shape)) + shape for shape in shapes]
        if len(set(filled)) == 1 and UNKNOWN not in filled[0]:
            return filled[0]
        return tuple(self._stretched(sizes, shapes) for sizes in zip(*filled, strict=True))

    def _stretched(self, sizes: tuple[Dim, ...], shapes: Iterable[Shape]) -> Dim:
        wide = {n for n in sizes if n != 1}
        fixed_sizes = [n for n in wide if isinstance(n, int)]
        if len(fixed_sizes) > 1:
            listed = ", ".join(map(str, shapes))
            raise self.wrong(f"the shapes {listed} do not go together", f"形状 {listed} 不能一起广播")
        if fixed_sizes or not wide:
            return fixed_sizes[0] if fixed_sizes else 1
        return wide.pop() if len(wide) == 1 else UNKNOWN  # one of two free sizes may be 1


def _vagueness(size: Dim) -> int:
    return 0 if isinstance(size, int) else 1 + (size == UNKNOWN)


# -- sizes -----------------------------------------------------------------------------------------------------------


def fixed(shape: Sequence[Dim]) -> tuple[int, ...]:
    """The sizes, which must all be known."""
    sizes = tuple(n for n in shape if isinstance(n, int))
    if len(sizes) < len(shape):
        raise Unknown
    return sizes


def plus(size: Dim, other: Dim) -> Dim:
    """Sum of two sizes."""
    if isinstance(size, int) and isinstance(other, int):
        return _possible(size + other)
    return size if other == 0 else other if size == 0 else UNKNOWN


def _possible(size: int) -> Dim:
    return size if abs(size) <= LARGEST else UNKNOWN


def total(sizes: Iterable[Dim]) -> Dim:
    """Sum of sizes."""
    result: Dim = 0
    for size in sizes:
        result = plus(result, size)
    return result


def times(size: Dim, other: Dim) -> Dim:
    """Product of two sizes."""
    if isinstance(size, int) and isinstance(other, int):
        return _possible(size * other)
    if 0 in (size, other):
        return 0
    return size if other == 1 else other if size == 1 else UNKNOWN


def product(sizes: Iterable[Dim]) -> Dim:
    """Product of sizes."""
    result: Dim = 1
    for size in sizes:
        result = times(result, size)
    return result


def quotient(whole: Shape, part: Shape) -> Dim | None:
    """Product of `whole` through that of `part`; None where it leaves a rest. Free sizes of one name cancel."""
    names, others = [n for n in whole if isinstance(n, str)], [n for n in part if isinstance(n, str)]
    if UNKNOWN in names or UNKNOWN in others:
        return UNKNOWN
    for name in tuple(others):
        if name in names:
            names.remove(name)
            others.remove(name)
    above, below = (math.prod(n for n in sizes if isinstance(n, int)) for sizes in (whole, part))
    if others or below == 0:
        return UNKNOWN
    if not names:
        return _possible(above // below) if above % below == 0 else None
    return names[0] if len(names) == 1 and above == below else UNKNOWN


def scaled(size: Dim, scale: float) -> Dim:
    """Floor of size × scale in float32, as onnxruntime computes it (core/providers/cpu/tensor/upsamplebase.h)."""
    if isinstance(size, str):
        return size if scale == 1 else UNKNOWN
    found = float(np.float32(size) * np.float32(scale))
    return int(found) if abs(found) < LARGEST else UNKNOWN
