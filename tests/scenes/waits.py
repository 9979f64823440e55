"""Waiting for what happens soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SOON = 30.0  # seconds for something to happen on a busy machine


def wait_for(what: Callable[[], Any], seconds: float = SOON) -> Any:
    """What it gives once that is true; it fails after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen")
