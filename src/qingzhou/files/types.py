"""What a checkpoint becomes once it is read: plain data, inert records and lazy arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

MOST_FACTS, LONGEST_FACT = 100, 200  # of the training; characters of one


@dataclass(eq=False)
class Opaque:
    """An object of a class that is not ours to make: its name, arguments and state, never anything that can act.

    A pickled module is Opaque("torch.nn.modules.conv.Conv2d", (), {"_parameters": {...}, "_modules": {...}, ...}).
    `items` holds what was appended or set on it (subclasses of dict and list), `source` the text in legacy files.
    """

    name: str  # "module.Class", aliases resolved
    args: tuple[Any, ...] = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)
    source: str = ""


@dataclass(frozen=True, eq=False)
class TensorRef:
    """A tensor that was named in a checkpoint and not read yet: shape, dtype, and how to get it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]  # what load() returns; bfloat16 is widened to float32
    storage: str
    load: Callable[[], np.ndarray[Any, Any]]
    chunks: Callable[[], Iterator[memoryview]] | None = None  # the same bytes piece by piece, where they lie as float32


class Tensors(Mapping[str, np.ndarray[Any, Any]]):
    """Name -> read-only array, read and verified at each access; shapes and dtypes are known without reading."""

    def __init__(self, refs: Mapping[str, TensorRef]) -> None:
        self.refs = dict(refs)
        self.shapes: Mapping[str, tuple[int, ...]] = {key: ref.shape for key, ref in self.refs.items()}

    def __getitem__(self, key: str) -> np.ndarray[Any, Any]:
        return self.refs[key].load()

    def chunks(self, key: str) -> Iterator[memoryview] | None:
        """The little-endian float32 of a tensor piece by piece, each valid until the next; None where it must be made.

        A damaged part is an error only after its last piece.
        """
        chunks = self.refs[key].chunks
        return None if chunks is None else chunks()

    def __iter__(self) -> Iterator[str]:
        return iter(self.refs)

    def __len__(self) -> int:
        return len(self.refs)


@dataclass(frozen=True)
class Origin:
    """Where a checkpoint came from; container: "torch zip", "torch legacy" or "safetensors"."""

    path: Path
    size: int
    container: str
    # Starts to read the whole file beside everything else; what it returns waits for the end.
    digest_ahead: Callable[[], Callable[[], str]] = field(compare=False, repr=False)

    @property
    def sha256(self) -> str:
        """Of the whole file, hexadecimal."""
        return self.digest_ahead()()


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as read. tensors: the state dict, or the parameters and buffers of `module`, by dotted name."""

    tensors: Tensors
    meta: Mapping[str, Any]  # the file's own `meta`: plain values; classes we do not know stay Opaque
    root: Any  # everything that was in the file: dicts, lists, tuples, numbers, TensorRef, Opaque
    module: Opaque | None  # the pickled module, if the file holds one
    origin: Origin
    ignored: Mapping[str, str] = field(default_factory=dict)  # tensor key -> why it is not in `tensors`
    notes: tuple[str, ...] = ()  # what was taken off or left out on the way to the tensors

    @property
    def facts(self) -> dict[str, Any]:
        """What `meta` says of the training in short plain values: epochs, date, versions."""
        short = (
            (str(key), value)
            for key, value in self.meta.items()
            if isinstance(value, (str, int, float)) and len(f"{key}{value}") <= LONGEST_FACT
        )
        return dict(islice(short, MOST_FACTS))
