"""The door MMEdu: `from MMEdu import MMClassification as cls`."""

from qingzhou.doors.classify import MMClassification, MMDetection, pth_info
from qingzhou.version import __version__

__all__ = ["MMClassification", "MMDetection", "__version__", "pth_info"]
