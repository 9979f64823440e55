"""The first answer in a browser. What measures it is benchmarks/browser.py, a script with a report of its own."""

from __future__ import annotations

import sys

from ..desk import HERE, Desk, Figure, NotHere, answer
from ..goals import Goal
from ..machine import Machine

SCRIPT = HERE / "browser.py"
WHAT = "from opening the page of a bundle to its first answer, in Chromium"


def goals(machine: Machine) -> tuple[Goal, ...]:
    """Beside the older checkout."""
    return (Goal("browser, first answer", "s", WHAT, "then", first_answer, most=0.7),)


def first_answer(desk: Desk) -> Figure:
    """Seconds, as the script's last line gives them: {"now": …, "then": …, "ratio": the median of pairs}."""
    if not SCRIPT.exists():
        raise NotHere("benchmarks/browser.py")
    if desk.then is None:
        raise NotHere("--against CHECKOUT")
    found = answer([sys.executable, SCRIPT, "--json", "--against", desk.then])
    return Figure(found["now"], found["then"], found["ratio"])
