"""The few objects of the standard library, numpy and torch that become plain values; all others stay records."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .keys import LARGEST, Keys
from .refusals import damaged
from .types import Opaque

MODULE_ALIASES = {"__builtin__": "builtins", "copy_reg": "copyreg", "numpy.core": "numpy._core"}
GETATTR, FUSED = "builtins.getattr", "forward_fuse"
RECONSTRUCT = "numpy._core.multiarray._reconstruct"
DTYPE = re.compile(r"[<>|=]?([biufSU]\d{1,4})")  # arrays of objects are not data
MOST_NAMES = 64  # columns of a dtype


@dataclass(eq=False)
class Global(Opaque):
    """A class or function that was named, not called."""


def canonical(name: str) -> str:
    """One name where Python 2, Python 3 and the numpy versions have several."""
    for old, new in MODULE_ALIASES.items():
        if name.startswith(old + "."):
            return new + name[len(old) :]
    return name


# -- builders: arguments -> value, or None where the arguments are not the usual ones ---------------------------------


def sized(value: Any) -> int:
    """What a copy of this costs."""
    if isinstance(value, (str, bytes)):
        return 1 + len(value) // 16
    return 1 + len(value) if isinstance(value, (list, tuple, dict, set)) else 1


def _sequence(args: tuple[Any, ...]) -> list[Any] | None:
    """The items in the one argument of list(…), set(…), …."""
    if not args:
        return []
    return list(args[0]) if len(args) == 1 and isinstance(args[0], (list, tuple, set)) else None


def _list(args: tuple[Any, ...]) -> list[Any] | None:
    return _sequence(args)


def _tuple(args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    items = _sequence(args)
    return None if items is None else tuple(items)


def _set(args: tuple[Any, ...], keys: Keys) -> set[Any] | None:
    items = _sequence(args)
    return None if items is None else keys.set_of(items)


def _dict(args: tuple[Any, ...], keys: Keys) -> dict[Any, Any] | None:
    if len(args) == 1 and isinstance(args[0], dict):
        return keys.update({}, args[0].items())
    pairs = _sequence(args)
    if pairs is None or not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        return None
    return keys.update({}, pairs)


def _defaultdict(args: tuple[Any, ...], keys: Keys) -> dict[Any, Any] | None:
    return _dict(args[1:], keys)


def _encode(args: tuple[Any, ...]) -> bytes | None:
    """_codecs.encode(text, 'latin1'): bytes, as protocol 2 writes them."""
    if len(args) != 2 or not isinstance(args[0], str) or args[1] not in ("latin1", "latin-1"):
        return None
    try:
        return args[0].encode("latin-1")
    except UnicodeEncodeError:
        raise damaged("its text is garbled", "文本混乱") from None


def _bytes(args: tuple[Any, ...]) -> bytes | None:
    if args and type(args[0]) is bytes:
        return args[0]
    return _encode(args) if args else b""


def _reconstructor(args: tuple[Any, ...]) -> Opaque | None:
    """copyreg._reconstructor(class, base, state): how protocols 0 and 1 make an object."""
    return Opaque(args[0].name, source=args[0].source) if args and isinstance(args[0], Global) else None


def _compiled(args: tuple[Any, ...]) -> Opaque | None:
    """torch.compile's OptimizedModule(module, context), as torch 2.1 and later write it: the same as its older form."""
    if not args or not isinstance(args[0], Opaque):
        return None
    return Opaque("torch._dynamo.eval_frame.OptimizedModule", state={"_modules": {"_orig_mod": args[0]}})


def _own_forward(args: tuple[Any, ...]) -> Opaque | None:
    """getattr(layer, "forward_fuse") inside the layer itself: Ultralytics' fused layers name the method that they run.

    The record has the layer's class in its place. Nowhere else may a thing contain itself: it must be unfinished, and
    no other name will do.
    """
    bound = len(args) == 2 and type(args[0]) is Opaque and args[0].state is None and args[1] == FUSED
    return Opaque(GETATTR, (args[0].name, FUSED)) if bound else None


def _device(args: tuple[Any, ...]) -> str | None:
    """torch.device("cuda", 0) -> "cuda:0"."""
    return ":".join(str(part) for part in args) if all(isinstance(a, (str, int)) for a in args) else None


def _scalar(args: tuple[Any, ...]) -> Any:
    """numpy's multiarray.scalar(dtype, bytes) -> a Python number."""
    if len(args) != 2:
        return None
    array = _array((), args[0], args[1], False)
    return None if array is None else array.item()


def _frombuffer(args: tuple[Any, ...]) -> Any:
    """numpy's _frombuffer(bytes, dtype, shape, order), from protocol 5."""
    return _array(args[2], args[1], args[0], args[3] == "F") if len(args) == 4 else None


def _array(shape: Any, dtype: Any, data: Any, fortran: bool) -> np.ndarray[Any, Any] | None:
    """A read-only array of plain numbers or text; None if it is of something else."""
    kind = dtype_of(dtype)
    shape = (shape,) if isinstance(shape, int) else shape
    if kind is None or not isinstance(shape, tuple) or not isinstance(data, bytes):
        return None
    if len(shape) > 32 or not all(type(n) is int and 0 <= n <= LARGEST for n in shape):
        return None
    if kind.itemsize == 0:
        return None
    if math.prod(shape) * kind.itemsize != len(data):
        raise damaged("the size of an array does not fit its data", "数组大小与数据不符")
    return np.ndarray(shape, kind, data, order="F" if fortran else "C")


def dtype_of(value: Any) -> np.dtype[Any] | None:
    """numpy.dtype('i8', False, True) with state (3, '<', …)."""
    if not isinstance(value, Opaque) or value.name != "numpy.dtype" or not value.args:
        return None
    if isinstance(value.state, tuple) and len(value.state) > 5 and value.state[3] is not None:
        return _named(*value.state[3:6])
    match = DTYPE.fullmatch(value.args[0]) if isinstance(value.args[0], str) else None
    order = value.state[1] if isinstance(value.state, tuple) and len(value.state) > 1 else "="
    try:
        return np.dtype(("" if order not in ("<", ">") else order) + match[1]) if match else None
    except (TypeError, ValueError):
        return None


def _named(names: Any, fields: Any, size: Any) -> np.dtype[Any] | None:
    """Columns of plain numbers: their names, name -> (dtype, offset), and the bytes of a row, as numpy writes them."""
    if not isinstance(names, tuple) or not isinstance(fields, dict) or not 0 < len(names) <= MOST_NAMES:
        return None
    kinds, offsets = [], []
    for name in names:
        field = fields.get(name) if isinstance(name, str) else None
        if not isinstance(field, tuple) or len(field) < 2 or type(field[1]) is not int:
            return None
        plain = isinstance(field[0], Opaque) and isinstance(field[0].state, tuple) and field[0].state[3:4] == (None,)
        kinds.append(dtype_of(field[0]) if plain else None)
        offsets.append(field[1])
    try:
        return (
            np.dtype({"names": names, "formats": kinds, "offsets": offsets, "itemsize": size}) if all(kinds) else None
        )
    except (TypeError, ValueError, OverflowError):
        return None


def build_array(target: Opaque, state: Any) -> np.ndarray[Any, Any] | None:
    """The array that BUILD completes: _reconstruct(ndarray, …) with state (version, shape, dtype, fortran, data)."""
    if target.name != RECONSTRUCT or not isinstance(state, tuple) or len(state) != 5:
        return None
    return _array(state[1], state[2], state[4], bool(state[3]) if isinstance(state[3], (bool, int)) else False)


def _dilled(args: tuple[Any, ...]) -> Any:
    """dill's _create_array(_reconstruct, its arguments, state, attributes): the same array in one call."""
    if len(args) != 4 or not isinstance(args[0], Global) or args[0].name != RECONSTRUCT or args[3]:
        return None
    target = Opaque(RECONSTRUCT, args[1] if isinstance(args[1], tuple) else (), state=args[2])
    found = build_array(target, args[2])
    return target if found is None else found


BUILDERS: Mapping[str, Callable[[tuple[Any, ...]], Any]] = {
    GETATTR: _own_forward,
    "builtins.list": _list,
    "builtins.tuple": _tuple,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "_codecs.encode": _encode,
    "copyreg._reconstructor": _reconstructor,
    "dill._dill._create_array": _dilled,
    "torch.Size": _tuple,
    "torch._dynamo.eval_frame.OptimizedModule": _compiled,
    "torch.device": _device,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy._core.numeric._frombuffer": _frombuffer,
}
# The same where what is made has keys.
HASHED: Mapping[str, Callable[[tuple[Any, ...], Keys], Any]] = {
    "collections.OrderedDict": _dict,
    "collections.Counter": _dict,
    "collections.defaultdict": _defaultdict,
    "builtins.dict": _dict,
    "builtins.set": _set,
    "builtins.frozenset": _set,
}
