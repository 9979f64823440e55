"""The door MMEdu: `from MMEdu import MMClassification as cls`."""

from qingzhou import __version__
from qingzhou.doors.classify import MMClassification, MMDetection, pth_info

__all__ = ["MMClassification", "MMDetection", "__version__", "pth_info"]
