"""A target that does not exist, for tests: its compiler is fake_worker.py, run by this Python."""

from __future__ import annotations

import platform
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qingzhou.targets import TARGETS, Recipe, Target

CHIPS = (
    "good",
    "dull",
    "misshapen",
    "slow",
    "crashes",
    "ends",
    "eats",
    "hangs",
    "fills",
    "breaks",
    "full",
    "layer",
    "bare",
)
VERSION = ".".join(platform.python_version_tuple()[:2])
HERE = f"{sys.platform}-{platform.machine()}"
FAKE = Target(
    name="fake",
    english="Fake NPU",
    chinese="假芯片",
    recipe=Recipe(
        packages=(),
        bare=(),
        pythons=(VERSION,),
        systems=(HERE,),
        megabytes=40,
        brings=("F", "假"),
    ),
    chips=CHIPS,
    ending=".{chip}.fake",
    worker=Path(__file__).with_name("fake_worker.py"),
    seconds=60.0,
    memory=2 << 30,
)


def put(monkeypatch: pytest.MonkeyPatch, folder: Path, **changes: object) -> Target:
    """The fake one among the targets, its environment being this Python; its log goes into `folder`."""
    target = replace(FAKE, **changes)  # type: ignore[arg-type]
    monkeypatch.setitem(TARGETS, "fake", target)
    monkeypatch.setenv("QINGZHOU_TARGETS", str(folder / "targets"))
    monkeypatch.setenv("QINGZHOU_TARGET_FAKE", sys.executable)
    return target
