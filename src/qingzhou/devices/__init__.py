"""Devices: what each one is and can, as data. A new device is one .toml file here.

>>> load("unihiker").pythons["3.7"]["onnxruntime"]
'1.13.1'
"""

from __future__ import annotations

from .profile import Device, Screen
from .read import all_devices, load

__all__ = ["Device", "Screen", "all_devices", "load"]
