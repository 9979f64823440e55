"""Other kinds of numbers: float32, int64 and bool are all that there are here."""

from __future__ import annotations

from collections.abc import Callable

from ...graph.form import Value
from ..recording.net import Net, plain
from .arithmetic import cast
from .bind import DType
from .refuse import refused


def converted(t: Net, x: Value, dtype: str | None) -> Value:
    """As another kind of number; None keeps it. Small whole numbers would wrap around, which nobody means."""
    if dtype is None:
        return x
    if dtype in ("uint8", "int8", "int16") and x.dtype == "float32" and not t.is_constant(x):
        raise refused(f"it makes {dtype} of numbers", f"它把数值转换成 {dtype}")
    return cast(t, x, plain(dtype))


def to_copy(
    t: Net,
    self: Value,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: object = None,
    pin_memory: object = None,
    non_blocking: object = None,
    copy: object = None,
    memory_format: object = None,
) -> Value:
    """In another kind of number."""
    return converted(t, self, dtype)


def to_dtype(
    t: Net,
    self: Value,
    dtype: DType,
    non_blocking: object = None,
    copy: object = None,
    memory_format: object = None,
) -> Value:
    """In another kind of number."""
    return converted(t, self, dtype)


def to_device(
    t: Net,
    self: Value,
    device: object,
    dtype: DType,
    non_blocking: object = None,
    copy: object = None,
    memory_format: object = None,
) -> Value:
    """In another kind of number; there is only one device."""
    return converted(t, self, dtype)


def to_other(
    t: Net, self: Value, other: Value, non_blocking: object = None, copy: object = None, memory_format: object = None
) -> Value:
    """In the kind of number of another."""
    return cast(t, self, other.dtype)


def to(dtype: str) -> Callable[[Net, Value], Value]:
    """x.float(), x.long() ...."""

    def function(t: Net, self: Value, memory_format: object = None) -> Value:
        return converted(t, self, dtype)

    return function


KINDS: dict[str, Callable[..., Value]] = {
    "_to_copy": to_copy, "to.dtype_layout": to_copy, "to.dtype": to_dtype, "to.device": to_device,
    "to.other": to_other, "type_as": to_other, "float": to("float32"), "double": to("float64"),
    "half": to("float16"), "long": to("int64"), "int": to("int32"), "bool": to("bool"),
}  # fmt: skip
