"""BaseNN's checkpoints, and what torch.save(model) saved whole: layers that a file holds with their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Contents, Opened, Source
from ..torch import PICKLED, contents, saved

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """A module was pickled; CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint."""
    from ..torch.container import checkpoint_in

    return saved(opened) and opened.content(checkpoint_in).module is not None


def read(opened: Opened, wanted: Wanted) -> Network:
    """Walk through its layers; UnsupportedCheckpoint, TensorMismatch, OptionError."""
    from ..torch.container import checkpoint_in
    from .whole import read_basenn

    checkpoint = opened.content(checkpoint_in)
    return read_basenn(checkpoint, wanted.input_size).bound(checkpoint.tensors)


def look(opened: Opened) -> Contents:
    """Its tensors."""
    from ..torch.container import checkpoint_in

    return contents(opened.content(checkpoint_in))


BASENN = Source("basenn", "BaseNN, and PyTorch modules saved whole", PICKLED, claims, read, look)
