"""Every MMEdu classifier against the outputs of the original frameworks, at four opsets."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
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

OPSETS = ((11, 6), (13, 8), (17, 8), (21, 10))
# Of these the default opset alone, and the others where there is time; siblings of VGG16 are in test_families.py.
LARGE = ("RegNetX_400MF", "RepVGG_A0", "ResNeXt50", "ResNet50")
SMALL = sorted({path.name for path in (ORACLE / "mmedu").iterdir()} - {*LARGE, "VGG16"})
CASES = [
    *(pytest.param(name, OPSETS, id=name) for name in SMALL),
    *(pytest.param(name, OPSETS[1:2], id=name) for name in LARGE),
    *(pytest.param(name, OPSETS[:1] + OPSETS[2:], id=f"{name}-others", marks=pytest.mark.slow) for name in LARGE),
    pytest.param("VGG16", OPSETS, id="VGG16", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "opsets"), CASES)
def test_probabilities_equal_the_original(
    name: str, opsets: Sequence[tuple[int, int]], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    folder = ORACLE / "mmedu" / name
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    tensors = rebuild(manifest)
    match = recognise({key: array.shape for key, array in tensors.items()})
    expected = np.load(folder / "reference.npz")["output"].reshape(-1)
    x = np.random.Generator(np.random.PCG64(manifest["input_seed"])).normal(size=manifest["input_shape"])
    worst = 0.0
    for opset, ir_version in opsets:
        path = tmp_path / "model.onnx"
        write_onnx(path, emit(simplify(match.graph.bound(tensors)), opset, ir_version))
        onnx.checker.check_model(path, full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = session.run(None, {"input": x.astype(np.float32)})[0].reshape(-1)
        worst = max(worst, float(np.abs(found - expected).max()))
    record_property("oracle", worst)
    assert worst <= 1e-5
