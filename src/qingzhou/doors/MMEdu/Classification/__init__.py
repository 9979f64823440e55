"""The door MMEdu.Classification."""

from qingzhou.doors.classify import MMClassification, pth_info

__all__ = ["MMClassification", "pth_info"]
