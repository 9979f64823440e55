"""The packages of a bundle: which ones, and their wheels for the device, fetched with pip when the user asks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..devices import Device
from ..errors import BundleError
from ..whole_file import scratch

PILLOW = "Pillow"
OF_PILLOW = ("draw", "model.image")  # modules of the runtime that need it
PACKAGE = {
    "litert": "ai-edge-litert",
    "mnn": "MNN",
    "rknn": "rknn-toolkit-lite2",
}  # of an engine that is called otherwise
OLDEST_MICRO = {"3.7": "3.7.3"}  # in full for pip: a bare 3.7 means 3.7.0, which some wheels refuse; Debian 10 has .3


def requirements(device: Device, engine: str, pictures: bool = True) -> dict[str, list[str]]:
    """Python's version -> "name==version" of what pip installs there, for the Pythons that can have the engine.

    "" is no engine: the model runs elsewhere. pictures: whether there are any, or a screen.
    """
    found = {}
    for python, versions in device.pythons.items():
        if not engine or PACKAGE.get(engine, engine) in {*versions, "numpy"}:
            wanted = [name for name in _packages(engine, pictures) if name not in device.system]
            found[python] = [f"{name}=={versions[name]}" for name in wanted]
    return found


def system_packages(device: Device, engine: str) -> dict[str, str]:
    """What only the system's own archive has: the package and its name there."""
    return {name: device.system[name] for name in _packages(engine) if name in device.system}


def _packages(engine: str, pictures: bool = True) -> tuple[str, ...]:
    needed = ("numpy", PILLOW if pictures else "", PACKAGE.get(engine, engine))
    return tuple(dict.fromkeys(filter(None, needed)))


def as_text(wanted: Mapping[str, Sequence[str]], remark: str) -> str:
    """requirements.txt: one line each; where the Pythons differ, with a marker."""
    lines = [f"# {remark}"]
    for python, names in wanted.items():
        mark = f' ; python_version == "{python}"' if len(wanted) > 1 else ""
        lines += [f"{name}{mark}" for name in names]
    return "\n".join(lines) + "\n"


def download(device: Device, wanted: Mapping[str, Sequence[str]], folder: Path) -> int:
    """Fetch the wheels for every Python of the device into a folder; how many there are. BundleError if one is missing.

    For a computer (no fixed platform) those of this one: its system and its Python.
    """
    folder.mkdir()
    if not device.platforms:
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        if here not in wanted:
            raise _missing(device, here, ", ".join(next(iter(wanted.values()), ())), "")
        _pip(device, here, wanted[here], (), folder)
    else:
        for python, names in wanted.items():
            pip = [f"pip=={device.pythons[python]['pip']}"] if "pip" in device.pythons[python] else []
            _pip(device, python, [*names, *pip], target(device, python), folder)
    return len(list(folder.glob("*.whl")))


def target(device: Device, python: str) -> list[str]:
    """pip's words for a device and a Python: "--platform", "manylinux2014_aarch64", …"""
    abi = "cp" + python.replace(".", "") + ("m" if python == "3.7" else "")
    words = ["--implementation", "cp", "--python-version", OLDEST_MICRO.get(python, f"{python}.2")]
    for name in (abi, "abi3", "none"):
        words += ["--abi", name]
    for platform in device.platforms:
        words += ["--platform", platform]
    return words


def _pip(device: Device, python: str, names: Sequence[str], words: Sequence[str], folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
        "-d",
        str(folder),
        *words,
        *names,
    ]
    with scratch() as place:  # pip's own files: what it leaves when it is ended goes with that
        env = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(place))}
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=env)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise _missing(device, python, ", ".join(names), (errors or done.stderr.splitlines() or [""])[-1][:300])


def _missing(device: Device, python: str, names: str, said: str) -> BundleError:
    return BundleError(
        en=f"pip could not get the wheels for {device.title['en']} with Python {python} ({names}): {said} Check the "
        "connection to the internet, or make the bundle without --offline and let the board fetch them.",
        zh=f"pip 无法获得{device.title['zh']}（Python {python}）的安装文件（{names}）：{said} 请检查网络，"
        "或者去掉 --offline，由板子自己下载。",
    )
