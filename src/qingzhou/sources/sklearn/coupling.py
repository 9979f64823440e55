"""Probabilities of classes from those of pairs: libsvm's multiclass_probability, Wu, Lin and Weng 2004, method 2.

libsvm stops its iteration early, and its answer is what it has then, also of two classes; so the iteration itself is
written down, as a Loop whose rows each stop where libsvm stops. Its operators mean the same in opsets 11 to 21.

One row costs as much as there are operators, so a round is written with few. libsvm divides p by its sum after every
class; here u is divided once, at the end: u[t] grows by d = (pQp - (Qp)[t]) / Q[t, t], the sum by d, too, and with
w = Qu and pQp as u'Qu / sum there follow w + d Q[:, t] and pQp + d w[t] / sum.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

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
    q, diagonal = _quadratic(w, pairs, k)
    known = _Outside(w)
    inverse = w.div(1.0, diagonal)
    columns = [known.named(w.net.emit("Gather", [q, w.net.whole(t)], axis=2)) for t in range(k)]
    inverses = [known.named(w.net.emit("Gather", [inverse, w.net.whole(t)], axis=1)) for t in range(k)]
    start = w.add(w.mul(inverse, 0.0), 1.0 / k)
    eps = known.named(w.of(float(np.nextafter(0.005 / k, 0.0))))  # libsvm goes on from 0.005 / k
    ones, zero, one = (known.named(w.of(number)) for number in (np.ones((1, k)), 0.0, 1.0))
    places = [known.named(w.net.whole(t)) for t in range(k)]
    given = _Given(known.named(q), columns, inverses, ones, eps, zero, one, places)
    looked = _look(known, given, known.named(start))
    state = [start, *(known.values[name] for name in looked[1:])]
    inside = _Inside()
    body = Raw(_body(inside, given), tuple(name for name in known.values if name in inside.read))
    most = w.net.array(np.array(max(100, k), np.int64))
    ends = w.net.ops(
        "Loop", f"{w.net.here}/coupling", [most, known.values[looked[0]], *state], [one.shape for one in state],
        [one.dtype for one in state], body=body,
    )  # fmt: skip
    return w.flat(ends[0], 2)


def _quadratic(w: Work, pairs: Value, k: int) -> tuple[Value, Value]:
    """(N, K, K), and its diagonal (N, K, 1): Q[t, t] = Σ r[j, t]², Q[t, j] = -r[j, t] r[t, j]; r[t, j] of the pair,
    r[j, t] = 1 - r[t, j].
    """
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
    return w.net.emit("Reshape", [flat, w.net.whole(0, k, k)]), w.wider(w.matmul(both, squares), 2)


class _Given(NamedTuple):
    """Names of what a round knows: Q (N, K, K), its columns (N, K, 1), what the numbers of its diagonal are divided by
    (N, 1, 1), a row of K ones, when to stop, 0, 1, and the numbers of the classes.
    """

    q: str
    columns: list[str]
    inverses: list[str]
    ones: str
    eps: str
    zero: str
    one: str
    places: list[str]


class _Writer(Protocol):
    """Writes an operator down; inputs and the result are names."""

    def op(self, op: str, *inputs: str, **attrs: int) -> str: ...


class _Outside:
    """In the network itself."""

    def __init__(self, w: Work) -> None:
        self.work, self.values = w, dict[str, Value]()

    def named(self, value: Value) -> str:
        self.values[value.name] = value
        return value.name

    def op(self, op: str, *inputs: str, **attrs: int) -> str:
        return self.named(self.work.net.emit(op, [self.values[name] for name in inputs], None, **attrs))


class _Inside:
    """In a GraphProto under construction, which may read what is outside of it."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.read: set[str] = set()

    def op(self, op: str, *inputs: str, **attrs: int) -> str:
        out = f"{op}{len(self.nodes)}"
        self.read |= {*inputs}
        self.nodes.append(protobuf.node(op, inputs, (out,), "", attrs))
        return out


def _look(w: _Writer, given: _Given, p: str) -> list[str]:
    """Whether any row is to go on (), Qp (N, K, 1), pQp (N, 1, 1), and whether each is (N, 1, 1)."""
    qp = w.op("MatMul", given.q, p)
    pqp = w.op("MatMul", given.ones, w.op("Mul", p, qp))
    wrong = w.op("Cast", w.op("Greater", w.op("Abs", w.op("Sub", qp, pqp)), given.eps), to=DTYPES["float64"])
    count = w.op("MatMul", given.ones, wrong)
    left = w.op("Greater", w.op("ReduceMax", count, keepdims=0), given.zero)
    return [left, qp, pqp, w.op("Greater", count, given.zero)]


def _round(w: _Writer, given: _Given, p: str, qp: str, pqp: str) -> str:
    """p after each class had its turn."""
    steps, total, last = list[str](), given.one, len(given.places) - 1
    for t, place in enumerate(given.places):
        here = w.op("Gather", qp, place, axis=1)
        steps.append(w.op("Mul", w.op("Sub", pqp, here), given.inverses[t]))
        total = w.op("Add", total, steps[t])
        if t < last:
            pqp = w.op("Add", pqp, w.op("Div", w.op("Mul", steps[t], here), total))
            qp = w.op("Add", qp, w.op("Mul", steps[t], given.columns[t]))
    return w.op("Div", w.op("Add", p, w.op("Concat", *steps, axis=1)), total)


def _body(b: _Inside, given: _Given) -> bytes:
    """(round, go on, p, Qp, pQp, which rows) -> (go on, p, Qp, pQp, which rows), as it stands in a file."""
    names = ["p", "qp", "pqp", "rows"]
    p = b.op("Where", "rows", _round(b, given, "p", "qp", "pqp"), "p")
    ends = _look(b, given, p)
    ends.insert(1, p)
    double, truth = DTYPES["float64"], DTYPES["bool"]
    kinds = [double, double, double, truth]
    inputs = [
        ("round", DTYPES["int64"], ()),
        ("before", truth, ()),
        *((n, k, None) for n, k in zip(names, kinds, strict=True)),
    ]
    outputs = [(name, kind, None) for name, kind in zip(ends, [truth, *kinds], strict=True)]
    graph = protobuf.graph(
        "coupling",
        b.nodes,
        (protobuf.value_info(*one) for one in inputs),
        (protobuf.value_info(*one) for one in outputs),
    )
    return protobuf.part(1, "body") + protobuf.part(6, graph) + protobuf.whole(20, 5)
