"""What converting and running cost, beside a bare run in the same minutes: `python benchmarks/convert.py [--large]`.

Every row is a fresh process, the fastest of five, since other work on the machine can only add; ratios are to `import
numpy, onnx, onnxruntime`, run in turn with it. "original" is what the original tools took for the same work on
two x86 cores with AVX512-VNNI, "target" is our aim there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measure import BARE, BASE, COPIES, ENVIRONMENT, QINGZHOU, Table, beside, make


@dataclass(frozen=True)
class Figures:
    """Which network, and what to compare with: seconds and MB of the original, seconds and MB aimed at."""

    name: str
    original: str
    target: str


NETWORKS = (
    Figures("LeNet", "8.1 s, 307 MB", "0.7 s"),
    Figures("MobileNet", "12.1 s, 396 MB", "1.0 s, 200 MB"),
    Figures("ResNet50", "14.8 s, 960 MB", "1.5 s, 2.2 x file"),
)
LARGE = Figures("VGG16", "fails", "2 x copying")


def main() -> None:
    """Make the checkpoints, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also VGG16: 550 MB of memory and 2 GB of disk")
    parser.add_argument("--loop", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        loop(*options.loop)
    else:
        with tempfile.TemporaryDirectory() as folder:
            ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
            measure(Path(folder), options.large)


def measure(folder: Path, large: bool) -> None:
    """Every row, in one run."""
    table = Table()
    table.row("import numpy, onnx, onnxruntime", BASE)
    table.row("qingzhou --help", (*QINGZHOU, "--help"))
    for figures in (*NETWORKS, LARGE) if large else NETWORKS:
        conversion(table, figures, folder)
    running(table, folder)


def conversion(table: Table, figures: Figures, folder: Path) -> None:
    """A checkpoint to ONNX with and without the check; the large one beside copying it twice."""
    make(figures.name, folder)
    source = folder / f"{figures.name}.pth"
    name = f"{figures.name} ({source.stat().st_size / 1e6:.1f} MB)"
    table.row(f"convert {name}", (*QINGZHOU, "convert", source), figures.original, figures.target)
    table.row(f"convert --no-check {name}", (*QINGZHOU, "convert", "--no-check", source))
    if figures is LARGE:
        table.row(f"copy {name} twice", (*COPIES, source))


def running(table: Table, folder: Path) -> None:
    """One picture: start to result in a fresh process, then picture by picture in one process."""
    make("photo", folder)
    photo, model = folder / "photo.png", folder / "MobileNet.onnx"
    table.row("run MobileNet, one picture", (*QINGZHOU, "run", model, photo), "0.92 s, 165 MB", "0.5 s")
    table.row("bare onnxruntime, MobileNet", (*BARE, model), "0.18 s, 82 MB")
    heads = "".join(f"{head:>11}" for head in ("predict", "both", "decode", "bare run"))
    print(f"\n{'picture by picture: decode, bare run, both':44}{heads}{'ratio':>8}  target")
    for name, target in (("LeNet", "1 ms more than both"), ("MobileNet", "1.3 x both")):
        argv = [sys.executable, __file__, "--loop", folder / f"{name}.onnx", photo]
        times = json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True, env=ENVIRONMENT).stdout)
        cells = "".join(f"{taken:8.2f} ms" for taken in times)
        print(f"{name:44}{cells}{times[0] / times[1]:8.2f}  {target}", flush=True)


def loop(model: str, photo: str) -> None:
    """Milliseconds for one picture, as JSON: the prediction; decoding and the bare session, together and alone."""
    import numpy as np
    import onnxruntime as ort
    from PIL import Image

    import qingzhou

    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: np.zeros(entry.shape, np.float32)}
    loaded = qingzhou.load(model)
    plain = (lambda: Image.open(photo).convert("RGB").load(), lambda: session.run(None, feed))
    print(json.dumps(beside(lambda: loaded.predict(photo), plain)))


if __name__ == "__main__":
    main()
