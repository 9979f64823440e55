"""The door BaseNN: `from BaseNN import nn`."""

from qingzhou import __version__
from qingzhou.doors.layered import nn, pth_info

__all__ = ["__version__", "nn", "pth_info"]
