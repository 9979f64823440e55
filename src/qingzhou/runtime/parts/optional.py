"""Packages that only some programs need: imported when they are used, and if missing, how this board installs them."""

from __future__ import annotations

import functools
import importlib
import socket
from typing import Any

from ..errors import ExtraMissing, say
from . import sim

# module -> its package for pip, and for apt where the system has one ("" where there is none)
PACKAGES = {
    "cv2": ("opencv-python", "python3-opencv"),
    "picamera2": ("", "python3-picamera2"),
    "gpiozero": ("gpiozero", "python3-gpiozero"),
    "pinpong": ("pinpong", ""),
    "serial": ("pyserial", "python3-serial"),
    "paho": ("paho-mqtt", "python3-paho-mqtt"),
    "pyttsx3": ("pyttsx3", ""),
    "sounddevice": ("sounddevice", ""),
    "pynput": ("pynput", "python3-pynput"),
    "tkinter": ("", "python3-tk"),
}


def need(module: str, en: str, zh: str) -> Any:
    """The module; ExtraMissing with the line that installs it. `en` and `zh` say what it is for."""
    found = there(module)
    if found is None:
        top = module.partition(".")[0]
        raise ExtraMissing(
            en="%s needs the package %s, which is not there. Install it: %s" % (en, top, install_line(top)),
            zh="%s需要软件包 %s，但没有找到。请安装：%s" % (zh, top, install_line(top)),
        )
    return found


def there(module: str) -> Any:
    """The module, or None if it cannot be imported."""
    try:
        return importlib.import_module(module)
    except Exception:  # besides ImportError: pynput raises its own without a display, sounddevice OSError
        return None


def install_line(module: str) -> str:
    """How to install it here: with apt on a Raspberry Pi, whose Python pip must not change; else with pip."""
    pip, apt = PACKAGES.get(module, (module, ""))
    if apt and (board() == "pi" or not pip):
        return "sudo apt install " + apt
    return "pip install " + (pip or module)


@functools.lru_cache(maxsize=None)
def board() -> str:
    """ "pi", "unihiker" or "jetson" by what the device tree says; else "pc"."""
    try:
        with open("/proc/device-tree/model", "rb") as file:
            model = file.read().decode("utf-8", "replace").lower()
    except OSError:
        return "pc"
    if "raspberry pi" in model:
        return "pi"
    if "jetson" in model or "nvidia" in model:
        return "jetson"
    # The Unihiker's tree names the chip's maker only; the name that it has in the network tells it from other boards.
    return "unihiker" if "rk3308" in model or socket.gethostname().lower().startswith("unihiker") else "pc"


def tell(en: str, zh: str) -> None:
    """A line for the person at the board, at once."""
    sim.put(say(en, zh))
