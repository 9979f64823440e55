"""What one inference costs on emulated boards, in instructions: our bundle beside XEdu's way.

    python benchmarks/board.py [unihiker pi4-64 pi4-32 pi5] [--memory PYTHON3.7]

The network is MobileNetV2, trained on digits (tests/oracle/trained). XEdu's way is its FP32 .onnx with onnxruntime,
prepared as XEduHub does it with OpenCV (tests/boards/xedu_way.py); ours is what `qingzhou bundle` makes, with and
without data. Asked about: a frame as OpenCV gives it, B, G, R; of 640 x 480 pixels, and for ours also of the size that
the bundle asks the camera for. (pi4-32 has no onnxruntime here, so no row for XEdu, and no OpenCV: its frames are R, G,
B, as from picamera2.) The count of one inference is (count of N + 1 - count of 1) / N on one thread, in a fresh process
each, after one that wrote the .pyc files.
Instructions are no times: they leave out caches, memory, and how many a processor does at once.

--memory also runs the camera scene of the Unihiker's bundle with a Python 3.7 of this machine that has numpy 1.21.6,
Pillow 9.5.0, onnxruntime 1.13.1 (and OpenCV, for a video), and prints the most memory that it had.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/oracle")]
LAB = ROOT / "tests/boards/boardlab.py"
CHECKPOINT, DATA = ROOT / "tests/oracle/trained/mobilenet_digits.pth", ROOT / "tests/oracle/digits/test"
N = 8
SIZES = ((640, 480), (320, 240))

# In a bundle's folder: `net` runs the prepared network, `all` predicts for a frame.
OURS = """
import importlib.util
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from qingzhou_runtime import load
from qingzhou_runtime.bundle.place import read_bundle
from qingzhou_runtime.parts.sources import OpenCV

class Camera(OpenCV):
    def reopen(self):
        pass

picture = Camera(0, (640, 480)).picture if importlib.util.find_spec("cv2") else lambda frame: frame
model = load(sys.argv[1] + "/" + read_bundle(sys.argv[1])["model"], threads=1)
frame = np.load(sys.argv[2])
what, times = sys.argv[3], int(sys.argv[4])
if what == "net":
    feed = model._with_state({model.card.input.name: model.prepare(picture(frame))})
    for _ in range(times):
        model.run(feed)
else:
    for _ in range(times):
        model.predict(picture(frame))
"""


def command(verb: str, board: str, words: Sequence[str | Path], settings: Mapping[str, str]) -> list[str | Path]:
    """A line for the board's lab; `settings` are those of the environment there."""
    every = {"QINGZHOU_SIM": "1", **settings}
    return [
        sys.executable,
        LAB,
        verb,
        board,
        *(w for k, v in every.items() for w in ("--env", f"{k}={v}")),
        "--",
        *words,
    ]


def count(board: str, *words: str | Path, settings: Mapping[str, str] = {}) -> int:
    """Instructions of a whole process on the board."""
    done = subprocess.run(command("count", board, words, settings), capture_output=True, text=True)
    found = re.search(r"^instructions (\d+)$", done.stdout, re.M)
    if done.returncode or not found:
        raise SystemExit(f"{board}: {done.stderr.strip()[-500:]}")
    return int(found[1])


def each(board: str, *words: str | Path, settings: Mapping[str, str] = {}, times: int = N) -> float:
    """Millions for one inference."""
    subprocess.run(command("run", board, (*words, "1"), settings), check=True, capture_output=True)
    first, more = (count(board, *words, str(many), settings=settings) for many in (1, times + 1))
    return (more - first) / times / 1e6


def bundles(board: str, folder: Path) -> dict[str, Path]:
    """A bundle for each form that the board can have; * marks those that it gets by itself, without and with data."""
    from qingzhou.bundle.build import build
    from qingzhou.devices import load
    from qingzhou.engines import ENGINES

    counted = load(board).instructions
    pairs = [(engine, precision) for engine, found in counted.items() for precision in found]
    usual = [pair for pair in pairs if ENGINES[pair[0]].offered]
    best = {
        min((pair for pair in usual if pair[1] in allowed), key=lambda pair: counted[pair[0]][pair[1]])
        for allowed in (("fp32",), ("fp32", "int8"))
    }
    made: dict[str, Path] = {}
    for engine, precision in pairs:
        found = build(
            CHECKPOINT,
            board,
            "camera",
            engine=engine,
            precision=precision,
            data=DATA,
            lang="en",
            out=folder / f"{engine}-{precision}",
        )
        made[f"ours: {engine} {precision.upper()}{' *' * ((engine, precision) in best)}"] = found.path
    return made


def table(board: str, folder: Path) -> None:
    """A row for XEdu's way and for each form of ours."""
    import numpy as np

    import qingzhou

    for width, height in SIZES:
        frame = np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)
        np.save(folder / f"{width}x{height}.npy", frame)
    model = qingzhou.convert(CHECKPOINT, folder / "theirs.onnx", opset=11, ir_version=6)  # as the original writes it
    script, ours = ROOT / "tests/boards/xedu_way.py", folder / "ours.py"
    ours.write_text(OURS)
    print(f"\n{board}\n{'':44}{'network':>9}{'frame':>9}{'own share':>11}{'XEdu / ours':>13}", flush=True)
    whole = 0.0
    if board != "pi4-32":
        net, whole = (each(board, script, model.path, folder / "640x480.npy", what) for what in ("net", "all"))
        share = (whole - net) / net
        print(f"{'XEdu: onnxruntime FP32, OpenCV, 640x480':44}{net:7.1f} M{whole:7.1f} M{share:10.1%}", flush=True)
    for name, place in bundles(board, folder).items():
        own = each(board, ours, place, folder / "640x480.npy", "net")
        for size in dict.fromkeys(("640x480", asked_size(place))):
            frame = each(board, ours, place, folder / f"{size}.npy", "all")
            row = (
                f"{own:7.1f} M{frame:7.1f} M{(frame - own) / own:10.1%}{f'{whole / frame:.2f}x' if whole else '–':>13}"
            )
            print(f"{f'{name}, {size}':44}{row}", flush=True)


def asked_size(bundle: Path) -> str:
    """The size of pictures that a bundle asks the camera for."""
    found = re.search(r'^SIZE = "(\d+x\d+)"', (bundle / "main.py").read_text("utf-8"), re.M)
    assert found is not None
    return found[1]


def memory(python: str, folder: Path) -> None:
    """The most memory of the camera scene in INT8, and of an empty Python."""
    from qingzhou.bundle.build import build

    made = build(
        CHECKPOINT,
        "unihiker",
        "camera",
        data=DATA,
        engine="onnxruntime",
        precision="int8",
        out=folder / "camera",
        lang="en",
    )
    for name, words in (("empty Python", ["-c", "pass"]), ("the camera scene, INT8", ["main.py", "--sim"])):
        print(f"{name:44}{peak([python, *words], made.path):6.1f} MB", flush=True)
    film = os.environ.get("QINGZHOU_FILM")
    if film:
        code = (made.path / "main.py").read_text("utf-8")
        (made.path / "film.py").write_text(re.sub(r'^CAMERA = ".*?"', f"CAMERA = {film!r}", code, flags=re.M), "utf-8")
        print(f"{'the same with a film (OpenCV)':44}{peak([python, 'film.py'], made.path):6.1f} MB", flush=True)


def peak(argv: list[str], folder: Path) -> float:
    """The most memory of a process, in MB; this one stays small enough not to count."""
    env = {**os.environ, "QINGZHOU_SIM": "1", "PYTHONPATH": ""}
    code = (
        "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, *argv], cwd=folder, env=env, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr[-1000:])
    return float(done.stdout)


def main() -> None:
    """Parse, and print a table for each board."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("boards", nargs="*", default=["unihiker"])
    parser.add_argument("--memory", metavar="PYTHON", help="a Python 3.7 with the Unihiker's packages")
    given = parser.parse_args()
    for board in given.boards:
        subprocess.run([sys.executable, LAB, "up", board], check=True, stdout=subprocess.DEVNULL)
        with tempfile.TemporaryDirectory() as folder:
            table(board, Path(folder))
    if given.memory:
        with tempfile.TemporaryDirectory() as folder:
            memory(given.memory, Path(folder))


if __name__ == "__main__":
    main()
