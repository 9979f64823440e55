"""Small .tflite files, written by the tables that they are read by: a model is plain dicts and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qingzhou.files.flatbuffer_write import pieces
from qingzhou.files.tflite_schema import IDENTIFIER, OPERATORS, OPTIONS, SCHEMA, TYPES

CUSTOM = OPERATORS.index("CUSTOM")


def flatbuffer(name: str, content: Mapping[str, Any], identifier: bytes = IDENTIFIER) -> bytes:
    """A table and all that it holds."""
    return b"".join(pieces(SCHEMA, name, content, identifier))


# -- models ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class T:
    """One tensor: what flows where it has no numbers. steps: (scale or scales, zero or zeros[, axis])."""

    array: Any = None
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    steps: tuple[Any, ...] = ()
    sides: tuple[int, ...] = ()
    variable: bool = False
    name: str = ""


def const(array: Any, steps: tuple[Any, ...] = ()) -> T:
    found = np.asarray(array)
    return T(found, found.shape, found.dtype.name, steps)


def flow(*shape: int, dtype: str = "float32", steps: tuple[Any, ...] = (), variable: bool = False) -> T:
    return T(None, shape, dtype, steps, variable=variable)


@dataclass(frozen=True)
class Op:
    """An operator: names of its tensors, "" for one that is left out."""

    name: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    kind: str = ""  # of the options, where the name does not tell
    custom: bytes = b""


def model(
    tensors: Mapping[str, T],
    ops: Sequence[Op],
    inputs: Sequence[str],
    outputs: Sequence[str],
    signature: tuple[Mapping[str, str], Mapping[str, str]] | None = None,
    metadata: bytes = b"",
    **more: Any,
) -> bytes:
    """A whole file."""
    names = list(tensors)
    buffers: list[Any] = [{}]
    rows = []
    for name, one in tensors.items():
        place = 0
        if one.array is not None:
            place = len(buffers)
            buffers.append({"data": np.frombuffer(np.ascontiguousarray(one.array).tobytes(), np.uint8)})
        rows.append(_tensor(one.name or name, one, place))
    codes = [(op.name, op.version) for op in ops]
    known = sorted(set(codes))
    content = {
        "version": 3,
        "operator_codes": [_code(*one) for one in known],
        "subgraphs": [
            {
                "tensors": rows,
                "inputs": [names.index(one) for one in inputs],
                "outputs": [names.index(one) for one in outputs],
                "operators": [_operator(op, known.index((op.name, op.version)), names) for op in ops],
                "name": "main",
            }
        ],
        "description": "made by hand",
        "buffers": buffers,
    }
    if signature:
        maps = [[{"name": n, "tensor_index": names.index(t)} for n, t in row.items()] for row in signature]
        content["signature_defs"] = [{"inputs": maps[0], "outputs": maps[1], "signature_key": "serving_default"}]
    if metadata:
        content["metadata"] = [{"name": "TFLITE_METADATA", "buffer": len(buffers)}]
        buffers.append({"data": np.frombuffer(metadata, np.uint8)})
    return flatbuffer("Model", {**content, **more})


def _tensor(name: str, one: T, place: int) -> dict[str, Any]:
    found: dict[str, Any] = {"shape": one.shape, "type": TYPES.index(one.dtype), "buffer": place, "name": name}
    if one.steps:
        scale, zero, *axis = one.steps
        found["quantization"] = {
            "scale": np.atleast_1d(scale),
            "zero_point": np.atleast_1d(zero),
            "quantized_dimension": axis[0] if axis else 0,
        }
    if one.sides:
        found["shape_signature"] = one.sides
    return {**found, "is_variable": True} if one.variable else found


def _code(name: str, version: int) -> dict[str, Any]:
    number = OPERATORS.index(name) if name in OPERATORS else CUSTOM
    custom = {} if name in OPERATORS else {"custom_code": name}
    return {"deprecated_builtin_code": min(number, 127), "builtin_code": number, "version": version, **custom}


def _operator(op: Op, code: int, names: Sequence[str]) -> dict[str, Any]:
    kind = op.kind or next((one for one in OPTIONS if one.lower() == op.name.lower().replace("_", "") + "options"), "")
    found: dict[str, Any] = {
        "opcode_index": code,
        "inputs": [names.index(one) if one else -1 for one in op.inputs],
        "outputs": [names.index(one) for one in op.outputs],
    }
    if op.options:
        found |= {"builtin_options_type": OPTIONS.index(kind), "builtin_options": (kind, op.options)}
    elif kind:
        found |= {"builtin_options_type": OPTIONS.index(kind), "builtin_options": (kind, {})} if kind in SCHEMA else {}
    if op.custom:
        found["custom_options"] = np.frombuffer(op.custom, np.uint8)
    return found
