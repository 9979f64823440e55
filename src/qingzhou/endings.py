"""SIGTERM, SIGHUP and Ctrl+Break end a verb as Ctrl+C does: what it began is taken back first.

Only the command line asks for it, around a verb: as a library, and in the web server, signals are others' affair.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from .errors import say

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last is Windows', the one before it is not
MOST = 3  # of them: who asks so often does not wait for what is to be taken back


class Ended(KeyboardInterrupt):
    """A signal came. Whatever is done at Ctrl+C is done now."""


@contextlib.contextmanager
def ending() -> Iterator[list[int]]:
    """The first such signal ends the block as Ended; the list holds what came. What was set to be ignored stays so.

    A second one lets the block go on with taking back: a closed terminal, or `timeout`, sends two.
    """
    came: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            raise Ended
        if len(came) >= MOST:
            os._exit(128 + came[0])

    free = (signal.SIG_DFL, signal.default_int_handler)
    here = threading.current_thread() is threading.main_thread()  # no other may set what a signal does
    before = {number: signal.getsignal(number) for number in numbers()} if here else {}
    before = {number: action for number, action in before.items() if action in free}
    for number in before:
        signal.signal(number, end)
    try:
        yield came
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def numbers() -> list[signal.Signals]:
    """Those of this system."""
    return [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


def leave_to_parent() -> None:
    """In a process that its parent ends: a terminal tells both, and the parent's word counts."""
    for number in numbers():
        signal.signal(number, signal.SIG_IGN)


def tell(number: int) -> None:
    """One sentence, where anybody still reads it."""
    name = "Ctrl+C" if number == signal.SIGINT else signal.Signals(number).name
    with contextlib.suppress(OSError, ValueError):
        print(
            say(f"Ended by {name}; nothing half-written was left.", f"已被 {name} 结束，没有留下不完整的文件。"),
            file=sys.stderr,
            flush=True,
        )
