"""The command `qingzhou`, and `python -m qingzhou`: the same verbs where the command is not on the PATH, as on many
school computers.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading

from . import cli  # noqa: F401 - its verbs
from .cli_common import main


def run() -> None:
    """A verb, and the end of the process: to take apart what the system takes back anyway would cost a tenth of it."""
    try:
        main()
    except SystemExit as end:
        leave(end)
        raise  # the ordinary way tells what could not be written


def leave(end: SystemExit) -> None:
    """End at once with this status, if all that was printed has arrived, and nobody else is at work here."""
    others = threading.active_count() > 1 or "multiprocessing" in sys.modules
    if others or not isinstance(end.code, (int, type(None))):
        return
    with contextlib.suppress(OSError, ValueError, AttributeError):  # the last: pythonw has no streams
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code or 0)


if __name__ == "__main__":
    run()
