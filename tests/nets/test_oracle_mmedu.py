"""Every MMEdu classifier against the outputs of the original frameworks, at four opsets."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

ORACLE = Path(__file__).parents[1] / "oracle"
sys.path.insert(0, str(ORACLE))

from rebuild import rebuild  # noqa: E402

from qingzhou.graph.fold import simplify  # noqa: E402
from qingzhou.nets.match import recognise  # noqa: E402
from qingzhou.onnxfile.emit import emit  # noqa: E402
from qingzhou.onnxfile.write import write_onnx  # noqa: E402


@pytest.mark.parametrize("folder", sorted((ORACLE / "mmedu").iterdir()), ids=lambda p: p.name)
def test_probabilities_equal_the_original(folder, tmp_path, record_property):
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    tensors = rebuild(manifest)
    match = recognise({key: array.shape for key, array in tensors.items()})
    expected = np.load(folder / "reference.npz")["output"].reshape(-1)
    x = np.random.Generator(np.random.PCG64(manifest["input_seed"])).normal(size=manifest["input_shape"])
    worst = 0.0
    for opset, ir_version in ((11, 6), (13, 8), (17, 8), (21, 10)):
        path = tmp_path / "model.onnx"
        write_onnx(path, emit(simplify(match.graph.bound(tensors)), opset, ir_version))
        onnx.checker.check_model(path, full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = session.run(None, {"input": x.astype(np.float32)})[0].reshape(-1)
        worst = max(worst, float(np.abs(found - expected).max()))
    record_property("oracle", worst)
    assert worst <= 1e-5
