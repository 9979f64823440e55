"""Packages that only some models need: imported late, and where one is missing the line that installs it here."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import sys
import threading
from typing import Any, Iterator

from ..errors import ExtraMissing

_QUIET = threading.Lock()
BUNDLE = "bundle.json"  # beside this folder, in what qingzhou bundle makes


def package(name: str, title: str, install: str) -> Any:
    """An engine's package, imported now; ExtraMissing with the line that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as err:
        raise ExtraMissing(
            en="%s is not installed here (%s). Install it: %s" % (title, err, install),
            zh="这里没有安装 %s（%s）。请安装：%s" % (title, err, install),
        ) from None


def install_line(name: str) -> str:
    """What installs a package on this machine: in a bundle its own script, elsewhere pip."""
    folder = os.path.abspath(os.path.join(__file__, "..", "..", ".."))
    script = "install.bat" if os.name == "nt" else "install.sh"
    if os.path.isfile(os.path.join(folder, script)) and name in _required(os.path.join(folder, BUNDLE)):
        return script if os.name == "nt" else "sh install.sh"
    return "pip install " + name


def _required(path: str) -> str:
    """The packages that a bundle installs, as one text; "" where there is no bundle."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.dumps(json.load(file).get("requirements", ""))
    except (OSError, ValueError, AttributeError):
        return ""


@contextlib.contextmanager
def quiet(stream: int) -> Iterator[None]:
    """Within the block nothing that is written to stdout (1) or stderr (2) by the code of a package is seen."""
    with _QUIET:
        try:
            kept, nothing = os.dup(stream), os.open(os.devnull, os.O_WRONLY)
        except OSError:  # a program without a terminal has no such stream
            yield
            return
        if stream == 1 and sys.stdout is not None:
            sys.stdout.flush()
        try:
            os.dup2(nothing, stream)
            yield
            _flush()
        finally:
            os.dup2(kept, stream)
            os.close(kept)
            os.close(nothing)


def _flush() -> None:
    """What C has printed and keeps, which would be seen later."""
    if os.name == "posix":
        with contextlib.suppress(OSError, AttributeError, PermissionError):
            ctypes.CDLL(None).fflush(None)


def version_of(name: str, module: Any) -> str:
    """As its package says it: an attribute, or what MNN has, a function; "?" where it says none."""
    if hasattr(module, "__version__"):
        return str(module.__version__)
    return str(module.version()) if name == "MNN" else "?"
