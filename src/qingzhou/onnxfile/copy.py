"""An .onnx of somebody else as one file: byte for byte, but for what must not or cannot go along.

Weights that lie in a file beside it come inside, the exporter's traces of somebody's program (traces.py) stay behind,
and the IR version may be written as another. What neither needs is copied as it is, field by field, never decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..errors import ModelError
from ..files import protobuf
from ..files.wire import BYTES, Field, Message
from ..whole_file import scratch
from .outside import Piece, check_amount, readable
from .read import incomplete, mapped, read_onnx, reading
from .tensor import EXTERNAL_DATA, LOCATION, read_tensor, stored_bytes
from .traces import TRACES, is_trace
from .write import write_pieces

RAW = 9  # field of a TensorProto
IR_VERSION = 1  # field of a model
LARGEST = (1 << 31) - 1  # bytes of a message, which protobuf's own readers take
DEEPEST = 50  # graphs inside graphs
# The messages on the way to a node or tensor: their fields, and what each holds (onnx.proto)
INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
}


class Run(NamedTuple):
    """Bytes of the source itself, from one place up to another."""

    start: int
    end: int


Part = bytes | Run | Piece


@dataclass
class Copied:
    """What became of a copy. pieces: from other files that came inside; traces: nodes whose trace stayed behind."""

    pieces: list[Piece] = field(default_factory=list)
    traces: int = 0


def copy_onnx(source: Path, out: Path, ir_version: int | None = None) -> Copied:
    """Write the model as one file; ModelError where its weights do not lie beside it, or are too many for one."""
    done = Copied()
    with reading(source), mapped(source) as data:
        parts = list(_Copy(source, ir_version, done).message(Message(data), "model", 0))
        check_amount(source, done.pieces)
        if _size(parts) > LARGEST:
            raise _too_large(source, _size(parts))
        write_pieces(out, (data[part.start : part.end] if isinstance(part, Run) else part for part in parts))
    return done


@contextmanager
def one_file(path: Path) -> Iterator[Path]:
    """The model as one file: itself, or where its weights lie beside it a copy with them, which vanishes."""
    if path.suffix.lower() != ".onnx" or not path.is_file() or not read_onnx(path).outside:
        yield path
        return
    with scratch() as folder:
        copy_onnx(path, folder / path.name)
        yield folder / path.name


@dataclass
class _Copy:
    source: Path
    ir_version: int | None
    done: Copied

    def message(self, m: Message, kind: str, depth: int) -> Iterator[Part]:
        """A message, the fields that change written anew; neighbours that do not change as one run of bytes."""
        if depth > DEEPEST:
            raise incomplete(self.source)
        start = at = m.start  # of the run, and of the field
        for one in m.fields():
            new = self._changed(m, one, kind, depth)
            if new is not None:
                yield Run(start, at)
                yield from new
                start = one.end
            at = one.end
        yield Run(start, m.end)

    def _changed(self, m: Message, one: Field, kind: str, depth: int) -> Sequence[Part] | None:
        """What stands in a field's place; None where it stays as it is."""
        if kind == "model" and one.number == IR_VERSION and self.ir_version is not None:
            return [protobuf.whole(IR_VERSION, self.ir_version)]
        if kind == "node" and one.number in TRACES and is_trace(m, one):
            self.done.traces += 1
            return []
        inner = INSIDE.get(kind, {}).get(one.number)
        if inner is None or one.kind != BYTES:
            return None
        if inner == "tensor":
            return self._tensor(m, one)
        parts = list(self.message(m.inside(one), inner, depth + 1))
        if all(isinstance(part, Run) for part in parts) and _size(parts) == one.end - one.start:
            return None
        return [protobuf.start(one.number, _size(parts)), *parts]

    def _tensor(self, m: Message, one: Field) -> Sequence[Part] | None:
        """With its numbers inside, where they lie in another file."""
        inside = m.inside(one)
        if not any(f.number in (EXTERNAL_DATA, LOCATION) for f in inside.fields()):
            return None
        tensor = read_tensor(inside)
        if tensor.place is None:
            return None
        piece = readable(self.source, tensor.place, stored_bytes(tensor))
        self.done.pieces.append(piece)
        kept: list[Part] = []
        at = inside.start
        for f in inside.fields():
            if f.number not in (EXTERNAL_DATA, LOCATION, RAW):
                kept.append(Run(at, f.end))
            at = f.end
        parts = [*kept, protobuf.start(RAW, piece.size), piece]
        return [protobuf.start(one.number, _size(parts)), *parts]


def _size(parts: Sequence[Part]) -> int:
    return sum(
        part.size if isinstance(part, Piece) else part.end - part.start if isinstance(part, Run) else len(part)
        for part in parts
    )


def _too_large(source: Path, size: int) -> ModelError:
    return ModelError(
        en=f"{source.name} would have {size >> 20} MB as one file with its weights, and 2 GB is the most that readers "
        "of ONNX take. Export a smaller model, or one in float16.",
        zh=f"{source.name} 与权重合成一个文件有 {size >> 20} MB，而 ONNX 读取程序最多支持 2 GB。"
        "请导出更小的模型，或用 float16 导出。",
    )
