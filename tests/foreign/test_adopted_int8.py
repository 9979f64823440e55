"""INT8 of adopted models is INT8, is smaller, and is judged; what cannot be is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import foreign_files as files
import qingzhou
from qingzhou.errors import ModelError, QingzhouError
from qingzhou.evaluate import evaluate
from qingzhou.quant import quantize


def wide(make: Callable[[Path], Path], path: Path, side: int = 48) -> Path:
    """The same file with a large matrix at its end, so that there is something to save."""
    made = onnx.load(make(path))
    half = any(t.data_type == TensorProto.FLOAT16 for t in made.graph.initializer)
    kind = np.float16 if half else np.float32
    end = made.graph.output[0].name
    big = files.array(8, 3, 64 * side)
    for i, numbers in enumerate([big, np.ascontiguousarray(big.T) / 64]):
        made.graph.initializer.append(numpy_helper.from_array(numbers.astype(kind), f"big{i}"))
        if made.ir_version < 4:
            made.graph.input.append(files.value(f"big{i}", numbers.shape))
    nodes = [
        helper.make_node("MatMul", [end, "big0"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["positive"]),
        helper.make_node("MatMul", ["positive", "big1"], ["scores"]),
    ]
    made.graph.node.extend(nodes)
    made.graph.output[0].name = "scores"
    return files.kept(path, made)


MAKERS = [files.torch_classifier, files.caffe2, files.paddle, files.half, files.tensorflow]


@pytest.mark.parametrize("make", MAKERS)
def test_int8_weights_are_there_and_the_file_shrank(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    model = qingzhou.convert(wide(make, tmp_path / "net.onnx"), labels="a,b,c")
    found = quantize(model.path, pictures(tmp_path, model), any_speed=True, max_drop=100)
    assert found.path == tmp_path / "net.card.int8.onnx"
    made = onnx.load(found.path)
    integers = [t for t in made.graph.initializer if t.data_type in (TensorProto.INT8, TensorProto.UINT8)]
    assert any(t.dims == [3, 64 * 48] or t.dims == [64 * 48, 3] for t in integers)
    assert found.sizes[1] < found.sizes[0]
    onnx.checker.check_model(made, full_check=True)
    judged = evaluate(found.path, tmp_path / "data").result
    assert judged.accuracy > 0.9  # type: ignore[union-attr]
    assert qingzhou.load(found.path).check() >= 0


def pictures(folder: Path, model: qingzhou.Model) -> Path:
    """Folders of noise, each picture in the one that the model itself says."""
    from PIL import Image

    luck = np.random.default_rng(3)
    for i in range(60):
        colour = luck.integers(0, 256, 3)
        pixels = np.clip(colour + luck.normal(0, 40, (32, 32, 3)), 0, 255).astype(np.uint8)
        image = Image.fromarray(pixels)
        place = folder / "data" / str(model.predict(image).label)
        place.mkdir(parents=True, exist_ok=True)
        image.save(place / f"{i}.png")
    for name in model.card.labels:
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)
        if not any((folder / "data" / name).iterdir()):
            Image.new("RGB", (32, 32)).save(folder / "data" / name / "none.png")
    return folder / "data"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (files.scikit, "classical"),
        (files.quantized, "INT8 already"),
        (files.state, "If"),
        (files.ultralytics, "no convolution"),
    ],
)
def test_what_has_nothing_for_int8_says_why(tmp_path: Path, make: Callable[[Path], Path], why: str) -> None:
    model = qingzhou.convert(make(tmp_path / "net.onnx"))
    from qingzhou.quant.network import Network
    from qingzhou.quant.pipeline import _check_network
    from qingzhou.quant.ready import ready

    with pytest.raises(ModelError, match=why):
        _check_network(Network(ready(model.path)), model.card, model.path)


def test_a_table_model_of_scikit_learn(tmp_path: Path) -> None:
    model = qingzhou.convert(files.scikit(tmp_path / "net.onnx"))
    lines = ["5.1,3.5,1.4,0.2,setosa", "6.2,2.9,4.3,1.3,versicolor", "7.7,3.0,6.1,2.3,virginica"] * 20
    (tmp_path / "data.csv").write_text("a,b,c,d,label\n" + "\n".join(lines) + "\n")
    assert evaluate(model.path, tmp_path / "data.csv").complete
    with pytest.raises(ModelError, match="LinearClassifier"):
        quantize(model.path, tmp_path / "data.csv")
    assert not list(tmp_path.glob("*.int8.onnx"))


@pytest.mark.parametrize("precision", ["int8-weights", "fp16"])
def test_smaller_weights(tmp_path: Path, precision: str) -> None:
    model = qingzhou.convert(wide(files.caffe2, tmp_path / "net.onnx"), labels="a,b,c")
    found = quantize(model.path, precision=precision)
    assert found.path is not None and found.sizes[1] < 0.7 * found.sizes[0]
    small = qingzhou.convert(files.scikit(tmp_path / "trees.onnx"))
    with pytest.raises(QingzhouError, match="no large weights"):
        quantize(small.path, precision=precision)
