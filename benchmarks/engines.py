"""Every engine and precision beside onnxruntime's FP32, one thread: `python benchmarks/engines.py [MODEL.onnx ...]`.

"speed" is by CPU time, all in turns in one process for each network, as a multiple of onnxruntime's with FP32. "aim" is
what we want of INT8 on the best engine, and of onnxruntime alone, on a processor with VNNI; one without has half of its
arithmetic. Detectors are in the raw form, which all engines run. The weights are random, so INT8 is not judged here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measure import ENVIRONMENT, in_turns, make, one_core

AIMS = {"MobileNet": "2.3 and 1.8", "ResNet18": "3.2 and 2.7", "ResNet50": "3.5", "SSD_Lite": "2.6", "Yolov3": "3"}
OWN: dict[str, dict[str, Any]] = {"MobileNet": {}, "ResNet18": {}, "SSD_Lite": {"form": "raw"}}
PICTURES = 8  # to calibrate with: of random weights little is to be learned


def main() -> None:
    """A table for each network."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, help="converted .onnx files, instead of our own")
    parser.add_argument("--time", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.time:
        one_core()
        print(json.dumps(speeds(*options.time)))
        return
    with tempfile.TemporaryDirectory() as folder:
        pictures(Path(folder) / "pictures")
        for model in options.models or OWN:
            source = made(model, Path(folder)) if isinstance(model, str) else model
            argv = [sys.executable, __file__, "--time", source, Path(folder) / "pictures"]
            done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, env=ENVIRONMENT)
            table(source, json.loads(done.stdout.splitlines()[-1]))


def table(model: Path, rows: dict[str, dict[str, Any]]) -> None:
    """What each engine is on one network."""
    name = model.stem
    print(f"\n{f'{name}, {model.stat().st_size / 1e6:.2f} MB':28}{'size':>8}{'speed':>8}   aim {AIMS.get(name, '')}")
    for title, row in rows.items():
        text = row.get("failed") or f"{row['size'] / model.stat().st_size:8.3f}{row['speed']:8.2f}"
        print(f"{title:28}{text}", flush=True)


def made(name: str, folder: Path) -> Path:
    """A network of the oracle, converted."""
    import qingzhou

    make(name, folder)
    return qingzhou.convert(folder / f"{name}.pth", folder / f"{name}.onnx", **OWN[name]).path


def pictures(folder: Path) -> None:
    """Coloured noise, always the same."""
    from PIL import Image

    folder.mkdir()
    chance = np.random.default_rng(3)
    for number in range(2 * PICTURES):
        coarse = Image.fromarray(chance.integers(0, 256, (12, 12, 3), np.uint8))
        coarse.resize((320, 320), Image.Resampling.BICUBIC).save(folder / f"{number}.png")


def speeds(model: Path, data: Path) -> dict[str, dict[str, Any]]:
    """Of every engine and precision: size in bytes and speed, or why it failed."""
    from qingzhou.bench.candidates import choose
    from qingzhou.engines import Settings, compile_for, open_predictor
    from qingzhou.engines.table import engine_for
    from qingzhou.errors import QingzhouError
    from qingzhou.quant import quantize

    rows: dict[str, dict[str, Any]] = {}
    works: dict[str, Callable[[], object]] = {}
    picture = sorted(data.iterdir())[0]
    with tempfile.TemporaryDirectory() as folder:
        whole = quantize(model, data, folder, any_speed=True, min_agreement=0, calibration=PICTURES).path
        for number, one in enumerate(choose([model, *([whole] if whole else [])]).candidates):
            try:
                path = one.model
                if one.compiles:
                    path = compile_for(one.engine, path, Path(folder, str(number)), one.compiles).path
                predictor = open_predictor(path, Settings(threads=1))
                works[one.name] = partial(predictor.outputs, predictor.prepare(picture))
                works[one.name]()
            except QingzhouError as err:
                works.pop(one.name, None)
                rows[one.name] = {"failed": f"  {str(err).split('. ')[0]}"}
            else:
                rows[one.name] = {"size": sum(part.stat().st_size for part in engine_for(path).files(path))}
        for name, speed in zip(works, in_turns(list(works.values())), strict=True):
            rows[name]["speed"] = speed
    return rows


if __name__ == "__main__":
    main()
