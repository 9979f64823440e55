"""One planner of engine and precision, for export, bundle, bench and the page.

    plan.py    what can be: forms of a model on a device or here, the best first; nothing is made yet
    make.py    a checkpoint or .onnx on its way to an engine: converted, made INT8
    export.py  the verb `qingzhou export`

>>> from qingzhou.deploy import export_model
>>> export_model("best.pth", "ncnn").files
(Path('best.ncnn.param'), Path('best.ncnn.bin'))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .export import export_model

__all__ = ["export_model"]


def __getattr__(name: str) -> object:
    """export_model, imported when it is asked for: who only plans needs no quantiser."""
    if name == "export_model":
        from .export import export_model

        return export_model
    raise AttributeError(name)
