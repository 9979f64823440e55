"""Rows of a class: the same model on the same kind of device is one row, with the median of what all have measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .read import NUMBERS, Row

KEY = ("network", "model", "device", "engine", "precision", "size_bytes", "source")
MEDIANS = tuple(name for name in NUMBERS if name not in KEY)
MOST_DEVICES, MOST_LINES = 64, 1000
ORDER = {"measured": 0, "published": 1, "emulated": 2}


@dataclass(frozen=True)
class Merged:
    """Some boards that measured the same: their medians as a row, how many they were, and the slowest and fastest."""

    row: Row
    boards: int
    fps_range: tuple[float, float] | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self.row), "boards": self.boards, "fps_range": self.fps_range}


def merge(rows: Sequence[Row]) -> list[Merged]:
    """One for each model, device, engine and precision; by network and device, the fastest first."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row, name) for name in KEY), []).append(row)
    return sorted(map(_one, groups.values()), key=_order)


def table_of_speeds(merged: Sequence[Merged]) -> tuple[list[str], list[tuple[str, str, list[Merged | None]]]]:
    """The devices, and for each network (or model) and precision its fastest on every device, where there is a speed.

    Others' figures stand in a cell only where nobody here has measured. Large tables are cut.
    """
    timed = [one for one in merged if one.row.fps is not None]
    best: dict[tuple[str, str], dict[str, Merged]] = {}
    for one in sorted(timed, key=lambda one: (ORDER[one.row.source], -(one.row.fps or 0))):
        best.setdefault((one.row.network or one.row.model, one.row.precision), {}).setdefault(one.row.device, one)
    devices = sorted({one.row.device for one in timed})[:MOST_DEVICES]
    lines = [(*name, [best[name].get(device) for device in devices]) for name in sorted(best)[:MOST_LINES]]
    return devices, lines


def _one(rows: list[Row]) -> Merged:
    speeds = [row.fps for row in rows if row.fps is not None]
    values = {name: _median([getattr(row, name) for row in rows]) for name in MEDIANS}
    told = [row.throttled for row in rows if row.throttled is not None]
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    first = {**asdict(rows[0]), **values, "throttled": any(told) if told else None, "note": "; ".join(notes[:3])}
    files = dict.fromkeys(row.file for row in rows)
    row = Row(**{**first, "file": ", ".join(list(files)[:3]) + (" …" if len(files) > 3 else "")})
    return Merged(row, len(rows), (min(speeds), max(speeds)) if len(speeds) > 1 else None)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _order(one: Merged) -> tuple[Any, ...]:
    row = one.row
    name, speed = row.network or row.model, -(row.fps or 0)
    return (name, ORDER[row.source], row.device, speed, row.model, row.engine, row.precision)
