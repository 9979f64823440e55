"""What detectors cost, beside a bare run in the same minutes: `python benchmarks/detect.py [--large | --nms]`.

Rows and ratios are those of convert.py; "original" is what the original tools took, "target" is our aim.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import BARE, BASE, ENVIRONMENT, QINGZHOU, Table, beside, make

# name, what the original took, what we aim at
SMALL = (("SSD_Lite", "32 s, 628 MB", "1.2 s"), ("Yolov3", "", ""))
LARGE = (("FasterRCNN", "26 s, 2987 MB", "4 s, 2.2 x file"),)
CLASSES, EACH, MOST = 20, 2000, 200


def main() -> None:
    """Make the checkpoints, then print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also Faster R-CNN: some minutes and 500 MB")
    parser.add_argument("--nms", action="store_true", help="only non-maximum suppression")
    parser.add_argument("--loop", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        loop(*options.loop)
        return
    if not options.nms:
        with tempfile.TemporaryDirectory() as folder:
            ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
            measure(Path(folder), (*SMALL, *LARGE) if options.large else SMALL)
    suppression()


def measure(folder: Path, networks: tuple[tuple[str, str, str], ...]) -> None:
    """Converting, the first picture, and picture by picture."""
    table = Table()
    table.row("import numpy, onnx, onnxruntime", BASE)
    make("photo", folder)
    photo = folder / "photo.png"
    for name, original, target in networks:
        make(name, folder)
        source = folder / f"{name}.pth"
        label = f"{name} ({source.stat().st_size / 1e6:.1f} MB)"
        table.row(f"convert {label}", (*QINGZHOU, "convert", source), original, target)
    for name, *_ in networks:
        aim = "0.7 s" if name == "SSD_Lite" else ""
        table.row(f"run {name}, one picture", (*QINGZHOU, "run", folder / f"{name}.onnx", photo), target=aim)
        if name != "FasterRCNN":  # takes any size, which the bare run does not know
            table.row(f"bare onnxruntime, {name}", (*BARE, folder / f"{name}.onnx"))
    for name, *_ in SMALL:
        raw = [*QINGZHOU, "convert", "--form", "raw", folder / f"{name}.pth", "-o", folder / f"{name}_raw.onnx"]
        subprocess.run([sys.executable, *raw], stdout=subprocess.DEVNULL, check=True, env=ENVIRONMENT)
    heads = "".join(f"{head:>11}" for head in ("predict", "all", "decode", "bare run", "boxes"))
    print(f"\n{'decode, bare run, boxes, all':28}{heads}{'ratio':>7}  target")
    for name in (f"{name}{form}" for name, *_ in SMALL for form in ("", "_raw")):
        argv = [sys.executable, __file__, "--loop", folder / f"{name}.onnx", photo]
        times = json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True, env=ENVIRONMENT).stdout)
        cells = "".join(f"{taken:8.2f} ms" for taken in times)
        print(f"{name:28}{cells}{times[0] / times[1]:7.2f}  1.15 x all", flush=True)


def loop(model: str, photo: str) -> None:
    """Milliseconds for one picture, as JSON: the prediction; decoding, the bare session and making the boxes, in all
    and each.
    """
    from PIL import Image

    import qingzhou
    from qingzhou.runtime.engine.session import onnxruntime_package

    session = onnxruntime_package().InferenceSession(model, providers=["CPUExecutionProvider"])
    loaded = qingzhou.load(model)
    feed = {session.get_inputs()[0].name: loaded.predictor.prepare(photo)}
    outputs = session.run(None, feed)
    plain = (
        lambda: Image.open(photo).convert("RGB").load(),
        lambda: session.run(None, feed),
        lambda: loaded.predictor.found(outputs),
    )
    print(json.dumps(beside(lambda: loaded.predict(photo), plain, rounds=12)))


# -- non-maximum suppression ------------------------------------------------------------------------------------------


def scattered(chance: np.random.Generator, count: int) -> np.ndarray:
    """Boxes anywhere in a picture of 640 x 640."""
    corner, size = chance.uniform(0, 600, (count, 2)), chance.uniform(4, 200, (count, 2))
    return np.hstack([corner, corner + size]).astype(np.float32)


def clustered(chance: np.random.Generator, count: int, things: int) -> np.ndarray:
    """Many boxes, a little different, around each of a few things: what detectors really give."""
    truth = scattered(chance, things)[chance.integers(things, size=count)]
    size = np.tile(truth[:, 2:] - truth[:, :2], 2)
    return (truth + chance.normal(0, 0.05, (count, 4)) * size).astype(np.float32)


def cases() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Name -> boxes, scores, labels."""
    chance, count = np.random.default_rng(5), CLASSES * EACH
    labels = np.repeat(np.arange(CLASSES), EACH)
    scores = chance.random(count, np.float32)
    things = np.concatenate([clustered(chance, EACH, 5) for _ in range(CLASSES)])
    return {
        "20 x 2000, 5 things of each class": (things, scores, labels),
        "20 x 2000, scattered": (scattered(chance, count), scores, labels),
        "20 x 2000, all equal": (np.tile(np.float32([10, 10, 50, 50]), (count, 1)), scores, labels),
        "20 x 2000, equal scores": (things, np.full(count, 0.5, np.float32), labels),
        "20 x 2000, without an area": (np.zeros((count, 4), np.float32), scores, labels),
        "1 x 40000, 100 things": (clustered(chance, count, 100), scores, np.zeros(count, int)),
        "80 x 100, 2 things of each class": (
            np.concatenate([clustered(chance, 100, 2) for _ in range(80)]),
            scores[:8000],
            np.repeat(np.arange(80), 100),
        ),
        "3 x 1000, 2 things of each class": (
            np.concatenate([clustered(chance, 1000, 2) for _ in range(3)]),
            scores[:3000],
            np.repeat(np.arange(3), 1000),
        ),
    }


def suppression() -> None:
    """Boxes as detectors give them, and of the worst kinds; the first is to take at most 5 ms."""
    from qingzhou.runtime.model.overlap import nms

    print(f"\n{'non-maximum suppression':36}{'median':>11}{'fastest':>11}{'stay':>6}")
    for name, data in cases().items():
        times = []
        for _ in range(15):
            start = time.perf_counter()
            kept = nms(*data, 0.45, MOST)
            times.append(1e3 * (time.perf_counter() - start))
        print(f"{name:36}{np.median(times):8.2f} ms{min(times):8.2f} ms{len(kept):6}", flush=True)


if __name__ == "__main__":
    main()
