"""What INT8 arithmetic the device has."""

from __future__ import annotations

import platform

from ..engines.machine import features
from ..errors import OptionError
from .qdq import Scheme

# Without VNNI an x86 processor adds two products of 8 by 8 bits in 16 bits, which overflow: weights get 7 bits there.
TARGETS = {
    "vnni": Scheme(),
    "x86": Scheme(narrow=True),
    "arm": Scheme(),
    "ncnn": Scheme(symmetric=True),
    "litert": Scheme(dense=True),
    "tensorrt": Scheme(symmetric=True),
}
OF_X86 = ("vnni", "x86")  # whose engines gain by four channels: see wide.py


def here() -> str:
    """The target that this machine is. An x86 whose features are not known is taken for an old one."""
    if platform.machine().lower() not in ("x86_64", "amd64", "x86", "i386", "i686"):
        return "arm"
    return "vnni" if features().get("VNNI") else "x86"


def chosen(target: str) -> str:
    """One of TARGETS; "auto" is this machine. OptionError."""
    if target != "auto" and target not in TARGETS:
        names = ", ".join(("auto", *TARGETS))
        raise OptionError(
            en=f"--target is {target!r}; it can be {names}.", zh=f"--target 的值是 {target!r}，可以是 {names}。"
        )
    return here() if target == "auto" else target


def runs_here(target: str) -> bool:
    """Whether this machine computes what that device does. INT8 weights of 7 bits overflow nowhere."""
    return TARGETS[target].narrow or TARGETS[target] == TARGETS[here()]


def is_here(target: str) -> bool:
    """Whether this machine is such a device, so that its speed tells that one's. What is for old x86 is for any
    computer.
    """
    return target == here() or TARGETS[target].narrow
