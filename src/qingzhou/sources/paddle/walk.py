"""Walk: the operators of a program one after the other, and what each of its variables is in the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ModelError, QingzhouError, say
from ...files.refusals import short
from ...files.types import TensorRef
from ...graph.form import Dim, Value
from ..aten.axes import permute, unsqueeze
from ..aten.refuse import TORCH
from ..recording.net import Int, Ints, Net, Size
from ..recording.words import at_line, instead
from .program import KINDS, Names, Operator, Program
from .refuse import PADDLE, garbled, refused, unknown

Results = Value | Sequence["Value | Sequence[Value] | None"]
Step = Callable[["Call"], Results]
MOST = 1 << 40  # of a whole number
# What a function raises where settings contradict each other that no file has
OURS = (IndexError, KeyError, ValueError, TypeError, ArithmeticError, AssertionError, AttributeError, StopIteration)
OPEN = 2**31 - 1  # as an end: to the end


@dataclass
class Walk:
    """A network on its way.

    values   what flows, by its variable;  joined: operators that were written down with an earlier one -> its value
    readers  variable -> the operators that take it;  makers: those that give it
    used     parameters that were asked for
    """

    t: Net
    program: Program
    tensors: Mapping[str, TensorRef]
    table: Mapping[str, Step]
    names: Mapping[str, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    joined: dict[int, Value] = field(default_factory=dict)
    readers: dict[str, list[Operator]] = field(default_factory=dict)
    makers: dict[str, list[Operator]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for op in self.program.operators:
            for names in op.inputs.values():
                for name in names:
                    self.readers.setdefault(name, []).append(op)
            for names in op.outputs:
                for name in names:
                    self.makers.setdefault(name, []).append(op)

    def step(self, op: Operator) -> None:
        """One operator; UnsupportedCheckpoint names one that is not known."""
        if id(op) in self.joined:
            self.give(op, self.joined[id(op)])
            return
        step = self.table.get(op.name)
        if step is None:
            raise unknown(op.name)
        self.t.here = short(op.label, 60)
        try:
            found = step(Call(self, op))
        except (QingzhouError, ModelError) as err:
            raise at_line(instead(err, TORCH, PADDLE), op.name, self.t.here) from None
        except OURS as err:
            raise garbled(
                f"{op.name} has settings that no file has ({short(str(err), 60)})", f"{op.name} 的参数无效"
            ) from None
        self.give(op, found)

    def give(self, op: Operator, found: Results) -> None:
        """The results of an operator to its variables."""
        results = [found] if isinstance(found, Value) else found
        for names, result in zip(op.outputs, results, strict=False):
            if result is None:
                continue
            for name, value in zip(names, [result] if isinstance(result, Value) else result, strict=False):
                self.values[name] = value

    def rounded(self, kind: str) -> None:
        """Tells once that numbers of 16 bits are computed with more."""
        told = say(
            en="Some of it is float16 or bfloat16 in the file; it is computed in float32, with other last digits.",
            zh="文件中有部分数值是 float16 或 bfloat16；这里用 float32 计算，末位数字会有差别。",
        )
        if kind in ("float16", "bfloat16") and told not in self.notes:
            self.notes.append(told)

    def value(self, name: str) -> Value:
        """A variable in float32, int64 or bool; a parameter is read when it is asked for."""
        if name not in self.values:
            stored = self.program.stored.get(name)
            if stored is None and self.makers.get(name):
                op = self.makers[name][0].name
                raise refused(
                    f"a result of {op} is used that is not computed here", f"用到了 {op} 的一个此处不计算的结果"
                )
            if stored is None:
                raise garbled(f"{short(name, 60)} is read before it is made", f"{short(name, 60)} 在计算前被使用")
            self.rounded(stored.type.dtype)
            self.values[name] = self.t.tensor(self.key(stored.name), self.tensors[stored.name])
        return self.values[name]

    def key(self, name: str) -> str:
        """What a parameter is called: as the author's program does, where a file beside says that."""
        return self.names.get(name, name)

    def alone(self, name: str) -> Operator | None:
        """The only reader of a variable that one operator makes and that is no result of the network."""
        readers = self.readers.get(name, [])
        single = len(readers) == 1 and len(self.makers.get(name, [])) == 1 and name not in self.program.outputs
        return readers[0] if single else None

    def vector(self, name: str) -> str | None:
        """The parameter (C,) that a variable is, also as (1, C, 1, 1); None of anything else."""
        makers = self.makers.get(name, [])
        if len(makers) == 1 and makers[0].name == "reshape" and len(self.readers.get(name, [])) == 1:
            name = makers[0].inputs.get("x", ("",))[0]
        stored = self.program.stored.get(name)
        written = self.makers.get(name)
        return name if stored is not None and len(stored.type.dims) == 1 and not written else None


@dataclass(frozen=True)
class Call:
    """One operator with all that it is given."""

    walk: Walk
    op: Operator

    @property
    def t(self) -> Net:
        """The network."""
        return self.walk.t

    # -- variables -----------------------------------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        """Whether an argument is a variable."""
        return bool(self.op.inputs.get(name))

    def x(self, name: str = "x") -> Value:
        """An argument that is one variable."""
        names = self.op.inputs.get(name, ())
        if len(names) != 1:
            raise garbled(f"{self.op.name} has no {name}", f"{self.op.name} 缺少 {name}")
        return self.walk.value(names[0])

    def maybe(self, name: str) -> Value | None:
        """The same, or None."""
        return self.x(name) if self.has(name) else None

    def xs(self, name: str) -> list[Value]:
        """An argument that is a list of variables."""
        return [self.walk.value(one) for one in self.op.inputs.get(name, ())]

    def result(self, i: int = 0) -> str:
        """The dtype of a result by the file; "" where it is not told."""
        names: Names = self.op.outputs[i] if i < len(self.op.outputs) else ()
        typed = self.walk.program.types.get(names[0]) if names else None
        return typed.dtype if typed else ""

    @property
    def older(self) -> bool:
        """Whether Paddle 2, or one before it, wrote the file: some operators have changed since."""
        return self.walk.program.version.startswith(("0.", "1.", "2."))

    # -- settings ------------------------------------------------------------------------------------------------------

    def sizes(self, name: str, default: Sequence[int] = ()) -> Ints:
        """Whole numbers, some of which may be known only when it runs: of variables, else of an attribute."""
        if not self.has(name):
            return self._whole_numbers(self.op.attrs.get(name), name, default)
        return tuple(n for one in self.xs(name) for n in self._sizes_in(one, name))

    def ints(self, name: str, default: Sequence[int] = ()) -> tuple[int, ...]:
        """The same, all known; UnsupportedCheckpoint."""
        found = self.sizes(name, default)
        if any(isinstance(n, Size) for n in found):
            raise refused(
                f"what it does depends on numbers that are only known when it runs ({name})",
                f"它的计算步骤取决于运行时才知道的数值（{name}）",
            )
        return tuple(n for n in found if isinstance(n, int))

    def whole(self, name: str, default: int = 0) -> int:
        """One of them."""
        found = self.ints(name, (default,))
        if len(found) != 1:
            raise garbled(f"{name} is {list(found)[:9]}", f"{name} 的值是 {list(found)[:9]}")
        return found[0]

    def _whole_numbers(self, value: object, name: str, default: Sequence[int]) -> tuple[int, ...]:
        row = list(default) if value is None else value if isinstance(value, list) else [value]
        if not all(type(n) in (int, bool) or (isinstance(n, float) and n == int(n)) for n in row) or len(row) > 1 << 16:
            raise garbled(f"{name} is no row of whole numbers", f"{name} 不是整数列表")
        found = tuple(int(n) for n in row if isinstance(n, (int, float)))
        if any(abs(n) > MOST and abs(n) < 2**63 - 1 for n in found):
            raise garbled(f"{name} is very large", f"{name} 过大")
        return found

    def _sizes_in(self, x: Value, name: str) -> list[Int]:
        numbers = self.t.known(x) if self.t.is_constant(x) else self.t.numbers.get(x.name)
        count = math.prod(n for n in x.shape if isinstance(n, int))
        if count > 1 << 16 or any(isinstance(n, str) for n in x.shape):
            raise refused(f"how many {name} there are is not known", f"{name} 的个数未知")
        flat = [None] * count if numbers is None else numbers.reshape(-1).tolist()
        return [int(n) if isinstance(n, (int, float)) else self._size(x, i, n) for i, n in enumerate(flat)]

    def _size(self, x: Value, i: int, said: object) -> Size:
        """Element i of a row, as a size of that name."""
        t = self.t
        wide = x if len(x.shape) == 1 else t.emit("Reshape", [x, t.whole(-1)])
        one = wide if wide.shape == (1,) else t.emit("Gather", [wide, t.whole(i)], axis=0)
        return Size(said if isinstance(said, str) else "?", one)

    def axes(self, name: str, rank: int, default: Sequence[int] = ()) -> tuple[int, ...]:
        """Axes, counted from the front."""
        return tuple(self.axis_of(n, rank) for n in self.ints(name, default))

    def axis(self, name: str, rank: int, default: int = 0) -> int:
        """One of them."""
        return self.axis_of(self.whole(name, default), rank)

    def axis_of(self, axis: int, rank: int) -> int:
        """CheckpointDamaged for an axis that is not there."""
        rank = max(rank, 1)
        if not -rank <= axis < rank:
            raise garbled(f"axis {axis} is none of {rank} dimensions", f"第 {axis} 轴不存在，只有 {rank} 维")
        return axis % rank

    def number(self, name: str, default: float = 0.0) -> float:
        """One number, of a variable that is known or of an attribute."""
        found: Any = self.op.attrs.get(name)
        if self.has(name):
            array = self.t.known(self.x(name))
            if array is None or array.size != 1:
                raise refused(f"its setting {name} is only known when it runs", f"它的参数 {name} 运行时才知道")
            found = array.reshape(-1)[0].item()
        found = default if found is None else _in_text(found)
        if not isinstance(found, (int, float)) or math.isnan(found):
            raise garbled(f"{name} is no number", f"{name} 不是数")
        return float(found)

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth."""
        found = self.op.attrs.get(name, default)
        if not isinstance(found, (bool, int)):
            raise garbled(f"{name} is neither true nor false", f"{name} 不是真假值")
        return bool(found)

    def text(self, name: str, default: str = "") -> str:
        """A word."""
        found = self.op.attrs.get(name, default)
        if not isinstance(found, str):
            raise garbled(f"{name} is no text", f"{name} 不是文本")
        return found

    def dtype(self, name: str = "dtype") -> str:
        """A kind of number: by its name, or by its number in framework.proto; "" where it is not said."""
        found = self.op.attrs.get(name)
        if isinstance(found, str):
            return found.lower() if found.lower() in KINDS.values() else ""
        return KINDS.get(found, "") if isinstance(found, int) else ""

    # -- channels ------------------------------------------------------------------------------------------------------

    def last(self) -> bool:
        """Whether its channels come last."""
        return self.text("data_format", "NCHW").endswith("C")

    def first(self, x: Value) -> Value:
        """With its channels on axis 1, as ONNX's operators want them."""
        rank = len(x.shape)
        return permute(self.t, x, (0, rank - 1, *range(1, rank - 1))) if self.last() and rank > 2 else x

    def back(self, x: Value) -> Value:
        """As they were."""
        rank = len(x.shape)
        return permute(self.t, x, (0, *range(2, rank), 1)) if self.last() and rank > 2 else x


def _in_text(value: Any) -> Any:
    """A number, which older programs may have as text."""
    try:
        return float(value) if isinstance(value, str) and len(value) < 40 else value
    except ValueError:
        return value


def one(function: Callable[..., Value], **named: str) -> Step:
    """A function of x, with numbers of these settings: parameter=setting."""

    def step(c: Call) -> Value:
        return function(c.t, c.x(), **{key: c.number(name) for key, name in named.items() if given(c, name)})

    return step


def given(c: Call, name: str) -> bool:
    """Whether a setting is there at all."""
    return c.has(name) or c.op.attrs.get(name) is not None


def fixed(sizes: Sequence[Dim]) -> tuple[int, ...] | None:
    """Sizes, of which none is free; None where one is."""
    found = tuple(n for n in sizes if isinstance(n, int))
    return found if len(found) == len(sizes) else None


def at_front(c: Call, x: Value, count: int) -> Value:
    """With so many new axes of size 1 at the front."""
    for _ in range(count):
        x = unsqueeze(c.t, x, 0)
    return x


def zeros(c: Call, *shape: int) -> Value:
    """A constant of zeros."""
    return c.t.array(np.zeros(shape, np.float32))
