"""How a program of ours begins: its words, --sim and --help, and mistakes told in plain words."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, List, Optional, Type

from .errors import QingzhouError, line, lines, say, use_language

if TYPE_CHECKING:
    from types import TracebackType


__all__ = ["begin", "line", "lines", "start"]  # line() and lines(): labels and names of files as they are printed
DISK = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS)  # what a person can mend, not we
ENDINGS = ("SIGTERM", "SIGHUP", "SIGBREAK")  # a service is stopped, a terminal closed, Ctrl+Break in Windows
# Without which nothing here can be imported; Pillow is for pictures and screens, whose modules some programs have not.
PACKAGES = {"numpy": ("numpy", ("",)), "PIL": ("Pillow", ("draw.py", "model/image.py"))}


def begin() -> None:
    """What holds for a program from its first import of ours on: Ctrl+C just ends it, and what every program needs is
    there, or one sentence ends it.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy starts threads that spin, and nothing here needs them
    sys.excepthook = _end
    here = os.path.dirname(os.path.abspath(__file__))
    missing = [
        package
        for module, (package, files) in PACKAGES.items()
        if find_spec(module) is None and any(os.path.exists(os.path.join(here, name)) for name in files)
    ]
    if missing and sys.argv[:1] != ["-m"]:  # python -m qingzhou_runtime.bundle.install can still be had
        _speak_as(getattr(sys.modules.get("__main__"), "__doc__", None))
        told = say("Problem: %s is not installed here. Install it: %s", "出错了：这里没有安装 %s。请安装：%s")
        sys.exit(told % (missing[0], _install_line(missing)))


def _install_line(packages: List[str]) -> str:
    """In a bundle its own script, elsewhere pip."""
    script = "install.bat" if os.name == "nt" else "install.sh"
    if os.path.isfile(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), script)):
        return script if os.name == "nt" else "sh install.sh"
    return "pip install " + " ".join(packages)


def start(about: Optional[str] = None) -> List[str]:
    """The words behind the program's name. `about` is what --help prints; messages are in its language, unless
    QINGZHOU_LANG names one.

    From here on a mistake of the user's is one message, without the lines of Python above it. Chinese can be printed
    everywhere, also in an old Windows console.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.excepthook = _explain
    _heed_signals()
    _speak_as(about)
    words = sys.argv[1:]
    if "-h" in words or "--help" in words:
        print((about or "").strip())
        sys.exit(0)
    if "--sim" in words:
        os.environ["QINGZHOU_SIM"] = "1"
    sim = sys.modules.get(str(__package__) + ".parts.sim")  # there if anything that it simulates is
    if sim is not None and sim.active():
        sim.tell(
            say("simulated camera, pins, voice, serial port and broker", "模拟的摄像头、引脚、语音、串口和消息服务器")
        )
    return [word for word in words if word != "--sim"]


def _speak_as(about: Optional[str]) -> None:
    """Messages in the language of a text, unless QINGZHOU_LANG names one."""
    if about and not os.environ.get("QINGZHOU_LANG"):
        use_language("zh" if any("\u4e00" <= letter <= "\u9fff" for letter in about) else "en")


class _Ended(KeyboardInterrupt):
    """A signal that ends the program as Ctrl+C does: pins go off first."""

    number = 2


def _heed_signals() -> None:
    """SIGTERM, SIGHUP and Windows' Ctrl+Break are Ctrl+C, unless they are to be ignored, as by nohup."""
    if threading.current_thread() is threading.main_thread():
        for number in [getattr(signal, name) for name in ENDINGS if hasattr(signal, name)]:
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _raise)


def _raise(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one leaves the time to take back
    ended = _Ended()
    ended.number = number
    raise ended


def _end(kind: Type[BaseException], err: BaseException, trace: Optional[TracebackType]) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.stdout.flush()
        _speak_as(getattr(sys.modules.get("__main__"), "__doc__", None))
        print(say("Ended.", "已结束。"), file=sys.stderr)
        sys.stderr.flush()
        os._exit(128 + getattr(err, "number", 2))  # threads that wait for a device would keep the program open
    sys.__excepthook__(kind, err, trace)


def _explain(kind: Type[BaseException], err: BaseException, trace: Optional[TracebackType]) -> None:
    sys.stdout.flush()
    if isinstance(err, QingzhouError):
        print(say("Problem: %s", "出错了：%s") % line(err), file=sys.stderr)
    elif isinstance(err, ImportError) and str(err.name).startswith("%s." % __package__):
        told = say(
            "Problem: the folder %s is another program's or model's (%s). Copy the one of this model.",
            "出错了：文件夹 %s 属于另一个程序或模型（%s）。请复制这个模型自己的。",
        )
        print(told % (__package__, line(err)), file=sys.stderr)
    elif isinstance(err, BrokenPipeError):  # who reads what is printed has seen enough
        os._exit(1)
    elif isinstance(err, OSError) and err.errno in DISK:
        reason = "%s: %s" % (err.filename, err.strerror) if err.filename else err.strerror
        print(
            say(
                "Problem: a file cannot be written or read (%s). Make room on the disk, or close what uses the file.",
                "出错了：文件无法读写（%s）。请清理磁盘空间，或关闭正在使用它的程序。",
            )
            % line(reason),
            file=sys.stderr,
        )
    else:
        _end(kind, err, trace)
