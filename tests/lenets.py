"""The oracle's LeNet as MMEdu saves it, whole or with something wrong; for tests that need any MMEdu checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rebuild import rebuild

from makers import write_checkpoint

MANIFEST = Path(__file__).parent / "oracle" / "mmedu" / "LeNet" / "manifest.json"
CLASSES = ["猫", "dog", "红 花", *"abcdefg"]


def tensors(**changed: np.ndarray | None) -> dict[str, np.ndarray]:
    """The state dict; in the keywords "__" stands for ".", None removes a tensor."""
    named = {key.replace("__", "."): array for key, array in changed.items()}
    return {
        key: array
        for key, array in {**rebuild(json.loads(MANIFEST.read_text("utf-8"))), **named}.items()
        if array is not None
    }


def write_lenet(path: Path, meta: Mapping[str, Any] = {}, **changed: np.ndarray | None) -> Path:
    """A checkpoint of ten classes at `path`, its folder made; `meta` and tensors changed as given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {"tool": "MMEdu0.1.28", "backbone": "LeNet", "CLASSES": CLASSES}
    return write_checkpoint(path, {"meta": {**known, **meta}, "state_dict": tensors(**changed), "optimizer": {}})
