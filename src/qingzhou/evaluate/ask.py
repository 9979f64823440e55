"""The model is asked for every case; what cannot be judged is counted on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..errors import InputError, QingzhouError
from ..labels import Matcher, cell, no_label_known
from ..runtime.model.card import Card
from .places import data_error
from .result import MOST_NAMED, Case, Failure

ROWS = 256  # rows of a table, or arrays, that are asked for at once


class Predicts(Protocol):
    """What is judged: a Predictor, or anything with its card and its predict."""

    @property
    def card(self) -> Card:
        """What the model needs to be used rightly."""

    def predict(self, data: Any) -> Any:
        """The answer for one input; for several rows a list."""


class Count:
    """What could not be judged so far."""

    def __init__(self) -> None:
        self.failed = 0
        self.failures: list[Failure] = []
        self.unknown: Counter[str] = Counter()

    def fail(self, source: str, error: QingzhouError) -> None:
        """Count an input, and keep it if it is among the first."""
        self.failed += 1
        if len(self.failures) < MOST_NAMED:
            self.failures.append(Failure(source, error))

    def nothing_judged(self, matcher: Matcher) -> QingzhouError:
        """Why there is no result at all."""
        if self.unknown:
            return no_label_known(self.unknown, matcher.labels)
        if self.failures:
            source, error = self.failures[0]
            return data_error(
                en=f"None of the {self.failed} inputs could be judged. The first, {source}: {error.en}",
                zh=f"{self.failed} 个输入都无法评估。第一个 {source}：{error.zh}",
            )
        return data_error(
            en="The data hold nothing to judge by. Name other data.", zh="数据里没有可评估的内容。请指定其他数据。"
        )


def usable(cases: Iterable[Case], count: Count) -> Iterator[Case]:
    """Those that have an answer."""
    for case in cases:
        if isinstance(case.truth, QingzhouError):
            count.fail(case.source, case.truth)
        else:
            yield case


def known(cases: Iterable[Case], matcher: Matcher, count: Count) -> Iterator[Case]:
    """Those whose class the model knows, with its position among the card's labels as truth."""
    for case in cases:
        truth = _label(case.truth)
        if isinstance(truth, QingzhouError):
            count.fail(case.source, truth)
            continue
        place = matcher.place(truth)
        if place is None:
            count.unknown[matcher.title(truth)] += 1
            continue
        wrong = matcher.contradiction(place, case.data.parent.name) if isinstance(case.data, Path) else None
        if wrong is not None:
            count.fail(case.source, wrong)
        else:
            yield case._replace(truth=place)


def _label(truth: Any) -> str | int | QingzhouError:
    """A label from a name, a number, a cell, or a one-hot row."""
    if isinstance(truth, str):
        return truth
    if not isinstance(truth, list):
        return cell(int(truth) if isinstance(truth, bool) else truth)
    if sorted(truth) == [0] * (len(truth) - 1) + [1]:
        return truth.index(1)
    return data_error(
        en=f"The label {str(truth)[:60]} is neither one number nor a row with a single 1. Give each input one class.",
        zh=f"标签 {str(truth)[:60]} 既不是一个数，也不是只有一个 1 的一行。请给每个输入一个类别。",
    )


def asked(
    cases: Iterable[Case], predictor: Predicts, count: Count, ask: Callable[[Any], Any] | None = None
) -> Iterator[tuple[Case, Any]]:
    """Every case with the model's answer. Pictures one by one; rows of a table together, as long as their shapes agree.

    A picture that cannot be read is counted; rows that the model cannot take are an InputError for all.
    """
    ask = ask or predictor.predict
    pairs = _one_by_one(cases, ask, count) if predictor.card.input.kind == "image" else _together(cases, ask)
    for case, answer in pairs:
        if isinstance(answer, list) or np.isfinite(answer.scores).all():
            yield case, answer
        else:
            count.fail(case.source, _no_number())


def _one_by_one(cases: Iterable[Case], ask: Callable[[Any], Any], count: Count) -> Iterator[tuple[Case, Any]]:
    for case in cases:
        try:
            answer = ask(case.data)
        except QingzhouError as err:
            count.fail(case.source, err)
        else:
            yield case, answer


def _together(cases: Iterable[Case], ask: Callable[[Any], Any]) -> Iterator[tuple[Case, Any]]:
    rest = iter(cases)
    for first in rest:
        some = [first, *islice(rest, ROWS - 1)]
        yield from zip(some, ask(np.array([case.data for case in some])), strict=True)


def first(pairs: Iterator[tuple[Case, Any]], matcher: Matcher, count: Count) -> Iterator[tuple[Case, Any]]:
    """The same, or an error where there is not one."""
    one = next(pairs, None)
    if one is None:
        raise count.nothing_judged(matcher)
    return chain([one], pairs)


def _no_number() -> InputError:
    return InputError(
        en="The model's answer is no number (NaN or infinite). Convert the checkpoint again, or train with a smaller "
        "learning rate.",
        zh="模型的回答不是有效数字（NaN 或无穷大）。请重新转换权重文件，或用更小的学习率训练。",
    )
