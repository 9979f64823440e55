"""How a program of ours begins: its words, --sim and --help, and mistakes told in plain words."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any, List, Optional

from . import sim
from .errors import QingzhouError, say, use_language

DISK = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS)  # what a person can mend, not we


def start(about: Optional[str] = None) -> List[str]:
    """The words behind the program's name. `about` is what --help prints; messages are in its language, unless
    QINGZHOU_LANG names one.

    From here on a mistake of the user's is one message, without the lines of Python above it, and Ctrl+C just ends
    the program. Chinese can be printed everywhere, also in an old Windows console.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.excepthook = _explain
    if about and not os.environ.get("QINGZHOU_LANG"):
        use_language("zh" if any("\u4e00" <= letter <= "\u9fff" for letter in about) else "en")
    words = sys.argv[1:]
    if "-h" in words or "--help" in words:
        print((about or "").strip())
        sys.exit(0)
    if "--sim" in words:
        sim.switch_on()
    if sim.active():
        sim.tell(
            say("simulated camera, pins, voice, serial port and broker", "模拟的摄像头、引脚、语音、串口和消息服务器")
        )
    return [word for word in words if word != "--sim"]


def _explain(kind: Any, err: Any, trace: Any) -> None:
    sys.stdout.flush()
    if isinstance(err, QingzhouError):
        print(say("Problem: %s", "出错了：%s") % err, file=sys.stderr)
    elif isinstance(err, OSError) and err.errno in DISK:
        reason = "%s: %s" % (err.filename, err.strerror) if err.filename else err.strerror
        print(
            say(
                "Problem: a file cannot be written or read (%s). Make room on the disk, or close what uses the file.",
                "出错了：文件无法读写（%s）。请清理磁盘空间，或关闭正在使用它的程序。",
            )
            % reason,
            file=sys.stderr,
        )
    elif issubclass(kind, KeyboardInterrupt):
        print(say("Ended.", "已结束。"), file=sys.stderr)
        os._exit(130)  # threads that wait for a device would keep the program open
    else:
        sys.__excepthook__(kind, err, trace)
