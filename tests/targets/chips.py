"""Models for the vendors' own simulators, and what is true of every one of them."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import qingzhou
from environments import python_of
from passengers import DIGITS, ORACLE
from qingzhou.deploy.export import export_for_chip
from qingzhou.errors import EngineError, OutputError
from qingzhou.targets import TARGETS, OnChip, Target

LENET, MOBILENET = ORACLE / "trained" / "lenet_digits.pth", ORACLE / "trained" / "mobilenet_digits.pth"
DATA = DIGITS / "test"


def ready(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, **changes: Any) -> Target:
    """The target, with its environment of the tests."""
    target = replace(TARGETS[name], **changes)
    monkeypatch.setitem(TARGETS, name, target)
    monkeypatch.setenv("QINGZHOU_TARGETS", str(folder / "targets"))
    monkeypatch.setenv(f"QINGZHOU_TARGET_{name.upper()}", str(python_of(name)))
    return target


def told(made: OnChip, title: str) -> str:
    """A row of the documents' table, also for whoever reads the test's output."""
    was, now = made.verdict.figures()
    return (
        f"{title}: {made.size} bytes, {made.held_out[1]} of {made.held_out[0]} pictures, top-1 {was:.2%} -> {now:.2%}, "
        f"agree {made.agreement:.2%}, scores off by {made.far[0]:.3f} / {made.far[1]:.4f}, {made.seconds:.0f} s"
    )


def keeps_the_promise(made: OnChip, least: int) -> None:
    """Answers against ONNX Runtime's in FP32: a drop of one point at most."""
    assert made.verdict.labelled and made.verdict.judged >= least
    was, now = made.verdict.figures()
    assert was > 0.9 and now >= was - 0.01 - 1e-9, told(made, "")
    assert made.agreement is not None and made.agreement >= 0.98
    assert 0 < made.far[0] < 0.5 and made.card.origin["quantised"]["judged"] == made.verdict.judged


def with_a_layer(folder: Path, op: str, inputs: dict[str, Any], **attributes: Any) -> Path:
    """LeNet with one more operator behind its first convolution, which leaves shapes as they are."""
    path = qingzhou.convert(LENET, folder / "odd.onnx", opset=17).path
    model = onnx.load(path)
    conv = model.graph.node[0]
    assert conv.op_type == "Conv"
    after = conv.output[0]
    conv.output[0] = f"{after}/before"
    given = [numpy_helper.from_array(np.asarray(array), name) for name, array in inputs.items()]
    model.graph.initializer.extend(given)
    model.graph.node.insert(1, helper.make_node(op, [conv.output[0], *inputs], [after], name="odd", **attributes))
    onnx.save(model, path)
    return path


def grid() -> dict[str, Any]:
    """For GridSample: every pixel where it is."""
    y, x = np.meshgrid(
        np.linspace(-1, 1, 28, dtype=np.float32), np.linspace(-1, 1, 28, dtype=np.float32), indexing="ij"
    )
    return {"grid": np.stack([x, y], -1)[None]}


def names_the_layer(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, chip: str) -> None:
    target, model = ready(monkeypatch, folder, name), with_a_layer(folder, "GridSample", grid(), align_corners=1)
    with pytest.raises(EngineError, match="cannot take the layer GridSample"):
        export_for_chip(model, target, chip, f"{folder}/out/", DATA)
    assert not (folder / "out").exists()


def ends_in_time(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, chip: str) -> None:
    """A compiler that takes too long is ended with all that it has started, and nothing is left."""
    target = ready(monkeypatch, folder, name, seconds=6.0)
    before = running(str(python_of(name)))
    with pytest.raises(EngineError, match=r"did not end within 0\.1 minutes"):
        export_for_chip(MOBILENET, target, chip, f"{folder}/out/", DATA)
    assert not (folder / "out").exists()
    for _ in range(100):
        if not running(str(python_of(name))) - before:
            return
        time.sleep(0.1)
    raise AssertionError("something of it is still running")


def running(python: str) -> set[int]:
    """Processes of an environment."""
    home, found = str(Path(python).parents[1]), set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            found |= {int(entry)} if home in words else set()
    return found


def full_disk(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, chip: str) -> None:
    """No file may be larger than 20 kB, which LeNet's is."""
    target = ready(monkeypatch, folder, name)
    monkeypatch.setattr("qingzhou.targets.ask.FILE_SIZE", 20_000)
    with pytest.raises(OutputError, match="the disk is full"):
        export_for_chip(LENET, target, chip, f"{folder}/out/", DATA)
    assert not (folder / "out").exists()
