"""Walk: the operators of a .tflite one after the other, and what each of its tensors is in the network.

A tensor of 8 bits is here what its integers stand for: rounded to them and back (QuantizeLinear, DequantizeLinear),
with the file's own scale and zero point. int8 becomes uint8, 128 higher: the same numbers, in the form that all engines
run fast. What has 16 bits is computed in float32, which has more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ModelError, QingzhouError
from ...files.refusals import short
from ...graph.form import Array, Constant, Dim, Value
from ...nets.detection import Thresholds
from ..recording.net import Net, plain
from ..recording.words import at_line
from .model import Model, Operator, Steps, Tensor, clean
from .refuse import garbled, refused, unknown

FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)  # channels, of pictures
BATCH = "batch"


@dataclass(frozen=True)
class Detector:
    """What became of the end of an SSD: boxes with their scores, the labels of these, and by which thresholds.

    told  the least score by the file itself
    """

    dets: Value
    labels: Value
    classes: int
    told: float
    thresholds: Thresholds


Step = Callable[["Call"], Value | Sequence[Value]]


@dataclass(frozen=True)
class Spaced:
    """A picture that SPACE_TO_BATCH_ND has taken apart, as a convolution with dilation wants it; or what came of one.

    x     the picture as it was;  blocks: the dilation;  pads: what was added before and after, of each axis
    """

    x: Value
    blocks: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]


@dataclass
class Walk:
    """A network on its way.

    values  what flows, by the number of its tensor;  spaced: what stands for one of these
    steps   how the integers of a value stand for numbers: scale and zero point of uint8
    """

    t: Net
    model: Model
    table: Mapping[str, Step]
    values: dict[int, Value] = field(default_factory=dict)
    spaced: dict[int, Spaced] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    parameters: dict[tuple[float, int, str], tuple[Value, Value]] = field(default_factory=dict)
    readers: dict[int, list[Operator]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    detector: Detector | None = None

    def __post_init__(self) -> None:
        for op in self.model.operators:
            for index in op.inputs:
                self.readers.setdefault(index, []).append(op)

    def step(self, op: Operator) -> None:
        """One operator; UnsupportedCheckpoint names one that is not known."""
        step = self.table.get(op.name)
        if step is None:
            raise unknown(op.name)
        if not op.outputs:
            raise garbled(f"{op.name} makes nothing", f"{op.name} 没有输出")
        self.t.here = self.label(op.outputs[0])
        try:
            found = step(Call(self, op))
        except (QingzhouError, ModelError) as err:
            raise at_line(err, op.name, self.t.here) from None
        except (IndexError, ValueError, TypeError, OverflowError, AssertionError) as err:
            raise garbled(
                f"{op.name} has settings that no file has ({short(str(err), 60)})", f"{op.name} 的参数无效"
            ) from None
        for index, value in zip(op.outputs, [found] if isinstance(found, Value) else found, strict=False):
            self.values[index] = self.rounded(value, self.model.tensors[index])

    def label(self, index: int) -> str:
        """What a value is called after: the end of its tensor's name, which may be as long as a page."""
        name = clean(self.model.tensors[index].name)
        return name[-60:].partition("/")[2] or name[-60:] if len(name) > 60 else name

    # -- what is read ------------------------------------------------------------------------------------------------

    def value(self, index: int) -> Value:
        """A tensor in float32, int64 or bool; a constant is read when it is asked for."""
        if index not in self.values:
            tensor = self.model.tensors[index]
            if tensor.numbers is None:
                raise garbled(
                    f"{short(tensor.name, 60)} is read before it is made", f"{short(tensor.name, 60)} 在计算前被使用"
                )
            self.values[index] = self.constant(tensor)
        return self.values[index]

    def constant(self, tensor: Tensor) -> Value:
        """The numbers of a constant, those that integers stand for."""
        numbers, steps = tensor.numbers, tensor.steps
        assert numbers is not None
        if steps is not None and tensor.dtype != "float32":
            return self.keep(tensor, tensor.shape, "float32", lambda: floats(numbers(), steps))
        dtype = plain(tensor.dtype)
        if dtype == tensor.dtype and tensor.pieces is not None:
            return self.keep(tensor, tensor.shape, dtype, numbers, tensor.pieces)
        return self.keep(tensor, tensor.shape, dtype, lambda: numbers().astype(dtype))

    def keep(
        self, tensor: Tensor, shape: tuple[int, ...], dtype: str, load: Callable[[], Array], pieces: Any = None
    ) -> Value:
        """A constant that is made of a tensor of the file."""
        key = self.key(tensor)
        name = self.t.unique(key)
        self.t.constants[name] = Constant(shape, dtype, load, pieces, {key: tensor.shape})
        return Value(name, shape, dtype)

    def key(self, tensor: Tensor) -> str:
        """A name of its own: several tensors may have the same."""
        if tensor.index not in self.keys:
            name = clean(tensor.name)[-120:]
            taken = set(self.keys.values())
            self.keys[tensor.index] = name if name not in taken else f"{name}#{tensor.index}"
        return self.keys[tensor.index]

    # -- integers ----------------------------------------------------------------------------------------------------

    def rounded(self, x: Value, tensor: Tensor) -> Value:
        """What its integers stand for, of a tensor that has such."""
        if not tensor.integer or x.dtype != "float32":
            return x
        assert tensor.steps is not None
        if not tensor.steps.single:
            raise refused(f"{short(tensor.name, 60)} flows with a scale for each channel", "激活张量带有逐通道的比例")
        ends = self.ends(tensor.steps, tensor.dtype)
        t, before = self.t, self.t.here
        t.here = f"{before}/integers"
        integers = t.emit("QuantizeLinear", [x, *ends])
        t.here = f"{before}/rounded"
        found = t.emit("DequantizeLinear", [integers, *ends])
        t.here = before
        return found

    def ends(self, steps: Steps, dtype: str) -> tuple[Value, Value]:
        """Scale and zero point of one tensor, of integers without sign."""
        scale, zero = float(steps.scales[0]), int(steps.zeros[0]) + (128 if dtype == "int8" else 0)
        if not 0 <= zero <= 255 or not 0 < scale < math.inf:
            raise garbled(f"a scale is {scale}, with the zero point {zero}", f"比例是 {scale}，零点是 {zero}")
        if (scale, zero, "uint8") not in self.parameters:
            made = self.t.array(np.array(scale, np.float32), "scale"), self.t.array(np.array(zero, np.uint8), "zero")
            self.parameters[scale, zero, "uint8"] = made
        return self.parameters[scale, zero, "uint8"]


def floats(integers: Array, steps: Steps) -> Array:
    """What integers stand for."""
    wide = [1] * integers.ndim
    if not steps.single:
        wide[steps.axis] = len(steps.scales)
    zeros = steps.zeros.reshape(wide) if integers.ndim else steps.zeros[0]
    scales = steps.scales.astype(np.float32).reshape(wide) if integers.ndim else steps.scales[0]
    found: Array = (integers.astype(np.float32) - np.asarray(zeros, np.float32)) * scales
    return np.asarray(found, np.float32)


@dataclass(frozen=True)
class Call:
    """One operator with all that it is given."""

    walk: Walk
    op: Operator

    @property
    def t(self) -> Net:
        """The network."""
        return self.walk.t

    def option(self, name: str, default: float = 0) -> Any:
        """A setting; the default where the file leaves it, or all of them, out."""
        return self.op.options.get(name, default)

    def has(self, i: int) -> bool:
        """Whether input i is given."""
        return i < len(self.op.inputs) and self.op.inputs[i] >= 0

    def tensor(self, i: int) -> Tensor:
        """Input i as the file has it."""
        if not self.has(i):
            raise garbled(f"{self.op.name} has no input {i}", f"{self.op.name} 缺少第 {i} 个输入")
        return self.walk.model.tensors[self.op.inputs[i]]

    def out(self, i: int = 0) -> Tensor:
        """Output i as the file has it."""
        return self.walk.model.tensors[self.op.outputs[i]]

    def x(self, i: int = 0) -> Value:
        """Input i."""
        return self.walk.value(self.tensor(i).index)

    def xs(self) -> list[Value]:
        """All inputs."""
        return [self.x(i) for i in range(len(self.op.inputs))]

    def dims(self, i: int) -> list[Dim] | None:
        """The whole numbers of an input that are sizes, some of which may be names; None where they are not known."""
        x = self.x(i)
        found = self.t.known(x) if self.t.is_constant(x) else self.t.numbers.get(x.name)
        return None if found is None else [n if isinstance(n, str) else int(n) for n in found.reshape(-1).tolist()]

    def ints(self, i: int) -> tuple[int, ...]:
        """The whole numbers of an input, which are known; UnsupportedCheckpoint."""
        found = self.dims(i)
        if found is None or not all(isinstance(n, int) for n in found):
            raise refused(
                f"what it does depends on numbers that are only known when it runs ({short(self.tensor(i).name, 60)})",
                f"它的计算步骤取决于运行时才知道的数值（{short(self.tensor(i).name, 60)}）",
            )
        return tuple(int(n) for n in found)

    def axes(self, i: int, rank: int) -> tuple[int, ...]:
        """Axes by an input, from the front."""
        return tuple(self.axis(n, rank) for n in self.ints(i))

    def axis(self, axis: int, rank: int) -> int:
        """An axis, counted from the front."""
        if not -rank <= axis < rank:
            raise garbled(f"axis {axis} is none of {rank} dimensions", f"第 {axis} 轴不存在，只有 {rank} 维")
        return axis % rank

    def turned(self, x: Value, perm: Sequence[int]) -> Value:
        """With its axes in another order."""
        return self.t.emit("Transpose", [x], perm=tuple(perm))


def whole(x: Value) -> tuple[int, ...]:
    """Sizes, of which none is free."""
    if not all(isinstance(n, int) for n in x.shape):
        raise refused(
            f"it needs a fixed size, where {list(x.shape)} is free", f"它需要固定的尺寸，而 {list(x.shape)} 可变"
        )
    return tuple(int(n) for n in x.shape)
