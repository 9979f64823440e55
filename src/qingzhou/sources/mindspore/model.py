"""A `.mindir` as a network in plain data: its operations with their settings, its parameters, every name looked up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...files.limits import elements
from ...files.refusals import short, unsafe
from ...files.types import TensorRef
from ...files.wire import Message
from ...graph.form import Array
from .numbers import Numbers
from .proto import Elsewhere, GraphProto, NodeProto, Primitive, TensorProto, read_graph, read_primitive
from .refuse import branching, garbled, refused, training

OPERATIONS = 200_000  # with glue; a GRU that is written out has 25 for each step
REFERENCE = "REF::"
CHOOSING = ("Switch", "SwitchLayer", "Partial", "FuncGraph", "PartialInline", "call")
PREPROCESS = "preprocessor"


@dataclass(frozen=True)
class Node:
    """One operation. attrs: what is fixed of it;  told: its result as the file states it, a TensorProto or a tuple."""

    op: str
    inputs: tuple[str, ...]
    output: str
    attrs: Mapping[str, Any]
    layer: str
    told: Any


@dataclass(frozen=True)
class Model:
    """A whole file. keys: of its parameters, by the names of their values."""

    version: str
    name: str
    nodes: Sequence[Node]
    constants: Mapping[str, Any]
    inputs: Sequence[TensorProto]
    outputs: Sequence[str]
    keys: Mapping[str, str]
    tensors: Mapping[str, TensorRef]
    preprocessed: bool

    @property
    def title(self) -> str:
        """The class of the network, of a name such as "70_1___main___LeNet_construct_15"."""
        found = self.name.rpartition("_construct")[0].rpartition("_")[2]
        return found if found.isidentifier() and found[:1].isupper() and len(found) <= 60 else ""


def read_model(m: Message, numbers: Numbers) -> Model:
    """CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint."""
    graph, functions, version, producer = GraphProto(), 0, "", ""
    primitives: dict[str, Primitive] = {}
    little, preprocessed = True, False
    for one in m.fields():
        if one.number == 2:
            producer = m.text(one)
        elif one.number == 5:
            version = short(m.text(one), 20)
        elif one.number == 7:
            read_graph(m.inside(one), graph)
        elif one.number == 8:
            functions += 1
        elif one.number == 9:
            preprocessed = True
        elif one.number == 10:
            little = bool(one.value)
        elif one.number == 12:
            name, primitive = read_primitive(m.inside(one))
            primitives[name] = primitive
    if not graph.outputs or producer != "MindSpore":
        raise garbled("it holds no network", "其中没有网络")
    if not little:
        raise refused("its numbers lie with the highest byte first (big-endian)", "其中的数值是大端字节序")
    return _Reader(graph, primitives, numbers, functions).model(version, preprocessed)


@dataclass
class _Reader:
    graph: GraphProto
    primitives: Mapping[str, Primitive]
    numbers: Numbers
    functions: int

    def model(self, version: str, preprocessed: bool) -> Model:
        graph = self.graph
        if len(graph.nodes) > OPERATIONS:
            raise unsafe(f"it has more than {OPERATIONS} operations", f"算子超过 {OPERATIONS} 个")
        if graph.maps:
            raise refused("some of its parameters are hash maps", "其中有哈希表类型的参数（MapParameter）")
        made = {name for one in graph.nodes for name in one.outputs}
        nodes = [self._node(one, made) for one in graph.nodes if one.op != "Constant"]
        if self.functions:
            raise branching("Switch")
        constants = {one.outputs[0]: self._constant(one) for one in graph.nodes if one.op == "Constant" and one.outputs}
        keys, tensors = self._parameters()
        return Model(version, graph.name, nodes, constants, graph.inputs, graph.outputs, keys, tensors, preprocessed)

    def _node(self, one: NodeProto, made: set[str]) -> Node:
        if len(one.outputs) != 1:
            raise garbled(
                f"{short(one.op)} makes {len(one.outputs)} values", f"{short(one.op)} 有 {len(one.outputs)} 个输出"
            )
        attrs = {key: value for key, value in one.attrs.items() if key != "shape"}
        op = one.op
        if op.startswith(REFERENCE):
            found = self.primitives.get(op.removeprefix(REFERENCE))
            if found is None:
                raise garbled(f"{short(op)} is none of its primitives", f"{short(op)} 不在其算子列表中")
            op, attrs = found.op, {**found.attrs, **attrs}
        elif op in made:
            raise branching(short(op.rpartition(":")[2] or op, 40))
        if op in CHOOSING:
            raise branching(op)
        if op == "J" or op.endswith("Grad") or op.startswith("Grad"):
            raise training(f"its operation {short(op)} is of the backward pass", f"算子 {short(op)} 属于反向传播")
        return Node(op, one.inputs, one.outputs[0], attrs, one.layer, one.attrs.get("shape"))

    def _constant(self, one: NodeProto) -> Any:
        return self.value(one.attrs.get("value"))

    def value(self, value: Any) -> Any:
        """A constant with its numbers, which are few."""
        if isinstance(value, tuple):
            return tuple(map(self.value, value))
        return self.array(value) if isinstance(value, TensorProto) else value

    def array(self, tensor: TensorProto) -> Array:
        """The numbers of a constant."""
        if tensor.place is None and not math.prod(tensor.shape):
            return np.zeros(tensor.shape, np.float32)
        return self.ref(tensor, tensor.place).load()

    def ref(self, tensor: TensorProto, place: Elsewhere | None) -> TensorRef:
        """A tensor whose numbers are as many as its shape says."""
        name, shape = short(tensor.key or tensor.name), tensor.shape
        if tensor.odd:
            raise refused(f"its tensor {name} is {tensor.odd}", f"张量 {name} 经过压缩、量化或以特殊方式存放")
        if place is None or elements(shape) is None:
            raise garbled(f"the tensor {name} has no numbers", f"张量 {name} 没有数据")
        return self.numbers.tensor(name, shape, tensor.dtype, place)

    def _parameters(self) -> tuple[dict[str, str], dict[str, TensorRef]]:
        keys: dict[str, str] = {}
        tensors: dict[str, TensorRef] = {}
        for one in self.graph.parameters:
            key = one.key or one.name.partition(":")[2] or one.name
            if (
                not key
                or len(key) > self.numbers.limits.name
                or key in tensors
                or len(tensors) >= self.numbers.limits.tensors
            ):
                raise unsafe(
                    f"a parameter has the name {short(key)}, as another one, or there are too many",
                    f"参数 {short(key)} 重名、名称异常或参数过多",
                )
            tensors[key] = self.ref(one, one.place)
            keys[one.name] = key
        self.numbers.check(tensors.values())
        return keys, tensors
