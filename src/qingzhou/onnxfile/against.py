"""A file that was just written against the network that it was made of, which is there to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import SelfTestFailed
from ..graph.form import Array
from ..runtime.engine.session import fed, open_session

TOLERANCE = 1e-5  # of the largest number of an answer


def compared(path: Path, inputs: Sequence[Array], answers: Sequence[Array], tolerance: float = TOLERANCE) -> None:
    """SelfTestFailed where it answers otherwise than the network did itself."""
    session = open_session(path, once=True)
    entries = list(session.get_inputs())
    given = {entry.name: array for entry, array in zip(entries, inputs, strict=False)}
    found = list(session.run(None, fed(entries, given)))
    if len(found) != len(answers) or any(a.shape != b.shape for a, b in zip(found, answers, strict=False)):
        raise _other_shapes([list(one.shape) for one in found], [list(one.shape) for one in answers])
    for ours, its in zip(found, answers, strict=True):
        apart = np.abs(ours.astype(np.float64) - its.astype(np.float64)).max(initial=0)
        scale = float(np.abs(its.astype(np.float64)).max(initial=0))
        if not apart <= tolerance * max(scale, 1e-30):
            raise _differs(f"{apart:.2g}", f"{scale:.2g}", tolerance)


def _differs(found: str, expected: str, tolerance: float) -> SelfTestFailed:
    return SelfTestFailed(
        en=f"The converted network answers the sample otherwise than the network itself (by {found}, where {expected} "
        f"is the largest number), so nothing was written. A difference below {tolerance:.2g} of that was expected. "
        "Convert it in float32 (model.float(), and no autocast inside), and if that does not help, please report it.",
        zh=f"转换后的网络对样本的回答与原网络不同（相差 {found}，最大值为 {expected}），因此没有写出文件。"
        f"允许的相对差异是 {tolerance:.2g}。请用 float32 转换（model.float()，且内部不用 autocast）；"
        "仍不行时请报告给我们。",
    )


def _other_shapes(found: list[list[int]], expected: list[list[int]]) -> SelfTestFailed:
    return SelfTestFailed(
        en=f"The converted network gives {len(found)} tensors of the shapes {str(found)[:200]}, and the network itself "
        f"{len(expected)} of {str(expected)[:200]}, so nothing was written. The same were expected. Please report it.",
        zh=f"转换后的网络输出 {len(found)} 个张量，形状为 {str(found)[:200]}；原网络输出 {len(expected)} 个，"
        f"形状为 {str(expected)[:200]}，因此没有写出文件。请报告给我们。",
    )
