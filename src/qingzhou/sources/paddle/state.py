"""Weights alone: `.pdparams` of paddle.save, and .safetensors with Paddle's names. A network that is known by them is
converted; of all others they do not say how its layers are connected.

A state_dict is a dict of arrays, with the parameters' own names in one entry more; inside another container each tensor
is a tuple of its name and an array (paddle/framework/io.py). Linear layers lie in Paddle as (in, out), and bfloat16 as
uint16, with nothing that says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import QingzhouError, TensorMismatch, UnsupportedCheckpoint, say
from ...files.limits import Limits
from ...files.opcodes import Tape
from ...files.refusals import naming, short, unsafe
from ...files.types import TensorRef, Tensors
from ...files.unpickle import read_pickle
from ...graph.form import Array
from ...nets.match import Match, recognise
from ...nets.paddle import MARK
from ...nets.recorded import Wanted
from ...runtime.model.card import Card
from ..network import Network, origin
from ..source import Contents, Opened, Part
from ..torch.container import checkpoint_in
from .refuse import EXPORT, refused

NAMES = "StructuredToParameterName@@"
PIECES = "UnpackBigParamInfor@@"
LARGEST = 2 << 30  # bytes of a pickle, which lies in memory as a whole
DEEPEST = 6
RENAMED = {"_mean": "running_mean", "_variance": "running_var"}  # as PyTorch calls them
UPDATES = ("_moment1_", "_moment2_", "_beta1_pow", "_velocity_", "LR_Scheduler", "master_weights")


@dataclass(frozen=True)
class State:
    """The tensors of a state_dict, as they lie there; container: what the file is."""

    container: str
    size: int
    tensors: Mapping[str, TensorRef]


def state_of(opened: Opened) -> State:
    """CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint."""
    with naming(opened.path):
        if not opened.head.startswith(b"\x80"):
            checkpoint = checkpoint_in(opened)
            return State("safetensors", opened.file.size, checkpoint.tensors.refs)
        file = opened.file
        if file.size > LARGEST:
            raise unsafe(f"it has {file.size} bytes", f"文件有 {file.size} 字节")
        limits = Limits(**{**opened.limits._asdict(), "pickle_bytes": LARGEST})
        root = read_pickle(Tape(file.read(0, file.size)), limits)
        if isinstance(root, Mapping) and PIECES in root:
            raise refused(
                "its large tensors are cut in pieces, as paddle.save does with protocol 2 and 3",
                "其中的大张量被切分保存（paddle.save 的 protocol 2 和 3）",
                "Save it again with paddle.save(net.state_dict(), 'net.pdparams', protocol=4)",
                "请用 paddle.save(net.state_dict(), 'net.pdparams', protocol=4) 重新保存",
            )
        return State("Paddle state_dict", file.size, dict(_arrays(_best(root))))


def _best(root: Any) -> Any:
    """The dict with most tensors: the file's own, or one in it ("net", "model", "state_dict")."""
    found, todo = [root], [(root, 0)]
    while todo:
        one, depth = todo.pop()
        inner = list(one.values()) if isinstance(one, Mapping) and depth < DEEPEST else []
        dicts = [each for each in inner[:1000] if isinstance(each, Mapping)]
        found += dicts
        todo += [(each, depth + 1) for each in dicts]
        if len(found) > 10_000:
            break
    best: Any = max(found, key=lambda one: sum(1 for _ in _arrays(one)))
    return best


def _arrays(root: Any) -> Iterator[tuple[str, TensorRef]]:
    """The tensors of one dict, by the names that its author gave."""
    for key, one in root.items() if isinstance(root, Mapping) else ():
        array = one[1] if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str) else one
        if isinstance(key, str) and isinstance(array, np.ndarray) and array.dtype.kind in "fiub":
            yield key, _ref(key, array)


def _ref(key: str, array: Array) -> TensorRef:
    if array.dtype == np.uint16:  # paddle.load takes every one for bfloat16
        return TensorRef(array.shape, np.dtype("float32"), key, functools.partial(_widened, array))
    return TensorRef(array.shape, array.dtype.newbyteorder("="), key, lambda: array)


def _widened(array: Array) -> Array:
    return (array.astype(np.uint32) << 16).view(np.float32)


# -- as PyTorch has them -----------------------------------------------------------------------------------------------


def renamed(key: str) -> str:
    """A tensor's name, with the last part as PyTorch calls it."""
    layer, dot, last = key.rpartition(".")
    return f"{layer}{dot}{RENAMED.get(last, last)}"


def _turned(ref: TensorRef) -> TensorRef:
    """(in, out) as (out, in): the weight of a linear layer."""
    return TensorRef(ref.shape[::-1], ref.dtype, ref.storage, lambda: np.ascontiguousarray(ref.load().T))


def as_torch(tensors: Mapping[str, TensorRef]) -> dict[str, TensorRef]:
    """The same with linear weights in PyTorch's order."""
    return {
        key: _turned(ref) if len(ref.shape) == 2 and key.endswith("weight") else ref for key, ref in tensors.items()
    }


def read_weights(opened: Opened, wanted: Wanted) -> Network:
    """A known network with these tensors; UnsupportedCheckpoint with the lines that export any other."""
    state = opened.content(state_of)
    if any(word in key for key in state.tensors for word in UPDATES):
        raise _no_network(state, "it holds the state of an optimizer", "它保存的是优化器状态")
    if not state.tensors:
        raise _no_network(state, "it holds no tensors", "其中没有张量")
    found = as_torch(state.tensors)
    try:
        match = recognise({MARK + renamed(key): ref.shape for key, ref in found.items()}, wanted)
    except (UnsupportedCheckpoint, TensorMismatch):
        en, zh = "it holds weights only, and no known network has them", "其中只有权重，且不是已知的网络"
        raise _no_network(state, en, zh) from None
    network = _network(opened, state, match)
    own = {MARK + renamed(key): key for key in found}
    graph = network.graph.renamed(lambda key: own.get(key, key)).bound(Tensors(found))
    return replace(network, graph=graph)


def _no_network(state: State, en: str, zh: str) -> QingzhouError:
    some = ", ".join(short(key, 40) for key in list(state.tensors)[:3])
    return refused(
        f"{en} ({len(state.tensors)} tensors: {some})",
        f"{zh}（{len(state.tensors)} 个张量：{some}）",
        "Weights do not say how layers are connected. In the program that has the network's code, after "
        f"net.set_state_dict(paddle.load(...)), export it: {EXPORT}",
        "只有权重看不出各层如何连接。请在有网络代码的程序里，先 net.set_state_dict(paddle.load(...))，再导出："
        f"{EXPORT}",
    )


def _network(opened: Opened, state: State, match: Match) -> Network:
    found = match.recorded
    note = say(
        en=f"Weights of Paddle, known by their names and shapes as {match.title}; they were taken to be arranged as in "
        "paddle.vision.models.",
        zh=f"Paddle 的权重，按名称和形状识别为 {match.title}；按 paddle.vision.models 中的结构处理。",
    )
    card = Card(
        found.task,
        match.title,
        "PaddlePaddle",
        found.input,
        found.output,
        origin=origin(opened.path, state.container, {}),
        notes=[note, *found.notes],
        assumed=list(found.assumed),
    )
    return Network(found.graph, card, match.family, match.config.classes)


def contents(opened: Opened) -> Contents:
    """Its tensors."""
    state = opened.content(state_of)
    parts = [Part(key, str(ref.dtype), ref.shape) for key, ref in state.tensors.items()]
    return Contents(state.container, state.size, parts, "PaddlePaddle")


Reader = Callable[[Opened, Wanted], Network]
