"""Sees what a file makes a job's process do: install() is called where it starts. See test_attacks.py."""

from __future__ import annotations

import os
import sys
from typing import Any

from hostile import CANARY

NOTES = "witness"  # a file in the job's folder
NEVER = (
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.kill",
    "subprocess.",
    "pty.",
    "socket.",
    "urllib.",
    "webbrowser.",
    "pickle.find_class",
    "shutil.rmtree",
    "builtins.input",
)


def watch() -> None:
    """Note from now on what no checkpoint has any business to do."""
    notes = os.open(NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event.startswith(NEVER) or (event in ("open", "compile", "exec") and CANARY in repr(args)):
            os.write(notes, f"{event}\n".encode())

    sys.addaudithook(hook)


def install() -> None:
    """Watch from the moment that a job is confined, in its folder and before anything is read."""
    from qingzhou.web import task

    as_it_is = task.confine

    def confine(*arguments: Any, **named: Any) -> list[str]:
        watch()
        return as_it_is(*arguments, **named)

    task.confine = confine
