"""Doors with the names MMEdu, BaseNN and XEdu, so that published lessons run unchanged.

They live here, never as top-level folders: installing and removing the originals touches nothing of ours, and the
other way round. `qingzhou_doors` (beside the package) decides at import which one is used; see `which`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

NAMES = ("MMEdu", "BaseNN", "XEdu")
HOME = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Door:
    """What `import name` gives now: provider "qingzhou", "original" or "none"; origin is the file; loaded already?"""

    name: str
    provider: str
    origin: str
    loaded: bool


def which() -> dict[str, Door]:
    """For each of the three names, which package is in use; nothing is imported."""
    return {name: _which(name) for name in NAMES}


def _which(name: str) -> Door:
    origin = _origin(name)
    if not origin:
        return Door(name, "none", "", name in sys.modules)
    ours = HOME in Path(origin).resolve().parents
    return Door(name, "qingzhou" if ours else "original", origin, name in sys.modules)


def _origin(name: str) -> str:
    """The file behind a name; "" for a folder without __init__.py, or nothing."""
    try:
        spec: ModuleSpec | None = find_spec(name)
    except ValueError:  # a module without a spec was put into sys.modules by hand
        return str(getattr(sys.modules.get(name), "__file__", None) or name)
    return (spec.origin or "") if spec else ""
