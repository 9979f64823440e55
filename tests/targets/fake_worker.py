"""A vendor's compiler that does not exist, as tests need one: its chip says what goes wrong.

It computes with onnxruntime, rounds the answers to steps of 1/256, and the file that it "compiles" is a text.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Doing = Callable[[str], None]


def versions() -> dict[str, str]:
    return {"fake": "1.2.3"}


def work(order: dict[str, Any], doing: Doing) -> dict[str, Any]:
    if order["chip"] == "layer":
        return {"layer": "GridSample", "why": "op type GridSample is not supported"}
    print("noise on stdout")
    os.write(1, b"noise of C\n")
    doing("reading")
    WRONG.get(order["chip"], lambda order: None)(order)
    doing("building")
    Path(order["out"]).write_text(f"made for {order['chip']} of {Path(order['model']).name}")
    outputs = simulated(order, doing)
    if order["chip"] == "dull":
        outputs = [np.roll(array, 1, axis=1) for array in outputs]
    if order["chip"] == "misshapen":
        outputs = [array[:, 1:] for array in outputs]
    names = [f"out_{i}.npy" for i in range(len(outputs))]
    for name, array in zip(names, outputs, strict=True):
        np.save(name, array)
    return {"versions": versions(), "outputs": names, "facts": {"memory": 12345, "input_exponent": -6}}


def simulated(order: dict[str, Any], doing: Doing) -> list[np.ndarray]:
    """Inputs are uint8 NHWC pixels; mean and std are taken off here, as the chip would."""
    import onnxruntime

    session = onnxruntime.InferenceSession(order["model"])
    inputs, rows = np.load(order["inputs"]), []
    for i, picture in enumerate(inputs[: 20 if order["chip"] == "slow" else None]):
        doing(f"simulating {i + 1}/{len(inputs)}")
        assert picture.dtype == np.uint8
        batch = ((picture - np.float32(order["mean"])) / np.float32(order["std"])).transpose(2, 0, 1)[None]
        rows.append(session.run(None, {session.get_inputs()[0].name: batch.astype(np.float32)}))
    return [np.round(np.concatenate(column) * 256) / 256 for column in zip(*rows, strict=True)]


def eats(order: dict[str, Any]) -> None:
    every = []
    while True:
        every.append(np.ones(1 << 24))


def with_a_child(order: dict[str, Any]) -> None:
    """A child process, which would go on, and a compiler that never ends."""
    import subprocess

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(os.environ["TMPDIR"], "child").write_text(str(child.pid))
    time.sleep(600)


def too_large(order: dict[str, Any]) -> None:
    with open(order["out"], "wb") as file:
        file.truncate(8 << 30)


def raises(err: Exception) -> Callable[[dict[str, Any]], None]:
    def wrong(order: dict[str, Any]) -> None:
        raise err

    return wrong


WRONG: dict[str, Callable[[dict[str, Any]], None]] = {
    "crashes": lambda order: os.abort(),
    "ends": lambda order: os._exit(7),
    "eats": eats,
    "hangs": with_a_child,
    "fills": too_large,
    "breaks": raises(ValueError("shape of 克 is\nodd")),
    "bare": raises(ModuleNotFoundError("No module named 'npu'")),
    "full": raises(OSError(28, "No space left on device")),
}
