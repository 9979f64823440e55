"""The door MMEdu.Detection."""

from qingzhou.doors.classify import MMDetection

__all__ = ["MMDetection"]
