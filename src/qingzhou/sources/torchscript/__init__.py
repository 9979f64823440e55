"""TorchScript (`torch.jit.save`): traced, frozen and scripted networks, whose program is walked through, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Contents, Opened, Part, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """A zip with the parts of one; CheckpointDamaged, UnsafeCheckpoint."""
    if not opened.head.startswith(b"PK\x03\x04") or opened.whole is None:
        return False
    return any(name.endswith("/constants.pkl") for name in opened.members)


def read(opened: Opened, wanted: Wanted) -> Network:
    """Its forward(), step by step; UnsupportedCheckpoint names what is not known."""
    from .read import read_torchscript

    return read_torchscript(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its tensors."""
    from .read import script_in

    tensors = opened.content(script_in).tensors
    parts = [Part(key, str(ref.dtype), ref.shape) for key, ref in tensors.items()]
    return Contents("TorchScript", opened.file.size, parts, "TorchScript")


TORCHSCRIPT = Source("torchscript", "TorchScript", (".pt", ".ptl"), claims, read, look)
