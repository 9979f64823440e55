"""The door XEdu.hub.workflow."""

from qingzhou.doors.workflow import Workflow

__all__ = ["Workflow"]
