"""What an answer says, in the form in which rules ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Sequence

if TYPE_CHECKING:
    from ..model.answers import Answer


class Facts(NamedTuple):
    """What is known about one picture, table row or sound.

    scores  label -> how sure the model is, 0 to 1 (of a detector: of the surest thing with that label)
    seen    the labels that are there, best first: one of a classifier, all of one that may name several, one for each
            thing of a detector
    values  the numbers of a model without classes
    single  whether it is a classifier's: it names something even where there is nothing
    """

    scores: Dict[str, float]
    seen: List[str]
    values: List[float]
    single: bool


def facts(answer: Optional[Answer], labels: Sequence[str]) -> Facts:
    """Of a Prediction, a list of Detection, or None where no model was asked."""
    if answer is None:
        return Facts({}, [], [], True)
    if isinstance(answer, list):
        scores: Dict[str, float] = {}
        for one in answer:
            scores[one.label] = max(scores.get(one.label, 0.0), float(one.confidence))
        return Facts(scores, [one.label for one in answer], [], False)
    values = [float(value) for value in answer.scores.reshape(-1)]
    if answer.named is not None:
        return Facts(dict(zip(labels, values)), [one.label for one in answer.named], values, False)
    if not answer.label:
        return Facts({}, [], values, True)
    return Facts({**dict(zip(labels, values)), answer.label: float(answer.confidence)}, [answer.label], values, True)
