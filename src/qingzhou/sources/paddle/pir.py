"""Paddle 3's programs: JSON of the intermediate representation PIR.

https://github.com/PaddlePaddle/Paddle/tree/develop/paddle/fluid/pir/serialize_deserialize (schema.h)
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...files.limits import MOST_AXES
from ...files.refusals import short, unsafe
from .operators import ARGUMENTS
from .program import Names, Operator, Program, Stored, Typed
from .refuse import branching, check_purpose, custom, garbled

MOST_BYTES = 64 << 20
VERSION = 4  # of the format, as Paddle 3.3 writes it
DIALECTS = {"0": "builtin", "1": "pd_op", "2": "cf", "3": "custom_op", "4": "dist"}
# Types of numbers: pir/serialize_deserialize/include/schema.h; "" for what is not known here
KINDS = {
    "t_bool": "bool", "t_ui8": "uint8", "t_i8": "int8", "t_i16": "int16", "t_i32": "int32", "t_i64": "int64",
    "t_f16": "float16", "t_bf16": "bfloat16", "t_f32": "float32", "t_f64": "float64",
}  # fmt: skip
INFINITE = {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf, "NAN": math.nan, "NaN": math.nan}
LISTED = "/"  # between a list's variable and the place in it


def read_pir(data: bytes) -> Program:
    """CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint."""
    if len(data) > MOST_BYTES:
        raise unsafe(f"its program has {len(data)} bytes", f"程序文件有 {len(data)} 字节")
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        raise garbled("its program is no proper JSON", "程序文件不是正常的 JSON") from None
    base = _of(whole, "base_code", dict)
    if base.get("magic") != "pir":
        raise garbled("its program is none of PIR", "程序文件不是 PIR 格式")
    program = _Reading().program(_only_block(_of(whole, "program", dict)))
    version = base.get("version")
    return replace(program, newer=version) if type(version) is int and version > VERSION else program


def _of(entry: Any, key: str, kind: type) -> Any:
    found = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(found, kind):
        raise garbled(f"its program has no {key}", f"程序文件缺少 {key}")
    return found


def _only_block(program: Mapping[str, Any]) -> list[Any]:
    blocks = [block for region in _of(program, "regions", list) for block in _of(region, "blocks", list)]
    if len(blocks) != 1:
        raise branching(f"{len(blocks)} blocks")
    return list(_of(blocks[0], "ops", list))


class _Reading:
    """The operations so far. alias: variables that are others, or lists of others."""

    def __init__(self) -> None:
        self.types: dict[str, Typed] = {}
        self.stored: dict[str, Stored] = {}
        self.alias: dict[str, Names] = {}
        self.operators: list[Operator] = []
        self.inputs: list[tuple[str, str]] = []
        self.outputs: list[tuple[int, str]] = []

    def program(self, entries: Sequence[Any]) -> Program:
        names = [_of(entry, "#", str) for entry in entries]
        check_purpose([name.partition(".")[2] for name in names])
        for name, entry in zip(names, entries, strict=True):
            self.read(name, entry)
        ends = tuple(variable for _, variable in sorted(self.outputs, key=lambda one: one[0]))
        return Program("Paddle 3 program", "3", self.inputs, ends, self.operators, self.stored, self.types)

    def read(self, whole: str, entry: Mapping[str, Any]) -> None:
        """One entry: a parameter, or an operation."""
        if whole in ("p", "0.parameter"):
            return self.parameter(entry)
        dialect, _, name = whole.partition(".")
        kind = DIALECTS.get(dialect, dialect)
        if entry.get("regions") or kind == "cf":
            raise branching(short(name))
        if kind not in ("builtin", "pd_op"):
            raise custom(f"{kind}.{name}")
        given = [self.variables(_id(one)) for one in _of(entry, "I", list)]
        results = [self.result(one) for one in _of(entry, "O", list)]
        attrs = {_of(one, "N", str): _value(_of(one, "AT", dict)) for one in _of(entry, "A", list)}
        if kind == "builtin":
            return self.builtin(name, given, results, attrs)
        if name == "data":
            self.inputs.append((str(attrs.get("name", "")), _single(results)))
        elif name == "fetch":
            column = attrs.get("col")
            self.outputs.append((column if isinstance(column, int) else len(self.outputs), _single(given)))
        else:
            self.operators.append(_operation(name, given, results, attrs))

    def parameter(self, entry: Mapping[str, Any]) -> None:
        """A tensor that is stored; one that is not persistable is listed only."""
        about, ends, result = _of(entry, "A", list), entry.get("OA"), _of(entry, "O", dict)
        variable = self.result(result)
        if len(about) < 4 or not isinstance(about[3], str) or len(variable) != 1:
            raise garbled("a parameter has no name", "有参数没有名称")
        persistable = not isinstance(ends, list) or not ends or bool(ends[0])
        if persistable:
            self.stored[variable[0]] = Stored(about[3], self.types[variable[0]])

    def builtin(self, name: str, given: Sequence[Names], results: Sequence[Names], attrs: Mapping[str, Any]) -> None:
        """Lists made and taken apart, which the operations here need not know of."""
        flat = tuple(one for each in given for one in each)
        if name == "combine" and len(results) == 1:
            self.alias[_owner(results[0])] = flat
        elif name == "split" and len(given) == 1 and len(results) == len(flat):
            for result, one in zip(results, flat, strict=True):
                self.alias[result[0]] = (one,)
        elif name == "slice" and isinstance(at := attrs.get("index"), int) and 0 <= at < len(flat):
            self.alias[_single(results)] = (flat[at],)
        elif name == "shadow_output":
            self.outputs.append((len(self.outputs), _single(given)))
        else:
            raise garbled(f"its operation builtin.{short(name)} is not known", f"未知的 builtin.{short(name)}")

    def variables(self, name: str) -> Names:
        """What an operand stands for; () for one that is not given."""
        return () if name == "0" else self.alias.get(name, (name,))

    def result(self, entry: Any) -> Names:
        """The variables of a result, with their types: several of a list."""
        name = _id(entry)
        kind = entry.get("TT")
        if isinstance(kind, dict) and kind.get("#") == "0.t_vec":
            inner = _of(kind, "D", list)
            names = tuple(f"{name}{LISTED}{i}" for i in range(len(inner)))
            for one, each in zip(names, inner, strict=True):
                self.types[one] = _type(each)
            self.alias[name] = names
            return names
        self.types[name] = _type(kind)
        return (name,)


def _operation(name: str, given: Sequence[Names], results: Sequence[Names], attrs: dict[str, Any]) -> Operator:
    arguments = ARGUMENTS.get(name)
    if arguments is None:  # refused when it is its turn: what comes before may say more
        arguments = tuple(f"input {i}" for i in range(len(given)))
    inputs = {argument: names for argument, names in zip(arguments, given, strict=False) if names}
    struct = attrs.pop("struct_name", "")
    return Operator(name, inputs, results, attrs, f"{str(struct).strip('/')[-60:]}/{name}".lstrip("/"))


def _owner(names: Names) -> str:
    return names[0].partition(LISTED)[0] if names else ""


def _id(entry: Any) -> str:
    number = entry.get("%") if isinstance(entry, dict) else None
    if type(number) is not int:
        raise garbled("a value has no number", "有变量没有编号")
    return str(number)


def _single(names: Sequence[Names]) -> str:
    if len(names) != 1 or len(names[0]) != 1:
        raise garbled("an input or output is none", "输入或输出不正确")
    return names[0][0]


def _type(entry: Any) -> Typed:
    """Of a tensor; of anything else a kind that no parameter has."""
    if not isinstance(entry, dict) or entry.get("#") != "0.t_dtensor":
        return Typed("", ())
    about = entry.get("D")
    if not isinstance(about, list) or len(about) < 2 or not isinstance(about[1], list) or len(about[1]) > MOST_AXES:
        raise garbled("a tensor has no type", "有张量没有类型")
    kind = about[0].get("#", "") if isinstance(about[0], dict) else ""
    dims = tuple(max(n, -1) for n in about[1] if type(n) is int and n < 1 << 40)  # of free ones it multiplies the -1
    if len(dims) != len(about[1]):
        raise garbled("a tensor has impossible sizes", "有张量的尺寸不可能")
    return Typed(KINDS.get(str(kind).partition(".")[2], ""), dims)


def _value(entry: Any) -> Any:
    """An attribute as plain values. Infinity has no digits in JSON: it is written beside, as a text."""
    if not isinstance(entry, dict):
        raise garbled("an attribute has no value", "有属性没有值")
    if "VD" in entry:
        return INFINITE.get(str(entry["VD"]))
    found = entry.get("D")
    if entry.get("#") == "0.a_array":
        if not isinstance(found, list):
            raise garbled("an attribute has no values", "有属性没有值")
        return [_value(one) for one in found]
    return found
