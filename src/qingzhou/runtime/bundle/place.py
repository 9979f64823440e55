"""A bundle's place: whether this is the machine that it was made for, and the packages that lie in it.

Standard library only: numpy may be another Python's. Pythons before 3.7 cannot read this; install.sh tells them.
"""

from __future__ import annotations

import io
import json
import os
import platform
import struct
import sys
from typing import Any, Dict, List, Optional

FOLDER = os.path.abspath(os.path.join(__file__, "..", "..", ".."))  # of the bundle, where this is one
BUNDLE = "bundle.json"
PACKAGES = "packages"  # where install.sh puts what the bundle needs


def read_bundle(folder: str = FOLDER) -> Optional[Dict[str, Any]]:
    """What bundle.json says; None where there is none, or it is not ours."""
    try:
        with io.open(os.path.join(folder, BUNDLE), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    ours = isinstance(found, dict) and found.get("format") == "qingzhou.bundle"
    return found if ours else None


def use_bundle() -> None:
    """Ends the program with a message on a machine that the bundle was not made for; else its packages come first.

    The simulator runs anywhere, with what is installed there; help can be had anywhere.
    """
    bundle = read_bundle()
    if bundle is None:
        return
    if bundle.get("language") in ("zh", "en") and not os.environ.get("QINGZHOU_LANG"):
        os.environ["QINGZHOU_LANG"] = bundle["language"]
    wrong = misplaced(bundle)
    if wrong and not simulated() and not {"-h", "--help"} & set(sys.argv[1:]):
        sys.exit(wrong)
    packages = os.path.join(FOLDER, PACKAGES)
    if not wrong and os.path.isdir(packages) and packages not in sys.path:
        sys.path.insert(0, packages)


def simulated() -> bool:
    """As sim.active(), also before main.py has read its words."""
    switch = os.environ.get("QINGZHOU_SIM", "").strip().lower()
    return "--sim" in sys.argv or switch not in ("", "0", "no", "off", "false")


def misplaced(bundle: Dict[str, Any]) -> str:
    """What is wrong with this machine or its Python, and what to do; "" if it is the right one."""
    from ..errors import say

    title = bundle.get("title") or {}
    device = say(str(title.get("en", "?")), str(title.get("zh", "?")))
    wanted, here = str(bundle.get("machine") or ""), machine()
    if wanted and wanted != here:
        return say(
            "This bundle was made for %s (%s), but this machine is %s. Copy it to that device, or make one for this "
            "machine: qingzhou bundle MODEL --device %s. To try it without the board: python main.py --sim"
            % (device, wanted, here, suggestion(here)),
            "这个包是为%s（%s）做的，而这台机器是 %s。请复制到那台设备上，或为这台机器重新做一个："
            "qingzhou bundle 模型 --device %s。没有板子也想试试：python main.py --sim"
            % (device, wanted, here, suggestion(here)),
        )
    pythons = [str(name) for name in bundle.get("python") or []]
    found = "%d.%d" % sys.version_info[:2]
    if pythons and found not in pythons:
        names, command = ", ".join(pythons), ("py -%s" if os.name == "nt" else "python%s") % pythons[-1]
        return say(
            "This bundle needs Python %s, but this is Python %s (%s). Run it with the right one, for example: "
            "%s main.py" % (names, found, sys.executable, command),
            "这个包需要 Python %s，而现在是 Python %s（%s）。请用正确的版本运行，例如：%s main.py"
            % (names, found, sys.executable, command),
        )
    return ""


def machine() -> str:
    """What this Python was built for: "aarch64", "armv7l", "x86_64", …

    A 32-bit system may run under a 64-bit kernel, which then tells the kernel's name.
    """
    name = platform.machine().lower()
    name = {"arm64": "aarch64", "amd64": "x86_64"}.get(name, name)
    if name.startswith(("arm", "aarch64")) and struct.calcsize("P") == 4:
        return "armv7l"
    return name


def suggestion(here: str) -> str:
    """A device of ours for such a machine."""
    return {"aarch64": "generic-linux-arm64", "armv7l": "pi4-32"}.get(here, "pc")


def requirements(bundle: Dict[str, Any]) -> List[str]:
    """What this Python needs: ["numpy==1.21.6", …]."""
    found = bundle.get("requirements") or {}
    return [str(line) for line in found.get("%d.%d" % sys.version_info[:2], [])]
