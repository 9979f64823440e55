"""Programs of torch.export (`.pt2`): a network as JSON and raw bytes, of which nothing is unpickled or run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Contents, Opened, Part, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """A zip with the parts of one, whatever it is called; CheckpointDamaged, UnsafeCheckpoint."""
    if not opened.head.startswith(b"PK\x03\x04") or opened.whole is None:
        return False
    from .parts import is_archive

    return is_archive(list(opened.members))


def read(opened: Opened, wanted: Wanted) -> Network:
    """Its calls, one after the other; UnsupportedCheckpoint names the operator that is not known."""
    from .read import read_exported

    return read_exported(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its tensors."""
    from .read import archive_in

    tensors = opened.content(archive_in).tensors
    parts = [Part(key, str(ref.dtype), ref.shape) for key, ref in tensors.items()]
    return Contents("pt2", opened.file.size, parts, "torch.export")


EXPORTED = Source("exported", "programs of torch.export", (".pt2",), claims, read, look)
