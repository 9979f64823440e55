"""The network inside a training program's own class: the part of a state dict in which a known network lies.

A LightningModule, a learner or a pair of student and teacher puts its own name before every tensor of the network and
keeps losses, metrics and averages beside it. Which name that is shows in what is left without it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from ...errors import UnsupportedCheckpoint, say
from ...files.types import Checkpoint, Tensors
from ...nets.architecture import Candidate
from ...nets.match import candidates
from ...nets.settings import Settings
from ...nets.shapes import Shapes
from ..source import Opened
from ..torch.container import checkpoint_in

DEPTH = 5  # names that are taken off at most
SHARE = 8  # a part with fewer than one eighth of the tensors is no network among others
AVERAGE = re.compile(r"(^|[._])(ema|swa|avg|averaged?|momentum)([._]|$)")
# What stands beside a network of OpenMMLab's names without being part of it: losses, metrics, averages, pre-processing.
BESIDE = re.compile(
    r"(criterion|data_preprocessor|metrics?|acc(uracy)?|auroc|f1|loss(_\w+)?|\w+_(loss|metrics?|acc(uracy)?|auroc|f1)|"
    r"(train|val|valid|test)_\w+|ema|ema_\w+|\w+_ema|swa_\w+|avg_\w+|averaged?_\w+|teacher)"
)


def state_in(opened: Opened) -> Checkpoint:
    """The checkpoint, with the tensors called as the known network calls them that lies in the file."""
    return inside(opened.content(checkpoint_in))


def inside(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint without the names before the network's and without what lies beside it; UnsupportedCheckpoint."""
    tensors, ignored, notes = dict(checkpoint.tensors.refs), dict(checkpoint.ignored), list(checkpoint.notes)
    by_average = any(key.rpartition(".")[2] == "initted" for key in (*tensors, *ignored))  # ema_pytorch's EMA
    prefix = _prefix(checkpoint.tensors.shapes, by_average)
    if prefix is None:
        return checkpoint
    for key in [key for key in tensors if not key.startswith(prefix) or _beside(key[len(prefix) :])]:
        del tensors[key]
        ignored[key] = _reason(key)
    notes += [_taken_off(prefix)] if prefix else []
    named = Tensors({key[len(prefix) :]: ref for key, ref in tensors.items()})
    return replace(checkpoint, tensors=named, ignored=ignored, notes=tuple(notes))


def _prefix(shapes: Shapes, by_average: bool) -> str | None:
    """What stands before the network's own names, "" if nothing does; None if there is no network that is known.

    Of several, the one that is no average, unless it answers by its average.
    """
    if _known(shapes):
        return ""
    parts = {prefix: _known(_below(shapes, prefix)) for prefix in _parts(shapes)}
    found = [prefix for prefix, network in parts.items() if network]
    if not found:
        return None
    wanted = [prefix for prefix in found if by_average == (AVERAGE.search(prefix) is not None)] or found
    if len(wanted) > 1:
        raise _several(wanted)
    network = parts[wanted[0]]
    return None if network and network.tool and _goes_on(shapes, wanted[0]) else wanted[0]


def _goes_on(shapes: Shapes, prefix: str) -> bool:
    """Whether there is more than what training leaves beside a network.

    Inside a class of one's own, a network of torchvision may be followed by other layers; OpenMMLab's names say it all.
    """
    rest = (key for key in shapes if not key.startswith(prefix))
    return any(not _beside(key) and not AVERAGE.search(key) for key in rest)


def _parts(shapes: Shapes) -> list[str]:
    """ "model.", "model.net.", …: each name before a good part of the tensors."""
    count = Counter(prefix for key in shapes for prefix in _prefixes(key))
    return [prefix for prefix, n in count.items() if n * SHARE >= len(shapes)]


def _prefixes(key: str) -> list[str]:
    parts = key.split(".")[:-1][:DEPTH]
    return [".".join(parts[: i + 1]) + "." for i in range(len(parts))]


def _below(shapes: Shapes, prefix: str) -> Mapping[str, tuple[int, ...]]:
    return {key[len(prefix) :]: shape for key, shape in shapes.items() if key.startswith(prefix)}


def _known(shapes: Shapes) -> Candidate | None:
    """The first network that may have these tensors."""
    return next(candidates(shapes, Settings()), None)


def _beside(key: str) -> bool:
    first, dot, _ = key.partition(".")
    return bool(dot) and BESIDE.fullmatch(first) is not None


# -- what is said of it ----------------------------------------------------------------------------------------------


def _reason(key: str) -> str:
    if AVERAGE.search(key):
        return say("a second, averaged copy (EMA), left out", "滑动平均（EMA）副本，未使用")
    return say("beside the network, left out", "不属于网络，未使用")


def _taken_off(prefix: str) -> str:
    return say(
        f"The network's tensors begin with {prefix} in the file, which was taken off.",
        f"文件里网络的张量名以 {prefix} 开头，已去掉。",
    )


def _several(prefixes: list[str]) -> UnsupportedCheckpoint:
    some, first = ", ".join(prefixes[:6]), prefixes[0]
    return UnsupportedCheckpoint(
        en=f"The file holds several networks, under {some}, and does not say which one answers. One was expected. Save "
        f"that one alone: torch.save(learner.{first[:-1]}.state_dict(), 'best.pth').",
        zh=f"文件里有多个网络（{some}），但没有说明使用哪一个，应只有一个。"
        f"请单独保存要用的网络：torch.save(learner.{first[:-1]}.state_dict(), 'best.pth')。",
    )
