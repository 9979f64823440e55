"""Rows of numbers from sensors, for models of tables."""

from __future__ import annotations

import time
from typing import Any, Callable, Iterator, List, Optional, Sequence

from .errors import InputError
from .parts import sim
from .parts.rule_text import parse_sensor
from .parts.sensing import read, ready


def rows(texts: Sequence[str], seconds: float, sample: Callable[[], Any]) -> Iterator[List[Any]]:
    """A number from each sensor, such as serial("light") or button(21), every so many seconds, once all have one.

    In the simulator until its files end; without sensors there, the model's own sample, once.
    RuleError for a text that is no sensor; InputError without sensors; DeviceError.
    """
    if not texts and sim.active():
        yield [cell if isinstance(cell, str) else float(cell) for cell in sample()]
        return
    if not texts:
        raise InputError(
            en="SENSORS is empty. Name a sensor for each column of the table, such as SENSORS = ['serial(\"light\")'].",
            zh="SENSORS 是空的。请按顺序为表格的每一列写一个传感器，例如 SENSORS = ['serial(\"light\")']。",
        )
    terms = [parse_sensor(text, number) for number, text in enumerate(texts, start=1)]
    for term in terms:
        ready(term.name, term.given)
    while True:
        before = sim.given[0]
        found = [_as_number(read(term.name, term.given)) for term in terms]
        if sim.active() and sim.given[0] == before:
            return
        if None not in found:
            yield [number for number in found if number is not None]
        time.sleep(0 if sim.active() else seconds)


def _as_number(value: Any) -> Optional[float]:
    """None for what is no number (yet)."""
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
