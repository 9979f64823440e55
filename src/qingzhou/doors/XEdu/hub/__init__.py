"""The door XEdu.hub."""

from qingzhou.doors.workflow import Workflow

__all__ = ["Workflow"]
