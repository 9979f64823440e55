"""Decoding phone pictures and preparing them for a 224 classifier: CPU time and peak memory, with and without turning.

    python benchmarks/pictures.py [SRC] [--photo FILE ...]

With --photo real photographs instead of those that are made here, for a LeNet as well (grey, 32 x 32). SRC is the src
folder of another commit (git worktree add); the two then have their turn one after the other, each in fresh processes
that import numpy, Pillow and these few modules only. "exact" is QINGZHOU_EXACT=1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import ENVIRONMENT, HERE

PICTURES = ((4000, 3000), (8000, 6000), (12000, 9000), (16320, 12240))
ROUNDS = 5
# A scene, and on it what a sensor adds, without which a JPEG would be decoded far too fast; by parts, for the memory.
MAKE = """
import sys
import numpy as np
from PIL import Image
path, width, height, turn = sys.argv[1], *map(int, sys.argv[2:])
rng, exif = np.random.default_rng(0), Image.Exif()
exif[0x0112] = turn
scene = Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8))
noise = rng.normal(0, 3, (height // 8, width, 1))
picture = Image.new("RGB", (width, height))
for top in range(0, height, height // 8):
    part = scene.resize((width, height // 8), box=(0, 48 * top / height, 64, 48 * top / height + 6))
    picture.paste(Image.fromarray((np.asarray(part) + noise).clip(0, 255).astype(np.uint8)), (0, top))
picture.save(path, "JPEG", quality=90, exif=exif)
"""
PREPARE = """
import resource, sys, time
try:
    from qingzhou.runtime.model.card import Input
    from qingzhou.runtime.model.image import read_for
    from qingzhou.runtime.model.prepare import prepare
except ImportError:  # an older commit
    from qingzhou.runtime.card import Input
    from qingzhou.runtime.image import read_for
    from qingzhou.runtime.prepare import prepare
path, interpolation = sys.argv[1:]
entry = Input("x", "image", [1, 1, 32, 32], "GRAY", [
    {"op": "resize", "size": [32, 32], "interpolation": "cv2"}, {"op": "normalize", "mean": [33.46], "std": [78.87]}
]) if interpolation == "LeNet" else Input("x", "image", [1, 3, 224, 224], "RGB", [
    {"op": "resize", "short": 256, "interpolation": interpolation}, {"op": "center_crop", "size": [224, 224]},
    {"op": "normalize", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}])
before, times = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
try:
    for _ in range(3):
        start = time.process_time()
        prepare(read_for(path, entry), entry)
        times.append(time.process_time() - start)
except Exception as err:
    print(type(err).__name__, file=sys.stderr)
    sys.exit()
unit = 1e6 if sys.platform == "darwin" else 1e3 / 1.024
print(1e3 * min(times), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, before / unit)
"""


def prepared(source: Path, exact: bool, picture: Path, interpolation: str) -> list[float]:
    """CPU ms of the faster runs, the process's peak MB, and what it had before the picture; [] if it is refused."""
    environment = {**ENVIRONMENT, "PYTHONPATH": str(source), "QINGZHOU_EXACT": "1" if exact else ""}
    argv = [sys.executable, "-c", PREPARE, str(picture), interpolation]
    said = subprocess.run(argv, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return [float(word) for word in said.split()]


def row(name: str, ways: dict[str, tuple[Path, bool]], picture: Path, interpolation: str) -> None:
    """One picture in all ways in turn; the ratios are of pairs."""
    rounds = [{way: prepared(*how, picture, interpolation) for way, how in ways.items()} for _ in range(ROUNDS)]
    for way in ways:
        found = [one[way] for one in rounds]
        if not found[0]:
            print(f"{name:34} {way:7} refused", flush=True)
            continue
        cpu, peak, bare = (statistics.median(values) for values in zip(*found, strict=True))
        text = f"{name:34} {way:7} {cpu:6.0f} ms {peak:6.0f} MB ({peak - bare:4.0f} for the picture)"
        pairs = [(one["before"], one[way]) for one in rounds if one.get("before")]
        if way != "before" and pairs:
            faster = statistics.median(a[0] / b[0] for a, b in pairs)
            text += f"   {faster:4.1f} x as fast, {peak / statistics.median(a[1] for a, _ in pairs):4.2f} x the memory"
        print(text, flush=True)


def main() -> None:
    """Every picture, upright and turned by EXIF, for both ways of resizing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, nargs="?", metavar="SRC")
    parser.add_argument("--photo", type=Path, nargs="+", default=[], metavar="FILE")
    chosen, ours = parser.parse_args(), HERE.parent / "src"
    ways = {"before": (chosen.before, False)} if chosen.before else {}
    ways |= {"now": (ours, False), "exact": (ours, True)}
    for photo in chosen.photo:
        for interpolation in ("pillow", "cv2", "LeNet"):
            row(f"{photo.name[:24]}, {interpolation}", ways, photo, interpolation)
    if not chosen.photo:
        of_made_ones(ways)


def of_made_ones(ways: dict[str, tuple[Path, bool]]) -> None:
    """Those of all sizes that phones make."""
    with tempfile.TemporaryDirectory() as folder:
        for width, height in PICTURES:
            for turn in (1, 6) if width < 10000 else (1,):
                picture = Path(folder, "photo.jpg")
                subprocess.run(
                    [sys.executable, "-c", MAKE, *map(str, (picture, width, height, turn))], check=True, env=os.environ
                )
                for interpolation in ("pillow", "cv2"):
                    turned = ", turned" if turn > 1 else ""
                    row(f"{width * height / 1e6:.0f} MP{turned}, {interpolation}", ways, picture, interpolation)


if __name__ == "__main__":
    main()
