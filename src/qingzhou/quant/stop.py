"""When a gentler way of rounding need not be judged to the end: no answers that are left could make it kept.

This is counting and no statistics: what is refused early would be refused at the end as well. The first way is always
judged by everything, since its figures are shown, and nothing is ever accepted early.
"""

from __future__ import annotations

from ..evaluate.result import Case
from .judge import Notice, Verdict
from .pair import Both
from .result import Limits


class Lost(Exception):  # no mistake of anybody, and never shown
    """More was lost than can be made good."""


def while_hoped(first: Verdict, limits: Limits, taken: frozenset[bytes]) -> Notice | None:
    """What judge() is to be told of each input of a gentler way, once the first is judged; it raises Lost. None where
    what counts is no number of answers, or not the same inputs.
    """
    if first.measure != "top-1" or first.failed:
        return None
    every, had = first.judged, round(first.figures()[0] * first.judged)
    least = every * (limits.min_agreement - 1e-9) / 100
    if first.labelled:
        least = had - every * (limits.max_drop + 1e-9) / 100
    counted, hope = set(taken), every

    def notice(case: Case, both: Both) -> None:
        nonlocal hope
        if both.digest and both.digest in counted:  # a copy, which does not count
            return
        counted.add(both.digest)
        truth = case.truth if first.labelled else both.before.index
        hope -= both.after.index != truth  # of the answers that may still be right
        if hope < least:
            raise Lost

    return notice
