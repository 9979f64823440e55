"""What `qingzhou remote` shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.markup import escape

from ..errors import say
from .pieces import as_json, console, facts, notes

if TYPE_CHECKING:
    from ..web.remote import Remote


def shown(file: Path, done: Remote, json_wanted: bool) -> None:
    """What the server made, and where it lies."""
    if json_wanted:
        as_json({**done.job, "saved": [str(path) for path in done.files], "notes": list(done.notes)})
        return
    screen = console()
    screen.print(f"[bold]{escape(file.name)}[/] → {escape(done.network)}")
    sizes = (f"{escape(str(path))}  {decimal(path.stat().st_size)}" for path in done.files)
    screen.print(facts(*((say("file", "文件"), shown) for shown in sizes)))
    notes(screen, done.notes)
    if done.explanation:
        screen.print(escape(done.explanation), soft_wrap=True)
