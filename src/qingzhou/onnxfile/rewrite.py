"""A model of any opset written anew in another, and compared: what cannot be said there is refused by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import QingzhouError, SelfTestFailed, UnsupportedCheckpoint
from ..graph.form import Array, Graph, Raw
from ..runtime.engine.session import open_session
from ..runtime.typed import Session
from ..whole_file import scratch
from .copy import copy_onnx
from .emit import emit
from .noise import noise
from .read import read_onnx
from .verify import check_structure
from .write import write_onnx

TOLERANCE = 1e-4  # of the largest number of an answer


def rewritten(source: Path, out: Path, graph: Graph, opset: int, ir_version: int, more: Sequence[str] = ()) -> None:
    """Write the network of a file in another opset; `more`: outputs that only the new one has. Outputs that are no
    arrays, such as scikit-learn's tables, stay behind.

    UnsupportedCheckpoint for what that opset has not, SelfTestFailed where another answer comes out.
    """
    bodies = [node.op for node in graph.nodes if any(isinstance(value, Raw) for value in node.attrs.values())]
    if bodies:
        raise _cannot(opset, ", ".join(dict.fromkeys(bodies)))
    if read_onnx(source).functions:
        raise _cannot(opset, "operators that the file defines itself (functions)")
    unknown = [name for name, constant in graph.constants.items() if constant.dtype == "other"]
    if unknown:
        raise _cannot(opset, f"numbers of a type that it does not have ({unknown[0][:60]})")
    graph = replace(graph, outputs=tuple(value for value in graph.outputs if value.dtype != "other"))
    try:
        emitted = emit(graph.without_dead(), opset, ir_version)
        write_onnx(out, emitted)
        check_structure(emitted, out)
    except QingzhouError:
        raise
    except Exception as err:  # an operator in a form that no rule has foreseen; onnx's checker has classes of its own
        raise _cannot(opset, str(err)) from None
    with scratch() as folder:
        copy_onnx(source, folder / "before.onnx")
        _compare(folder / "before.onnx", out, opset, set(more))


def _compare(before: Path, after: Path, opset: int, more: set[str]) -> None:
    one, two = (open_session(path, once=True) for path in (before, after))
    feed = noise(one, read_onnx(before).graph)
    first, second = by_name(one, feed), by_name(two, feed)
    for name, answer in first.items():
        if name in second and name not in more and not is_near(answer, second[name]):
            raise SelfTestFailed(
                en=f"Written with opset {opset}, the model gives another {name[:60]} than before, so nothing was "
                "written. The same was expected. Leave --opset out, and please report the file.",
                zh=f"按 opset {opset} 写出后，模型的输出 {name[:60]} 与原来不同，因此没有写出文件。"
                "请去掉 --opset，并把文件报告给我们。",
            )


def by_name(session: Session, feed: dict[str, Array]) -> dict[str, Any]:
    """All that a session answers."""
    names = [entry.name for entry in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


def is_near(a: Any, b: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether two answers are the same but for rounding: arrays, and lists and tables of numbers; else equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_near(a[key], b[key], tolerance) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(is_near(one, two, tolerance) for one, two in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        a, b = np.array(a), np.array(b)
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray) or a.dtype.kind not in "fiub":
        return str(a) == str(b)
    if a.shape != b.shape:
        return False
    one, two = a.astype(np.float64), b.astype(np.float64)
    scale = max(1.0, float(np.abs(two[np.isfinite(two)]).max(initial=0)))
    return bool(np.allclose(one, two, rtol=0, atol=tolerance * scale, equal_nan=True))


def _cannot(opset: int, what: str) -> UnsupportedCheckpoint:
    found = " ".join(what.split())[:200].rstrip(". ")
    return UnsupportedCheckpoint(
        en=f"The model cannot be written with opset {opset}: {found}. Leave --opset out, so that it stays as it is, or "
        "export it with that opset where it was made.",
        zh=f"模型无法用 opset {opset} 写出：{found}。请去掉 --opset，保持原样；或在导出时使用该 opset。",
    )
