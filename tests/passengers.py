"""Checkpoints and inputs for the slow suites and the benchmarks: rebuilt, trained, and real BaseNN files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from rebuild import rebuild

ORACLE = Path(__file__).resolve().parent / "oracle"
DIGITS = ORACLE / "digits"


def mmedu(name: str, folder: Path) -> Path:
    """The oracle's checkpoint of a network, with the weights that its manifest recreates."""
    from makers import write_checkpoint

    place = next(ORACLE / kind / name for kind in ("mmedu", "mmdet") if (ORACLE / kind / name).is_dir())
    manifest = json.loads((place / "manifest.json").read_text("utf-8"))
    meta = {**manifest["checkpoint_meta"], "CLASSES": tuple(manifest["classes"])}
    path = folder / f"{name}.pth"
    write_checkpoint(path, {"meta": meta, "state_dict": rebuild(manifest), "optimizer": {}})
    return path


def basenn(case: str) -> Path:
    """A real BaseNN checkpoint, trained for an epoch or two; of the newest torch where there are several."""
    return max(ORACLE.glob(f"basenn/torch*/{case}/checkpoint.pth"))


def reference(case: str, name: str = "x") -> np.ndarray:
    """The input x of a BaseNN checkpoint's reference, or the output y that BaseNN gave."""
    return np.asarray(np.load(basenn(case).with_name("reference.npz"))[name])


def photo(path: Path, size: tuple[int, int] = (300, 260)) -> Path:
    """A colour picture with edges, gradients and noise, always the same; returns path."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    noise = np.random.Generator(np.random.PCG64(7)).integers(0, 40, (height, width, 3))
    rings = 60 * (np.hypot(x - 90, y - 120) // 25 % 2)
    picture = np.stack([x * 150 // width, rings + 40, y * 150 // height], axis=-1) + noise
    Image.fromarray(picture.astype(np.uint8)).save(path)
    return path


def digits() -> Iterator[tuple[Path, str]]:
    """The test digits (24 x 24, grey) with what they show."""
    for path in sorted((DIGITS / "test").glob("*/*.png")):
        yield path, path.parent.name
