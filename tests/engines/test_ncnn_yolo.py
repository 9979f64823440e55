"""Networks of Ultralytics in ncnn: attention, known numbers and turned boxes give what onnxruntime gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

import qingzhou
from qingzhou.deploy.export import export_model
from qingzhou.engines.ncnn.engine import compile_model
from qingzhou.errors import EngineError
from qingzhou.runtime.engine.ncnn import open_ncnn
from yolos import checkpoint, fed


@pytest.mark.parametrize("name", ["11_segment", "11_obb", "26_pose", "12", "v10"])
def test_raw_predictions(name: str, tmp_path: Path) -> None:
    model = qingzhou.convert(checkpoint(name, tmp_path), form="raw", input_size=(64, 96), check=False)
    param = tmp_path / "a.ncnn.param"
    compile_model(model.path, model.card, param, "fp32")
    session, batch = open_ncnn(param, 1), fed(name)
    expected = ort.InferenceSession(model.path).run(None, {"images": batch})
    found = session.run(None, {session.get_inputs()[0].name: batch})
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one.reshape(other.shape) - other).max() <= 1e-4 * np.abs(other).max()


def test_rows_are_refused(tmp_path: Path) -> None:
    """They are chosen inside the network; the raw form is named."""
    path = qingzhou.convert(checkpoint("26", tmp_path), check=False).path
    with pytest.raises(EngineError, match="--form raw"):
        export_model(path, "ncnn")
    made = export_model(tmp_path / "26.pt", "ncnn")  # which takes that form by itself
    assert [file.name for file in made.files] == ["26.ncnn.param", "26.ncnn.bin"]
