"""What the command line shows: tables for people, JSON for programs. Nothing is computed here."""

from ..answers import failure
from .answers import as_csv, check, predictions
from .conversions import conversions, demo
from .engines import artifact, engines
from .information import doors, info
from .pieces import as_json, busy, error, note

__all__ = [
    "artifact",
    "as_csv",
    "as_json",
    "busy",
    "check",
    "conversions",
    "demo",
    "doors",
    "engines",
    "error",
    "failure",
    "info",
    "note",
    "predictions",
]
