"""numpy as an engine: classical models and other small networks as one .npz, for boards that have nothing else.

The file is made from the .onnx read back as a Graph (write.py), and run by runtime/engine/arrays.py, operator by
operator, in float64 or float32 as the network says. What is no operator of its table is refused by its name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import EngineError, say
from ...runtime.model.card import Card
from ..base import Engine, Settings, boxes_inside, installed, only_cpu

if TYPE_CHECKING:
    from ...onnxfile.facts import Facts
    from ...runtime.typed import Session


def version() -> str | None:
    """Of numpy, which is always there."""
    return installed("numpy")


def open_model(path: Path, settings: Settings) -> Session:
    """A session on the processor; OptionError for another device."""
    only_cpu("numpy", settings)
    from ...runtime.engine.arrays import open_arrays

    return open_arrays(path)


def own(path: Path) -> bool:
    """Whether an .npz is a model: any other holds data."""
    from ...runtime.engine.arrays import is_ours

    return is_ours(path)


def advice(path: Path) -> tuple[str, ...]:
    """What it is good for."""
    return (
        say(
            "The model needs Python (3.7 or later) and numpy, and nothing else; a program with a screen needs "
            "Pillow, too.",
            "模型只需要 Python（3.7 及以上）和 numpy；带屏幕的程序还需要 Pillow。",
        ),
    )


def takes(facts: Facts) -> EngineError | None:
    """Why numpy cannot run a model: an operator that is not in its table, by its name."""
    if why := boxes_inside("numpy", "numpy", facts):
        return why
    from .write import refused

    return refused(facts.path, facts.graph)


def compile_model(source: Path, card: Card, out: Path, precision: str) -> None:
    """The .npz of an ONNX model with its card; EngineError."""
    from .write import write_arrays

    write_arrays(source, card, out)


ENGINE = Engine(
    name="numpy",
    install="pip install numpy",
    opens=(".npz",),
    suffix=".numpy.npz",
    beside=(),
    precisions=("fp32",),
    boxes=False,
    int8="",
    version=version,
    takes=takes,
    compile=compile_model,
    open=open_model,
    own=own,
    advice=advice,
    offered=False,
)
