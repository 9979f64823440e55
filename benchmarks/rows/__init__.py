"""The subjects, in the order of the table: each module has goals(machine), and functions that measure them."""

from __future__ import annotations

from collections.abc import Callable

from ..goals import Goal
from ..machine import Machine
from . import browser, convert, foreign, forest, int8, paddle, photo, pupil, pytorch, quantize, sources, start, tflite

GROUPS: dict[str, Callable[[Machine], tuple[Goal, ...]]] = {
    "convert": convert.goals,
    "start": start.goals,
    "quantize": quantize.goals,
    "int8": int8.goals,
    "photo": photo.goals,
    "browser": browser.goals,
    "pupil": pupil.goals,
    "pytorch": pytorch.goals,
    "sources": sources.goals,
    "paddle": paddle.goals,
    "forest": forest.goals,
    "foreign": foreign.goals,
    "tflite": tflite.goals,
}
