"""A network that gives one number, and two names for it: the scores of two classes, as of any other classifier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import LabelError, say
from ..graph.form import BLOCK, Constant, Graph, Node, Value
from ..labels import read_label_option, read_labels
from ..runtime.model.card import Output
from ..spelling import class_names
from .network import Network
from .recording.card import last_operator

# What ends in a score before the sigmoid, as BinaryCrossentropy(from_logits=True) wants it
LINEAR = ("Gemm", "MatMul", "Add", f"{BLOCK}.Linear")


def as_two_classes(found: Network, given: object) -> Network:
    """The same where its one number is not to be two scores. given: the user's labels, None for the file's own."""
    card, graph = found.card, found.graph
    if not tells_two_apart(found):
        return found
    end, names = last_operator(graph), _names(found.named, given)
    if len(names) != 2:
        asked = end == "Sigmoid" and not names
        return replace(found, card=replace(card, notes=[*card.notes, _one_number()])) if asked else found
    sigmoid = end == "Sigmoid"
    card = replace(
        card,
        task="classification",
        output=Output(card.output.name, "probabilities"),
        notes=[*card.notes, _told(*names, sigmoid)],
    )
    return replace(found, graph=_two(graph, sigmoid), card=card, classes=2)


def tells_two_apart(found: Network) -> bool:
    """Whether it gives one number that may be the score of the second of two classes."""
    graph = found.graph
    output = graph.outputs[0]
    one = found.classes == 1 and len(graph.outputs) == 1 and output.dtype == "float32" and len(output.shape) == 2
    return one and found.card.task != "detection" and last_operator(graph) in ("Sigmoid", *LINEAR)


def _names(named: object, given: object) -> tuple[str, ...]:
    """What the classes are called; () where that cannot be read, which is said when they are chosen."""
    try:
        return tuple((read_labels(named) if given is None else read_label_option(given, 2)).names)
    except LabelError:
        return ()


def _told(first: str, second: str, sigmoid: bool) -> str:
    if sigmoid:
        return say(
            en=f"The network gives one number from 0 to 1, taken for the score of {second}; {first} has the rest. If "
            "it is the other way round, give the names in the other order.",
            zh=f"网络输出一个 0 到 1 的数，视为 {second} 的得分，其余为 {first}。如果相反，请调换名称的顺序。",
        )
    return say(
        en="The network gives one number without an activation; with two names it is taken for a score before the "
        f"sigmoid: above 0 is {second}, below 0 {first}. If it is the other way round, give the names in the other "
        "order.",
        zh="网络输出一个没有激活函数的数；给出两个名称时视为 sigmoid 之前的得分：大于 0 为 "
        f"{second}，小于 0 为 {first}。如果相反，请调换名称的顺序。",
    )


def _one_number() -> str:
    asked = class_names("a", "b")
    return say(
        en="It gives one number from 0 to 1. If that tells two classes apart, name both, and it answers with them: "
        f"{asked}, first the class near 0, then the one near 1.",
        zh=f"它输出一个 0 到 1 的数。如果用来区分两个类别，请给出两个名称，它就用名称回答：{asked}，"
        "先写接近 0 的类别，再写接近 1 的类别。",
    )


def _two(graph: Graph, sigmoid: bool) -> Graph:
    """(N, 1) -> (N, 2): what is left of 1, and the number itself; the output keeps its name."""
    end = graph.outputs[0]
    taken = {*graph.values, *graph.constants}
    raw, score, rest, one = (_free(f"{end.name}_{word}", taken) for word in ("one", "second", "first", "whole"))
    graph = graph.with_names({end.name: raw if not sigmoid else score})
    nodes = [*graph.nodes]
    if not sigmoid:
        nodes.append(Node("Sigmoid", (raw,), (score,), name=score))
    nodes.append(Node("Sub", (one, score), (rest,), name=rest))
    nodes.append(Node("Concat", (rest, score), (end.name,), {"axis": 1}, name=end.name))
    both = Value(end.name, (end.shape[0], 2))
    made = {name: Value(name, end.shape) for name in (score, rest)}
    whole = Constant((1,), "float32", lambda: np.ones(1, np.float32))
    return replace(
        graph,
        nodes=tuple(nodes),
        outputs=(both,),
        values={**graph.values, **made, end.name: both},
        constants={**graph.constants, one: whole},
    )


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
