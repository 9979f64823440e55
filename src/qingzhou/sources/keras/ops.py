"""Operators between layers: those of Keras 3 (keras.ops, +, [...]) and of Keras 2 (TFOpLambda)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OPERATORS: dict[str, Callable[..., Any]] = {}
LAMBDAS: dict[str, Callable[..., Any]] = {}
