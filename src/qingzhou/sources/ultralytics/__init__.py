"""Ultralytics' own files (.pt): networks saved whole, whose layers, settings, names and training the file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Contents, Opened, Source
from ..torch import PICKLED, contents, saved

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network

FOREIGN = ("models.yolo.", "models.experimental.")  # the repositories of YOLOv5, 6, 7 and 9


def claims(opened: Opened) -> bool:
    """A module of Ultralytics' classes was pickled, or one of the older repositories'; as checkpoint_in()."""
    from ..torch.container import checkpoint_in

    module = opened.content(checkpoint_in).module if saved(opened) else None
    return module is not None and module.name.startswith(("ultralytics.", *FOREIGN))


def read(opened: Opened, wanted: Wanted) -> Network:
    """Walk through its layers; UnsupportedCheckpoint, TensorMismatch, OptionError."""
    from ..torch.container import checkpoint_in
    from .read import read_ultralytics

    checkpoint = opened.content(checkpoint_in)
    return read_ultralytics(checkpoint, wanted).bound(checkpoint.tensors)


def look(opened: Opened) -> Contents:
    """Its tensors, and what it says of the training."""
    from dataclasses import replace

    from ..torch.container import checkpoint_in
    from .said import training

    checkpoint = opened.content(checkpoint_in)
    return replace(contents(checkpoint), tool="Ultralytics", facts=training(checkpoint))


ULTRALYTICS = Source("ultralytics", "Ultralytics (YOLO)", PICKLED, claims, read, look)
