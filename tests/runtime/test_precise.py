"""INT8 on x86 without VNNI, where products of full 8-bit weights overflow: such a processor gets other kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qingzhou.runtime.engine import session


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "flags : avx2 avx512f", True),
        ("x86_64", "flags : avx2 avx512_vnni", False),
        ("AMD64", "flags : avx2 avx_vnni", False),
        ("AMD64", None, True),
        ("aarch64", None, False),
    ],
)
def test_which_processors(
    machine: str, flags: str | None, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.platform, "machine", lambda: machine)
    path = tmp_path / "cpuinfo"
    if flags:
        path.write_text(flags)
    assert session.adds_in_16_bits.__wrapped__(str(path)) is expected


def test_a_model_that_has_no_such_kernel_is_opened_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """int8 activations with full 8-bit weights, as for ncnn."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    numbers = {
        "s": np.array(1, np.float32), "z": np.array(0, np.int8), "w": np.full((2, 8, 1, 1), 127, np.int8),
        "b": np.zeros(2, np.int32), "t": np.array(0.01, np.float32),
    }  # fmt: skip
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "t", "z"], ["v"]),
        helper.make_node("Conv", ["d", "v"], ["c"]),
        helper.make_node("QuantizeLinear", ["c", "s", "z"], ["e"]),
        helper.make_node("DequantizeLinear", ["e", "s", "z"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, k, 4, 4]) for n, k in (("x", 8), ("y", 2))]
    constants = [numpy_helper.from_array(array, name) for name, array in numbers.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    monkeypatch.setattr(session, "adds_in_16_bits", lambda: True)
    opened = session.start(model.SerializeToString(), session.onnxruntime_package().SessionOptions())
    found = opened.run(None, {"x": np.ones((1, 8, 4, 4), np.float32)})[0]
    assert np.abs(found - 8 * 127 * 0.01).max() <= 1 and onnx.__version__
