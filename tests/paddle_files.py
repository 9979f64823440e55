"""Files as Paddle writes them, made by hand: programs of both generations, and parameters."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
KINDS = {"float32": 5, "int64": 3, "int32": 2, "bool": 0, "float16": 4, "bfloat16": 22, "uint8": 20}
SHORT = {"float32": "t_f32", "int64": "t_i64", "int32": "t_i32", "bool": "t_bool", "uint8": "t_ui8"}


# -- parameters --------------------------------------------------------------------------------------------------------


def varint(n: int) -> bytes:
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def tensor(array: Array, kind: str = "") -> bytes:
    """One tensor of a .pdiparams."""
    desc = b"\x08" + varint(KINDS[kind or array.dtype.name]) + b"".join(b"\x10" + varint(n) for n in array.shape)
    return struct.pack("<IQIi", 0, 0, 0, len(desc)) + desc + array.tobytes()


def parameters(arrays: Mapping[str, Array]) -> bytes:
    """Sorted by their names' bytes."""
    return b"".join(tensor(arrays[name]) for name in sorted(arrays, key=str.encode))


# -- Paddle 3 ----------------------------------------------------------------------------------------------------------


def value(x: Any) -> Any:
    """An attribute."""
    if isinstance(x, dict):
        return x
    if isinstance(x, list):
        return {"#": "0.a_array", "D": [value(one) for one in x]}
    kind = {bool: "a_bool", int: "a_i32", float: "a_f32", str: "a_str"}[type(x)]
    return {"#": f"0.{kind}", "D": x}


def typed(dims: Sequence[int], kind: str = "float32") -> Any:
    return {"#": "0.t_dtensor", "D": [{"#": f"0.{SHORT[kind]}"}, list(dims), "NCHW", [], 0]}


class Pir:
    """A program of Paddle 3 on its way."""

    def __init__(self) -> None:
        self.ops: list[Any] = []
        self.count = 0
        self.arrays: dict[str, Array] = {}

    def _new(self, dims: Sequence[int], kind: str = "float32") -> Any:
        self.count += 1
        return {"%": self.count, "TT": typed(dims, kind)}

    def parameter(self, name: str, array: Array, stored: bool = True) -> int:
        out = self._new(array.shape, array.dtype.name)
        ends = [1 if stored else 0, 0, 1]
        self.ops.append({"#": "p", "A": [0, 1, 1, name], "DA": [], "O": out, "OA": ends, "QA": []})
        if stored:
            self.arrays[name] = array
        return self.count

    def op(
        self, called: str, inputs: Sequence[int], dims: Sequence[int] = (-1,), kind: str = "float32", /, **attrs: Any
    ) -> int:
        """One operation with one result."""
        out = self._new(dims, kind)
        found = [{"N": key, "AT": value(one)} for key, one in attrs.items()]
        ids = [{"%": one} for one in inputs]
        self.ops.append({"#": called if "." in called else f"1.{called}", "A": found, "I": ids, "O": [out], "OA": []})
        return self.count

    def data(self, name: str, dims: Sequence[int], kind: str = "float32") -> int:
        return self.op("data", [], dims, kind, name=name)

    def ints(self, *numbers: int) -> int:
        """What full_int_array makes."""
        return self.op("full_int_array", [], (len(numbers),), "int64", value=list(numbers))

    def number(self, x: float) -> int:
        """What full makes."""
        given = {"#": "0.a_f64", "D": x}
        return self.op("full", [], (1,), shape={"#": "1.a_intarray", "D": [1]}, value=given, dtype="float32")

    def text(self, *outputs: int) -> bytes:
        """The .json."""
        ends = list(self.ops)
        for i, one in enumerate(outputs):
            end = [{"N": "name", "AT": value(f"fetch_name_{i}")}, {"N": "col", "AT": value(i)}]
            ends.append({"#": "1.fetch", "A": end, "I": [{"%": one}], "O": [self._new((-1,))], "OA": []})
        block = {"#": "block_0", "args": [], "ops": ends}
        whole = {
            "base_code": {"magic": "pir", "trainable": True, "version": 4},
            "program": {"regions": [{"#": "region_0", "blocks": [block]}]},
        }
        return json.dumps(whole).encode()

    def write(self, folder: Path, *outputs: int, name: str = "model") -> Path:
        """Both files; the program's path."""
        if self.arrays:
            (folder / f"{name}.pdiparams").write_bytes(parameters(self.arrays))
        path = folder / f"{name}.json"
        path.write_bytes(self.text(*outputs))
        return path


# -- Paddle 2 ----------------------------------------------------------------------------------------------------------


def part(number: int, content: bytes | str | int) -> bytes:
    """One field."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def attribute(name: str, x: Any) -> bytes:
    head = part(1, name)
    if isinstance(x, bool):
        return head + part(2, 6) + part(10, int(x))
    if isinstance(x, int):
        return head + part(2, 0) + part(3, x)
    if isinstance(x, float):
        return head + part(2, 1) + varint(4 << 3 | 5) + struct.pack("<f", x)
    if isinstance(x, str):
        return head + part(2, 2) + part(5, x)
    return head + part(2, 3) + b"".join(part(6, n) for n in x)


class Desc:
    """A program of Paddle 2 on its way."""

    def __init__(self, version: int = 2006002) -> None:
        self.vars: list[bytes] = []
        self.ops: list[bytes] = []
        self.version = version
        self.arrays: dict[str, Array] = {}
        for name, kind in (("feed", 9), ("fetch", 10)):
            self.vars.append(part(1, name) + part(2, part(1, kind)) + part(3, 1))

    def var(self, name: str, dims: Sequence[int], kind: str = "float32", stored: bool = False) -> str:
        inner = part(1, KINDS[kind]) + b"".join(part(2, n) for n in dims)
        self.vars.append(part(1, name) + part(2, part(1, 7) + part(3, part(1, inner))) + part(3, int(stored)))
        return name

    def parameter(self, name: str, array: Array) -> str:
        self.arrays[name] = array
        return self.var(name, array.shape, array.dtype.name, True)

    def op(
        self, kind: str, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, Sequence[str]], **attrs: Any
    ) -> None:
        """One operation; its type stands last, as the schema lets it."""
        data = b"".join(part(1, part(1, slot) + b"".join(part(2, n) for n in row)) for slot, row in inputs.items())
        data += b"".join(part(2, part(1, slot) + b"".join(part(2, n) for n in row)) for slot, row in outputs.items())
        data += b"".join(part(4, attribute(key, one)) for key, one in attrs.items())
        self.ops.append(data + part(3, kind))

    def data(self, name: str, dims: Sequence[int], col: int = 0) -> str:
        self.op("feed", {"X": ["feed"]}, {"Out": [name]}, col=col)
        return self.var(name, dims)

    def bytes(self, *outputs: str, blocks: int = 1) -> bytes:
        """The .pdmodel."""
        for i, one in enumerate(outputs):
            self.op("fetch", {"X": [one]}, {"Out": ["fetch"]}, col=i)
        block = part(1, 0) + part(2, -1 & ((1 << 64) - 1))
        block += b"".join(part(3, one) for one in self.vars) + b"".join(part(4, one) for one in self.ops)
        more = part(1, part(1, 1) + part(2, 0)) * (blocks - 1)
        return part(1, block) + more + part(4, part(1, self.version))

    def write(self, folder: Path, *outputs: str, name: str = "model") -> Path:
        """Both files; the program's path."""
        if self.arrays:
            (folder / f"{name}.pdiparams").write_bytes(parameters(self.arrays))
        path = folder / f"{name}.pdmodel"
        path.write_bytes(self.bytes(*outputs))
        return path
