"""Storages and the tensors that are views of them: checked when named, read when used."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...files.file import Bytes, File, Record
from ...files.limits import Limits, elements
from ...files.refusals import damaged, naming, short, unsafe, unsupported
from ...files.types import Opaque, TensorRef
from ...files.values import Global
from ...runtime.errors import spaced

Array = np.ndarray[Any, Any]

# Storage class -> numpy type of its elements; bfloat16 is the upper half of a float32 (widened by `_widen`).
STORAGES = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "UntypedStorage": "u1",
}
WIDTHS = {  # of what we cannot use, to find what stands behind it in a legacy file
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
    "QInt8Storage": 1,
    "QUInt8Storage": 1,
    "QInt32Storage": 4,
}
DTYPES = {
    "float32": "f4", "float": "f4", "float64": "f8", "double": "f8", "float16": "f2", "half": "f2",
    "bfloat16": "bfloat16", "int64": "i8", "long": "i8", "int32": "i4", "int": "i4", "int16": "i2", "short": "i2",
    "int8": "i1", "uint8": "u1", "bool": "?", "uint16": "u2", "uint32": "u4", "uint64": "u8",
}  # fmt: skip
TENSORS = {  # rebuild function -> how many of its arguments are storage, offset, size, stride
    "torch._utils._rebuild_tensor": 4,
    "torch._utils._rebuild_tensor_v2": 4,
    "torch._utils._rebuild_tensor_v3": 4,
}
PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
SUBCLASS = "torch._tensor._rebuild_from_type_v2"


@dataclass(eq=False)
class Storage(Opaque):
    """The bytes behind tensors, as a pickle names them. start: of a view, in elements (legacy files)."""

    key: str = ""
    kind: str = ""  # of numpy, or "bfloat16"; "" where it is none of ours
    count: int = 0  # elements
    start: int = 0


class Layout(NamedTuple):
    """Where a tensor is in its record; bytes."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int
    span: int  # from the first element to the end of the last


class Storages:
    """All storages of one file. `records` is filled once the container knows where they are."""

    def __init__(self, file: File, limits: Limits) -> None:
        self.file, self.limits = file, limits
        self.records: dict[str, Record] = {}
        self.named: dict[str, tuple[str, int]] = {}  # key -> kind and elements of the whole storage
        self.classes: dict[str, str] = {}  # key -> "FloatStorage"
        self.big_endian = False

    # -- while the pickle is read ------------------------------------------------------------------------------------

    def load(self, pid: tuple[Any, ...]) -> Any:
        """A persistent id: ("storage", class, key, device, elements[, view]) or ("module", class, path, source)."""
        if len(pid) == 4 and pid[0] == "module" and isinstance(pid[1], Global):
            return Global(pid[1].name, source=pid[3] if isinstance(pid[3], str) else "")
        if len(pid) not in (5, 6) or pid[0] != "storage" or not isinstance(pid[1], Opaque):
            raise unsafe("it names outside data in an unknown way", "它以未知方式引用外部数据")
        key, count = pid[2], pid[4]
        if not isinstance(key, str) or not _whole(count):
            raise unsafe("it names outside data in an unknown way", "它以未知方式引用外部数据")
        self.classes[key] = pid[1].name.rpartition(".")[2]
        kind = STORAGES.get(self.classes[key], "")
        if self.named.setdefault(key, (kind, count)) != (kind, count):
            raise unsafe("one part is named with two different sizes", "同一数据块有两种不同大小")
        return self._view(Storage(pid[1].name, (key, count), key=key, kind=kind, count=count), pid[5:])

    def _view(self, storage: Storage, view: tuple[Any, ...]) -> Storage:
        """Legacy files: (view key, offset, elements), or None for the whole storage."""
        if not view or view[0] is None:
            return storage
        valid = isinstance(view[0], tuple) and len(view[0]) == 3 and _whole(view[0][1]) and _whole(view[0][2])
        if not valid or view[0][1] + view[0][2] > storage.count:
            raise damaged("a part is larger than its whole", "部分数据超出整体范围")
        storage.start, storage.count = view[0][1], view[0][2]
        return storage

    def rebuild(self, name: str, args: tuple[Any, ...]) -> Any:
        """torch's rebuild functions: a TensorRef, or a record where the kind of tensor is none of ours."""
        if name in PARAMETERS and args:
            return args[0]
        if name == SUBCLASS and len(args) == 4 and isinstance(args[0], Global) and isinstance(args[2], tuple):
            return Opaque(name, args) if args[0].name == SUBCLASS else self.rebuild(args[0].name, args[2])
        if name in TENSORS and len(args) >= 4 and isinstance(args[0], Storage):
            kind = _kind(args[0], args[6] if name.endswith("_v3") and len(args) > 6 else None)
            return self.tensor(args[0], kind, *args[1:4]) if kind else Opaque(name, args)
        return Opaque(name, args)

    def tensor(self, storage: Storage, kind: str, offset: Any, size: Any, stride: Any) -> TensorRef:
        """A checked view of a storage."""
        width, available = _width(kind), storage.count * _width(storage.kind)
        layout = _layout(offset, size, stride, width, available, self.limits)
        if storage.start:
            layout = layout._replace(start=layout.start + storage.start * _width(storage.kind))
        dtype = np.dtype(np.float32 if kind == "bfloat16" else kind)
        plain = kind == "f4" and not self.big_endian and _in_order(layout, width)
        chunks = (lambda: self.chunks(storage.key, layout)) if plain else None
        return TensorRef(layout.shape, dtype, storage.key, lambda: self.array(storage.key, kind, layout), chunks)

    def contiguous(self, key: str, kind: str, shape: tuple[int, ...]) -> TensorRef:
        """A tensor that is its whole record, in C order (safetensors)."""
        count, steps = _steps(shape)
        self.named[key] = (kind, count)
        return self.tensor(Storage("safetensors", key=key, kind=kind, count=count), kind, 0, shape, steps)

    # -- afterwards --------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every storage that was named is there and has its size."""
        for key, (kind, count) in self.named.items():
            record = self.records.get(key)
            if record is None:
                raise damaged(f"its part data/{short(key)} is missing", f"缺少数据块 data/{short(key)}")
            if kind and record.size != count * _width(kind):
                raise damaged(
                    f"its part data/{short(key)} has {record.size} bytes instead of {count * _width(kind)}",
                    f"数据块 data/{short(key)} 有 {record.size} 字节，应为 {count * _width(kind)} 字节",
                )

    def bytes(self, key: str) -> tuple[int, int]:
        """(elements, bytes) of a storage in a legacy file; (-1, 0) where nothing names it or its type is unknown."""
        kind, count = self.named.get(key, ("", -1))
        width = _width(kind) if kind else WIDTHS.get(self.classes.get(key, ""), 0)
        return (count, count * width) if width else (-1, 0)

    def array(self, key: str, kind: str, layout: Layout) -> Array:
        """The numbers themselves: read-only, in this machine's byte order."""
        with naming(self.file.path):
            data = self.file.load(self.records[key], layout.start, layout.span)
        array = as_array(data, kind, layout, self.big_endian)
        array.flags.writeable = False
        return array

    def chunks(self, key: str, layout: Layout) -> Iterator[memoryview]:
        """The bytes of a tensor as they lie in the file, piece by piece."""
        with naming(self.file.path):
            yield from self.file.chunks(self.records[key], layout.start, layout.span)


def as_array(data: Bytes, kind: str, layout: Layout, big_endian: bool) -> Array:
    """Bytes as an array. numpy itself checks that shape and strides stay inside the buffer."""
    if not layout.span:
        return np.zeros(layout.shape, np.float32 if kind == "bfloat16" else kind)
    stored = np.dtype("u2" if kind == "bfloat16" else kind).newbyteorder(">" if big_endian else "<")
    if kind == "?":
        data = (data != 0).view(np.uint8)  # a bool of another value than 0 and 1 is undefined behaviour in numpy
    array: Array = np.ndarray(layout.shape, stored, data, 0, layout.strides)
    array = array.astype(stored.newbyteorder("="), copy=False)
    return _widen(array) if kind == "bfloat16" else array


def _widen(array: Array) -> Array:
    return (array.astype(np.uint32) << 16).view(np.float32)


def _kind(storage: Storage, dtype: Any) -> str:
    """The element type: of the storage, or of the dtype that _rebuild_tensor_v3 gives."""
    if dtype is None or not storage.kind:
        return storage.kind
    return DTYPES.get(dtype.name.removeprefix("torch."), "") if isinstance(dtype, Opaque) else ""


@functools.cache
def _width(kind: str) -> int:
    return 2 if kind == "bfloat16" else np.dtype(kind).itemsize


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 62


def _steps(shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """How many elements a tensor has, and how many lie between neighbours of each axis in C order."""
    count = elements(shape)
    if count is None:
        raise impossible()
    steps = itertools.accumulate(reversed(shape[1:]), operator.mul, initial=1)
    return count, tuple(reversed([step for step, _ in zip(steps, shape, strict=False)]))


def _layout(offset: Any, size: Any, stride: Any, width: int, available: int, limits: Limits) -> Layout:
    """Python integers throughout: nothing overflows."""
    if not (isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)):
        raise damaged("a tensor has no proper shape", "张量形状有误")
    if len(size) > limits.dimensions or not all(map(_whole, (offset, *size, *stride))):
        raise impossible()
    span = (1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))) * width if 0 not in size else 0
    if span and offset * width + span > available:
        raise unsafe("a tensor reaches beyond its data", "张量超出其数据范围")
    if math.prod(n or 1 for n in size) * width > max(available, limits.spread_floor):
        raise unsafe("a tensor is much larger than its data", "张量远大于其数据")
    strides = tuple(step * width if span and n > 1 else 0 for n, step in zip(size, stride, strict=True))
    return Layout(size, strides, offset * width if span else 0, span)


def impossible() -> Exception:
    """A shape that no tensor has."""
    return unsafe("a tensor has an impossible shape", "张量形状不可能成立")


def _in_order(layout: Layout, width: int) -> bool:
    """Whether the elements stand one after the other, in C order."""
    step = width
    for size, own in zip(reversed(layout.shape), reversed(layout.strides), strict=True):
        if size != 1 and own != step:
            return False
        step *= size
    return bool(layout.span)


def refuse_tensor(key: str, value: Opaque) -> Exception:
    """Why a tensor of a state dict cannot be used."""
    kinds = {
        "qtensor": ("quantised", "量化"),
        "sparse": ("sparse", "稀疏"),
        "meta": ("without data (meta)", "无数据（meta）"),
        "nested": ("nested", "嵌套"),
        "wrapper": ("of a class of its own", "自定义类型"),
    }
    of_storage = next((a for a in value.args if isinstance(a, Storage)), None)
    unknown = (f"a {of_storage.name}", f"{of_storage.name}") if of_storage else (f"a {value.name}", f"{value.name}")
    en, zh = next((texts for word, texts in kinds.items() if word in value.name), unknown)
    if of_storage and "Complex" in of_storage.name:
        en, zh = "complex", "复数"
    if en == "quantised":
        return unsupported(
            f"its tensor {short(key)} is quantised",
            f"张量 {short(key)} 是量化类型",
            "Save the float model that it was made from; qingzhou quantize makes INT8 of that",
            "请保存量化之前的浮点模型；qingzhou quantize 可以把它转换成 INT8",
        )
    return unsupported(f"its tensor {short(key)} is {en}", f"张量 {short(key)} 是{spaced(zh)}类型")
