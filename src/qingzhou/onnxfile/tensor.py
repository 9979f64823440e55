"""TensorProto -> Constant: where its numbers lie, and reading them when they are wanted.

Numbers in another file are read where that file lies beside the model: outside.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..files.limits import elements
from ..files.protobuf import NAMES
from ..files.wire import Field, Message
from ..graph.form import Array, Constant, Node
from ..runtime.file import open_file
from .outside import Place, place_of, readable

BFLOAT16 = 16
SOON = 1 << 14  # bytes: what is smaller is read at once, since shapes depend on it
PIECE = 1 << 20
MOST_SPREAD = 1 << 26  # numbers of a tensor of which the file has but a few
EXTERNAL_DATA, LOCATION = 13, 14  # fields of a TensorProto
OUTSIDE = 1  # TensorProto.DataLocation.EXTERNAL
# Field of a TensorProto -> how its numbers are stored there: fixed width, or None for varints
TYPED = {4: "<f4", 5: None, 7: None, 10: "<f8", 11: None}


@dataclass(frozen=True)
class Tensor:
    """A TensorProto. start, end: its raw bytes in the file; typed: its numbers where they are no raw bytes; place:
    where in another file they are said to lie.
    """

    name: str
    kind: int
    shape: tuple[int, ...]
    start: int
    end: int
    soon: bytes | None
    typed: Array | None
    texts: tuple[str, ...]
    place: Place | None = None


def read_tensor(m: Message) -> Tensor:
    """All of a tensor but its raw bytes, which stay where they are unless they are few."""
    name, kind, outside, raw = "", 0, False, None  # type: tuple[str, int, bool, Field | None]
    sides: list[int] = []
    texts: list[str] = []
    typed: list[Array] = []
    where: dict[str, str] = {}
    for one in m.fields():
        if one.number == 1:
            sides += m.numbers(one)
        elif one.number == 2:
            kind = m.number(one)
        elif one.number == 6:
            texts.append(m.text(one))
        elif one.number == 8:
            name = m.text(one)
        elif one.number == 9:
            raw = one
        elif one.number in TYPED:
            typed.append(_typed(m, one))
        elif one.number == EXTERNAL_DATA:
            where |= dict([_entry(m.inside(one))])
        elif one.number == LOCATION and m.number(one) == OUTSIDE:
            outside = True
    start, end = (raw.start, raw.end) if raw else (0, 0)
    soon = bytes(m.data[start:end]) if end - start <= SOON else None
    numbers = np.concatenate(typed) if typed else None
    place = place_of(where) if outside or where else None
    return Tensor(name, kind, tuple(sides), start, end, soon, numbers, tuple(texts), place)


def _typed(m: Message, one: Field) -> Array:
    fixed = TYPED[one.number]
    if fixed is not None:
        return np.frombuffer(m.bytes(one), fixed)
    return np.array(m.numbers(one), np.uint64 if one.number == 11 else np.int64)


def _entry(m: Message) -> tuple[str, str]:
    """Of a StringStringEntryProto."""
    found = {one.number: m.text(one) for one in m.fields() if one.number in (1, 2)}
    return found.get(1, ""), found.get(2, "")


def constant_of(path: Path, size: int, tensor: Tensor) -> Constant:
    """The tensor as a constant; ModelError, when its numbers are asked for, where they are not in the file."""
    dtype = "float32" if tensor.kind == BFLOAT16 else NAMES.get(tensor.kind, "other")

    def load() -> Array:
        _check(path, tensor, dtype)
        return _shaped(path, tensor, dtype, _bytes(path, size, tensor) if tensor.typed is None else b"")

    raw = tensor.typed is None and tensor.kind != BFLOAT16 and not tensor.texts and not tensor.place
    chunks = _chunks(path, size, tensor) if raw and tensor.soon is None else None
    return Constant(tensor.shape, dtype, load, chunks)


def _check(path: Path, tensor: Tensor, dtype: str) -> None:
    if dtype == "other":
        raise ModelError(
            en=f"The numbers of {tensor.name[:60]} in {path.name} are of a type that is not read here (number "
            f"{tensor.kind} in onnx.proto), such as 4 or 8 bits of a language model. Floats and whole numbers of 8 "
            "bits or more were expected. Run it with onnxruntime: qingzhou run model.onnx arrays.npz",
            zh=f"{path.name} 中 {tensor.name[:60]} 的数据类型（onnx.proto 中的编号 {tensor.kind}）这里不能读取，"
            "例如语言模型的 4 位或 8 位浮点数。应为浮点数或至少 8 位的整数。请用 onnxruntime 运行："
            "qingzhou run model.onnx arrays.npz",
        )
    if elements(tensor.shape) is None:
        raise _odd(path, tensor)


def _shaped(path: Path, tensor: Tensor, dtype: str, data: bytes) -> Array:
    count = elements(tensor.shape)
    if dtype == "str":
        found: Array = np.array(tensor.texts, object)
    elif tensor.kind == BFLOAT16:
        halves = np.frombuffer(data, "<u2") if tensor.typed is None else tensor.typed
        found = (halves.astype(np.uint32) << 16).view(np.float32)
    elif tensor.typed is not None and dtype == "float16":  # its bits, as int32
        found = tensor.typed.astype(np.uint16).view(np.float16)
    elif tensor.typed is not None:
        found = tensor.typed.astype(dtype)
    else:
        stored = np.dtype(dtype).newbyteorder("<")
        found = np.frombuffer(data[: len(data) - len(data) % stored.itemsize], stored).astype(dtype, copy=False)
    if found.size != count:
        raise _odd(path, tensor)
    return found.reshape(tensor.shape)


def stored_bytes(tensor: Tensor) -> int | None:
    """How many bytes its shape and type take where they are raw; None where nobody knows."""
    count, dtype = elements(tensor.shape), "float16" if tensor.kind == BFLOAT16 else NAMES.get(tensor.kind, "str")
    return None if count is None or dtype == "str" else count * np.dtype(dtype).itemsize


def _odd(path: Path, tensor: Tensor) -> ModelError:
    return ModelError(
        en=f"The numbers of {tensor.name[:60]} in {path.name} are not what its shape {list(tensor.shape)[:8]} and type "
        "say. A complete model was expected. Copy the file again.",
        zh=f"{path.name} 中 {tensor.name[:60]} 的数据与其形状 {list(tensor.shape)[:8]} 和类型不符。请重新复制文件。",
    )


def _bytes(path: Path, size: int, tensor: Tensor) -> bytes:
    if tensor.place is not None:
        return readable(path, tensor.place, stored_bytes(tensor)).read()
    if tensor.soon is not None:
        return tensor.soon
    return b"".join(bytes(piece) for piece in _pieces(path, size, tensor))


def _chunks(path: Path, size: int, tensor: Tensor) -> Callable[[], Iterator[memoryview]]:
    return lambda: _pieces(path, size, tensor)


def _pieces(path: Path, size: int, tensor: Tensor) -> Iterator[memoryview]:
    """The raw bytes from the file, which must be as long as it was."""
    with open_file(path) as file:
        if file.seek(0, 2) != size:
            raise _odd(path, tensor)
        file.seek(tensor.start)
        left = tensor.end - tensor.start
        while left:
            piece = file.read(min(left, PIECE))
            if not piece:
                raise _odd(path, tensor)
            left -= len(piece)
            yield memoryview(piece)


def read_sparse(path: Path, size: int, m: Message) -> tuple[str, Constant]:
    """A SparseTensorProto: its name, and all its numbers, most of them 0; ModelError when these are asked for and
    their places are not in it, or it would have too many.
    """
    values, places = Tensor("", 0, (), 0, 0, b"", None, ()), Tensor("", 0, (), 0, 0, b"", None, ())
    sides: list[int] = []
    for one in m.fields():
        if one.number == 1:
            values = read_tensor(m.inside(one))
        elif one.number == 2:
            places = read_tensor(m.inside(one))
        elif one.number == 3:
            sides += m.numbers(one)
    shape = tuple(sides)
    numbers, where = constant_of(path, size, values), constant_of(path, size, places)

    def load() -> Array:
        count = elements(shape)
        if count is None or count > MOST_SPREAD:
            raise _odd(path, replace(values, shape=shape))
        found: Array = np.zeros(count, numbers.dtype)
        at = where.load().astype(np.int64)
        flat = (
            at @ np.cumprod([1, *shape[:0:-1]])[::-1] if at.ndim == 2 and at.shape[1] == len(shape) else at.reshape(-1)
        )
        if flat.size != numbers.load().size or (flat < 0).any() or (flat >= count).any():
            raise _odd(path, replace(values, shape=shape))
        found[flat] = numbers.load().reshape(-1)
        return found.reshape(shape)

    return values.name, Constant(shape, numbers.dtype, load)


def row(node: Node) -> Constant | None:
    """The constant that a Constant node is; None where it is sparse."""
    value = node.attrs.get("value")
    if isinstance(value, Constant):
        return value
    for name, dtype in (("value_float", "float32"), ("value_int", "int64"), ("value_string", "object")):
        for key in (name, f"{name}s"):
            if key in node.attrs:
                return _made(np.array(node.attrs[key], dtype))
    return None


def _made(array: Array) -> Constant:
    kind: Any = "str" if array.dtype == object else array.dtype.name
    return Constant(array.shape, kind, lambda: array)
