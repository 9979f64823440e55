"""Devices: what each one is and can, as data. A new device is one .toml file here.

>>> load("unihiker").pythons["3.7"]["onnxruntime"]
'1.13.1'
"""

from __future__ import annotations

from .named import load
from .profile import Device, Npu, Price, Screen
from .read import all_devices

__all__ = ["Device", "Npu", "Price", "Screen", "all_devices", "load"]
