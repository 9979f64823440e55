"""Reading checkpoints without torch, and without executing anything in them."""

from ..sources.torch.container import read_checkpoint
from .limits import Limits
from .types import Checkpoint, Opaque, Origin, TensorRef, Tensors

__all__ = ["Checkpoint", "Limits", "Opaque", "Origin", "TensorRef", "Tensors", "read_checkpoint"]
