"""Devices and scenes, for those who choose."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from .problems import Problem


@functools.cache
def devices() -> dict[str, Any]:
    """As `qingzhou devices --json`, but for boards whose vendor's compiler must run: the page starts no programs."""
    from ..devices import all_devices

    return {"devices": [device.as_dict() for device in all_devices() if not device.programs]}


@functools.cache
def scenes() -> dict[str, Any]:
    """Every scene as plain values."""
    from ..scenes import SCENES

    return {
        "scenes": [
            {
                "name": scene.name,
                "en": scene.en,
                "zh": scene.zh,
                "constants": list(scene.constants),
                "kinds": list(scene.kinds),
                "inputs": list(scene.inputs),
            }
            for scene in SCENES.values()
        ]
    }


def check(options: Mapping[str, Any]) -> None:
    """Problem for a device or scene that does not exist."""
    for name, there in (("device", devices), ("scene", scenes)):
        known = [entry["name"] for entry in there()[f"{name}s"]]
        if options[name] is not None and options[name] not in known:
            raise Problem(f"no_{name}", ", ".join(known))
