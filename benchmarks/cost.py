"""What an engine costs on an emulated board for networks of six kinds, and the profile's numbers that fit these counts.

    python benchmarks/cost.py pi5 litert

The networks are those of tests/bundle/counts.json; all but one have random weights, since what is counted is work. The
counts go there, and the fitted rows into the device's `[cost.ENGINE]`: see devices/profile.py and
tests/bundle/test_cost.py. Counted as in board.py, the network alone, on one thread.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from board import CHECKPOINT, DATA, LAB, ROOT, each

TIMES = 3
NETWORKS = {  # name in counts.json: the checkpoint, and the side of its pictures
    "LeNet 32": ("LeNet", 0),
    "MobileNetV3-small 64": ("MobileNetV3_small", 64),
    "ResNet18 112": ("ResNet18", 112),
    "MobileNetV2 96": ("", 96),
    "ShuffleNet_v2 224": ("ShuffleNet_v2", 0),
    "MobileNetV2 224": ("", 0),
}
# In a folder with qingzhou_runtime: asks a model of any engine N times.
ASKED = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from qingzhou_runtime.engine.session import open_any
session = open_any(sys.argv[2], 1)
shapes = [(one.name, [n if isinstance(n, int) else 1 for n in one.shape]) for one in session.get_inputs()]
feed = {name: np.random.default_rng(1).standard_normal(shape).astype(np.float32) for name, shape in shapes}
for _ in range(int(sys.argv[3])):
    session.run(None, feed)
"""


def main() -> None:
    """Parse, count, fit, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("board")
    parser.add_argument("engine")
    given = parser.parse_args()
    subprocess.run([sys.executable, LAB, "up", given.board], check=True, stdout=subprocess.DEVNULL)
    kept = json.loads((ROOT / "tests/bundle/counts.json").read_text("utf-8"))["work"]
    with tempfile.TemporaryDirectory() as folder:
        counted = counts(given.board, given.engine, Path(folder))
    for precision, found in counted.items():
        each_of = fitted({name: kept[name] for name in found}, found)
        print(f"{precision} = [{', '.join(f'{n:.3g}' for n in each_of)}]")


def counts(board: str, engine: str, folder: Path) -> dict[str, dict[str, float]]:
    """precision -> network -> million instructions of one inference."""
    (folder / "qingzhou_runtime").symlink_to(ROOT / "src/qingzhou/runtime")
    (folder / "asked.py").write_text(ASKED)
    found: dict[str, dict[str, float]] = {"fp32": {}, "int8": {}}
    for name, (network, side) in NETWORKS.items():
        for precision, model in models(network, side, engine, folder / name.replace(" ", "_")).items():
            found[precision][name] = each(board, folder / "asked.py", folder, model, times=TIMES)
            print(f"{name:24}{engine} {precision:6}{found[precision][name]:9.3f} M", flush=True)
    return found


def models(network: str, side: int, engine: str, folder: Path) -> dict[str, Path]:
    """A network for the engine, by precision."""
    import qingzhou
    from passengers import mmedu
    from qingzhou.deploy.plan import int8_target
    from qingzhou.devices import load
    from qingzhou.engines import compile_for
    from qingzhou.engines.table import engine_on_devices

    folder.mkdir()
    size = {"input_size": (side, side)} if side else {}
    source = qingzhou.convert(mmedu(network, folder) if network else CHECKPOINT, folder / "m.onnx", **size).path
    target = int8_target(engine_on_devices(engine), load("pi5"))
    loose = {"min_agreement": 0.0, "any_speed": True}
    small = qingzhou.quantize(source, pictures(folder / "pictures"), folder / "m8.onnx", target=target, **loose).path
    assert small is not None
    if engine == "onnxruntime":
        return {"fp32": source, "int8": small}
    return {name: compile_for(engine, one, precision=name).path for name, one in (("fp32", source), ("int8", small))}


def pictures(folder: Path) -> Path:
    """Some digits, without saying what they are: most of the networks know other classes."""
    folder.mkdir()
    for number, path in enumerate(sorted(DATA.glob("*/*.png"))[:: len(NETWORKS) + 1]):
        shutil.copy(path, folder / f"{number}.png")
    return folder


def fitted(work: Mapping[str, list[float]], counted: Mapping[str, float]) -> list[float]:
    """Five numbers, none negative, by the least squares of relative errors: every choice of those above 0 is tried."""
    rows = np.array([[*(np.array(work[name]) * (1e-6, 1e-6, 1e-6, 1e-3)), 1.0] for name in counted])
    rows /= np.array(list(counted.values()))[:, None]
    best, least = [0.0] * 5, np.inf
    for some in itertools.chain.from_iterable(itertools.combinations(range(5), n) for n in range(1, 6)):
        solved, *_ = np.linalg.lstsq(rows[:, some], np.ones(len(rows)), rcond=None)
        error = float(((rows[:, some] @ solved - 1) ** 2).sum())
        if solved.min() >= 0 and error < least:
            best, least = [0.0] * 5, error
            for place, number in zip(some, solved, strict=True):
                best[place] = float(number)
    return best


if __name__ == "__main__":
    main()
