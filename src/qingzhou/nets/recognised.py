"""Recognised: a network as plain data, with what its file says about how it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..runtime.card import Input
from .graph import Graph


@dataclass(frozen=True)
class Recognised:
    """What every reader of checkpoints gives.

    tool    "MMEdu", "MMPretrain", "BaseNN" or "PyTorch"
    family  the name of the architecture ("ResNet"), or "Sequential" for networks built layer by layer
    title   the same for people ("ResNet-50")
    classes  how many scores an answer has
    scores  what the output holds: "probabilities", "logits", "values", "boxes" or "raw"
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
    labels: tuple[str, ...] = ()
    vocabulary: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    thresholds: dict[str, Any] | None = None
    decoding: dict[str, Any] | None = None
    heads: Graph | None = None


def read_labels(value: object) -> tuple[str, ...]:
    """The class names in a file's meta: a list or tuple of anything printable, or a dict of them; else none."""
    if isinstance(value, Mapping):
        value = [key if isinstance(key, str) else text for key, text in value.items()]
    return tuple(_printable(str(label)) for label in value) if isinstance(value, (list, tuple)) else ()


def _printable(label: str) -> str:
    """Without line ends (labels that were read from a file) and other control characters."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", label).strip()
