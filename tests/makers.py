"""Write checkpoints as torch writes them, without torch: both containers, tensors, and pickled modules."""

from __future__ import annotations

import io
import pickle  # noqa: TID251 - to write what the reader must refuse or read
import struct
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
KINDS = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
}


@dataclass(frozen=True)
class Name:
    """A global: "torch.nn.modules.linear.Linear". Never imported, only written."""

    text: str

    def __call__(self, *args: object) -> None:
        """pickle wants a callable; nobody calls it."""


@dataclass(eq=False)
class Instance:
    """A pickled object of a class that need not exist: what __reduce__ gives for a torch module."""

    name: str
    state: Any = None
    args: tuple[Any, ...] = ()


@dataclass(eq=False)
class Call:
    """Name(*args), as __reduce__ would write it."""

    name: str
    args: tuple[Any, ...] = ()


@dataclass(eq=False)
class Storage:
    """The bytes behind tensors: array's own, in this order. kind: "FloatStorage"; by default the array's."""

    array: np.ndarray
    kind: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        self.kind = self.kind or KINDS[self.array.dtype.name]


@dataclass(eq=False)
class Tensor:
    """A view of a storage; offset and stride count elements."""

    storage: Storage
    shape: Sequence[int]
    stride: Sequence[int]
    offset: int = 0
    function: str = "torch._utils._rebuild_tensor_v2"
    more: tuple[Any, ...] = (False, {})


def write_checkpoint(path: str | Path, obj: object, legacy: bool = False, root: str = "archive") -> Path:
    """torch.save(obj, path); numpy arrays become tensors, dicts stay dicts, numpy scalars stay numpy scalars."""
    with open(path, "wb") as file:
        (_write_legacy if legacy else _write_zip)(file, obj, root)
    return Path(path)


def pickled(obj: object, protocol: int = 2) -> tuple[bytes, list[Storage]]:
    """The pickle of an object, and the storages that it names in their order."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, protocol)
    pickler.dump(obj)
    return buffer.getvalue(), pickler.storages


def write_archive(file: str | Path | BinaryIO, records: dict[str, Any], root: str = "archive") -> None:
    """A zip of stored records; values are bytes or arrays."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in records.items():
            with archive.open(zipfile.ZipInfo(f"{root}/{name}"), "w", force_zip64=len(data) > 1 << 31) as record:
                record.write(data)


def _write_zip(file: BinaryIO, obj: object, root: str) -> None:
    data, storages = pickled(obj)
    records = {"data.pkl": data, "byteorder": sys.byteorder.encode(), "version": b"3\n"}
    write_archive(file, records | {f"data/{s.key}": _bytes(s.array) for s in storages}, root)


def _write_legacy(file: BinaryIO, obj: object, root: str) -> None:
    data, storages = pickled(obj)
    for value in (MAGIC, 1001, SYSTEM):
        pickle.dump(value, file, protocol=2)
    file.write(data)
    pickle.dump([s.key for s in storages], file, protocol=2)
    for storage in storages:
        file.write(struct.pack("<q", storage.array.size))
        file.write(_bytes(storage.array))


def _bytes(array: np.ndarray) -> memoryview:
    return memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


class _Pickler(pickle._Pickler):
    """The pickler written in Python: it can write globals that cannot be imported here."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def __init__(self, file: BinaryIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: list[Storage] = []

    def persistent_id(self, obj: object) -> Any:
        if not isinstance(obj, Storage):
            return None
        if obj not in self.storages:
            obj.key = obj.key or str(len(self.storages))
            self.storages.append(obj)
        module = "torch.storage" if obj.kind == "UntypedStorage" else "torch"
        return ("storage", Name(f"{module}.{obj.kind}"), obj.key, "cpu", obj.array.size)

    def save_name(self, obj: Name) -> None:
        module, _, name = obj.text.rpartition(".")
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(obj)

    def save_array(self, obj: np.ndarray) -> None:
        stride = [n // obj.itemsize for n in np.empty(obj.shape, obj.dtype).strides]
        args = tensor_arguments(Tensor(Storage(np.ascontiguousarray(obj)), obj.shape, stride))
        self.save_reduce(Name("torch._utils._rebuild_tensor_v2"), args, obj=obj)

    def save_tensor(self, obj: Tensor) -> None:
        self.save_reduce(Name(obj.function), tensor_arguments(obj), obj=obj)

    def save_call(self, obj: Call) -> None:
        self.save_reduce(Name(obj.name), obj.args, obj=obj)

    def save_instance(self, obj: Instance) -> None:
        self.save(Name(obj.name))
        self.save(obj.args)
        self.write(pickle.NEWOBJ)
        self.memoize(obj)
        if obj.state is not None:
            self.save(obj.state)
            self.write(pickle.BUILD)

    dispatch |= {Name: save_name, np.ndarray: save_array, Tensor: save_tensor, Call: save_call, Instance: save_instance}


def tensor_arguments(tensor: Tensor) -> tuple[Any, ...]:
    """What torch gives to _rebuild_tensor_v2."""
    return (tensor.storage, tensor.offset, tuple(map(int, tensor.shape)), tuple(map(int, tensor.stride)), *tensor.more)


def linear(weight: np.ndarray, bias: np.ndarray, **state: object) -> Instance:
    """A pickled nn.Linear."""
    settings = {"in_features": weight.shape[1], "out_features": weight.shape[0], "training": True}
    parameters = {"weight": weight, "bias": bias}
    return module("torch.nn.modules.linear.Linear", {}, parameters=parameters, **settings, **state)


def module(name: str, children: dict[str, Any], parameters: dict[str, Any] | None = None, **state: object) -> Instance:
    """A pickled nn.Module of any class."""
    return Instance(name, {"_parameters": parameters or {}, "_buffers": {}, "_modules": children, **state})


def cuts(size: int, count: int) -> Iterator[int]:
    """About `count` positions in a file of this size: the first and last hundred bytes all, the middle stepped."""
    yield from sorted(
        {*range(min(100, size)), *range(0, size, max(1, size // count)), *range(max(0, size - 100), size)}
    )
