"""The process in which MNN's converter runs: confined before it reads anything."""

from __future__ import annotations

import os
import sys

MEMORY, SECONDS, FILE_SIZE, OPEN_FILES = 8 << 30, 600.0, 4 << 30, 256


def main(folder: str, parent: str, half: str) -> None:
    """m.onnx in the folder becomes m.mnn beside it. MNN returns True whatever happened: the file tells."""
    import _tools  # of MNN: its name as it is; before this process may load nothing more

    from ...confine import confine

    confine(int(parent), MEMORY, SECONDS, FILE_SIZE, OPEN_FILES, folder)
    source, made = (os.path.join(folder, name) for name in ("m.onnx", "m.part"))
    words = ["MNNConvert", "-f", "ONNX", "--modelFile", source, "--MNNModel", made, "--bizCode", "qingzhou"]
    _tools.mnnconvert([*words, "--fp16"] if half == "1" else words)
    sys.stdout.flush()
    if os.path.isfile(made):  # whole: whoever ended in the middle left no m.mnn
        os.replace(made, os.path.join(folder, "m.mnn"))
