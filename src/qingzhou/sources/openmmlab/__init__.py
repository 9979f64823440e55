"""State dicts of known networks: MMEdu, mmcls, mmpretrain, mmdet, torchvision, timm; also as .safetensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Contents, Opened, Source
from ..torch import BESIDE, PICKLED, contents, saved

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network
    from ..torch.hub import Described


def read(opened: Opened, wanted: Wanted) -> Network:
    """The known network with these tensors; UnsupportedCheckpoint, TensorMismatch, OptionError."""
    from .state import read_state
    from .wrapped import state_in

    checkpoint = opened.content(state_in)
    return read_state(checkpoint, wanted, beside(opened)).bound(checkpoint.tensors)


def beside(opened: Opened) -> Described | None:
    """What a config.json beside the file says of it; None where there is none."""
    if not {name.rpartition("/")[2] for name in opened.members} & {*BESIDE}:
        return None
    from ..torch.hub import described

    return opened.content(described)


def look(opened: Opened) -> Contents:
    """Its tensors, called as the network calls them; UnsupportedCheckpoint where there are several."""
    from .wrapped import state_in

    return contents(opened.content(state_in))


TITLE = "MMEdu, MMPretrain, MMDetection, torchvision, timm"
OPENMMLAB = Source("openmmlab", TITLE, (*PICKLED, ".safetensors"), saved, read, look, beside=BESIDE)
