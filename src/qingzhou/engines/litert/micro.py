"""TensorFlow Lite Micro, where it is installed: the memory that a model needs on a microcontroller.

It may end its process without a word, so it has one of its own, of the Python that $QINGZHOU_TFLITE_MICRO names: an
environment with `pip install --pre tflite-micro`; else of this one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ...errors import say
from ...files.flatbuffer import Buffer
from ...files.tflite_schema import SCHEMA, TYPES
from ..base import installed

PYTHON = "QINGZHOU_TFLITE_MICRO"
SECONDS = 60
PROGRAM = """
import sys
from tflite_micro.python.tflite_micro import runtime
found = runtime.Interpreter.from_file(sys.argv[1])
found.invoke()
found.print_allocations()
"""


def advice(path: Path) -> tuple[str, ...]:
    """Of a model in INT8 the memory that it works in; nothing where TensorFlow Lite Micro is not installed."""
    python = micro_python()
    if not python or not is_int8(path):
        return ()
    try:
        found = arena(path, python)
    except OSError:  # where no process may be started
        return ()
    if found is None:
        return (
            say(
                "TensorFlow Lite Micro cannot run it, so it is for larger boards and phones only.",
                "TensorFlow Lite Micro 无法运行它，只能用于较大的开发板和手机。",
            ),
        )
    size = f"{found / 1024:,.0f} KiB"
    return (
        say(
            f"On a microcontroller, with TensorFlow Lite Micro, it works in {size} of memory (its arena), beside the "
            "file itself.",
            f"在单片机上用 TensorFlow Lite Micro 运行时，除文件本身外还需要 {size} 内存（arena）。",
        ),
    )


def micro_python() -> str:
    """The Python that has it; "" where none has."""
    return os.environ.get(PYTHON) or (sys.executable if installed("tflite-micro") else "")


def arena(path: Path, python: str = sys.executable) -> int | None:
    """Bytes; None where it does not run, or not within a minute. OSError where there is no process for it."""
    words = [python, "-c", PROGRAM, str(path)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    found = re.search(r"Arena allocation total (\d+) bytes", done.stderr + done.stdout)
    return int(found[1]) if found and not done.returncode else None


def is_int8(path: Path) -> bool:
    """Whether what flows in it is of 8 bits."""
    (graph, *_) = Buffer(path.read_bytes(), SCHEMA).root("Model")["subgraphs"]
    return any(one["type"] == TYPES.index("int8") and not one["buffer"] for one in graph["tensors"])
