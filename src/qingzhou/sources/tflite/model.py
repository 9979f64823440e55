"""A .tflite as plain data: its tensors, operators and names, every index of which is looked at."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...files import tflite_schema as schema
from ...files.flatbuffer import Buffer, Table, outside
from ...files.limits import Limits, elements
from ...files.refusals import short, unsafe
from ...graph.form import Array
from .refuse import garbled, refused

Bytes = Callable[[int, int], memoryview]  # of a place in the file, so many
OPERATORS = 100_000
LOADED = {"float32", "float16", "float64", "bool"} | {f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)}


@dataclass(frozen=True)
class Steps:
    """How integers stand for numbers: (q - zero) * scale, one of each, or one for each index of an axis."""

    scales: Array
    zeros: Array
    axis: int

    @property
    def single(self) -> bool:
        """Whether all are of one scale."""
        return len(self.scales) == 1


@dataclass(frozen=True)
class Tensor:
    """One tensor: a constant where it has numbers, else what flows.

    sides    its shape, in which -1 is free;  shape: the same as the file's sample has it
    numbers  None of what flows
    """

    index: int
    name: str
    shape: tuple[int, ...]
    sides: tuple[int, ...]
    dtype: str
    steps: Steps | None = None
    numbers: Callable[[], Array] | None = None
    pieces: Callable[[], Iterator[memoryview]] | None = None
    variable: bool = False

    @property
    def integer(self) -> bool:
        """Whether it is of 8 bits, each of which stands for a number."""
        return self.steps is not None and self.dtype in ("int8", "uint8")


@dataclass(frozen=True)
class Operator:
    """One operator: "CONV_2D", or the name of a custom one."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]
    custom: bytes = b""


@dataclass(frozen=True)
class Model:
    """A whole file. names: of its inputs and outputs, as the signature calls them, or else the tensors."""

    tensors: Sequence[Tensor]
    operators: Sequence[Operator]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    description: str = ""
    metadata: Table | None = None


def read_model(data: bytes, load: Bytes, limits: Limits) -> Model:
    """The first subgraph, which is the network; CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint.

    load  the bytes of a place in the file, when they are asked for; `data` itself is not kept
    """
    root = Buffer(data, schema.SCHEMA).root("Model")
    if root["version"] != schema.VERSION:
        raise refused(
            f"it is of version {root['version']} of the format, not {schema.VERSION}",
            f"它的格式版本是 {root['version']}，不是 {schema.VERSION}",
        )
    graphs = root["subgraphs"]
    if not graphs:
        raise garbled("it holds no network", "其中没有网络")
    reader = _Reader(root, load, len(data), limits)
    graph = graphs[0]
    tensors = [reader.tensor(i, one) for i, one in enumerate(graph["tensors"])]
    reader.check_spread(tensors)
    if len(graph["operators"]) > OPERATORS:
        raise unsafe(f"it has more than {OPERATORS} operators", f"算子超过 {OPERATORS} 个")
    operators = [reader.operator(one, len(tensors)) for one in graph["operators"]]
    ends = [graph.ints("inputs"), graph.ints("outputs")]
    if not all(0 <= i < len(tensors) for row in ends for i in row):
        raise garbled("an input or output is none of its tensors", "某个输入或输出不在张量列表中")
    inputs, outputs = _signed(root, tensors, ends[0], ends[1])
    return Model(
        tensors,
        operators,
        tuple(i for i, _ in inputs),
        tuple(i for i, _ in outputs),
        tuple(name for _, name in inputs),
        tuple(name for _, name in outputs),
        short(root["description"], 100),
        reader.metadata(),
    )


@dataclass
class _Reader:
    root: Table
    load: Bytes
    size: int
    limits: Limits

    @functools.cached_property
    def places(self) -> list[tuple[int, int]]:
        """Where the numbers of each buffer lie; those of very large files lie behind everything else."""
        return [self._place(one) for one in self.root["buffers"]]

    def _place(self, buffer: Table) -> tuple[int, int]:
        if buffer["offset"] > 1:  # 0 and 1 stand for "inside"
            if buffer["offset"] + buffer["size"] > self.size:
                raise outside()
            return buffer["offset"], buffer["size"]
        return buffer.bytes("data")

    @functools.cached_property
    def codes(self) -> list[str]:
        """The names of the operators, by their number here."""
        return [_named(one) for one in self.root["operator_codes"]]

    def tensor(self, index: int, table: Table) -> Tensor:
        """One tensor; its numbers are as many as its shape says."""
        shape, sides = table.ints("shape"), table.ints("shape_signature")
        kind, name = table["type"], _text(table["name"]) or f"tensor_{index}"
        if not 0 <= kind < len(schema.TYPE_NAMES) or len(sides) not in (0, len(shape)):
            raise garbled(f"the tensor {short(name)} is of no type or shape", f"张量 {short(name)} 的类型或形状无效")
        dtype = schema.TYPES[kind] if kind < len(schema.TYPES) else ""
        dtype = dtype or schema.TYPE_NAMES[kind]
        if elements(shape) is None:
            raise garbled(f"the tensor {short(name)} has the shape {shape}", f"张量 {short(name)} 的形状是 {shape}")
        if table["buffer"] >= len(self.places):
            raise garbled(f"the tensor {short(name)} has no numbers", f"张量 {short(name)} 没有数据")
        place = self.places[table["buffer"]]
        numbers = pieces = None
        if place[1]:
            if table["sparsity"] is not None:
                raise refused(f"its tensor {short(name)} is sparse", f"张量 {short(name)} 是稀疏的")
            numbers, pieces = self._numbers(name, shape, dtype, place)
        steps = _steps(table["quantization"], name, shape)
        return Tensor(index, name, shape, sides or shape, dtype, steps, numbers, pieces, table["is_variable"])

    def _numbers(self, name: str, shape: tuple[int, ...], dtype: str, place: tuple[int, int]) -> tuple[Any, Any]:
        load, (offset, size) = self.load, place
        if dtype == "int4" and size == (math.prod(shape) + 1) // 2:
            return (lambda: _unpacked(load(offset, size), shape)), None
        if dtype not in LOADED:
            return (lambda: _untyped(name, dtype)), None
        kind = np.dtype(dtype).newbyteorder("<")
        if size != kind.itemsize * math.prod(shape):
            raise garbled(f"the tensor {short(name)} of {shape} has {size} bytes", f"张量 {short(name)} 的大小不符")

        def numbers() -> Array:
            return np.frombuffer(load(offset, size), kind).reshape(shape)

        return numbers, lambda: iter([load(offset, size)])

    def check_spread(self, tensors: Sequence[Tensor]) -> None:
        """UnsafeCheckpoint where the constants are much more than the file: many of the same numbers."""
        most = max(self.limits.spread * self.size, self.limits.spread_floor)
        if sum(4 * math.prod(one.shape) for one in tensors if one.numbers is not None) > most:
            raise unsafe("its tensors are much larger than the file", "张量总量远大于文件")

    def operator(self, table: Table, count: int) -> Operator:
        """One operator; its inputs and outputs are there, -1 where one is left out."""
        if table["opcode_index"] >= len(self.codes):
            raise garbled("an operator has no name", "某个算子没有名称")
        name = self.codes[table["opcode_index"]]
        inputs, outputs = table.ints("inputs"), table.ints("outputs")
        if not all(-1 <= i < count for i in inputs) or not all(0 <= i < count for i in outputs):
            raise garbled(
                f"{short(name)} reads or makes a tensor that is not there", f"{short(name)} 使用了不存在的张量"
            )
        kind, options = table["builtin_options_type"], None
        if 0 < kind < len(schema.OPTIONS) and schema.OPTIONS[kind] in schema.SCHEMA:
            options = table.union("builtin_options", schema.OPTIONS[kind])
        plainly = {} if options is None else {key: _setting(options, key) for key in options.fields}
        place = table.bytes("custom_options")
        custom = bytes(self.root.buffer.data[place[0] : sum(place)]) if place[1] <= 1 << 20 else b""
        return Operator(name, inputs, outputs, plainly, custom)

    def metadata(self) -> Table | None:
        """What the file says of itself, if it has TFLite Metadata."""
        for one in self.root["metadata"]:
            if one["name"] == schema.METADATA_NAME and one["buffer"] < len(self.places):
                start, size = self.places[one["buffer"]]
                data = self.root.buffer.data[start : start + size]
                if data[4:8] == schema.METADATA_IDENTIFIER:
                    return Buffer(data, schema.SCHEMA).root("ModelMetadata")
        return None


def _setting(options: Table, key: str) -> Any:
    return options.ints(key) if options.fields[key].several else options[key]


def _text(text: str) -> str:
    return short(text, 400)


def _named(code: Table) -> str:
    """The newer field has what does not fit into the older one."""
    number = max(code["deprecated_builtin_code"], code["builtin_code"])
    if number == schema.CUSTOM:
        return short(code["custom_code"], 80) or "custom"
    return schema.OPERATORS[number] if 0 <= number < len(schema.OPERATORS) else f"operator {number}"


def _steps(table: Table | None, name: str, shape: tuple[int, ...]) -> Steps | None:
    """None where it has no scale; a missing zero point is 0."""
    if table is None or not len(table["scale"]):
        return None
    scales, zeros, axis = table["scale"], table["zero_point"], table["quantized_dimension"]
    zeros = np.zeros(len(scales), np.int64) if not len(zeros) else zeros
    zeros = np.repeat(zeros, len(scales)) if len(zeros) == 1 else zeros
    many = len(scales) > 1
    fits = not many or (0 <= axis < len(shape) and shape[axis] == len(scales))
    if table["details_type"] or not fits or len(zeros) != len(scales) or not np.isfinite(scales).all():
        raise refused(
            f"its tensor {short(name)} is quantised in an unusual way", f"张量 {short(name)} 的量化方式不支持"
        )
    return Steps(scales.copy(), zeros.copy(), axis if many else 0)


def _unpacked(data: memoryview, shape: tuple[int, ...]) -> Array:
    """Two numbers of four bits in a byte, the lower half first."""
    raw = np.frombuffer(data, np.int8)
    both = np.stack([raw << 4 >> 4, raw >> 4], axis=1).reshape(-1)
    return both[: math.prod(shape)].reshape(shape)


def _untyped(name: str, dtype: str) -> Array:
    raise refused(f"its tensor {short(name)} is of {dtype}", f"张量 {short(name)} 的类型是 {dtype}")


# -- names -------------------------------------------------------------------------------------------------------------

Ends = list[tuple[int, str]]


def _signed(root: Table, tensors: Sequence[Tensor], inputs: Sequence[int], outputs: Sequence[int]) -> tuple[Ends, Ends]:
    """Inputs and outputs with their names; converters sort outputs anew, and only the signature knows their order."""
    signed = [one for one in root["signature_defs"] if not one["subgraph_index"]]
    rows = [
        [(entry["tensor_index"], _text(entry["name"])) for entry in signed[0][key]] if signed else []
        for key in ("inputs", "outputs")
    ]
    return _ends(rows[0], tensors, inputs, "input"), _ends(_counted(rows[1]), tensors, outputs, "output")


def _counted(row: Ends) -> Ends:
    """output_0 … output_10 in the order of their numbers: a signature has them in that of the alphabet."""
    numbers = [name.rpartition("_")[2] for _, name in row]
    if len({name.rpartition("_")[0] for _, name in row}) == 1 and all(one.isdecimal() for one in numbers):
        return sorted(row, key=lambda one: int(one[1].rpartition("_")[2]))
    return row


def _ends(row: Ends, tensors: Sequence[Tensor], own: Sequence[int], kind: str) -> Ends:
    """As the signature says, where it names the same tensors."""
    if (
        sorted(i for i, _ in row) == sorted(own)
        and len({name for _, name in row}) == len(row)
        and all(n for _, n in row)
    ):
        return row if kind == "output" else sorted(row, key=lambda one: own.index(one[0]))
    names = [clean(tensors[i].name) for i in own]
    if len(set(names)) < len(names):
        names = [f"{kind}_{i}" for i in range(len(own))]
    return list(zip(own, names, strict=True))


def clean(name: str) -> str:
    """A tensor's name without what converters add: "serving_default_picture:0" is "picture"."""
    first = name.partition(";")[0].removeprefix("serving_default_")
    return first.removesuffix(":0") or name
