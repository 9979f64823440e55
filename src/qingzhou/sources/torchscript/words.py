"""What the language itself can do: numbers, sizes, lists and texts."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ...files.refusals import short
from ...graph.shapes_call import UNKNOWN
from ..aten.axes import counted, sizes_of
from ..aten.machine import Machine, Tensor
from ..aten.refuse import refused
from ..recording.net import Size, dim

MOST = 100_000  # of a list


class Device:
    """Where a tensor lies; there is only one place."""


def whole(machine: Machine, x: Any) -> Any:
    """A tensor of one whole number as a number or a size; numbers as they are."""
    if not isinstance(x, Tensor):
        return x
    value = machine.value(x)
    known = machine.net.known(value) if machine.net.is_constant(value) else machine.net.numbers.get(value.name)
    if known is None or known.size != 1:
        raise refused("it takes a number out of what is known only when it runs", "它取出了运行时才知道的数值")
    found = known.reshape(-1)[0]
    if isinstance(found, str):
        row = machine.net.emit("Reshape", [value, machine.net.whole(1)])
        return Size(found if found != UNKNOWN else value.name, row)
    return found.item() if hasattr(found, "item") else found


def _int(machine: Machine, args: list[Any]) -> Any:
    found = whole(machine, args[0])
    return found if isinstance(found, Size) else int(found)


def _float(machine: Machine, args: list[Any]) -> Any:
    found = whole(machine, args[0])
    return found if isinstance(found, Size) else float(found)


def _bool(machine: Machine, args: list[Any]) -> bool:
    found = whole(machine, args[0])
    if isinstance(found, Size):
        raise refused("it decides by a free size what to do next", "它根据不固定的大小决定下一步")
    return bool(found)


def _range(machine: Machine, args: list[Any]) -> range:
    found = range(*(_int(machine, [one]) for one in args))
    if len(found) > MOST:
        raise refused(f"it loops {len(found)} times", f"它循环 {len(found)} 次")
    return found


def _raised(machine: Machine, args: list[Any]) -> Any:
    raise refused(
        f"its own program refuses this input: {short(args[0] if args else '', 80)}",
        f"它自己的程序拒绝这样的输入：{short(args[0] if args else '', 80)}",
        "Give the shape of its input with --input-size",
        "请用 --input-size 指定输入的形状",
    )


def _size(machine: Machine, args: list[Any]) -> Any:
    x = machine.value(args[0])
    if len(args) > 1:
        return machine.net.size(x, int(args[1]))
    return list(sizes_of(machine.net, x))


def _rank(machine: Machine, args: list[Any]) -> int:
    return len(machine.value(args[0]).shape)


def _length(machine: Machine, args: list[Any]) -> Any:
    if isinstance(args[0], Tensor):
        return machine.net.size(machine.value(args[0]), 0)
    return len(args[0])


def _appended(machine: Machine, args: list[Any]) -> Any:
    args[0].append(args[1])
    if len(args[0]) > MOST:
        raise refused("it makes a list without end", "它生成了过长的列表")
    return args[0]


def _kind(machine: Machine, args: list[Any]) -> str:
    return machine.value(args[0]).dtype


def _count(machine: Machine, args: list[Any]) -> Any:
    return counted(machine.net, sizes_of(machine.net, machine.value(args[0])))


def _same(machine: Machine, args: list[Any]) -> Any:
    return args[0]


def _is(machine: Machine, args: list[Any]) -> bool:
    return args[0] is args[1]


def _nothing(machine: Machine, args: list[Any]) -> None:
    return None


BUILTINS: Mapping[str, Callable[[Machine, list[Any]], Any]] = {
    "int": _int, "float": _float, "bool": _bool, "range": _range, "str": lambda m, args: str(args[0])[:200],
    "torch.Int": _int, "torch.Float": _float, "torch.Bool": _bool, "torch.IntImplicit": _int,
    "torch.FloatImplicit": _float, "torch.ScalarImplicit": lambda m, args: whole(m, args[0]),
    "torch.item": lambda m, args: whole(m, args[0]),
    "ops.prim.NumToTensor": _same, "ops.prim.RaiseException": _raised, "ops.prim.data": _same,
    "ops.prim.unchecked_unwrap_optional": _same, "torch._unwrap_optional": _same, "unwrap_optional": _same,
    "ops.prim.dtype": _kind, "ops.prim.device": lambda m, args: Device(), "ops.prim.layout": _nothing,
    "ops.prim.requires_grad": lambda m, args: False,
    "ops.prim.shape": _size, "ops.prim.type": lambda m, args: "",
    "torch.is_floating_point": lambda m, args: m.value(args[0]).dtype == "float32",
    "torch.is_complex": lambda m, args: False, "torch.numel": _count,
    "torch.size": _size, "torch.dim": _rank, "torch.ndimension": _rank, "torch.len": _length, "len": _length,
    "torch.__is__": _is, "torch.__isnot__": lambda m, args: args[0] is not args[1],
    "torch.__not__": lambda m, args: not _bool(m, args), "torch.append": _appended, "torch.warn": _nothing,
    "torch.format": lambda m, args: short(args[0]), "torch.list": lambda m, args: list(args[0]),
    "ops.prim.max": lambda m, args: max(args[0]) if len(args) == 1 else max(args),
    "ops.prim.min": lambda m, args: min(args[0]) if len(args) == 1 else min(args),
    "torch.__contains__": lambda m, args: args[1] in args[0], "torch.keys": lambda m, args: list(args[0]),
    "torch.values": lambda m, args: list(args[0].values()), "torch.items": lambda m, args: list(args[0].items()),
    "torch._set_item": lambda m, args: args[0].__setitem__(args[1], args[2]), "torch.device": _nothing,
    **dict.fromkeys(("torch.is_autocast_enabled", "torch.is_grad_enabled", "torch.is_autocast_cpu_enabled",
                     "torch.is_inference", "torch._is_tracing"), lambda m, args: False),
    "torch.__range_length": lambda m, args: len(range(*args)), "ops.prim.isinstance": lambda m, args: True,
}  # fmt: skip


def _divided(a: Any, b: Any) -> Any:
    return a / b


NUMBERS: Mapping[str, tuple[Callable[..., Any], str]] = {
    "add": (operator.add, "Add"), "sub": (operator.sub, "Sub"), "mul": (operator.mul, "Mul"),
    "floordiv": (operator.floordiv, "Div"), "floor_divide": (operator.floordiv, "Div"), "div": (_divided, ""),
    "remainder": (operator.mod, "Mod"), "eq": (operator.eq, "="), "ne": (operator.ne, "="), "lt": (operator.lt, ""),
    "gt": (operator.gt, ""), "le": (operator.le, ""), "ge": (operator.ge, ""), "neg": (operator.neg, ""),
    "floor": (math.floor, ""), "ceil": (math.ceil, ""), "sqrt": (math.sqrt, ""), "log": (math.log, ""),
    "pow": (operator.pow, ""), "abs": (abs, ""), "__and__": (operator.and_, ""), "__or__": (operator.or_, ""),
    "__getitem__": (operator.getitem, ""), "truediv": (_divided, ""), "round": (round, ""), "trunc": (math.trunc, ""),
    "sum": (sum, ""), "all": (all, ""), "any": (any, ""), "copy": (lambda x: list(x), ""),
    "index": (lambda row, x: row.index(x), ""),
}  # fmt: skip


def _sizes(row: Any) -> list[Any]:
    """Sizes of one name are the same."""
    return [one.name if isinstance(one, Size) else one for one in row]


def reckoned(machine: Machine, base: str, args: list[Any]) -> Any:
    """Arithmetic without tensors; NotImplemented for what is none."""
    if base == "slice" and args and isinstance(args[0], list):
        return args[0][slice(*[*args[1:], None, None, None][:3])]
    if base in ("eq", "ne") and all(isinstance(one, (list, tuple)) for one in args):
        return (_sizes(args[0]) == _sizes(args[1])) == (base == "eq")
    if base not in NUMBERS:
        return NotImplemented
    plainly, op = NUMBERS[base]
    if base in ("div", "floor_divide") and len(args) == 3:
        args = args[:2]
    free = [one for one in args if isinstance(one, Size)]
    if free and op in ("Add", "Sub", "Mul", "Div", "Mod"):
        return machine.net.reckoned(op, *args)
    if free and op == "=":
        same = len(free) == 2 and dim(free[0]) == dim(free[1])
        return same == (base == "eq")
    if free:
        if base in ("gt", "ge", "ne") and args[1] in (0, 1):
            return True
        raise refused("it decides by a free size what to do next", "它根据不固定的大小决定下一步")
    try:
        if base == "pow" and (abs(args[0]) > 1 << 20 or abs(args[1]) > 64):
            raise ValueError
        return plainly(*args)
    except (TypeError, ValueError, ArithmeticError, LookupError):
        return NotImplemented
