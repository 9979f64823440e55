"""Whether a recorded network treats each sample by itself: operators that do, and that do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from qingzhou.graph.form import Value
from qingzhou.graph.infer import inferred
from qingzhou.sources.mindspore.refuse import MINDSPORE
from qingzhou.sources.recording.finish import finished
from qingzhou.sources.recording.net import Net
from qingzhou.sources.recording.rows import by_itself

Build = Callable[[Net, Value], Value]


def apart(build: Build, count: int = 2) -> bool:
    net = Net(MINDSPORE)
    x = net.input("x", ("batch", 4, 6))
    graph = finished(net, [build(net, x)], ["y"])
    return by_itself(graph, inferred(graph, {"batch": count}).values, count)


def numbers(net: Net, *shape: int) -> Value:
    return net.array(np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape) / 7)


APART: dict[str, Build] = {
    "relu": lambda n, x: n.emit("Relu", [x]),
    "with its own row": lambda n, x: n.emit("Add", [x, numbers(n, 6)]),
    "softmax of another axis": lambda n, x: n.emit("Softmax", [x], axis=1),
    "there and back": lambda n, x: n.emit("Transpose", [n.emit("Transpose", [x], perm=(2, 0, 1))], perm=(1, 2, 0)),
    "rows of a product": lambda n, x: n.emit("MatMul", [x, numbers(n, 6, 3)]),
    "with itself": lambda n, x: n.emit("MatMul", [x, n.emit("Transpose", [x], perm=(0, 2, 1))]),
    "joined behind": lambda n, x: n.emit("Concat", [x, x], axis=2),
    "mean of the rest": lambda n, x: n.emit("ReduceMean", [x], axes=(1, 2), keepdims=0),
    "flat": lambda n, x: n.emit("Reshape", [x, n.whole(-1, 24)], ("batch", 24)),
    "picked": lambda n, x: n.emit("Gather", [x, n.scalar(1, "int64")], axis=1),
}
MIXED: dict[str, Build] = {
    "softmax over samples": lambda n, x: n.emit("Softmax", [x], axis=0),
    "mean over samples": lambda n, x: n.emit("Sub", [x, n.emit("ReduceMean", [x], axes=(0,), keepdims=1)]),
    "sum over all": lambda n, x: n.emit("Mul", [x, n.emit("ReduceMean", [x], axes=(0, 1, 2), keepdims=1)]),
    "running sum": lambda n, x: n.emit("CumSum", [x, n.scalar(0, "int64")]),
    "backwards": lambda n, x: n.emit("Slice", [x, n.whole(-1), n.whole(-99), n.whole(0), n.whole(-1)], x.shape),
    "a row for each": lambda n, x: n.emit("Add", [x, numbers(n, 2, 1, 1)], x.shape),
    "how many there were": lambda n, x: n.emit("Div", [x, n.scalar(2.0)]),
    "between samples": lambda n, x: n.emit(
        "Transpose", [n.emit("MatMul", [(t := n.emit("Transpose", [x], perm=(1, 0, 2))),
                                        n.emit("Transpose", [t], perm=(0, 2, 1))])], perm=(1, 0, 2)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(APART))
def test_each_by_itself(name: str) -> None:
    assert apart(APART[name])


@pytest.mark.parametrize("name", sorted(MIXED))
def test_some_mix_them(name: str) -> None:
    assert not apart(MIXED[name])


def test_of_one_sample_a_number_counts_nothing() -> None:
    assert apart(lambda n, x: n.emit("Div", [x, n.scalar(1.0)]), count=1)
