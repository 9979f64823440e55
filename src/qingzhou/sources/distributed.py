"""Checkpoints of torch.distributed (DCP): a folder with a table of contents, `.metadata`, and a part of each process.

They are not read: the table is a pickle of torch's own objects, and torch has one line that makes one file of them.
https://docs.pytorch.org/docs/stable/distributed.checkpoint.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import QingzhouError
from ..files.refusals import unsupported
from .source import Contents, Opened, Source

if TYPE_CHECKING:
    from ..nets.recorded import Wanted
    from .network import Network

TABLE, PART = ".metadata", ".distcp"


def claims(opened: Opened) -> bool:
    """The folder; or one of the files in it: the table by the class that it names, a part by its name and bytes."""
    if opened.whole is None:
        names = [path.name for path in opened.path.iterdir()] if (opened.path / TABLE).is_file() else []
        return any(name.endswith(PART) for name in names)
    if opened.path.suffix == PART:
        return opened.head.startswith((b"PK\x03\x04", b"\x80"))
    return opened.head.startswith(b"\x80") and b"torch.distributed.checkpoint.metadata" in opened.head


def read(opened: Opened, wanted: Wanted) -> Network:
    """UnsupportedCheckpoint with the line that works."""
    raise _refused(opened)


def look(opened: Opened) -> Contents:
    """The same."""
    raise _refused(opened)


def _refused(opened: Opened) -> QingzhouError:
    folder = opened.path if opened.whole is None else opened.path.absolute().parent
    line = (
        "from torch.distributed.checkpoint.format_utils import dcp_to_torch_save; "
        f"dcp_to_torch_save({folder.name!r}, 'model.pth')"
    )
    return unsupported(
        "it is a distributed checkpoint of torch (DCP), whose tensors lie in parts, one from each process",
        "它是 torch 的分布式检查点（DCP），张量按进程分散存放",
        f"Make one file of it where torch is installed, and convert that: {line}",
        f"请在装有 torch 的电脑上合并成一个文件，再转换它：{line}",
    )


DISTRIBUTED = Source("distributed", "Distributed checkpoints of torch (how to make one file)", (), claims, read, look)
