"""What takes long and has a cheap sibling: plain pytest leaves it out, `scripts/test -m slow` and .ci/run run it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def but_slow(cases: Iterable[object], slow: Collection[object]) -> list[object | ParameterSet]:
    """Cases for pytest.mark.parametrize, these of them marked as slow; each of these must be one. A tuple is several
    arguments."""
    found = list(cases)
    assert all(case in found for case in slow), f"{slow} are not all among {found}"
    return [slowly(case) if case in slow else case for case in found]


def slowly(case: object) -> ParameterSet:
    return pytest.param(*(case if isinstance(case, tuple) else [case]), marks=pytest.mark.slow)
