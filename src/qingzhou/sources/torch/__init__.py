"""What every source shares whose files torch saves: which files these are, and what can be said of any."""

from __future__ import annotations

from ...files.sniff import sniff
from ...files.types import LONGEST_FACT, Checkpoint
from ..source import Contents, Opened, Part

BESIDE = ("config.json", "preprocessor_config.json")  # what timm and transformers say of a network
PICKLED = (".pth", ".pt", ".pkl", ".ckpt")


def saved(opened: Opened) -> bool:
    """Whether a file looks like one of torch's containers, or like .safetensors."""
    return opened.whole is not None and bool(sniff(opened.head, opened.whole.size))


def contents(checkpoint: Checkpoint) -> Contents:
    """What a checkpoint holds; tensors that are none of the network's with the reason."""
    parts = [Part(key, str(ref.dtype), ref.shape) for key, ref in checkpoint.tensors.refs.items()]
    parts += [Part(key, reason, ()) for key, reason in checkpoint.ignored.items()]
    tool = str(checkpoint.meta.get("tool", ""))[:LONGEST_FACT]
    return Contents(checkpoint.origin.container, checkpoint.origin.size, parts, tool, checkpoint.facts)
