"""Arguments as the functions of the table want them: each by the annotation of its parameter, nothing else is taken."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...graph.form import Value
from ..recording.net import Int, Ints, Net, Size

Number = float | Size  # an int is one, too
Operand = Value | float | Size
Values = tuple[Value, ...]
MOST = 1 << 40  # of a whole number
LONGEST = 1 << 16  # of a list

# What TorchScript calls dtypes: https://github.com/pytorch/pytorch/blob/main/torch/headeronly/core/ScalarType.h
SCALARS = {
    0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64", 5: "float16", 6: "float32", 7: "float64", 11: "bool",
    15: "bfloat16",
}  # fmt: skip


class Misfit(Exception):
    """An argument is of another kind than its parameter; never leaves this room."""


def bound(
    function: Callable[..., Any], net: Net, args: Sequence[object], named: Mapping[str, object]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a function after its first, by place and by name; Misfit where they are not its own."""
    places, names, needed = _parameters(function)
    by_name = {**dict(places), **names}
    if len(args) > len(places) or not set(named) <= set(by_name) - {name for name, _ in places[: len(args)]}:
        raise Misfit
    given = [_as(kind, one, net) for (_, kind), one in zip(places, args, strict=False)]
    if not needed <= {name for name, _ in places[: len(args)]} | set(named):
        raise Misfit
    return given, {name: _as(by_name[name], one, net) for name, one in named.items()}


@functools.cache
def _parameters(function: Callable[..., Any]) -> tuple[list[tuple[str, str]], dict[str, str], set[str]]:
    """Of each parameter but the first, which is the Net, its name and annotation: those that may stand by place, those
    that are named only, and which have no default.
    """
    found = list(inspect.signature(function).parameters.values())[1:]
    places = [(one.name, str(one.annotation)) for one in found if one.kind is not one.KEYWORD_ONLY]
    names = {one.name: str(one.annotation) for one in found if one.kind is one.KEYWORD_ONLY}
    return places, names, {one.name for one in found if one.default is one.empty}


def _as(kind: str, value: object, net: Net) -> Any:
    if kind.endswith(" | None"):
        return None if value is None else _as(kind.removesuffix(" | None"), value, net)
    return KINDS[kind](value, net)


def _value(value: object, net: Net) -> Value:
    if isinstance(value, Value):
        return value
    if isinstance(value, Size):
        return value.value
    if isinstance(value, (bool, int, float)):
        return net.scalar(
            value, "bool" if isinstance(value, bool) else "int64" if isinstance(value, int) else "float32"
        )
    raise Misfit


def _operand(value: object, net: Net) -> Operand:
    if isinstance(value, (Value, Size)):
        return value
    return _number(value, net)


def _number(value: object, net: Net) -> float:
    if isinstance(value, (bool, int, float)):
        if isinstance(value, int) and abs(value) > 1 << 62:
            raise Misfit
        return value
    if isinstance(value, Value):
        return _known(value, net)
    raise Misfit


def _known(value: Value, net: Net) -> float:
    """The number in a constant."""
    array = net.known(value)
    if array is None or array.size != 1:
        raise Misfit
    found = array.reshape(-1)[0].item()
    return float(found) if isinstance(found, float) else int(found)


def _int(value: object, net: Net) -> Int:
    if isinstance(value, Size):
        return value
    if type(value) is not int or (abs(value) > MOST and value != 2**63 - 1):
        raise Misfit
    return value


def _whole(value: object, net: Net) -> int:
    found = _int(value, net)
    if isinstance(found, Size):
        raise Misfit
    return found


def _ints(value: object, net: Net) -> Ints:
    if isinstance(value, (int, Size)):
        return (_int(value, net),)
    if not isinstance(value, (list, tuple)) or len(value) > LONGEST:
        raise Misfit
    return tuple(_int(one, net) for one in value)


def _wholes(value: object, net: Net) -> tuple[int, ...]:
    found = _ints(value, net)
    if not all(isinstance(one, int) for one in found):
        raise Misfit
    return tuple(one for one in found if isinstance(one, int))


def _some_wholes(value: object, net: Net) -> tuple[int | None, ...]:
    row = value if isinstance(value, (list, tuple)) else [value]
    if len(row) > 8:
        raise Misfit
    return tuple(None if one is None else _whole(one, net) for one in row)


def _floats(value: object, net: Net) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > LONGEST:
        raise Misfit
    return tuple(_float(one, net) for one in value)


def _float(value: object, net: Net) -> float:
    found = float(_number(value, net))
    if math.isnan(found):
        raise Misfit
    return found


def _bool(value: object, net: Net) -> bool:
    if not isinstance(value, (bool, int)):
        raise Misfit
    return bool(value)


def _text(value: object, net: Net) -> str:
    if not isinstance(value, str):
        raise Misfit
    return value


def _dtype(value: object, net: Net) -> str:
    """By the name of numpy, or by the number of TorchScript."""
    if isinstance(value, int) and value in SCALARS:
        return SCALARS[value]
    if not isinstance(value, str) or value not in SCALARS.values():
        raise Misfit
    return value


def _values(value: object, net: Net) -> Values:
    if not isinstance(value, (list, tuple)) or len(value) > LONGEST:
        raise Misfit
    return tuple(_value(one, net) for one in value)


def _some(value: object, net: Net) -> tuple[Value | None, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > 32:
        raise Misfit
    return tuple(None if one is None else _value(one, net) for one in value)


def _items(value: object, net: Net) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise Misfit
    return tuple(value)


KINDS: Mapping[str, Callable[[object, Net], Any]] = {
    "Value": _value,
    "Values": _values,
    "tuple[Value | None, ...]": _some,
    "Operand": _operand,
    "Number": lambda value, net: value if isinstance(value, Size) else _number(value, net),
    "Int": _int,
    "Ints": _ints,
    "int": _whole,
    "tuple[int, ...]": _wholes,
    "tuple[int | None, ...]": _some_wholes,
    "float": _float,
    "tuple[float, ...]": _floats,
    "bool": _bool,
    "str": _text,
    "DType": _dtype,
    "Items": _items,
    "object": lambda value, net: value,
}
DType = str
Items = tuple[Any, ...]
