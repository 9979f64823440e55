"""The arrays of a layer of Keras 1 as Keras 2 has them: gates joined, kernels with their axes in the order of today."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...files.types import TensorRef
from .refuse import garbled

Array = np.ndarray[Any, Any]
ROLES = {
    "W": "kernel", "U": "recurrent_kernel", "b": "bias", "running_mean": "moving_mean", "alphas": "alpha",
    "running_std": "moving_variance",  # which has been a variance since models were saved whole (1.0.7)
}  # fmt: skip
KERNELS = ("W", "depthwise_kernel", "pointwise_kernel")
GATES = {"LSTM": "ifco", "ConvLSTM2D": "ifco", "GRU": "zrh"}


@dataclass(frozen=True)
class Old:
    """A layer of Keras 1: its class, its settings, and the names of the wrappers around it and its own."""

    kind: str
    config: Mapping[str, Any]
    path: tuple[str, ...]


def translated(old: Old, name: str, refs: Mapping[str, TensorRef]) -> dict[str, TensorRef]:
    """{"W": …, "b": …} -> {"kernel": …, "bias": …}; CheckpointDamaged where one of an LSTM's gates is missing."""
    turn = _turn(old, refs.get("W"))
    gates = GATES.get(old.kind, "")
    if not gates or "W_" + gates[0] not in refs:
        return {_role(old, role): turn(ref) if role in KERNELS else ref for role, ref in refs.items()}
    found = {role: ref for role, ref in refs.items() if role[:2] not in ("W_", "U_", "b_")}
    turn = _first_to_last if old.kind == "ConvLSTM2D" and old.config.get("dim_ordering") == "th" else _same
    for letter in "WUb":
        parts = [refs.get(f"{letter}_{gate}") for gate in gates]
        one = [ref if letter == "b" else turn(ref) for ref in parts if ref is not None]
        if len(one) != len(gates) or len({ref.shape for ref in one}) != 1:
            raise garbled(f"a gate of layer '{name[:60]}' is missing", f"层 '{name[:60]}' 缺少一个门的权重")
        found[ROLES[letter]] = _joined(one)
    return found


def _role(old: Old, role: str) -> str:
    return "embeddings" if old.kind == "Embedding" and role == "W" else ROLES.get(role, role)


Turn = Callable[[TensorRef], TensorRef]


def _turn(old: Old, ref: TensorRef | None) -> Turn:
    """How the kernels of a convolution are turned."""
    first = old.config.get("dim_ordering") == "th"
    match old.kind:
        case "Convolution1D" | "AtrousConvolution1D":
            shape = () if ref is None else ref.shape
            late = shape[:2] == (old.config.get("filter_length"), 1) and shape[3:] == (old.config.get("nb_filter"),)
            return _without_second if late else _of_1_0
        case "Convolution2D" | "AtrousConvolution2D" | "Convolution3D" | "SeparableConvolution2D" if first:
            return _first_to_last
        case "Deconvolution2D":  # (out, in, …) and (…, in, out) -> (…, out, in)
            return lambda one: _permuted(one, (2, 3, 0, 1) if first else (0, 1, 3, 2))
    return _same


def _same(ref: TensorRef) -> TensorRef:
    return ref


def _without_second(ref: TensorRef) -> TensorRef:
    """(length, 1, in, out) -> (length, in, out)."""
    return _made([ref], (ref.shape[0], *ref.shape[2:]), lambda arrays: arrays[0][:, 0])


def _of_1_0(ref: TensorRef) -> TensorRef:
    """(out, in, length, 1), as before 1.1 -> (length, in, out)."""
    if len(ref.shape) != 4 or ref.shape[3] != 1:
        raise garbled(f"a kernel has the shape {list(ref.shape)}", f"卷积核形状为 {list(ref.shape)}")
    return _without_second(_permuted(ref, (2, 3, 1, 0)))


def _first_to_last(ref: TensorRef) -> TensorRef:
    """(out, in, …) -> (…, in, out)."""
    return _permuted(ref, (*range(2, len(ref.shape)), 1, 0))


def _permuted(ref: TensorRef, axes: Sequence[int]) -> TensorRef:
    if len(ref.shape) != len(axes):
        raise garbled(f"a kernel has the shape {list(ref.shape)}", f"卷积核形状为 {list(ref.shape)}")
    return _made([ref], tuple(ref.shape[i] for i in axes), lambda arrays: arrays[0].transpose(axes))


def _joined(refs: Sequence[TensorRef]) -> TensorRef:
    shape = (*refs[0].shape[:-1], sum(ref.shape[-1] for ref in refs))
    return _made(refs, shape, lambda arrays: np.concatenate(arrays, axis=-1))


def _made(refs: Sequence[TensorRef], shape: tuple[int, ...], make: Callable[[list[Array]], Array]) -> TensorRef:
    return TensorRef(
        shape, refs[0].dtype, refs[0].storage, lambda: np.ascontiguousarray(make([one.load() for one in refs]))
    )
