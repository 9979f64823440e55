"""A .tflite as plain data, on its way into the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...files.flatbuffer_write import Later
from ...onnxfile.integers import Steps

Order = tuple[int, ...]  # which axis of a value each axis of a tensor is


@dataclass(frozen=True)
class Tensor:
    """One tensor of the file. data: of a constant;  scales, zeros, axis: how its integers stand for numbers."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: Later | None = None
    scales: Sequence[float] = ()
    zeros: Sequence[int] = ()
    axis: int = 0


@dataclass(frozen=True)
class Operator:
    """One operator of the file; inputs are numbers of tensors."""

    kind: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Held:
    """A tensor that holds a value. steps: None of floats."""

    index: int
    order: Order
    steps: Steps | None


@dataclass(frozen=True)
class Network:
    """All of a file but what it says of itself."""

    tensors: Sequence[Tensor]
    operators: Sequence[Operator]
    inputs: Sequence[int]
    outputs: Sequence[int]
