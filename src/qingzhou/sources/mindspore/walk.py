"""Walk: the operations of a `.mindir` one after the other, and what each of its names is in the network.

A name stands for a tensor, or for a plain thing: a number, a text, nothing, or a tuple of these. Sizes that are free
are known by name only (recording.net.Size).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import ModelError, QingzhouError
from ...files.refusals import short
from ...graph.form import Value
from ..recording.net import Int, Ints, Net, Size, plain
from ..recording.words import at_line
from .model import Model, Node
from .proto import SKIPPED, TensorProto
from .refuse import garbled, refused, training, unknown

BATCH = "batch"
Step = Callable[["Call"], Any]
NUMBERS = {"float32": 1, "int64": 7, "bool": 9}  # TensorProto.DataType of ONNX
EFFECTS = ("Assign", "AssignAdd", "AssignSub", "ScatterUpdate", "ScatterNdUpdate", "ApplyMomentum", "Adam", "SGD")
KEEPING = ("StridedSlice", "ExpandDims", "Squeeze", "Reshape", "Transpose", "BroadcastTo", "Tile")  # zeros stay zeros
GLUE = {"UpdateState": 0, "Depend": 1, "Load": 1}  # how many of their inputs are looked at


@dataclass
class Walk:
    """A network on its way.

    values  what is known by its name;  count: how many samples went in when it was exported, where any number may now
    nodes   those that outputs need
    told    of each value the shape that the file states;  sizes: what free sizes were in the example
    """

    t: Net
    model: Model
    table: Mapping[str, Step]
    count: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    told: dict[str, tuple[int, ...]] = field(default_factory=dict)
    readers: Counter[str] = field(default_factory=Counter)
    notes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    nodes: Sequence[Node] = ()

    def run(self) -> None:
        """All that the outputs need, in order."""
        for node in self.model.nodes:
            if node.op in EFFECTS:
                raise training(f"{node.op} changes its parameters when it runs", f"{node.op} 在运行时修改参数")
        needed = self.behind(self.model.outputs)  # what only has effects, such as printing, is not among them
        self.nodes = [node for node in self.model.nodes if node.output in needed]
        self.readers.update(name for node in self.nodes for name in node.inputs)
        for node in self.nodes:
            self.step(node)

    def behind(self, names: Iterable[str]) -> set[str]:
        """These names, and all that they are made of."""
        needed = set(names)
        waits = {node.output for node in self.model.nodes if node.op == "UpdateState"}
        for node in reversed(self.model.nodes):
            if node.output in needed:
                needed.update(name for name in node.inputs[: GLUE.get(node.op)] if name not in waits)
        return needed

    def step(self, node: Node) -> None:
        """One operation; UnsupportedCheckpoint names one that is not known."""
        step = self.table.get(node.op)
        if step is None:
            raise unknown(node.op)
        self.t.here = label(node)
        try:
            found = self._as_told(step(Call(self, node)), node.told)
        except (QingzhouError, ModelError) as err:
            raise at_line(err, node.op, self.t.here) from None
        except (IndexError, ValueError, TypeError, OverflowError, AssertionError, KeyError) as err:
            raise garbled(
                f"{short(node.op)} has settings that no file has ({short(str(err), 60)})",
                f"{short(node.op)} 的参数无效",
            ) from None
        if node.op in KEEPING and isinstance(found, Value) and self.t.zeros & {x.name for x in self._read(node)}:
            self.t.zeros_like(found)
        self.values[node.output] = found

    def _read(self, node: Node) -> list[Value]:
        found = [self.values.get(name) for name in node.inputs[:1]]
        return [one for one in found if isinstance(one, Value)]

    def _as_told(self, found: Any, told: Any) -> Any:
        """The result, in the kind of number that the file states; CheckpointDamaged where its shape is another."""
        if isinstance(found, tuple) and isinstance(told, tuple) and len(found) == len(told):
            return tuple(self._as_told(one, its) for one, its in zip(found, told, strict=True))
        if not isinstance(found, Value) or not isinstance(told, TensorProto):
            return found
        fits = len(found.shape) == len(told.shape) and all(
            isinstance(n, str) or m < 0 or n == m for n, m in zip(found.shape, told.shape, strict=True)
        )
        if not fits and -2 not in told.shape:
            raise garbled(
                f"it gives {list(found.shape)}, not {list(told.shape)}",
                f"输出形状是 {list(found.shape)}，文件写的是 {list(told.shape)}",
            )
        self.told[found.name] = told.shape
        dtype = (
            plain(told.dtype)
            if told.dtype in ("float32", "float16", "float64", "bfloat16", "bool") or "int" in told.dtype
            else ""
        )
        return casted(self.t, found, dtype) if dtype in NUMBERS and found.dtype in NUMBERS else found

    def item(self, name: str) -> Any:
        """What a name stands for; a parameter becomes a value when it is first read."""
        if name not in self.values:
            model = self.model
            if name in model.keys:
                key = model.keys[name]
                self.values[name] = self.t.tensor(key, model.tensors[key])
            elif name in model.constants:
                self.values[name] = model.constants[name]
            else:
                raise garbled(f"{short(name, 60)} is read before it is made", f"{short(name, 60)} 在计算前被使用")
        return self.values[name]


def label(node: Node) -> str:
    """What a value is called after: the Cells around the operation, or the operation itself.

    "Default/conv1-Conv2d/Conv2D-op0" is "conv1".
    """
    cells = [part.partition("-")[0] for part in node.layer.split("/")[1:-1]]
    name = short(".".join(cells), 100)
    return name or node.op


def casted(t: Net, x: Value, dtype: str) -> Value:
    """In float32, int64 or bool."""
    return x if x.dtype == dtype else t.emit("Cast", [x], to=NUMBERS[dtype])


def as_value(t: Net, found: Any, op: str) -> Value:
    """A thing as a tensor."""
    if isinstance(found, Value):
        return found
    if isinstance(found, np.ndarray):
        return t.array(found.astype(plain(found.dtype.name)))
    if isinstance(found, bool):
        return t.scalar(found, "bool")
    if isinstance(found, (int, float)):
        return t.scalar(found, "int64" if isinstance(found, int) else "float32")
    if isinstance(found, Size):
        return t.emit("Squeeze", [found.value, t.whole(0)])
    if isinstance(found, tuple) and found and all(isinstance(n, (int, Size)) for n in found):
        return t.row(found)
    raise garbled(f"{short(op)} works on no tensor", f"{short(op)} 的输入不是张量")


@dataclass(frozen=True)
class Call:
    """One operation with all that it is given: settings are attributes, or inputs after the tensors."""

    walk: Walk
    node: Node

    @property
    def t(self) -> Net:
        """The network."""
        return self.walk.t

    def has(self, i: int) -> bool:
        """Whether input i is given, and is not None."""
        return i < len(self.node.inputs) and self.item(i) is not None

    def item(self, i: int) -> Any:
        """Input i."""
        if i >= len(self.node.inputs):
            raise garbled(f"{short(self.node.op)} has no input {i}", f"{short(self.node.op)} 缺少第 {i} 个输入")
        return self.walk.item(self.node.inputs[i])

    def get(self, i: int, name: str, default: Any = None) -> Any:
        """A setting: input i, or the attribute of that name; its plain number where it is a tensor that is known."""
        given = i < len(self.node.inputs)
        found = self.item(i) if given else self.node.attrs.get(name, default)
        if found is SKIPPED:
            raise garbled(f"its {short(name)} is of no kind that is known", f"{short(name)} 的类型未知")
        if isinstance(found, Value):
            known = self.t.known(found)
            if known is None:
                raise refused(f"its {short(name)} is only known when it runs", f"{short(name)} 运行时才知道")
            found = known
        if isinstance(found, np.ndarray):
            return found.item() if found.ndim == 0 else tuple(found.reshape(-1).tolist())
        return found

    def number(self, i: int, name: str, default: float = 0) -> float:
        """A setting that is one number."""
        found = self.get(i, name, default)
        found = found[0] if isinstance(found, tuple) and len(found) == 1 else found
        if not isinstance(found, (int, float)):
            raise garbled(f"its {short(name)} is no number", f"{short(name)} 不是数")
        return found

    def ints(self, i: int, name: str, default: Any = None) -> tuple[int, ...]:
        """A setting that is a row of whole numbers, or one."""
        found = self.get(i, name, default)
        row = found if isinstance(found, tuple) else (found,)
        if any(isinstance(n, Size) for n in row):
            raise refused(f"its {short(name)} is only known when it runs", f"{short(name)} 运行时才知道")
        if not all(isinstance(n, int) for n in row):
            raise garbled(f"its {short(name)} is no row of whole numbers", f"{short(name)} 不是整数")
        return tuple(int(n) for n in row)

    def sizes(self, i: int) -> Ints | None:
        """An input that is a shape; None where it is a tensor that only the network knows."""
        found = self.item(i)
        if isinstance(found, Value):
            known = self.t.known(found)
            return None if known is None else tuple(int(n) for n in known.reshape(-1).tolist())
        if isinstance(found, np.ndarray):
            found = tuple(found.reshape(-1).tolist())
        row = found if isinstance(found, tuple) else (found,)
        return tuple(self._size(n) for n in row)

    def _size(self, n: Any) -> Int:
        if isinstance(n, Value):
            known = self.t.known(n)
            if known is None:
                return Size("?", self.t.emit("Reshape", [casted(self.t, n, "int64"), self.t.whole(1)]))
            n = int(known.reshape(-1)[0])
        if isinstance(n, Size):
            return n
        if not isinstance(n, int):
            raise garbled("a size is no whole number", "尺寸不是整数")
        return int(n)

    def x(self, i: int = 0) -> Value:
        """Input i as a tensor."""
        return self.value(self.item(i))

    def value(self, found: Any) -> Value:
        """A thing as a tensor."""
        return as_value(self.t, found, self.node.op)

    def xs(self, i: int = 0) -> list[Value]:
        """Input i as a tuple of tensors; or all from there on, where each is an input of its own."""
        found = self.item(i)
        items = found if isinstance(found, tuple) else [self.item(k) for k in range(i, len(self.node.inputs))]
        return [self.value(one) for one in items if one is not None and one is not SKIPPED]

    def pair(self, a: int = 0, b: int = 1) -> list[Value]:
        """Two inputs in one kind of number: a plain number is of the kind of the other, else the larger kind wins."""
        items = [self.item(a), self.item(b)]
        values = [self.value(one) for one in items]
        order = ("bool", "int64", "float32")
        dtype = max((one.dtype for one in values), key=lambda name: order.index(name) if name in order else 3)
        return [casted(self.t, one, dtype) if dtype in NUMBERS else one for one in values]

    def axis(self, axis: int, rank: int) -> int:
        """An axis, counted from the front."""
        if not -rank <= axis < rank:
            raise garbled(f"axis {axis} is none of {rank} dimensions", f"第 {axis} 轴不存在，只有 {rank} 维")
        return axis % rank

    def axes(self, i: int, name: str, rank: int, default: Any = ()) -> tuple[int, ...]:
        """Axes, sorted and counted from the front; all of them where none is named."""
        found = self.get(i, name, default)
        found = () if found is None else found
        row = found if isinstance(found, tuple) else (found,)
        return tuple(sorted({self.axis(int(n), rank) for n in row})) or tuple(range(rank))

    def turned(self, x: Value, perm: Sequence[int]) -> Value:
        """With its axes in another order."""
        return self.t.emit("Transpose", [x], perm=tuple(perm))

    def only(self, fine: bool, what_en: str, what_zh: str) -> None:
        """UnsupportedCheckpoint where something is not so."""
        if not fine:
            raise refused(what_en, what_zh)

    def named(self, x: Value, shape: Sequence[int | str]) -> Value:
        """A value whose shape is known better than its operator tells."""
        found = replace(x, shape=tuple(shape))
        self.t.values[x.name] = found
        return found
