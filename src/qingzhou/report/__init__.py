"""Figures of many boards, as bench.py writes them there, in one table.

read.py       report files, which may be anybody's, into rows
merge.py      rows of the same model on the same kind of device become one: the median of a class
published.json  what others have published, as such a file; counts of instructions are in the devices' profiles
"""

from .merge import Merged, merge
from .read import Row, Unread, read_all, reference

__all__ = ["Merged", "Row", "Unread", "merge", "read_all", "reference"]
