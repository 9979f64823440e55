"""The process in which TensorFlow runs a file's graph, from outside: started, waited for, and ended with all it has.

To run a SavedModel is to run a stranger's program, if one of a small language. That process is therefore confined
(confine.py): it writes only into its own folder, which vanishes, has no network where the system can take it away, and
a budget of time, memory and bytes. It never gets the user's file itself but a copy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import outside
from ...files.refusals import short
from .refuse import failed

START = "import sys; sys.path[:] = sys.argv[1:]; from qingzhou.sources.tensorflow.worker import main; main()"
COMMAND = (sys.executable, "-I", "-c", START)


@dataclass(frozen=True)
class Budget:
    """What it may use: seconds, bytes of memory, bytes of one file, open files."""

    seconds: float = 900.0
    memory: int = 8 << 30
    file_size: int = 4 << 30
    open_files: int = 512


def ask(order: Mapping[str, Any], folder: Path, budget: Budget = Budget()) -> dict[str, Any]:  # frozen
    """The worker's answer; UnsupportedCheckpoint where it refused, crashed, or took too long or too much."""
    limits = {
        "memory": budget.memory,
        "seconds": budget.seconds,
        "file_size": budget.file_size,
        "open_files": budget.open_files,
        "folder": str(folder),
    }
    try:
        ended = outside.ask(
            [*COMMAND, *map(str, sys.path)], {**order, "confine": limits}, folder, budget.seconds, _environment(folder)
        )
    except OSError:  # PermissionError in a job of the page, which starts no programs
        raise failed(
            "no process can be started here, as on the page, which runs no programs from files",
            "这里不能启动进程（网页服务不会运行文件中的程序）",
            f"Convert it on a computer of your own: qingzhou convert. {_other()[0]}",
            f"请在自己的电脑上运行 qingzhou convert。{_other()[1]}",
        ) from None
    if ended.late:
        raise failed(
            f"it took more than {budget.seconds:.0f} seconds and was ended",
            f"用时超过 {budget.seconds:.0f} 秒，已被终止",
        )
    return _answer(ended)


def _other() -> tuple[str, str]:
    from .refuse import OTHER_EN, OTHER_ZH

    return OTHER_EN, OTHER_ZH


def _answer(ended: outside.Ended) -> dict[str, Any]:
    answer = ended.answer
    if answer is None:
        last = short(ended.last, 200)
        full = ended.memory_full
        hint_en, hint_zh = (", most likely because its memory was full", "，多半是内存不足") if full else ("", "")
        raise failed(
            f"that ended without an answer ({ended.what}){hint_en}{f': {last}' if last else ''}",
            f"该进程没有给出结果就结束了（{ended.what}）{hint_zh}{f'：{last}' if last else ''}",
        )
    if "failed" in answer:
        text = short(answer["failed"], 300)
        raise failed(text, text)
    if "differs" in answer:
        name, far = short(answer["differs"], 60), float(answer.get("far", 0))
        raise failed(
            f"output {name} of what tf2onnx wrote differs from TensorFlow's own by {far:.3g}",
            f"tf2onnx 写出的文件中，输出 {name} 与 TensorFlow 自己的结果相差 {far:.3g}",
        )
    return answer


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the user's but what the system itself needs; no GPU, and nothing that is reported to anyone."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH", "QINGZHOU_LANG") if name in os.environ}
    return {
        **kept,
        **dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), str(folder)),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
    }
