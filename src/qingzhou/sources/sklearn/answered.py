"""An estimator as a network: its operators, what it answers, and the columns and classes that go with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import say
from ...graph.form import ML, OPSET, Graph, Value
from ...nets.said import Said
from ..recording.finish import finished
from ..recording.net import Net
from .columns import columns_of
from .fitted import Fitted
from .points import clusters_of
from .refuse import SKLEARN, garbled
from .saved import Saved
from .table import RULES
from .work import Column, Rows, Work

BATCH = "batch"
SCORES, LABEL, DECISION, VALUES = "scores", "label", "decision", "values"


@dataclass(frozen=True)
class Made:
    """The finished graph, what it answers and its columns."""

    graph: Graph
    task: str
    scores: str
    columns: list[Column]
    classes: list[str]
    notes: list[str]


def work_of(saved: Saved, said: Said = Said()) -> Made:  # noqa: B008  # frozen
    """The operators of an estimator; UnsupportedCheckpoint names the one that has no rule here, CheckpointDamaged where
    its attributes do not fit each other, which numpy notices in a dozen ways.
    """
    try:
        with np.errstate(all="ignore"):
            return _work_of(saved, said)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as err:
        raise garbled(
            f"what it knows does not fit together ({err!s:.80})", f"各项内容互相矛盾（{err!s:.80}）"
        ) from None


def _work_of(saved: Saved, said: Said) -> Made:
    columns = columns_of(saved.estimators)
    net = Net(SKLEARN, [SCORES, LABEL, DECISION, VALUES])
    work = Work(net, RULES, columns, large=said.trees != "tensors")
    width = sum(one.width for one in columns)
    given = net.input("input", (BATCH, width), "float32")
    net.here = "input"
    x = Rows(work.cast(given, "float64"), tuple(range(width)))
    *before, last = saved.estimators
    for one in before:
        x = work.transform(one, x)
    kind = work.kind(last)
    if kind == "transform" or (kind == "classifier" and _reduces(saved, work.end(last), said)):
        return _finished(work, "values", "values", [work.transform(last, x).value])
    if kind == "regressor":
        return _finished(work, "regression", "values", [_column(work, work.values(last, x))])
    return _classified(work, last, x)


def _reduces(saved: Saved, e: Fitted, said: Said) -> bool:
    """BaseML's lesson of fewer dimensions saves LinearDiscriminantAnalysis as the one of classes does."""
    if e.name != "LinearDiscriminantAnalysis":
        return False
    if said.answer is not None:
        return said.answer == "columns"
    return saved.tool == "BaseML" and e.has("n_components")


def _column(w: Work, x: Value) -> Value:
    return x if len(x.shape) == 2 else w.wider(x, 1)


def _classified(w: Work, e: Fitted, x: Rows) -> Made:
    end = w.end(e)
    classes = end.classes() if end.name in RULES.classifiers else [str(i) for i in range(clusters_of(end))]
    label = w.label(e, x)
    proba = w.proba(e, x)
    if proba is not None:
        return _finished(w, "classification", "probabilities", [proba, label], classes)
    w.notes.append(
        say(
            en=f"{end.name} gives no probabilities: its answer counts as sure (100 %), every other class as 0. What "
            "it decides by is the output decision, where it has one.",
            zh=f"{end.name} 不给出概率：回答的类别记为 100%，其他类别记为 0。判定值在输出 decision 中（如果有）。",
        )
    )
    sure, decision = w.one_hot(label, len(classes)), w.decision(e, x)
    more = [] if decision is None else [decision]
    return _finished(w, "classification", "probabilities", [sure, label, *more], classes)


def _finished(w: Work, task: str, scores: str, outputs: list[Value], classes: list[str] | None = None) -> Made:
    single = [one if one.dtype == "int64" else w.cast(one, "float32") for one in outputs]
    names = [SCORES, LABEL, DECISION][: len(outputs)] if task == "classification" else [VALUES]
    graph = finished(w.net, single, names)
    used = {node.domain for node in graph.nodes}
    if ML in used:
        graph = Graph(graph.inputs, graph.outputs, graph.nodes, graph.values, graph.constants, graph.optional,
                      {"": OPSET, ML: 1})  # fmt: skip
    return Made(graph, task, scores, w.columns, classes or [], w.notes)
