"""Smaller weights, float arithmetic: what FP16 and int8 weights lose is what rounding them loses, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from networks import pictures, residual
from onnx import TensorProto, numpy_helper

import qingzhou
from passengers import DIGITS, ORACLE, basenn
from qingzhou.quant import storage
from qingzhou.quant.network import Network
from qingzhou.quant.signal import session

FEEDS = pictures(3)


def large(monkeypatch: pytest.MonkeyPatch) -> onnx.ModelProto:
    """The small network, with all of its weights large enough to be stored otherwise."""
    monkeypatch.setattr(storage, "FEWEST", 8)
    return residual()


def with_weights(proto: onnx.ModelProto, change: dict[str, np.ndarray]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for tensor in copy.graph.initializer:
        if tensor.name in change:
            tensor.CopyFrom(numpy_helper.from_array(change[tensor.name].astype(np.float32), tensor.name))
    return copy


def weights(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer if len(t.dims) >= 2}


def test_fp16_computes_with_the_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    proto = large(monkeypatch)
    small = storage.stored(Network(proto), "fp16")
    onnx.checker.check_model(small, full_check=True)
    halves = with_weights(proto, {name: array.astype(np.float16) for name, array in weights(proto).items()})
    for feed in FEEDS:
        np.testing.assert_allclose(*(session(m).run(None, feed)[0] for m in (small, halves)), rtol=1e-6)
    assert {t.data_type for t in small.graph.initializer if len(t.dims) >= 2} == {TensorProto.FLOAT16}


def test_int8_weights_are_the_nearest_of_each_channels_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    proto = large(monkeypatch)
    small = storage.stored(Network(proto), "int8-weights")
    onnx.checker.check_model(small, full_check=True)
    nearest = {}
    for name, array in weights(proto).items():
        scales = np.abs(array).reshape(len(array), -1).max(axis=1).reshape(-1, *[1] * (array.ndim - 1)) / 127
        nearest[name] = np.rint(array / scales) * scales
    for feed in FEEDS:
        found, expected = (session(m).run(None, feed)[0] for m in (small, with_weights(proto, nearest)))
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_numbers_too_large_for_fp16_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    proto = large(monkeypatch)
    huge = weights(proto)["w1"].copy()
    huge[0, 0, 0, 0] = 1e5
    small = storage.stored(Network(with_weights(proto, {"w1": huge})), "fp16")
    assert {t.name for t in small.graph.initializer if t.data_type == TensorProto.FLOAT} >= {"w1"}
    assert np.isfinite(session(small).run(None, FEEDS[0])[0]).all()


@pytest.mark.parametrize(("precision", "share"), [("fp16", 0.53), ("int8-weights", 0.29)])
def test_real_digits_from_a_smaller_file(precision: str, share: float, tmp_path: Path) -> None:
    model = qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path).path
    found = qingzhou.quantize(model, DIGITS / "test", precision=precision)
    assert found.path is not None and found.path.name == f"lenet_digits.{'fp16' if share > 0.5 else 'int8w'}.onnx"
    assert found.sizes[1] <= share * found.sizes[0]
    assert found.verdict is not None and found.verdict.drop.drop <= 0.0026  # one of 397
    assert qingzhou.load(found.path).check() <= 0.02


def test_no_data_are_needed_and_texts_can_be_smaller_too(tmp_path: Path) -> None:
    model = qingzhou.convert(basenn("em_lstm"), tmp_path / "poet.onnx")
    found = qingzhou.quantize(model.path, precision="int8-weights")
    assert found.path is not None and found.verdict is None and found.sizes[1] < 0.7 * found.sizes[0]
    assert qingzhou.load(found.path).check() <= qingzhou.load(found.path).card.sample.tolerance
