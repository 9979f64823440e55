"""An input for a model of which nobody knows what it takes: numbers drawn with a seed, of the types and sizes it names.

A size that is free may be anything, and networks refuse what is too small for them, or no multiple of their strides:
some are tried.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import ModelError
from ..graph.form import UNRANKED, Array, Dim, Graph, Value
from ..graph.settle import with_channels
from ..runtime.model.noise import MOST
from ..runtime.model.noise import noise as drawn
from ..runtime.typed import Session

TRIED = (64, 224, 16, 320, 512, 1, 48, 640)  # sizes, the likeliest first


def noise(session: Session, graph: Graph, seed: int = 0) -> dict[str, Array]:
    """By the inputs' names; the first sizes with which the session answers. ModelError where it answers to none."""
    reason = ""
    for feed in feeds(graph, seed):
        try:
            session.run(None, feed)
        except Exception as err:  # onnxruntime has a class of its own for every kind of refusal
            reason = reason or " ".join(str(err).split())[:200]
        else:
            return feed
    raise ModelError(
        en=f"The model answers to none of the inputs that were tried, random numbers of the sizes that it names: "
        f"{reason}. Give it data of your own: qingzhou run model.onnx arrays.npz",
        zh=f"用符合其输入尺寸的随机数试了几次，模型都无法运行：{reason}。"
        "请用自己的数据运行：qingzhou run model.onnx arrays.npz",
    )


def feeds(graph: Graph, seed: int = 0) -> Iterator[dict[str, Array]]:
    """One for each size that is tried; one alone where none is free. ModelError for inputs that are no tensors."""
    inputs = [value for value in with_channels(graph).inputs if value.name not in graph.optional]
    for value in inputs:
        if value.dtype == "other":
            raise _no_tensor(value.name)
        if value.shape == UNRANKED:
            raise _no_shape(value.name)
    free = any(not _is_size(n) for value in inputs for n in value.shape[1:])
    pairs = [(size, other) for size in TRIED for other in (size, 1)] if free else [(1, 1)]
    for size, others in pairs:
        shapes = {value.name: _shape(value, size if value is inputs[0] else others) for value in inputs}
        if all(np.prod(shape, dtype=np.float64) <= MOST for shape in shapes.values()):
            yield {value.name: _drawn(value.dtype, shapes[value.name], seed) for value in inputs}


def _shape(value: Value, size: int) -> tuple[int, ...]:
    """The first axis, where it is free, as 1; so is another of the same name, or one that is called a batch."""
    first = value.shape[0] if value.shape else ""
    return tuple(
        int(n) if _is_size(n) else 1 if i == 0 or (n == first and n != "?") or "batch" in str(n).lower() else size
        for i, n in enumerate(value.shape)
    )


def _is_size(n: Dim) -> bool:
    return isinstance(n, int) and n > 0


def _drawn(dtype: str, shape: tuple[int, ...], seed: int) -> Array:
    return np.full(shape, "a", object) if dtype == "str" else drawn(dtype, *shape, seed=seed)


def _no_shape(name: str) -> ModelError:
    return ModelError(
        en=f"The file does not say how many axes the input {name[:60]} has, so there is nothing to try it with. Give "
        "it data of your own: qingzhou run model.onnx arrays.npz",
        zh=f"文件没有写明输入 {name[:60]} 有几个维度，无法生成试验数据。"
        "请用自己的数据运行：qingzhou run model.onnx arrays.npz",
    )


def _no_tensor(name: str) -> ModelError:
    return ModelError(
        en=f"The input {name[:60]} is no array of numbers or texts, so there is nothing to try it with. Such models "
        "are only looked at: qingzhou info",
        zh=f"输入 {name[:60]} 不是数字或文本数组，无法生成试验数据。这种模型只能查看：qingzhou info",
    )
