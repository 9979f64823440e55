"""What a program beside a model is called: never as a module, which it would hide from every program in its folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import say

# Modules that some Python from 3.7 on has and the one that runs here has not, and those that site looks for.
OF_OTHER_PYTHONS = """
    __init__ __main__ aifc annotationlib asynchat asyncore audioop binhex cgi cgitb chunk compression crypt distutils
    dummy_threading formatter imghdr imp macpath mailcap msilib nis nntplib ossaudiodev parser pipes sitecustomize smtpd
    sndhdr spwd sunau symbol telnetlib tomllib usercustomize uu xdrlib
"""
# What programs, install.sh and install.bat import besides, and what that imports.
OF_PACKAGES = """
    PIL RPi Xlib _cffi_backend av cffi coloredlogs colorzero comtypes cv2 defusedxml evdev flatbuffers google gpiozero
    humanfriendly jsonschema lgpio libcamera modbus_tk mpmath ncnn numpy olefile onnxruntime packaging paho picamera2
    piexif pigpio pinpong pip pkg_resources prctl pycparser pynput pythoncom pyttsx3 pywintypes qingzhou
    qingzhou_runtime serial setuptools simplejpeg six socks sounddevice sympy tqdm v4l2 videodev2 wheel win32com
"""
NEVER = {"antigravity", "idlelib", "test", "this", "turtledemo"}  # of Python, but nothing imports them
MODULES = frozenset(
    name.casefold()  # Python itself can be told to ignore it: PYTHONCASEOK
    for name in {*sys.stdlib_module_names, *OF_OTHER_PYTHONS.split(), *OF_PACKAGES.split()} - NEVER
)


def is_module(stem: str) -> bool:
    """Whether a program of that name would be found where a module is looked for."""
    return stem.casefold() in MODULES


def program_name(model: Path) -> Path:
    """best.py; of json.onnx json_model.py."""
    return model.with_name(f"{model.stem}{'_model' if is_module(model.stem) else ''}.py")


def told_of(model: Path, program: Path) -> tuple[str, ...]:
    """Why the program is not called as its model is, and which files beside it hide modules from it."""
    usual, found = program_name(model), []
    if is_module(model.stem):
        found.append(
            say(
                f"A program {model.stem}.py would be taken for the module {model.stem}, which programs import; so "
                f"it is called {program.name}.",
                f"程序如果叫 {model.stem}.py，会被当成其他程序要导入的模块 {model.stem}，所以改名为 {program.name}。",
            )
        )
    if program != usual:
        found.append(
            say(
                f"{usual.name} is not as Qingzhou writes it for this model; it stays as it is, and the program is "
                f"called {program.name}.",
                f"{usual.name} 不是轻舟为这个模型生成的原样程序，没有改动它；新程序叫 {program.name}。",
            )
        )
    hiding = ", ".join(sorted(_hiding(model.parent))[:5])
    if hiding:
        found.append(
            say(
                f"In this folder lies {hiding}, which programs here import instead of the module of that name. If the "
                "program fails, rename it.",
                f"这个文件夹里有 {hiding}，这里的程序会导入它，而不是同名的模块。如果程序出错，请给它改名。",
            )
        )
    return tuple(found)


def _hiding(folder: Path) -> Iterator[str]:
    """The programs and packages of a folder that are called as modules are; ours is no obstacle."""
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, ending = os.path.splitext(entry.name)
            if entry.name != "qingzhou_runtime" and is_module(stem):
                package = not ending and os.path.isfile(os.path.join(entry.path, "__init__.py"))
                if package or ending == ".py":
                    yield entry.name
