"""The time that leases, turns and expiries go by. No clock on a wall is asked, which may be set while the service runs.

It goes on by the system's monotonic clock, and is written down with the identity of the boot that this clock counts
from. After another boot it goes on from what was written: what was held is over, what was to expire keeps the time that
it had left. It begins as seconds since 1970, by which earlier versions counted. Times for people are the wall clock's.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # random(4); containers see that of their machine
WRITTEN = 30.0  # seconds after which the time is written down again
AWAY = 60.0  # seconds that another boot counts for: more than WRITTEN and a lease


class Mark(NamedTuple):
    """What time it was when the monotonic clock of this boot stood there."""

    time: float
    ticks: float
    boot: str


def ticks() -> float:
    """Seconds of a clock that all processes of a machine share. It stands still while Linux and macOS sleep, and so do
    those who renew leases.
    """
    return time.monotonic()


def boot() -> str:
    """Which boot this is; "" where it cannot be known. There a clock that went back tells of another."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def begun(first: float) -> Mark:
    """The first time of all."""
    return Mark(first, ticks(), boot())


def resumed(mark: Mark) -> Mark:
    """What was written down, as it is to be gone on from."""
    here = Mark(mark.time + AWAY, ticks(), boot())
    return mark if here.boot == mark.boot and here.ticks >= mark.ticks else here


def at(mark: Mark, now: float) -> float:
    """What time it is at these ticks of the same boot."""
    return mark.time + now - mark.ticks
