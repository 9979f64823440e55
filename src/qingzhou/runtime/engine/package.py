"""Packages that only some models need: imported late, and where one is missing the line that installs it here."""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

from ..errors import ExtraMissing

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
