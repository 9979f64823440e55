"""Sees what a file makes a job's process do: watch() is called there before anything is read. See test_attacks.py."""

from __future__ import annotations

import os
import sys

from hostile import CANARY

NOTES = "witness"  # a file in the job's folder
NEVER = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.kill", "subprocess.", "pty.", "socket.", "urllib.",
         "webbrowser.", "pickle.find_class", "shutil.rmtree", "builtins.input")  # fmt: skip


def watch() -> None:
    """Note from now on what no checkpoint has any business to do."""
    notes = os.open(NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event.startswith(NEVER) or (event in ("open", "compile", "exec") and CANARY in repr(args)):
            os.write(notes, f"{event}\n".encode())

    sys.addaudithook(hook)
