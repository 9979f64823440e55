"""The door XEdu: `from XEdu.hub import Workflow as wf`."""

from qingzhou.doors.workflow import Workflow
from qingzhou.version import __version__

__all__ = ["Workflow", "__version__"]
