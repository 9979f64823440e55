"""Puts what a bundle needs into its folder packages/; called by install.sh and install.bat. Standard library only.

Nothing else on the machine is changed: remove the folder, and it is gone. What the board has already, in just the
version that is needed, is not installed again. packages/ appears only when all of it is there.
"""

from __future__ import annotations

import glob
import importlib
import os
import shutil
import subprocess
import sys
from typing import Any, Dict, List

from ..engine.package import quiet, version_of
from ..errors import say
from .place import FOLDER, PACKAGES, read_bundle, requirements

MODULES = {"Pillow": "PIL", "ai-edge-litert": "ai_edge_litert"}  # whose name is not the package's

FROM_WHEEL = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('pip', run_name='__main__')"


def main() -> int:
    """0 when everything is there."""
    bundle = read_bundle()
    if bundle is None:
        print(
            say(
                "There is no bundle.json here; copy the whole bundle again.", "这里没有 bundle.json，请重新复制整个包。"
            )
        )
        return 1
    lines = requirements(bundle)
    missing = [line for line in lines if not there(line)]
    # A folder packages/ is made anew as a whole: what is there of it may be what the others of the list are.
    if missing and not install(lines if os.path.isdir(os.path.join(FOLDER, PACKAGES)) else missing):
        return 1
    if not system_packages(bundle.get("system") or {}):
        return 1
    print(
        say("Everything is installed. Now: %s main.py", "已全部安装好。现在运行：%s main.py")
        % (os.environ.get("QINGZHOU_RUN") or os.path.basename(python()))
    )
    return 0


def there(line: str) -> bool:
    """Whether a package is there in the version that is asked for."""
    name, _, version = line.partition("==")
    return version_here(name) == version


def version_here(name: str) -> str:
    """The version of a package; "" if it cannot be imported."""
    try:
        with quiet(1):
            module: Any = importlib.import_module(MODULES.get(name, name))
    except Exception:  # a package for another Python or processor fails in its own way
        return ""
    return version_of(name, module)


def install(lines: List[str]) -> bool:
    """pip, into a new folder that then takes its place; from wheels/ alone where that is there."""
    wheels, new, place = (os.path.join(FOLDER, name) for name in ("wheels", "packages.new", PACKAGES))
    offline = os.path.isdir(wheels)
    for link in filter(os.path.islink, (new, place)):
        told = say("%s is a link, and would be replaced. Move it away.", "%s 是链接，会被替换。请先移走它。")
        print(told % link, file=sys.stderr)
        return False
    print(say("Installing %s …", "正在安装 %s …") % ", ".join(lines), flush=True)
    shutil.rmtree(new, ignore_errors=True)
    source = ["--no-index", "--find-links", wheels] if offline else []
    command = [
        python(),
        *pip(wheels),
        "install",
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
        "--target",
        new,
        "--disable-pip-version-check",
        "-q",
        *source,
        *lines,
    ]
    if run(command) != 0:
        shutil.rmtree(new, ignore_errors=True)
        print(failed(offline), file=sys.stderr)
        return False
    shutil.rmtree(place, ignore_errors=True)
    os.rename(new, place)
    return True


def pip(wheels: str) -> List[str]:
    """How pip is called: from its own wheel where that is in the bundle, for boards whose pip is too old."""
    found = sorted(glob.glob(os.path.join(wheels, "pip-*.whl")))
    return ["-c", FROM_WHEEL, found[-1]] if found else ["-m", "pip"]


def run(command: List[str], quiet: bool = False) -> int:
    """A command's status; 127 where it does not exist."""
    place = subprocess.DEVNULL if quiet else None
    os.environ["PIP_ROOT_USER_ACTION"] = "ignore"  # its warning is about other folders than packages/
    try:
        return subprocess.call(command, stdout=place, stderr=place)
    except OSError:
        return 127


def failed(offline: bool) -> str:
    """What to do when pip could not."""
    if run([python(), "-m", "pip", "--version"], quiet=True):
        return say(
            "This Python has no pip. Install it first: sudo apt-get install python3-pip",
            "这个 Python 没有 pip，请先安装：sudo apt-get install python3-pip",
        )
    if offline:
        return say(
            "The folder wheels/ does not have what this Python needs. Make it again: qingzhou bundle … --offline",
            "wheels/ 文件夹里没有这个 Python 需要的安装文件。请重新做包：qingzhou bundle … --offline",
        )
    return say(
        "It could not be installed: is the board connected to the internet? If not, make the bundle with --offline.",
        "安装失败：板子连上互联网了吗？没有网络时，请用 --offline 重新做包。",
    )


def system_packages(wanted: Dict[str, str]) -> bool:
    """What only the system's own archive has: installed where that needs no password, else named."""
    debs = [deb for name, deb in wanted.items() if not version_here(name)]
    if not debs:
        return True
    line = "sudo apt-get install -y " + " ".join(debs)
    if os.name == "posix" and sys.platform.startswith("linux"):
        sudo = [] if os.getuid() == 0 else ["sudo", "-n"]  # type: ignore[attr-defined, unused-ignore]
        if run([*sudo, "apt-get", "install", "-y", *debs]) == 0:
            return True
    print(
        say("These come with the system. Install them: %s", "这些是系统自带的软件包，请安装：%s") % line,
        file=sys.stderr,
    )
    return False


def python() -> str:
    """This Python, as install.sh found it."""
    return os.environ.get("PYTHON") or sys.executable


if __name__ == "__main__":
    sys.exit(main())
