"""Classes: how often the likeliest is the true one, and which are mistaken for which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from typing import Any

import numpy as np

from ..errors import ModelError
from .result import MOST_EXAMPLES, Case, Classification, Example

Z95 = 1.959963984540054  # the normal distribution's 97.5 % point
FIVE = 5


def classify(answered: Iterable[tuple[Case, Any]], labels: Sequence[str]) -> Classification:
    """Predictions beside positions of the true labels -> counts. In memory are the counts, never the answers."""
    answered = _checked(answered, labels)
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    examples: list[Example] = []
    among_five = 0
    for case, answer in answered:
        confusion[case.truth, answer.index] += 1
        among_five += int(rank(answer.scores, case.truth) < FIVE)
        if answer.index != case.truth and len(examples) < MOST_EXAMPLES:
            examples.append(Example(case.source, labels[case.truth], labels[answer.index], float(answer.confidence)))
    judged, right = int(confusion.sum()), int(confusion.trace())
    top5 = among_five / judged if len(labels) > FIVE else None
    return Classification(judged, right, wilson(right, judged), top5, list(labels), confusion, examples)


def _checked(answered: Iterable[tuple[Case, Any]], labels: Sequence[str]) -> Iterator[tuple[Case, Any]]:
    """As long as there are as many scores as labels."""
    for case, answer in answered:
        if len(answer.scores) != len(labels):
            raise ModelError(
                en=f"The model gives {len(answer.scores)} scores, but its card has {len(labels)} labels. Convert the "
                "checkpoint again with --labels.",
                zh=f"模型给出 {len(answer.scores)} 个分数，而说明卡里有 {len(labels)} 个标签。"
                "请用 --labels 重新转换权重文件。",
            )
        yield case, answer


def rank(scores: Any, place: int) -> int:
    """How many classes are likelier; of equal ones the first counts as the likelier, as with argmax."""
    own = scores[place]
    return int((scores > own).sum() + (scores[:place] == own).sum())


def wilson(right: int, judged: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share: Wilson 1927; https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval"""
    share, square = right / judged, z * z
    middle = (share + square / (2 * judged)) / (1 + square / judged)
    half = z * sqrt(share * (1 - share) / judged + square / (4 * judged**2)) / (1 + square / judged)
    return max(0.0, middle - half), min(1.0, middle + half)
