"""A goal, and what was found of it. Plain data: nothing here measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .desk import Desk, Figure


@dataclass(frozen=True)
class Goal:
    """A ratio that we want, of what we do now to what it is beside: `most` or `least` of it, or neither: only told."""

    name: str  # no other goal has it
    unit: str  # of both figures
    what: str  # is measured, in a line
    beside: str  # "then": the older checkout; else a floor, a limit or another tool
    measure: Callable[[Desk], Figure]  # NotHere where it cannot be
    most: float | None = None
    least: float | None = None

    @property
    def aim(self) -> str:
        """ "<= 0.68", "" where there is none."""
        return next((f"{sign} {one:g}" for sign, one in (("<=", self.most), (">=", self.least)) if one is not None), "")

    def met(self, ratio: float) -> bool | None:
        """None where there is no aim."""
        if self.aim:
            return (self.most is None or ratio <= self.most) and (self.least is None or ratio >= self.least)
        return None


@dataclass(frozen=True)
class Row:
    """What was found of a goal: a figure, or why there is none."""

    goal: Goal
    figure: Figure | None
    missing: str = ""

    @property
    def met(self) -> bool | None:
        """None where there is no aim or no figure."""
        return self.goal.met(self.figure.ratio) if self.figure else None

    @property
    def verdict(self) -> str:
        """In a word."""
        return {True: "met", False: "not met", None: ""}[self.met]

    def plain(self) -> dict[str, Any]:
        """For JSON; null where nothing was found."""
        goal, figure = self.goal, self.figure
        said = {"name": goal.name, "unit": goal.unit, "what": goal.what, "beside": goal.beside, "aim": goal.aim}
        parts = ("now", "reference", "ratio", "rounds")
        found = (figure.now, figure.beside, figure.ratio, figure.rounds) if figure else (None,) * 4
        return {**said, **dict(zip(parts, found, strict=True)), "met": self.met, "missing": self.missing}
