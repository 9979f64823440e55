"""What `qingzhou remote` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from ..errors import say
from .pieces import as_json, console, escape, facts, note


def shown(job: Mapping[str, Any], files: Sequence[Path], json_wanted: bool) -> None:
    """What the server made, and where it lies."""
    if json_wanted:
        as_json({**job, "saved": [str(path) for path in files]})
        return
    made, screen = job["result"]["convert"], console()
    screen.print(f"[bold]{escape(str(job['name']))}[/] → {escape(str(made['network']))}")
    screen.print(
        facts(*((say("file", "文件"), f"{escape(str(path))}  {decimal(path.stat().st_size)}") for path in files))
    )
    for text in job["result"].get("notes", ()):
        note(str(text))
    if job["result"]["quantize"]:
        screen.print(escape(str(job["result"]["quantize"]["explanation"])), soft_wrap=True)
