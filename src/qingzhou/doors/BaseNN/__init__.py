"""The door BaseNN: `from BaseNN import nn`."""

from qingzhou.doors.layered import nn, pth_info
from qingzhou.version import __version__

__all__ = ["__version__", "nn", "pth_info"]
