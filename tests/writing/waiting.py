"""Runs a verb until its first result would move to its place, says so, and waits there: python waiting.py WORDS."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

moves, nth = os.replace, int(os.environ.get("WAIT_AT", "1"))
count = 0


def wait(*args: object, **more: Any) -> None:
    global count
    count += 1
    if count == nth:
        print("here", flush=True)
        for _ in range(6000):  # in steps: a signal just before a sleep does not end it
            time.sleep(0.01)


def move(*args: object) -> None:
    wait()
    moves(*args)


os.replace = os.rename = move
if sys.argv[1] == "bench":  # its workers write in folders of its own; it moves nothing before it has measured
    from qingzhou.bench import measure

    measure._rounds = wait  # type: ignore[assignment]

from qingzhou.cli import main  # noqa: E402

main()
