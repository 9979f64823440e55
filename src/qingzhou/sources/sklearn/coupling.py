"""Probabilities of classes from those of pairs: libsvm's multiclass_probability, Wu, Lin and Weng 2004, method 2.

libsvm stops its iteration early, and its answer is what it has then, also of two classes; so the iteration itself is
written down, as a Loop whose rows each stop where libsvm stops. Its operators mean the same in opsets 11 to 21.
"""

from __future__ import annotations

import numpy as np

from ...files import protobuf
from ...files.protobuf import DTYPES
from ...graph.form import Array, Raw, Value
from .refuse import refused
from .work import Work

LEAST = 1e-7  # of a pair's probability
MOST_CLASSES = 64


def coupled(w: Work, pairs: Value, k: int) -> Value:
    """(N, pairs), how likely the first of two classes is -> (N, K)."""
    if k > MOST_CLASSES:
        raise refused(f"its SVC tells {k} classes apart with probabilities", f"SVC 带概率区分 {k} 个类别")
    pairs = w.op("Min", w.op("Max", pairs, LEAST), 1 - LEAST)
    q = _quadratic(w, pairs, k)
    start = w.add(w.mul(w.net.emit("Slice", [q, *(w.net.whole(n) for n in (0, 1, 2))]), 0.0), 1.0 / k)
    most = w.net.array(np.array(max(100, k), np.int64))
    body = Raw(_body(k))
    shape, size = start.shape, q.shape
    ends = w.net.ops(
        "Loop", f"{w.net.here}/coupling", [most, w.of(np.array(True), "bool"), start, q], [shape, size],
        ["float64", "float64"], body=body,
    )  # fmt: skip
    return w.flat(ends[0], 2)


def _quadratic(w: Work, pairs: Value, k: int) -> Value:
    """(N, K, K): Q[t, t] = Σ r[j, t]², Q[t, j] = -r[j, t] r[t, j]; r[t, j] of the pair, r[j, t] = 1 - r[t, j]."""
    order = {pair: place for place, pair in enumerate((i, j) for i in range(k) for j in range(i + 1, k))}
    squares: Array = np.zeros((2 * len(order), k))
    cross: Array = np.zeros((len(order), k * k))
    for (i, j), place in order.items():
        squares[place, j] = squares[len(order) + place, i] = 1  # r[i, j]² belongs to j, r[j, i]² to i
        cross[place, i * k + j] = cross[place, j * k + i] = -1
    other = w.sub(1.0, pairs)
    both = w.concat([w.mul(pairs, pairs), w.mul(other, other)])
    own = np.zeros((k, k * k))
    own[np.arange(k), np.arange(k) * (k + 1)] = 1
    flat = w.add(w.matmul(w.matmul(both, squares), own), w.matmul(w.mul(pairs, other), cross))
    return w.net.emit("Reshape", [flat, w.net.whole(0, k, k)])


class _Body:
    """A GraphProto under construction, all in float64."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.count = 0

    def op(self, op: str, *inputs: str, out: str = "", **attrs: object) -> str:
        self.count += 1
        out = out or f"{op}{self.count}"
        self.nodes.append(protobuf.node(op, inputs, (out,), "", attrs))
        return out

    def number(self, array: Array | float) -> str:
        given = np.asarray(array, np.float64)
        head = protobuf.tensor("", DTYPES["float64"], given.shape, given.nbytes)
        return self.op("Constant", value=head + given.tobytes())


def _body(k: int) -> bytes:
    """One round: (round, go on, p (N, K, 1), Q) -> (go on, p, Q). The attribute as it stands in a file."""
    b = _Body()
    unit = np.eye(k)
    one, all_ones = b.number(1.0), b.number(np.ones((1, k)))
    p = "p"
    qp = b.op("MatMul", "q", p)
    pqp = b.op("MatMul", all_ones, b.op("Mul", p, qp))
    away = b.op("Abs", b.op("Sub", qp, pqp))
    wrong = b.op("Cast", b.op("Not", b.op("Less", away, b.number(0.005 / k))), to=DTYPES["float64"])
    active = b.op("Greater", b.op("MatMul", all_ones, wrong), b.number(0.0))
    for t in range(k):
        row, column = b.number(unit[t : t + 1]), b.number(unit[:, t : t + 1])
        across = b.op("MatMul", "q", column)
        own, here = b.op("MatMul", row, across), b.op("MatMul", row, qp)
        step = b.op("Div", b.op("Sub", pqp, here), own)
        more = b.op("Add", step, one)
        p = b.op("Div", b.op("Add", p, b.op("Mul", step, column)), more)
        grown = b.op("Add", b.op("Mul", step, own), b.op("Add", here, here))
        pqp = b.op("Div", b.op("Div", b.op("Add", pqp, b.op("Mul", step, grown)), more), more)
        qp = b.op("Div", b.op("Add", qp, b.op("Mul", step, across)), more)
    b.op("Where", active, p, "p", out="p_next")
    left = b.op("ReduceMax", b.op("Cast", active, to=DTYPES["float64"]), keepdims=0)
    b.op("Greater", left, b.number(0.0), out="go_on")
    b.op("Identity", "q", out="q_next")
    double, truth, whole = DTYPES["float64"], DTYPES["bool"], DTYPES["int64"]
    inputs = [("round", whole, ()), ("before", truth, ()), ("p", double, None), ("q", double, None)]
    outputs = [("go_on", truth, ()), ("p_next", double, None), ("q_next", double, None)]
    graph = protobuf.graph(
        "coupling",
        b.nodes,
        (protobuf.value_info(*one) for one in inputs),
        (protobuf.value_info(*one) for one in outputs),
    )
    return protobuf.part(1, "body") + protobuf.part(6, graph) + protobuf.whole(20, 5)
