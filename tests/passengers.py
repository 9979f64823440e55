"""Checkpoints and inputs for the slow suites and the benchmarks: rebuilt, trained, and real BaseNN files."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from rebuild import rebuild

from qingzhou.runtime.listen import RATE, read_wav

ORACLE = Path(__file__).resolve().parent / "oracle"
DIGITS = ORACLE / "digits"
SOUND = ORACLE / "trained_sound"  # spoken words, by BaseNN
WORDS = ("停", "右", "左", "跑")  # recordings of which are in SOUND/heard


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


def spectrograms(folder: Path) -> Path:
    """Pictures of words by held-out voices, in a folder for each word; each also a moment earlier and later."""
    kept = np.load(SOUND / "scores.npz")
    for number, (grey, label) in enumerate(zip(kept["pictures"], kept["classes"][kept["truth"]], strict=True)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for shift in (-4, 0, 4):
            Image.fromarray(np.roll(grey, shift, axis=1)).convert("RGB").save(folder / label / f"{number}_{shift}.png")
    return folder


def spoken(words: tuple[str, ...], path: Path) -> Path:
    """Recordings of these words one after the other, in a room that is never quite silent."""
    room = np.random.Generator(np.random.PCG64(2)).standard_normal
    parts = [part for word in words for part in (0.002 * room(RATE), read_wav(str(SOUND / "heard" / f"{word}.wav")))]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.concatenate([*parts, 0.002 * room(RATE)]) * 32767).astype("<i2").tobytes())
    return path


def digits() -> Iterator[tuple[Path, str]]:
    """The test digits (24 x 24, grey) with what they show."""
    for path in sorted((DIGITS / "test").glob("*/*.png")):
        yield path, path.parent.name
