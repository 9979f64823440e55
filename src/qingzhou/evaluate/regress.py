"""Values: how far they lie from the true ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import sqrt
from typing import Any

import numpy as np

from .ask import Count
from .places import data_error
from .result import Case, Regression


def numeric(cases: Iterable[Case], count: Count) -> Iterator[Case]:
    """Those whose answer is one or several numbers, as float64."""
    for case in cases:
        try:
            truth = np.atleast_1d(np.asarray(case.truth, np.float64))
        except (ValueError, TypeError):
            truth = np.array([np.nan])
        if np.isfinite(truth).all():
            yield case._replace(truth=truth)
        else:
            count.fail(
                case.source,
                data_error(
                    en=f"The answer {str(case.truth)[:40]!r} is no number, but the model predicts numbers. Correct it.",
                    zh=f"答案 {str(case.truth)[:40]!r} 不是数字，而模型预测的是数字。请改正。",
                ),
            )


def regress(answered: Iterable[tuple[Case, Any]]) -> Regression:
    """Predictions beside true values -> errors. Several outputs count alike; R² is the mean of theirs.

    In memory are sums; the spread of the true values is summed as Welford 1962 does, which does not lose digits.
    """
    judged, absolute = 0, 0.0
    squares = mean = spread = np.zeros(1)
    for case, answer in answered:
        found = np.asarray(answer.scores, np.float64)
        if found.shape != case.truth.shape:
            raise data_error(
                en=f"{case.source} has {case.truth.size} answers, but the model gives {found.size}. Take the data that "
                "the model was trained on.",
                zh=f"{case.source} 有 {case.truth.size} 个答案，而模型给出 {found.size} 个。请使用与训练时相同的数据。",
            )
        judged += 1
        absolute += float(np.abs(found - case.truth).mean())
        squares = squares + (found - case.truth) ** 2
        step = case.truth - mean
        mean = mean + step / judged
        spread = spread + step * (case.truth - mean)
    r2 = float((1 - squares / spread).mean()) if (spread > 0).all() else None
    return Regression(judged, absolute / judged, sqrt(float(squares.mean()) / judged), r2)
