"""Programs that we wrote, run as a person runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PYTHON = os.environ.get("QINGZHOU_TEST_PYTHON", sys.executable)  # such as an old one, as boards have it


def environment(**more: str) -> dict[str, str]:
    """Without a display, a Python path or a language of the one who runs the tests. What is compiled is not kept: most
    programs are run once, beside a runtime of their own."""
    names = ("PYTHONPATH", "QINGZHOU_LANG", "QINGZHOU_SIM", "DISPLAY", "WAYLAND_DISPLAY")
    return {
        **{name: value for name, value in os.environ.items() if name not in names},
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def run(main: Path, *words: str, **more: str) -> str:
    """What a program prints; it must end well, and without a word of complaint."""
    command = [PYTHON, str(main), *words]
    done = subprocess.run(command, capture_output=True, env=environment(**more), cwd=main.parents[1], timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode("utf-8", "replace")[-3000:]
    return done.stdout.decode("utf-8")
