"""The door XEdu: `from XEdu.hub import Workflow as wf`."""

from qingzhou import __version__
from qingzhou.doors.workflow import Workflow

__all__ = ["Workflow", "__version__"]
