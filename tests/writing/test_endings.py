"""A verb that is ended by a signal takes back what it began, says so in one sentence, and gives 128 + its number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from writing_verbs import VERBS, words

from dear import but_slow
from qingzhou import endings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals as only POSIX has them")
SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]
WAITING = Path(__file__).with_name("waiting.py")


def as_usual() -> None:
    """Before a program starts: no signal is ignored, though the tests run under nohup or in a shell's background."""
    for name in SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_DFL)


@contextmanager
def waiting(*order: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A verb that has made everything and moved nothing."""
    process = subprocess.Popen(
        [sys.executable, str(WAITING), *order],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUTF8": "1", **env},
        preexec_fn=as_usual,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line == "here\n", line + process.stderr.read()
        yield process
    finally:
        process.kill()
        process.communicate()


def children(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


ALL = [*VERBS, "bench", "folder", "demo"]
ENDINGS = [(verb, name) for verb in ALL for name in SIGNALS]
# Every verb with one of them always, by turns; these two with all.
ALWAYS = {
    (verb, name) for verb, name in ENDINGS if verb in ("convert", "bench") or name == SIGNALS[ALL.index(verb) % 3]
}


@pytest.mark.parametrize(("verb", "name"), but_slow(ENDINGS, set(ENDINGS) - ALWAYS))
def test_nothing_is_left(verb: str, name: str, desk: Path) -> None:
    before, chinese = files(desk), name == "SIGTERM"
    order = {
        "bench": ["bench", "ready.onnx", "--engines", "onnxruntime"],
        "demo": ["demo", "-o", "out"],
        "folder": ["bundle", "best.pth", "--device", "unihiker", "-o", "out/b"],
    }.get(verb) or words(verb, f"out/a.{VERBS[verb][1]}")
    with waiting(*order, "--lang", "zh" if chinese else "en") as process:
        assert verb == "bench" or [left for left in files(desk) if ".qingzhou" in left]
        workers = children(process) if verb == "bench" else []
        process.send_signal(getattr(signal, name))
        printed, said = process.communicate(timeout=30)
    shown = "Ctrl+C" if name == "SIGINT" else name
    assert said == (
        f"已被 {shown} 结束，没有留下不完整的文件。\n"
        if chinese
        else f"Ended by {shown}; nothing half-written was left.\n"
    )
    assert not printed and process.returncode == 128 + getattr(signal, name)
    assert files(desk) == before
    assert verb != "bench" or (workers and not any(Path(f"/proc/{pid}").exists() for pid in workers))


@pytest.mark.parametrize("name", SIGNALS)
def test_a_terminal_tells_the_children_too(name: str, desk: Path) -> None:
    """The workers of bench leave it to their parent: none of them is shown as crashed."""
    before = files(desk)
    with waiting("bench", "ready.onnx", "--engines", "onnxruntime", "--lang", "en") as process:
        os.killpg(process.pid, getattr(signal, name))
        _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + getattr(signal, name) and said.count("\n") == 1 and files(desk) == before


def test_what_is_ignored_stays_ignored(desk: Path) -> None:
    """nohup: a closed terminal does not end it."""
    source = "import signal, qingzhou.endings as e; signal.signal(1, signal.SIG_IGN); c = e.ending(); c.__enter__(); "
    source += "import os; os.kill(os.getpid(), 1); print('on')"
    assert subprocess.run([sys.executable, "-c", source], capture_output=True, check=True).stdout == b"on\n"


def test_a_second_signal_leaves_the_time_to_take_back() -> None:
    """In a process of its own, which has none of the threads that libraries left in this one."""
    source = """import os, qingzhou.endings as e
with e.ending() as came:
    try:
        try: os.kill(os.getpid(), 15)
        finally: os.kill(os.getpid(), 1); print("back")
    except e.Ended: print(*came)"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, check=True, preexec_fn=as_usual)
    assert done.stdout.split() == [b"back", b"15", b"1"]


def test_a_third_one_ends_at_once() -> None:
    source = """import os, qingzhou.endings as e
with e.ending():
    try: os.kill(os.getpid(), 15)
    finally: os.kill(os.getpid(), 1); os.kill(os.getpid(), 1); print("never")"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, check=False, preexec_fn=as_usual)
    assert done.returncode == 143 and not done.stdout


def test_signals_are_as_before_after_a_verb_and_in_the_library(desk: Path) -> None:
    before = [signal.getsignal(number) for number in endings.numbers()]
    with endings.ending():
        assert [signal.getsignal(number) for number in endings.numbers()] != before
    assert [signal.getsignal(number) for number in endings.numbers()] == before


def test_the_server_keeps_its_own_way() -> None:
    """`serve` and `worker` set what signals do themselves, and put back what was."""
    from qingzhou.cli_common import friendly

    before = [signal.getsignal(number) for number in endings.numbers()]
    with friendly(None, False, stays=True):
        assert [signal.getsignal(number) for number in endings.numbers()] == before
