"""The head behind the backbone, as plain operators that every engine has: one network, one file.

With g = features - mean and the shared covariance S, the squared distance to class k is
    g' S^-1 g - 2 (S^-1 m_k)' g + m_k' S^-1 m_k
whose first term is the same for all classes, and left out where nothing can be unknown. Half of it, negative and
divided by the temperature, is the logit; that of "unknown" is the distance beyond which it is the answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..graph.form import Array, Constant, Graph, Node, Value
from .backbone import FEATURES, Backbone
from .head import Head

OUTPUT = "probs"


class Numbers(NamedTuple):
    """Of the head, all float32 but made in double.

    mean (F,);  linear (F, K), bias (K,): the logits but for the common term
    axes (F, r), inside (r, K), outside (F, K): which squares of features take away of all, None without "unknown"
    """

    mean: Array
    linear: Array
    bias: Array
    axes: Array | None = None
    inside: Array | None = None
    outside: Array | None = None


def numbers(head: Head) -> Numbers:
    """What the operators multiply with."""
    space, found = head.space, head.classes
    own = found.axes / found.variances  # (r, r): S^-1 = own @ axes'
    weights = own @ (found.axes.T @ found.means.T)  # (r, K)
    linear = space.basis @ weights / head.temperature
    bias = -(found.means.T * weights).sum(0) / (2 * head.temperature)
    if head.reach is None:
        return Numbers(space.mean, linear, bias)
    classes, beyond = linear.shape[1], 1 / found.floor if space.whole else 0.0
    share = 1 / (2 * head.temperature)
    takes = np.append(np.ones(classes), 0) * share  # of the squares, and nothing of "unknown"'s
    inside = np.outer(1 / found.variances - beyond, -takes)
    outside = np.outer(np.ones(len(space.basis)), -beyond * takes)
    return Numbers(
        space.mean,
        np.hstack([linear, np.zeros((len(linear), 1))]),
        np.append(bias, -head.reach * share),
        space.basis @ found.axes,
        inside,
        outside,
    )


def with_head(backbone: Backbone, head: Head) -> Graph:
    """The whole network, from the picture to probabilities."""
    made, graph = numbers(head), backbone.graph
    batch, width, classes = graph.outputs[0].shape[0], backbone.width, len(made.bias)
    taught = _Taught(batch)
    g = taught.node("Sub", (FEATURES, taught.constant("mean", made.mean[None])), "centred", width)
    linear = taught.constant("linear", made.linear), taught.constant("bias", made.bias)
    logits = taught.node("Gemm", (g, *linear), "linear_logits", classes)
    if made.axes is not None and made.inside is not None and made.outside is not None:
        along = taught.node("MatMul", (g, taught.constant("axes", made.axes)), "along", made.axes.shape[1])
        squares = taught.node("Mul", (along, along), "along_squared", made.axes.shape[1])
        inside = taught.node("MatMul", (squares, taught.constant("inside", made.inside)), "inside", classes)
        whole = taught.node("Mul", (g, g), "squared", width)
        outside = taught.node("MatMul", (whole, taught.constant("outside", made.outside)), "outside", classes)
        near = taught.node("Add", (inside, outside), "near", classes)
        logits = taught.node("Add", (logits, near), "logits", classes)
    taught.nodes.append(Node("Softmax", (logits,), (OUTPUT,), {"axis": 1}, name=OUTPUT))
    end = Value(OUTPUT, (batch, classes))
    return replace(
        graph,
        nodes=(*graph.nodes, *taught.nodes),
        values={**graph.values, **taught.values, OUTPUT: end},
        constants={**graph.constants, **taught.constants},
        outputs=(end,),
    )


class _Taught:
    """The head's nodes, values and constants while they are written down."""

    def __init__(self, batch: int | str) -> None:
        self.batch, self.nodes = batch, list[Node]()
        self.values: dict[str, Value] = {}
        self.constants: dict[str, Constant] = {}

    def node(self, op: str, inputs: tuple[str, ...], name: str, width: int) -> str:
        """One more, (N, width); the name of what it makes."""
        made = f"taught/{name}"
        self.nodes.append(Node(op, inputs, (made,), name=made))
        self.values[made] = Value(made, (self.batch, width))
        return made

    def constant(self, name: str, array: Array) -> str:
        """Numbers, in float32; their name."""
        made, kept = f"taught/{name}.numbers", array.astype(np.float32)
        self.constants[made] = Constant(kept.shape, "float32", lambda: kept)
        return made
