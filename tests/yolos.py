"""The networks of tests/oracle/yolo: files as Ultralytics saves them, what they are fed, and what it says of that."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ORACLE = Path(__file__).parent / "oracle" / "yolo"
CASES: dict[str, dict[str, Any]] = json.loads((ORACLE / "cases.json").read_text())
TWO_HEADS = ("26", "26_segment", "26_pose", "26_obb", "v10")
SIDE = 96
Array = np.ndarray[Any, Any]

with np.load(ORACLE / "references.npz") as _file:
    REFERENCES = {name: _file[name] for name in _file.files}


def checkpoint(name: str, folder: Path) -> Path:
    """The .pt of a case."""
    path = folder / f"{name}.pt"
    path.write_bytes(lzma.decompress((ORACLE / f"{name}.pt.xz").read_bytes()))
    return path


def reference(name: str, what: str) -> Array:
    return REFERENCES[f"{name}/{what}"]


def fed(name: str) -> Array:
    """What `raw` and `rows` are of, (1, 3, H, W) float32; as make.py draws it."""
    case = CASES[name]
    shape = (1, 3, SIDE, SIDE) if case["task"] == "classify" else (1, 3, 64, 96)
    return np.random.default_rng(case["seed"]).integers(0, 256, shape, dtype=np.uint8).astype(np.float32) / 255


def picture(name: str, folder: Path) -> Path:
    """What the boxes are of, 100 x 60; as make.py draws it."""
    chance = np.random.default_rng(CASES[name]["seed"] + 50)
    coarse = chance.integers(0, 256, (6, 10, 3))
    fine = chance.integers(-9, 10, (60, 100, 3))
    path = folder / f"{name}.png"
    Image.fromarray(np.clip(coarse.repeat(10, 0).repeat(10, 1) + fine, 0, 255).astype(np.uint8)).save(path)
    return path
