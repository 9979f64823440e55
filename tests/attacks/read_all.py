"""Reads every file that it is given, under an audit hook; prints one line of JSON per file. Run by test_hostile.py."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

FORBIDDEN = (
    "import",
    "exec",
    "compile",
    "open",
    "socket",
    "subprocess",
    "os.",
    "shutil",
    "ctypes",
    "marshal",
    "pickle",
    "urllib",
    "pty",
    "webbrowser",
    "code.",
    "sys._getframe",
    "builtins.input",
)
events: list[str] = []
calls = 0  # of functions, Python's and C's: the work of a reading, the same on every machine
current = ""  # the file that is being read; "" in between


def hook(event: str, args: tuple[object, ...]) -> None:
    """Everything but opening the file itself."""
    if current and event.startswith(FORBIDDEN) and not (event == "open" and args[0] == current):
        events.append(f"{event} {args!r:.200}")


def count(frame: object, event: str, arg: object) -> None:
    """A profiler that only counts."""
    global calls
    calls += event in ("call", "c_call")


def read(path: str) -> str:
    """What became of a file: "read", the name of our error, or BUG."""
    global current
    from qingzhou.errors import QingzhouError
    from qingzhou.sources.torch.container import read_checkpoint

    current = path
    sys.setprofile(count)
    try:
        repr(read_checkpoint(path).root)
    except QingzhouError as err:
        return type(err).__name__
    except BaseException as err:
        return f"BUG {err!r:.200}"
    finally:
        sys.setprofile(None)
        current = ""
    return "read"


def report(name: str, outcome: str) -> None:
    """One line; events and calls start anew."""
    global calls
    print(json.dumps([name, outcome, events, calls]))
    events.clear()
    calls = 0


def main() -> None:
    """Once without the hook, so that what Python itself loads late is there; then a control; then every file."""
    global current
    read(sys.argv[1])
    sys.addaudithook(hook)
    current = "control"
    open(os.devnull).close()
    current = ""
    report("control", "read")
    for path in sys.argv[1:]:
        report(Path(path).name, read(path))


if __name__ == "__main__":
    main()
