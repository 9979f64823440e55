"""A process for one candidate, and talking to it: it may crash, hang or be killed, and that is an answer too."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from .. import errors
from ..errors import EngineError, QingzhouError, language

LIMIT = 900.0  # seconds that any answer may take
# The folders to import from come as arguments: the process begins with as many as this one has, in the same order, and
# without the folder that it happens to be started in.
START = "import sys; sys.path[:] = sys.argv[1:]; from qingzhou.bench.worker import main; main()"


class Process:
    """A running worker; a context manager that ends it."""

    def __init__(self, environment: Iterable[tuple[str, str]] = ()) -> None:
        """`environment`: what it has besides this one's."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # what the engine prints; stop() closes it
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONUTF8": "1", "QINGZHOU_LANG": language(), **dict(environment)},
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def ask(self, question: str, **facts: object) -> dict[str, Any]:
        """The answer; the worker's QingzhouError, or an EngineError where it crashed or took too long."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it is gone; the missing answer says so
            self._process.stdin.write(json.dumps({"ask": question, **facts}).encode("ascii") + b"\n")
            self._process.stdin.flush()
        try:
            line = self._lines.get(timeout=LIMIT)
        except queue.Empty:
            self.stop()
            raise _too_slow() from None
        if not line.endswith(b"\n"):
            raise self._crashed()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise _error(**answer["error"])
        return answer

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._said):
            with contextlib.suppress(OSError):  # something was left to be sent
                if pipe is not None:
                    pipe.close()

    def _listen(self) -> None:
        """Lines as they come; at the end of all an empty one."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(b"")

    def _crashed(self) -> EngineError:
        status = self._process.wait()
        last = self._last_words()
        self.stop()
        return _crash(status, last)

    def _last_words(self) -> str:
        """The last line that the engine printed."""
        if self._said.closed:
            return ""
        self._said.seek(max(0, os.fstat(self._said.fileno()).st_size - 4096))
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip()[:200] if lines else ""


def _error(kind: str, en: str, zh: str) -> QingzhouError:
    found = getattr(errors, kind, EngineError)
    return found(en=en, zh=zh) if issubclass(found, QingzhouError) else EngineError(en=en, zh=zh)


def _crash(status: int, last: str) -> EngineError:
    what = _signal(status)
    en, zh = (f": {last}", f"：{last}") if last else ("", "")
    if what == "SIGKILL":
        return EngineError(
            en="The system ended the process, most likely because the memory was full. Close other programs, or "
            "measure fewer engines at once: --engines",
            zh="系统结束了这个进程，多半是因为内存用完了。请关闭其他程序，或用 --engines 一次少测几个引擎。",
        )
    return EngineError(
        en=f"The engine crashed ({what}){en}. Update it, or use another one; the others were measured.",
        zh=f"推理引擎崩溃了（{what}）{zh}。请更新它，或换用其他引擎；其余的仍然测量了。",
    )


def _signal(status: int) -> str:
    """A signal's name where it was one: SIGSEGV; else the exit status."""
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"exit {status:#x}" if status > 255 else f"exit {status}"


def _too_slow() -> EngineError:
    return EngineError(
        en=f"The engine did not answer within {LIMIT:.0f} seconds and was stopped. Use another one.",
        zh=f"推理引擎在 {LIMIT:.0f} 秒内没有回应，已被停止。请换用其他引擎。",
    )
