"""MNN's converter, from outside: it ends its process over what it does not know, so it has one of its own.

That process is confined (confine.py): what it may write, use and ask for is limited, since a foreign .onnx is read by
C++ there. Its in-process interface is called, since the command that MNN installs reports what is converted.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import onnx

from ...errors import EngineError, ExtraMissing
from ...whole_file import scratch
from ..base import cannot_run, installed
from .worker import NAMES

START = "import sys; sys.path[:] = sys.argv[4:]; from qingzhou.engines.mnn.worker import main; main(*sys.argv[1:4])"
SECONDS = 600
SAID = re.compile(r"(?i)(not support|unknown|unsupport|check failed|error|fail)")


def convert(source: Path, out: Path, half: bool, install: str) -> list[str]:
    """Write MNN's form of an .onnx, which it has run once; the names of its outputs in the network's order.

    ExtraMissing where MNN is not installed; EngineError with its own words where it fails, crashes or does not end.
    """
    if installed("MNN") is None:
        raise ExtraMissing(
            en=f"MNN, whose converter is needed, is not installed here. Install it: {install}",
            zh=f"这里没有安装 MNN，转换需要它。请安装：{install}",
        )
    with scratch() as folder:
        names = _one_at_a_time(source, folder / "m.onnx")
        (folder / NAMES).write_text("\n".join(names), "utf-8")
        status, said = _run(folder, half)
        made = folder / "m.mnn"
        if status or not made.is_file() or not made.stat().st_size:
            raise cannot_run("MNN", source, ValueError(_why(status, said)))
        out.write_bytes(made.read_bytes())
    return names


def _one_at_a_time(source: Path, place: Path) -> list[str]:
    """A copy whose free batch is 1, which MNN's sessions need; the names of the outputs."""
    model = onnx.load(str(source), load_external_data=False)
    for value in model.graph.input:
        sizes = value.type.tensor_type.shape.dim
        if sizes and not sizes[0].HasField("dim_value"):
            sizes[0].dim_value = 1
    del model.graph.value_info[:]  # which may speak of the free batch
    del model.metadata_props[:]
    onnx.save(model, str(place))
    return [value.name for value in model.graph.output]


def _run(folder: Path, half: bool) -> tuple[int, str]:
    """The process's status and what it printed; EngineError where it cannot be, or takes too long."""
    words = [sys.executable, "-I", "-c", START, str(folder), str(os.getpid()), str(int(half)), *sys.path]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(
            en=f"MNN's converter took more than {SECONDS} seconds and was ended. Choose another engine.",
            zh=f"MNN 的转换器用时超过 {SECONDS} 秒，已被终止。请换一个引擎。",
        ) from None
    except OSError:  # PermissionError in a job of the page, which starts no programs
        raise EngineError(
            en="MNN's converter needs a process of its own, which cannot be started here. Run qingzhou export on a "
            "computer of your own.",
            zh="MNN 的转换器需要单独的进程，这里不能启动。请在自己的电脑上运行 qingzhou export。",
        ) from None
    return done.returncode, done.stdout[-(1 << 16) :].decode("utf-8", "replace")


def _why(status: int, said: str) -> str:
    """Its own words where it has any; else how it ended."""
    lines = [re.sub(r"^\[[\d:]+\]\s*\S*:\d+:\s*", "", line.strip()) for line in said.splitlines()]
    told = [line for line in lines if SAID.search(line) and not line.startswith("Traceback")]
    if told:
        return f"its converter says: {told[-1 if 'Traceback' in said else 0][:160]}"
    try:
        return f"its converter ended with {signal.Signals(-status).name}"
    except ValueError:
        return f"its converter ended with status {status}"
