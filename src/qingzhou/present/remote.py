"""What `qingzhou remote` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from ..errors import say
from .pieces import as_json, console, escape, notes
from .table import facts


def shown(title: str, files: Sequence[Path], told: Sequence[str], explanation: str) -> None:
    """What the server made, and where it lies."""
    screen = console()
    screen.print(f"[bold]{escape(title)}[/]", soft_wrap=True)
    sizes = (f"{escape(str(path))}  {decimal(path.stat().st_size)}" for path in files)
    screen.print(facts(*((say("file", "文件"), shown) for shown in sizes)))
    notes(screen, told)
    if explanation:
        screen.print(escape(explanation), soft_wrap=True)


def shown_as_json(job: Mapping[str, Any], files: Sequence[Path], told: Sequence[str]) -> None:
    """The job as the API tells it, where its files lie here, and what the user should know."""
    as_json({**job, "saved": [str(path) for path in files], "notes": list(told)})
