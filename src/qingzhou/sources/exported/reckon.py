"""Arithmetic with sizes, as programs have it between their operators."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from ...files.refusals import short
from ...graph.form import Dim, Value
from ..aten.axes import counted, sizes_of
from ..aten.refuse import refused
from ..recording.net import Int, Net, Size

Function = Callable[[Net, list[Any], Dim], Any]


def _both(op: str, plainly: Callable[[Any, Any], Any]) -> Function:
    """Of two sizes; `name` is what the file says that the result is called, or how large it is."""

    def function(net: Net, args: list[Any], name: Dim) -> Any:
        a, b = args
        if not isinstance(a, Size) and not isinstance(b, Size):
            return plainly(a, b)
        if isinstance(name, int):
            return name
        if not all(type(one) is int or isinstance(one, Size) for one in (a, b)):
            raise TypeError
        return net.reckoned(op, a, b, name)

    return function


def _size(net: Net, args: list[Any], name: Dim) -> Int:
    """How long an axis is."""
    x, axis = args
    if not isinstance(x, Value) or type(axis) is not int:
        raise TypeError
    return net.size(x, axis)


def _count(net: Net, args: list[Any], name: Dim) -> Int:
    """How many numbers there are."""
    return counted(net, sizes_of(net, args[0]))


def _same(net: Net, args: list[Any], name: Dim) -> Any:
    """sym_int and trunc, of what is whole already."""
    if type(args[0]) is int or isinstance(args[0], Size):
        return args[0]
    if isinstance(args[0], float):
        return int(args[0])
    raise TypeError


def _less(net: Net, args: list[Any], name: Dim) -> Int:
    """-x."""
    return -args[0] if isinstance(args[0], int) else net.reckoned("Sub", 0, args[0], str(name))


def _held(net: Net, args: list[Any], name: Dim) -> bool:
    """What torch found true when it exported; only checks ask for it."""
    return True


SIZES: Mapping[str, Function] = {
    "torch.ops.aten.sym_size": _size,
    "torch.ops.aten.sym_numel": _count,
    "_operator.add": _both("Add", operator.add),
    "_operator.sub": _both("Sub", operator.sub),
    "_operator.mul": _both("Mul", operator.mul),
    "_operator.floordiv": _both("Div", operator.floordiv),
    "_operator.mod": _both("Mod", operator.mod),
    "torch.sym_max": _both("Max", max),
    "torch.sym_min": _both("Min", min),
    "_operator.truediv": _both("", operator.truediv),
    "_operator.neg": _less,
    "_operator.pos": _same,
    "math.trunc": _same,
    "torch.sym_int": _same,
    **{f"_operator.{name}": _held for name in ("eq", "ne", "le", "ge", "lt", "gt", "and_", "or_")},
    "torch.sym_not": _held,
}


def reckoned(net: Net, target: str, args: list[Any], name: Dim) -> Any:
    """A size, or a number; UnsupportedCheckpoint."""
    base = target.rpartition(".")[0] if target.startswith("torch.ops.") else target
    function = SIZES[base]
    try:
        if function is SIZES["_operator.truediv"] and any(isinstance(one, Size) for one in args):
            raise TypeError
        return function(net, args, name)
    except (TypeError, ValueError, IndexError, ArithmeticError, AttributeError):
        raise refused(
            f"{short(target, 60)} of a free size is not known here", f"对不固定大小的 {short(target, 60)} 这里不支持"
        ) from None


def is_of_sizes(target: str) -> bool:
    """Whether a call reckons with sizes."""
    return (target.rpartition(".")[0] if target.startswith("torch.ops.") else target) in SIZES
