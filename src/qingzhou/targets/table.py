"""The targets: one line each."""

from __future__ import annotations

from ..errors import OptionError
from . import esp32, k230, rknn
from .target import Target

TARGETS: dict[str, Target] = {
    "rknn": rknn.RKNN,
    "k230": k230.K230,
    "esp32": esp32.ESP32,
}


def target_named(name: str) -> Target:
    """The target of this name; OptionError, which names those there are."""
    if name not in TARGETS:
        raise OptionError(
            en=f"There is no target {name}; there are {', '.join(TARGETS)}. See qingzhou targets.",
            zh=f"没有名为 {name} 的编译器，可选的有：{'、'.join(TARGETS)}。请用 qingzhou targets 查看。",
        )
    return TARGETS[name]
