"""Recognised: a network as plain data, with what its file says about how it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..graph.form import Array, Graph
from ..runtime.model.card import Input


@dataclass(frozen=True)
class Recognised:
    """What every reader of checkpoints gives.

    tool    "MMEdu", "MMPretrain", "BaseNN" or "PyTorch"
    family  the name of the architecture ("ResNet"), or "Sequential" for networks built layer by layer
    title   the same for people ("ResNet-50")
    classes  how many scores an answer has
    named   what the file says that the classes are called, in any form that labels.read_labels() reads
    scores  what the output holds: "probabilities", "logits", "values", "boxes" or "raw"
    assumed what the file does not say: see Card
    thresholds, decoding, heads  of detectors: see Recorded
    """

    tool: str
    family: str
    title: str
    task: str
    graph: Graph
    input: Input
    scores: str
    classes: int
    named: object = None
    vocabulary: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    thresholds: dict[str, Any] | None = None
    decoding: dict[str, Any] | None = None
    heads: Graph | None = None
    assumed: tuple[str, ...] = ()

    def bound(self, tensors: Mapping[str, Array]) -> Recognised:
        """The same with the numbers of these tensors."""
        heads = None if self.heads is None else self.heads.bound(tensors)
        return replace(self, graph=self.graph.bound(tensors), heads=heads)
