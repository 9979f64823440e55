"""An estimator as a network: its operators, what it answers, and the columns and classes that go with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import say
from ...graph.form import ML, OPSET, Graph, Value
from ...nets.said import Said
from ..recording.finish import finished
from ..recording.net import Net
from . import outliers
from .columns import columns_of, note_idle
from .fitted import Fitted
from .parts import chosen
from .points import clusters_of
from .refuse import SKLEARN, garbled
from .saved import Saved
from .several import judged, questions, values_of
from .table import RULES
from .work import Column, Rows, Work

BATCH = "batch"
HALF = float(np.nextafter(np.float32(0.5), np.float32(1.0)))  # the least probability of what is so
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
    doubles: list[str]


def work_of(saved: Saved, said: Said = Said()) -> Made:  # noqa: B008  # frozen
    """The operators of an estimator; UnsupportedCheckpoint names the one that has no rule here, CheckpointDamaged where
    its attributes do not fit each other, which numpy notices in a dozen ways.
    """
    try:
        with np.errstate(all="ignore"):
            return _work_of(chosen(saved, said.part), said)
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
    if (asked := questions(end)) is not None:
        return _several(w, e, x, asked)
    classes = _classes(w, end)
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


def _classes(w: Work, end: Fitted) -> list[str]:
    if end.name in RULES.classifiers:
        return w.classes(end)
    return outliers.NAMES if end.name in outliers.CLUSTERS else [str(i) for i in range(clusters_of(end))]


def _several(w: Work, e: Fitted, x: Rows, asked: list[list[str]]) -> Made:
    """Of answers that are all yes or no how sure each is; of others the classes themselves, which are numbers."""
    found = judged(w, e, x)
    if len(found) != len(asked):
        raise garbled("its answers do not fit its classes", "答案数量与类别数不符")
    if all(classes in (["0", "1"], ["False", "True"]) for classes in asked):
        sure = w.concat([_sure(w, p, label) for p, label in found])
        return _finished(w, "classification", "sigmoids", [sure], [str(i) for i in range(len(asked))])
    w.notes.append(
        say(
            en="It answers several questions at once: a number of its answer is the class of one question, in the "
            "order of the training.",
            zh="它同时回答多个问题：答案中的每个数是一个问题的类别，顺序与训练时相同。",
        )
    )
    numbers = [w.wider(w.take(values_of(classes), label), 1) for (_, label), classes in zip(found, asked, strict=True)]
    return _finished(w, "values", "values", [w.concat(numbers)])


def _sure(w: Work, p: Value | None, label: Value) -> Value:
    """(N, 1): the probability, at least HALF where the class is that, and less where it is not: as rounded to float32,
    too.
    """
    truth = w.wider(label, 1)
    yes = w.op("Equal", truth, 1)
    if p is None:
        return w.cast(truth, "float64")
    one = w.columns_of(p, [1])
    return w.where(yes, w.op("Max", one, HALF), w.op("Min", one, 0.5))


def _finished(w: Work, task: str, scores: str, outputs: list[Value], classes: list[str] | None = None) -> Made:
    single = [one if one.dtype == "int64" else w.cast(one, "float32") for one in outputs]
    names = [SCORES, LABEL, DECISION][: len(outputs)] if task == "classification" else [VALUES]
    graph = finished(w.net, single, names)
    note_idle(w.columns, graph)
    used = {node.domain for node in graph.nodes}
    if ML in used:
        graph = Graph(graph.inputs, graph.outputs, graph.nodes, graph.values, graph.constants, graph.optional,
                      {"": OPSET, ML: 1})  # fmt: skip
    return Made(graph, task, scores, w.columns, classes or [], w.notes, list(dict.fromkeys(w.doubles)))
