"""Numbers of MindSpore's files: where they lie, in the file itself or in those of its data folder."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...files.file import File, Record
from ...files.limits import Limits
from ...files.refusals import short, unsafe
from ...files.types import TensorRef
from ...graph.form import Array
from .proto import Elsewhere
from .refuse import garbled, refused

ENCRYPTED = b"\xd8\x5e\x3a\x7f"  # mindspore/ccsrc/utils/crypto.cc: MAGIC_NUM, the lowest byte first
KINDS = {"float32", "float64", "float16", "bfloat16", "bool"} | {
    f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)
}


@dataclass(frozen=True)
class Run:
    """Bytes that are read when they are asked for: of a file, or of what a packed part held."""

    file: File | None
    record: Record
    packed: bytes = b""

    @property
    def size(self) -> int:
        """How many there are."""
        return self.record.size

    def load(self, start: int, size: int) -> Array:
        """So many of them as uint8."""
        if self.file is None:
            return np.frombuffer(self.packed, np.uint8, size, start)
        return self.file.load(self.record, start, size)

    def chunks(self, start: int, size: int) -> Iterator[memoryview]:
        """The same piece by piece."""
        if self.file is None:
            return iter([memoryview(self.packed)[start : start + size]])
        return self.file.chunks(self.record, start, size)


@dataclass
class Numbers:
    """All bytes that a model may take its numbers from.

    own     the file itself;  beside: a file of its data folder by the name that the model has for it
    """

    own: Run
    beside: Callable[[str], Run]
    limits: Limits
    opened: dict[str, Run] = field(default_factory=dict)

    def tensor(self, name: str, shape: tuple[int, ...], dtype: str, place: Elsewhere) -> TensorRef:
        """A tensor there; CheckpointDamaged where it does not fit."""
        if dtype not in KINDS:
            raise refused(f"its tensor {name} is of {short(dtype, 30)}", f"张量 {name} 的类型是 {short(dtype, 30)}")
        kind = np.dtype("<u2" if dtype == "bfloat16" else dtype).newbyteorder("<")
        size = kind.itemsize * math.prod(shape)
        if min(shape, default=0) < 0 or place.size != size:
            raise garbled(f"the tensor {name} of {list(shape)} has {place.size} bytes", f"张量 {name} 的大小不符")
        run = self.run(place.name)
        if place.start < 0 or place.start + size > run.size:
            raise _short(name, place.name)
        return _ref(run, place.start, size, shape, dtype, kind)

    def run(self, name: str) -> Run:
        """The file of that name; "" is the model's own."""
        if not name:
            return self.own
        if name not in self.opened:
            found = self.beside(name)
            first = found.load(0, min(64, found.size)).tobytes()
            if first.startswith(ENCRYPTED):
                raise encrypted()
            if first[:1] == b"\0":
                raise refused("its numbers lie with the highest byte first (big-endian)", "其中的数值是大端字节序")
            self.opened[name] = found
        return self.opened[name]

    def check(self, tensors: Iterable[TensorRef]) -> None:
        """UnsafeCheckpoint where the parameters are much more than the files: many of the same numbers."""
        size = self.own.size + sum(run.size for run in self.opened.values())
        most = max(self.limits.spread * size, self.limits.spread_floor)
        if sum(4 * math.prod(one.shape) for one in tensors) > most:
            raise unsafe("its tensors are much larger than the file", "张量总量远大于文件")


def _ref(run: Run, start: int, size: int, shape: tuple[int, ...], dtype: str, kind: np.dtype[Any]) -> TensorRef:
    def load() -> Array:
        array = run.load(start, size).view(kind) if size else np.zeros(0, kind)
        return widened(array, dtype).reshape(shape)

    chunks = (lambda: run.chunks(start, size)) if dtype == "float32" and size else None
    return TensorRef(shape, np.dtype("float32" if dtype == "bfloat16" else dtype), "", load, chunks)


def widened(array: Array, dtype: str) -> Array:
    """bfloat16 is the upper half of a float32."""
    return (array.astype(np.uint32) << 16).view(np.float32) if dtype == "bfloat16" else array


def joined(pieces: Mapping[int, Array], shape: tuple[int, ...]) -> Array:
    """A tensor that was written in several pieces."""
    return np.concatenate([one.reshape(-1) for one in pieces.values()]).reshape(shape)


def encrypted() -> Exception:
    """What only the owner's key opens."""
    return refused(
        "it is encrypted (export or save_checkpoint with enc_key)",
        "它是加密的（export 或 save_checkpoint 时使用了 enc_key）",
        "Export the network again without enc_key",
        "请不带 enc_key 重新导出网络",
    )


def _short(name: str, file: str) -> Exception:
    where = short(file) or "the file"
    return garbled(
        f"{where} ends before the numbers of {name} do",
        f"{short(file) or '文件'} 不完整，缺少 {name} 的数值",
    )
