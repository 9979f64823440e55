"""The process in which MNN's converter runs: confined before it reads anything."""

from __future__ import annotations

import os
import sys

import numpy as np

MEMORY, SECONDS, FILE_SIZE, OPEN_FILES = 8 << 30, 600.0, 4 << 30, 256
NAMES = "outputs.txt"


def main(folder: str, parent: str, half: str) -> None:
    """m.onnx in the folder becomes m.mnn beside it, which is there only when MNN has run it once: some networks it
    converts, and then ends the process that runs them. MNN returns True whatever happened: the file tells.
    """
    import _tools  # of MNN: its name as it is; all before this process may load nothing more
    import MNN

    from ...confine import confine
    from ...runtime.engine.mnn import PRECISIONS, session_of

    confine(int(parent), MEMORY, SECONDS, FILE_SIZE, OPEN_FILES, folder)
    source, made, names = (os.path.join(folder, name) for name in ("m.onnx", "m.part", NAMES))
    words = ["MNNConvert", "-f", "ONNX", "--modelFile", source, "--MNNModel", made, "--bizCode", "qingzhou"]
    _tools.mnnconvert([*words, "--fp16"] if half == "1" else words)
    if not os.path.isfile(made):
        sys.exit(1)
    with open(names, encoding="utf-8") as file:
        session = session_of(MNN, made, file.read().split("\n"), "", PRECISIONS[half == "1"], 1)
    feed = {one.name: np.zeros([1 if n == "?" else n for n in one.shape], np.float32) for one in session.get_inputs()}
    session.run(None, feed)
    os.replace(made, os.path.join(folder, "m.mnn"))
