"""Pickles with arrays between their opcodes, packed or not, as joblib writes them (joblib/numpy_pickle.py, 0.10 on).

An array is a NumpyArrayWrapper: right behind the opcode that gives it its state, outside of any frame, stand its bytes.
From joblib 1.2 on they are aligned: a byte says how many bytes of padding follow. An array of objects is a whole pickle
of its own there.
"""

from __future__ import annotations

import bz2
import lzma
import math
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..errors import QingzhouError
from . import lz4
from .limits import Limits, elements
from .opcodes import Tape
from .refusals import damaged, unsafe, wrong_type
from .types import Opaque
from .unpickle import read_pickle
from .values import dtype_of

WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
ALIGNMENT = "numpy_array_alignment_bytes"
PROTOCOLS = (2, 3, 4, 5)
OLD = b"copy_reg\n_reconstructor\n"  # how protocols 0 and 1, which have no number, make the first object
FIRST = (b"c", b"(d", b"(l", b"(c", b"}", b"]")  # a class, or a dict, list or tuple with one in it
PEEK = 256  # bytes that are unpacked to see what a packed file is


class _Unpacker(Protocol):
    """What zlib, bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


# How a packed file begins -> what unpacks it (zlib: RFC 1950, gzip: RFC 1952)
UNPACKERS: dict[bytes, Callable[[], _Unpacker]] = {
    **{bytes([0x78, level]): lambda: zlib.decompressobj() for level in (0x01, 0x5E, 0x9C, 0xDA)},
    b"\x1f\x8b": lambda: zlib.decompressobj(31),
    b"BZh": lambda: bz2.BZ2Decompressor(),
    b"\xfd7zXZ\0": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ),
    b"\x5d\0\0": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE),
}


def is_pickle(head: bytes) -> bool:
    """Whether bytes begin as a pickle of protocol 2 or later, or as an object of an earlier one."""
    if head[:1] == b"\x80":
        return len(head) > 1 and head[1] in PROTOCOLS
    return head.startswith(FIRST) and OLD in head[:PEEK]


def is_packed_pickle(head: bytes) -> bool:
    """Whether the first bytes of a file unpack to the first bytes of a pickle; lz4's are taken at their word."""
    make = _unpacker(head)
    if make is None:
        return head.startswith(lz4.MAGIC)
    try:
        return is_pickle(make().decompress(head, PEEK))
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        return False


def _unpacker(head: bytes) -> Callable[[], _Unpacker] | None:
    return next((make for magic, make in UNPACKERS.items() if head.startswith(magic)), None)


def unpacked(data: bytes, limits: Limits) -> bytes:
    """A pickle as it is, or what a packed file holds; CheckpointDamaged, UnsafeCheckpoint, CheckpointTypeError."""
    most = min(max(limits.spread * len(data), limits.spread_floor), limits.unpacked_bytes)
    make = _unpacker(data[:8])
    if data.startswith(lz4.MAGIC):
        return lz4.unpacked(data, most)
    if make is None:
        return data
    unpacker = make()
    try:
        found = unpacker.decompress(data, most + 1)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        raise damaged("what is packed in it is garbled", "其中压缩的数据混乱") from None
    if len(found) > most:
        raise unsafe(f"it unpacks to more than {most} bytes", f"解压后超过 {most} 字节")
    if not unpacker.eof:
        raise damaged("it ends too early", "文件不完整，提前结束")
    return found


def read_joblib(data: bytes, limits: Limits, kept: Callable[[Any], Any] | None = None) -> Any:
    """The one object in a file of joblib or pickle, as plain values and arrays; `kept` as in read_pickle()."""
    data = unpacked(data, limits)
    tape = Tape(data)
    root = read_pickle(tape, limits, kept=kept, framed=lambda target, tape: _array(target, tape, data, limits))
    if (rest := tape.read(PEEK)) and is_pickle(rest):
        raise _several()
    if rest:
        raise unsafe("something follows its pickle", "pickle 之后还有内容")
    return root


def _array(target: Opaque, tape: Tape, data: bytes, limits: Limits) -> Any:
    """The array that a wrapper stands for; any other record as it is."""
    if target.name != WRAPPER:
        return target
    state = target.state if isinstance(target.state, dict) else {}
    shape, kind, order = state.get("shape"), state.get("dtype"), state.get("order")
    if not isinstance(shape, tuple) or not all(type(n) is int for n in shape) or elements(shape) is None:
        raise damaged("one of its arrays is described wrongly", "一个数组的说明有误")
    if order not in ("C", "F") or not isinstance(kind, Opaque):
        raise damaged("one of its arrays is described wrongly", "一个数组的说明有误")
    if kind.args[:1] in (("O8",), ("O4",), ("O",), ("|O",)):  # numpy's name of an array of objects
        return _objects(tape, limits)
    dtype = dtype_of(kind)
    if dtype is None or dtype.itemsize == 0:
        raise damaged("one of its arrays is of an unknown type", "一个数组的类型未知")
    return _numbers(tape, data, shape, dtype, order, state.get(ALIGNMENT) is not None)


def _objects(tape: Tape, limits: Limits) -> Any:
    """A pickle inside, with a memo of its own; plain pickle wrote it, so no array stands between its opcodes."""
    found = read_pickle(tape, limits)
    if not isinstance(found, (Opaque, np.ndarray)):
        raise damaged("one of its arrays holds something else", "一个数组的内容不符")
    return found


def _numbers(tape: Tape, data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], order: str, aligned: bool) -> Any:
    """An array over the very bytes that were read."""
    if aligned:
        padding = tape.read(1)
        if not padding or len(tape.read(padding[0])) != padding[0]:
            raise damaged("it ends too early", "文件不完整，提前结束")
    size, start = math.prod(shape) * dtype.itemsize, tape.tell()
    if size > tape.left():
        raise damaged("it ends too early", "文件不完整，提前结束")
    tape.seek(start + size)
    found: np.ndarray[Any, Any] = np.ndarray(shape, dtype, data, start, order="F" if order == "F" else "C")
    return found


def _several() -> QingzhouError:
    return wrong_type(
        "several pickles one after the other",
        "依次写入的多个 pickle",
        "Save the model alone where it was trained: joblib.dump(model, 'model.joblib')",
        "请在训练的电脑上单独保存模型：joblib.dump(model, 'model.joblib')",
    )
