"""Looks at uploads: what a file is, found out in a process of its own. A look that is long gives way.

Each has a slice of time first, in which most are done. One that is not is ended, and begun anew at a lower priority
where only few run at once. So a small file waits for slices alone, whatever the others have sent.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from . import sandbox
from .settings import Limits
from .turns import Turns

SLICE = 0.75 if sys.platform == "linux" else 4.0  # seconds; elsewhere each look starts a Python
PATIENCE = 40.0  # seconds for each turn; with the look itself less than what `qingzhou remote` and proxies wait, 120
CORES = os.cpu_count() or 1


class Looks:
    """Of one server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._first, self._long = Turns(min(8, CORES)), Turns(min(4, max(1, CORES // 2)))

    async def look(self, client: str, place: Path, folder: Path, lang: str) -> dict[str, Any]:
        """{"info", "error"} of a file, one of them None; Problem where too many long ones are before it."""
        order = {"what": "info", "model": str(place), "data": None, "lang": lang}
        said = await self._said(self._first, client, order, folder, min(SLICE, self._limits.info))
        if (said.get("error") or {}).get("code") == "timed_out" and self._limits.info > SLICE:
            said = await self._said(self._long, client, {**order, "behind": True}, folder, self._limits.info)
        return {"info": said.get("result"), "error": said.get("error")}

    async def _said(
        self, turns: Turns, client: str, order: dict[str, Any], folder: Path, seconds: float
    ) -> dict[str, Any]:
        async with turns.turn(client, PATIENCE):
            return await run_in_threadpool(sandbox.run, order, folder, self._limits, seconds, lambda stage: True)
