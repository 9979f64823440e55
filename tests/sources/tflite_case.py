"""Case: an operator of TensorFlow Lite in a small file, with what goes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tflite_files import Op, T, const, flow, model


@dataclass(frozen=True)
class Case:
    """A file and its inputs, by name; loose: how much its answers may differ, of integers in steps."""

    tensors: Mapping[str, T]
    ops: Sequence[Op]
    inputs: Mapping[str, Any]
    outputs: Sequence[str]
    loose: float = 2e-5

    def file(self) -> bytes:
        return model(self.tensors, self.ops, list(self.inputs), self.outputs)


def draw(seed: int, *shape: int, low: float = -2, high: float = 2) -> Any:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def ints(seed: int, *shape: int, low: int = -128, high: int = 128, dtype: str = "int8") -> Any:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def one(
    op: str,
    *given: Any,
    outs: Sequence[T] = (flow(1),),
    version: int = 1,
    loose: float = 2e-5,
    kind: str = "",
    steps: tuple[Any, ...] = (),
    **options: Any,
) -> Case:
    """One operator: arrays go in, T are constants (or variables), None is left out. steps: of all inputs that flow."""
    tensors: dict[str, T] = {}
    fed: dict[str, Any] = {}
    names = []
    for i, item in enumerate(given):
        name = "" if item is None else f"in{i}"
        names.append(name)
        if isinstance(item, T):
            tensors[name] = item
        elif item is not None:
            fed[name] = np.asarray(item)
            tensors[name] = flow(
                *fed[name].shape, dtype=fed[name].dtype.name, steps=steps if fed[name].itemsize == 1 else ()
            )
    results = {f"out{i}": out for i, out in enumerate(outs)}
    ops = [Op(op, names, list(results), options, version, kind)]
    return Case({**tensors, **results}, ops, fed, list(results), loose)


X = draw(1, 1, 6, 7, 4)
P = draw(2, 1, 6, 7, 4, low=0.2, high=3)
I32 = np.int32


def i32(*values: int) -> T:
    return const(np.array(values, np.int32))


def scalar(value: int) -> T:
    return const(np.array(value, np.int32))


def row(values: Any) -> T:
    return const(np.array(values, np.int32))
