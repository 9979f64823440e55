"""Files of parameters (`.pdiparams`): tensors one after the other, without names. Each is held against the program.

paddle/phi/core/framework/dense_tensor_tostream.cc (SerializeToStream): u32 version, u64 levels of detail, u32 version
of the tensor, i32 length of a TensorDesc, that, and the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from ...errors import QingzhouError
from ...files.hdf5 import Bytes, InFile
from ...files.limits import Limits, elements
from ...files.refusals import short, unsafe
from ...files.types import TensorRef
from ...files.wire import Message
from ...graph.form import Array
from .desc import tensor_desc
from .heads import HEADER, LONGEST
from .program import Program, Stored, Typed
from .refuse import garbled, refused


def read_parameters(source: Bytes, program: Program, limits: Limits) -> Mapping[str, TensorRef]:
    """By their names; CheckpointDamaged where they are not the program's."""
    wanted = program.in_file
    if len(wanted) > limits.tensors:
        raise unsafe(f"it has more than {limits.tensors} tensors", f"张量超过 {limits.tensors} 个")
    found, place = {}, 0
    with source.file.held() if isinstance(source, InFile) else nullcontext():
        for i, stored in enumerate(wanted):
            typed, start, size = _one(source, place, stored, i, len(wanted))
            _compare(stored, typed)
            found[stored.name] = _ref(source, stored.name, typed, start, size)
            place = start + size
    if place != source.size:
        raise _misfit(
            f"{source.size - place} bytes follow the last of {len(wanted)} tensors",
            f"第 {len(wanted)} 个（最后一个）张量之后还有 {source.size - place} 字节",
        )
    return found


def _one(source: Bytes, place: int, stored: Stored, i: int, count: int) -> tuple[Typed, int, int]:
    """(what it is, where its numbers start, how many bytes they are)."""
    if place + HEADER.size > source.size:
        raise _short(i, count)
    version, levels, inner, length = HEADER.unpack(source.read(place, HEADER.size))
    if version or inner:
        raise garbled(
            f"tensor {i + 1} of its parameters begins as none (version {version}): they are encrypted, or other ones",
            f"第 {i + 1} 个参数的开头不正确（版本 {version}）：参数文件已加密，或是别的文件",
        )
    if levels:
        raise refused(
            f"its parameter {short(stored.name)} has levels of detail", f"参数 {short(stored.name)} 带有 LoD 层级"
        )
    if not 0 <= length <= LONGEST:
        raise garbled(f"tensor {i + 1} of its parameters has no description", f"第 {i + 1} 个参数没有说明")
    start = place + HEADER.size + length
    if start > source.size:
        raise _short(i, count)
    typed = tensor_desc(Message(memoryview(source.read(place + HEADER.size, length))))
    total = elements(typed.dims)
    if not typed.dtype or total is None:
        raise refused(f"its parameter {short(stored.name)} is of a kind that is not known", "参数的类型不支持")
    size = total * _kind(typed.dtype).itemsize
    if start + size > source.size:
        raise _short(i, count)
    return typed, start, size


def _kind(dtype: str) -> np.dtype[Any]:
    return np.dtype("<u2") if dtype == "bfloat16" else np.dtype(dtype).newbyteorder("<")


def _compare(stored: Stored, found: Typed) -> None:
    said = stored.type
    fits = len(said.dims) == len(found.dims) and all(a in (-1, b) for a, b in zip(said.dims, found.dims, strict=True))
    if not fits or said.dtype not in ("", found.dtype):
        raise _misfit(
            f"{short(stored.name)} is {found.dtype} {list(found.dims)} there, and {said.dtype} {list(said.dims)} in "
            "the program",
            f"{short(stored.name)} 在参数文件中是 {found.dtype} {list(found.dims)}，在程序中是 {said.dtype} "
            f"{list(said.dims)}",
        )


def _ref(source: Bytes, name: str, typed: Typed, start: int, size: int) -> TensorRef:
    load = partial(_load, source, typed, start, size)
    chunks = partial(source.chunks, start, size) if typed.dtype == "float32" else None
    dtype = np.dtype("float32" if typed.dtype == "bfloat16" else typed.dtype)
    return TensorRef(typed.dims, dtype, name, load, chunks)


def _load(source: Bytes, typed: Typed, start: int, size: int) -> Array:
    data = source.numbers(start, size).view(_kind(typed.dtype)).reshape(typed.dims)
    return (data.astype(np.uint32) << 16).view(np.float32) if typed.dtype == "bfloat16" else data


def _short(i: int, count: int) -> QingzhouError:
    return garbled(
        f"its parameters end in tensor {i + 1} of {count}: the file is cut, or only a part of them",
        f"参数文件在第 {i + 1} 个张量处结束，应有 {count} 个：文件不完整，或只是其中一部分",
    )


def _misfit(en: str, zh: str) -> QingzhouError:
    return garbled(f"its parameters are not those of the program: {en}", f"参数文件与程序不符：{zh}")
