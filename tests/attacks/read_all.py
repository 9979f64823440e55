"""Reads every file that it is given, under an audit hook; prints one line of JSON per file. Run by test_hostile.py."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

FORBIDDEN = (
    "import", "exec", "compile", "open", "socket", "subprocess", "os.", "shutil", "ctypes", "marshal", "pickle",
    "urllib", "pty", "webbrowser", "code.", "sys._getframe", "builtins.input",
)  # fmt: skip
events: list[str] = []
current = ""  # the file that is being read; "" in between


def hook(event: str, args: tuple[object, ...]) -> None:
    """Everything but opening the file itself."""
    if current and event.startswith(FORBIDDEN) and not (event == "open" and args[0] == current):
        events.append(f"{event} {args!r:.200}")


def read(path: str) -> str:
    """What became of a file: "read", the name of our error, or BUG."""
    global current
    from qingzhou.checkpoint import read_checkpoint
    from qingzhou.errors import QingzhouError

    current = path
    try:
        repr(read_checkpoint(path).root)
    except QingzhouError as err:
        return type(err).__name__
    except BaseException as err:
        return f"BUG {err!r:.200}"
    finally:
        current = ""
    return "read"


def report(name: str, outcome: str, seconds: float) -> None:
    """One line; the events start anew."""
    print(json.dumps([name, outcome, events, seconds]))
    events.clear()


def main() -> None:
    """Once without the hook, so that what Python itself loads late is there; then a control; then every file."""
    global current
    read(sys.argv[1])
    sys.addaudithook(hook)
    current = "control"
    open(os.devnull).close()
    current = ""
    report("control", "read", 0)
    for path in sys.argv[1:]:
        start = time.perf_counter()
        report(Path(path).name, read(path), time.perf_counter() - start)


if __name__ == "__main__":
    main()
