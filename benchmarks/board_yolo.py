"""What a frame costs on an emulated board with YOLO11n, in instructions: our bundles beside Ultralytics' own way.

    python benchmarks/board_yolo.py --peers PYTHON [pi5 pi4-64]

Ultralytics' way is its own export (FP32 .onnx of 320 x 320), run on the board by its own predict(): its letterbox, its
network in onnxruntime, its suppression (tests/boards/yolo_way.py), with PyTorch, OpenCV and all that it imports there.
Ours is what `qingzhou bundle` makes of the same .pt: FP32, and INT8 quantised for ARM with the frames of noise below.
The weights are random, and moved so that 60 places pass the threshold (peers/yolo_lively.py): what is counted is work,
and says nothing of answers. A frame is (480, 640, 3) as OpenCV gives it. Counted as in board.py, on one thread.

PYTHON has Ultralytics (`python tests/environments.py ultralytics`, and there pip install onnx onnxslim). The board gets
PyTorch 2.9.1, since from 2.11 on its wheels for ARM are of CUDA (findings/torch-arm-cuda.sh).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from board import LAB, OURS, ROOT, each
from PIL import Image

SIDE, PLACES, PICTURES, TIMES = 320, 60, 40, 4
PEERS = ROOT / "benchmarks/peers"
ON_BOARD = """ultralytics==8.4.190 ultralytics-thop==2.2.3 torch==2.9.1 torchvision==0.24.1 sympy mpmath networkx jinja2
scipy markupsafe fsspec filelock typing-extensions setuptools pyyaml requests urllib3 idna certifi charset-normalizer
psutil polars polars-runtime-32 matplotlib contourpy cycler fonttools kiwisolver packaging pyparsing six
python-dateutil"""
FORMS = (("onnxruntime", "fp32"), ("onnxruntime", "int8"), ("ncnn", "fp32"))


def main() -> None:
    """Parse, and print a table for each board."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("boards", nargs="*", default=["pi5"])
    parser.add_argument("--peers", required=True, metavar="PYTHON", help="a Python with Ultralytics")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs, ours = models(folder, given.peers)
        for board in given.boards:
            subprocess.run([sys.executable, LAB, "up", board], check=True, stdout=subprocess.DEVNULL)
            table(board, folder, theirs, ours)


def models(folder: Path, python: str) -> tuple[Path, dict[str, Path]]:
    """Ultralytics' own .onnx, and ours by precision."""
    import qingzhou

    rng = np.random.default_rng(3)
    np.save(folder / "frame.npy", rng.integers(0, 256, (480, 640, 3)).astype(np.uint8))
    (folder / "pictures").mkdir()
    for i in range(PICTURES):
        coarse = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
        Image.fromarray(coarse.repeat(40, 0).repeat(40, 1)).save(folder / "pictures" / f"{i}.png")
    settled = {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    for words in (
        ["yolo_lively.py", "net.pt", "frame.npy", str(SIDE), str(PLACES)],
        ["yolo_export.py", "net.pt", str(SIDE)],
    ):
        command = [python, PEERS / words[0], *words[1:]]
        subprocess.run(command, cwd=folder, env={**os.environ, **settled}, check=True, stdout=subprocess.DEVNULL)
    theirs = (folder / "net.onnx").rename(folder / "theirs.onnx")
    fp32 = qingzhou.convert(folder / "net.pt", folder / "ours.onnx", form="raw", input_size=(SIDE, SIDE)).path
    int8 = qingzhou.quantize(fp32, folder / "pictures", target="arm", min_agreement=0.0, any_speed=True).path
    assert int8 is not None
    return theirs, {"fp32": fp32, "int8": int8}


def table(board: str, folder: Path, theirs: Path, ours: dict[str, Path]) -> None:
    """A row for Ultralytics' way and for each form of ours."""
    from qingzhou.bundle.build import build

    frame, script = folder / "frame.npy", folder / "ours.py"
    script.write_text(OURS)
    print(f"\n{board}\n{'':32}{'network':>11}{'frame':>11}{'own share':>11}{'theirs / ours':>15}", flush=True)
    peer = {"PYTHONPATH": str(wheels(board, folder)), "YOLO_CONFIG_DIR": str(folder)}
    whole = each(board, ROOT / "tests/boards/yolo_way.py", theirs, frame, str(SIDE), settings=peer, times=TIMES)
    print(f"{'Ultralytics: onnxruntime FP32':32}{'':11}{whole:9.1f} M", flush=True)
    for engine, precision in FORMS:
        place = folder / f"{board}-{engine}-{precision}"
        built = build(ours[precision], board, "camera", engine=engine, precision=precision, lang="en", out=place)
        net, all_of_it = (each(board, script, built.path, frame, what, times=TIMES) for what in ("net", "all"))
        name = f"ours: {engine} {precision.upper()}"
        share = (all_of_it - net) / net
        print(f"{name:32}{net:9.1f} M{all_of_it:9.1f} M{share:11.1%}{whole / all_of_it:14.2f}x", flush=True)


def wheels(board: str, folder: Path) -> Path:
    """What Ultralytics imports, for the board; numpy, Pillow, OpenCV and onnxruntime are in its lab."""
    sys.path.insert(0, str(LAB.parent))
    from boardlab import install_wheels

    from boards import BOARDS

    place = folder / f"{board}-wheels"
    install_wheels(BOARDS[board], ON_BOARD.split(), place)
    return place


if __name__ == "__main__":
    main()
