"""A large file is opened by its index, whose arrays lie elsewhere; what a shape depends on has to stay in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from qingzhou.graph.record import Recorder
from qingzhou.onnxfile import verify
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx


def test_a_resize_still_says_its_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "ONE_PIECE", 0)
    net = Recorder()
    x = net.conv("conv", net.input("x", (1, 3, 8, 8)), 4, 3)
    graph = net.freeze(net.upsample(x, (16, 16), "nearest", False), names=["y"])
    weights = {"conv.weight": np.ones((4, 3, 3, 3), np.float32), "conv.bias": np.zeros(4, np.float32)}
    emitted = emit(graph.bound(weights), 13, 8)
    places = write_onnx(tmp_path / "m.onnx", emitted)
    index = verify.index_of(tmp_path / "m.onnx", emitted, places)
    assert index is not None
    [found] = onnxruntime.InferenceSession(str(index)).run(None, {"x": np.ones((1, 3, 8, 8), np.float32)})
    assert found.shape == (1, 4, 16, 16) and found.max() == 27
