"""What comes out of a network that is ONNX already: scores, numbers, or the tables of scikit-learn's classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...graph.form import ML, UNRANKED, Graph, Node, Value
from ...runtime.model.card import Input
from ..network import MOST_CLASSES, AsItIs
from ..recording.card import last_operator
from .entry import no_card

FLOATS = ("float32", "float16", "float64")
NAMES = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")  # attributes of ai.onnx.ml's classifiers


@dataclass(frozen=True)
class Meaning:
    """The output that holds the answer, and what it is.

    named   what the classes are called, as the file says; None where it does not
    added   what was put behind the network to get there
    """

    output: Value
    task: str
    scores: str
    classes: int = 0
    named: object = None
    added: AsItIs | None = None


def meaning(graph: Graph, entries: Sequence[Input]) -> Meaning:
    """By its operators and shape; UnsupportedCheckpoint where nothing that comes out is an array of numbers."""
    zipped = next((node for node in graph.nodes if node.domain == ML and node.op == "ZipMap"), None)
    named = names_of(graph.nodes)
    if zipped is not None:
        value = graph.values.get(zipped.inputs[0])
        count = len(named) if isinstance(named, (list, tuple)) else 0
        shape = value.shape if value is not None and value.shape != UNRANKED else ("?", count or "?")
        end = Value(zipped.inputs[0], shape)
        return Meaning(end, "classification", "probabilities", count, named, AsItIs(outputs=(end,)))
    output = _chosen(graph, named)
    width = output.shape[1] if len(output.shape) == 2 else 0
    classes = width if isinstance(width, int) and 1 < width <= MOST_CLASSES else 0
    if named is not None and len(output.shape) == 2:
        return Meaning(output, "classification", "probabilities", len(named), named)
    task, scores = _of_numbers(graph, output, entries, classes)
    return Meaning(output, task, scores, classes)


def _of_numbers(graph: Graph, output: Value, entries: Sequence[Input], classes: int) -> tuple[str, str]:
    if not classes:
        alone = output.shape[1:] == (1,) and [entry.kind for entry in entries] == ["table"]
        return ("regression" if alone else "values"), "values"
    if last_operator(replace(graph, outputs=(output,))) in ("Softmax", "Sigmoid"):
        return "classification", "probabilities"
    return ("classification", "logits") if entries[0].kind == "image" else ("values", "values")


def _chosen(graph: Graph, named: object) -> Value:
    """The first output of floats, else of whole numbers."""
    for kinds in (FLOATS, ("int64", "int32", "uint8", "int8", "bool")):
        for value in graph.outputs:
            if value.dtype in kinds:
                return value
    raise no_card("it gives no array of numbers", "它的输出不是数字数组")


def names_of(nodes: Sequence[Node]) -> Any:
    """Of the last classifier that says them: a list of texts, numbers as texts; None."""
    for node in reversed(nodes):
        for name in NAMES:
            found = node.attrs.get(name) if node.domain == ML else None
            if isinstance(found, tuple) and found and "Classifier" in node.op + "Classifier" * (node.op == "ZipMap"):
                return [str(one) for one in found]
    return None
