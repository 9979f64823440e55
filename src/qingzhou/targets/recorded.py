"""A simulator's answers as a session, so that whatever judges a model can judge a chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import EngineError
from ..quant.pair import digest
from ..runtime.engine.as_onnxruntime import EngineSession
from ..runtime.typed import Array, Session
from .target import Target

LARGEST = 1 << 31  # bytes of the answers


class Recorded(EngineSession):
    """It answers what was asked before, known by the digest of what the network itself is fed."""

    def __init__(self, like: Session, answers: Mapping[bytes, list[Array]]) -> None:
        super().__init__(list(like.get_inputs()), list(like.get_outputs()), {})  # type: ignore[arg-type]
        self._answers = answers

    def run(self, names: None, feed: Mapping[str, Array]) -> list[Array]:
        """ValueError for what the simulator was not asked."""
        found = self._answers.get(digest(next(iter(feed.values()))))
        if found is None:
            raise ValueError("the simulator was not asked for this input")
        return found


def read_outputs(folder: Path, names: object, like: Session, target: Target) -> list[Array]:
    """What a worker wrote, an array for each output of the network, a row for each input; EngineError if it is not."""
    outputs = like.get_outputs()
    if not isinstance(names, list) or len(names) != len(outputs):
        raise _odd(target, f"{len(names) if isinstance(names, list) else names} outputs, not {len(outputs)}")
    found = [_read(folder / str(name), target) for name in names]
    counts = {len(array) for array in found}
    if len(counts) != 1 or 0 in counts:
        raise _odd(target, f"{sorted(counts)} answers")
    return [_shaped(array, one.shape, target) for array, one in zip(found, outputs, strict=True)]


def _read(path: Path, target: Target) -> Array:
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as err:
        raise _odd(target, f"{path.name}: {err}") from None
    if array.ndim < 1 or array.dtype.kind not in "fiu":
        raise _odd(target, f"{path.name}: {array.dtype}")
    return np.asarray(array, np.float32)


def _shaped(array: Array, shape: Sequence[int | str | None], target: Target) -> Array:
    """(inputs, 1, …): simulators drop and add axes of 1."""
    wanted = [size if isinstance(size, int) and size > 0 else 1 for size in shape]
    if array[0].size != np.prod(wanted):
        raise _odd(target, f"{list(array.shape[1:])}, not {wanted}")
    return array.reshape(len(array), *wanted)


def _odd(target: Target, what: str) -> EngineError:
    return EngineError(
        en=f"{target.english}'s simulator gave other answers than the network has: {what[:200]}. Nothing was written. "
        "Give another network, or tell the makers of Qingzhou.",
        zh=f"{target.chinese}的模拟器给出的结果与网络的输出不符：{what[:200]}。没有写出任何文件。"
        "请换一个网络，或告诉轻舟的作者。",
    )
