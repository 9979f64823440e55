"""Vendors' compilers as outside programs: each in an environment of its own, none imported here.

    target.py    what a target is, as plain data; table.py: one line each
    home.py      where the environments lie; install.py: makes and removes them
    ask.py       a job in such an environment: limited, listened to, ended; its faults as messages
    compile.py   an FP32 .onnx and data to a chip's file, judged in the chip's own arithmetic by the vendor's simulator
    pixels.py    what goes in there;  recorded.py: what came out, as a session;  result.py: what is told of it
    workers/     the scripts that run in those environments, plain Python without anything of ours

>>> from qingzhou.targets import compile_for_chip, target_named
>>> compile_for_chip("best.onnx", target_named("rknn"), "rk3588", "dataset").path
Path('best.rk3588.rknn')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .table import TARGETS, target_named
from .target import Recipe, Target

if TYPE_CHECKING:
    from .compile import compile_for_chip
    from .result import OnChip

__all__ = ["TARGETS", "OnChip", "Recipe", "Target", "compile_for_chip", "target_named"]


def __getattr__(name: str) -> object:
    """What needs the quantiser's judge, imported when it is asked for."""
    if name == "compile_for_chip":
        from .compile import compile_for_chip

        return compile_for_chip
    if name == "OnChip":
        from .result import OnChip

        return OnChip
    raise AttributeError(name)
