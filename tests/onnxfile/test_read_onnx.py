"""Files are read as onnx reads them; half a file, or an altered one, is an error of ours and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from forms import FORMS
from onnx import TensorProto, helper, numpy_helper

import qingzhou
from passengers import ORACLE
from qingzhou.errors import ModelError
from qingzhou.files.limits import MOST_AXES
from qingzhou.graph.form import UNRANKED, Raw
from qingzhou.onnxfile.read import read_onnx

TYPES = [
    "float32",
    "float64",
    "float16",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "bool",
]


def saved(path: Path, **tensors: TensorProto) -> Path:
    """A model with these initializers."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:], list(tensors.values()))
    onnx.save(helper.make_model(graph), path)
    return path


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("raw", [True, False])
def test_numbers_of_every_type(dtype: str, raw: bool, tmp_path: Path) -> None:
    array = (np.arange(-4, 4) if dtype[0] in "if" else np.arange(8)).astype(dtype).reshape(2, 4)
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = numpy_helper.from_array(array, "w") if raw else helper.make_tensor("w", kind, (2, 4), array.reshape(-1))
    found = read_onnx(saved(tmp_path / "m.onnx", w=tensor)).graph.constants["w"]
    assert (found.shape, found.dtype) == ((2, 4), dtype)
    np.testing.assert_array_equal(found.load(), array)


def test_texts_and_bfloat16(tmp_path: Path) -> None:
    words = helper.make_tensor("w", TensorProto.STRING, [2], ["猫", "dog"])
    halves = helper.make_tensor("h", TensorProto.BFLOAT16, [3], [1.0, -2.5, 0.0])
    found = read_onnx(saved(tmp_path / "m.onnx", w=words, h=halves)).graph.constants
    assert found["w"].load().tolist() == ["猫", "dog"]
    assert found["h"].dtype == "float32" and found["h"].load().tolist() == [1.0, -2.5, 0.0]


def test_large_numbers_come_piece_by_piece(tmp_path: Path) -> None:
    array = np.arange(700_000, dtype=np.float32)
    found = read_onnx(saved(tmp_path / "m.onnx", w=numpy_helper.from_array(array, "w"))).graph.constants["w"]
    assert found.chunks is not None
    pieces = [bytes(piece) for piece in found.chunks() or ()]
    assert len(pieces) > 1 and b"".join(pieces) == array.tobytes()
    np.testing.assert_array_equal(found.load(), array)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_as_onnx(form: str, tmp_path: Path) -> None:
    model, _ = FORMS[form]()
    onnx.save(model, tmp_path / "m.onnx")
    found = read_onnx(tmp_path / "m.onnx")
    nodes = [node for node in model.graph.node if node.op_type != "Constant"]
    assert [node.op for node in found.graph.nodes] == [node.op_type for node in nodes]
    assert [node.inputs for node in found.graph.nodes] == [tuple(node.input) for node in nodes]
    for ours, theirs in zip(found.graph.nodes, nodes, strict=True):
        wanted = {item.name: helper.get_attribute_value(item) for item in theirs.attribute}
        assert ours.attrs.keys() == wanted.keys()
        for name, value in ours.attrs.items():
            assert isinstance(value, Raw) or value == plain(wanted[name])
    assert found.opset == model.opset_import[0].version and found.ir_version == model.ir_version


def plain(value: object) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, (int, float)) else tuple(map(plain, value))


def test_what_the_body_of_an_if_reads(tmp_path: Path) -> None:
    onnx.save(FORMS["an_if_inside"]()[0], tmp_path / "m.onnx")
    graph = read_onnx(tmp_path / "m.onnx").graph
    assert graph.nodes[-1].reads == ("r",) and len(graph.without_dead().nodes) == 2
    assert graph.outputs[0].shape == UNRANKED


def test_another_files_weights_are_named_and_never_opened(tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=1, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../secret.bin")
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    (tmp_path / "in").mkdir()
    found = read_onnx(saved(tmp_path / "in" / "m.onnx", w=tensor))
    assert found.outside == ("../secret.bin",)
    with pytest.raises(ModelError, match=r"secret\.bin"):
        found.graph.constants["w"].load()


@pytest.mark.parametrize("shape", [[-1], [1 << 62, 4], [1] * (MOST_AXES + 1), [5]])
def test_shapes_that_the_numbers_do_not_have(shape: list[int], tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=1, dims=shape, raw_data=bytes(16))
    with pytest.raises(ModelError, match="not what its shape"):
        read_onnx(saved(tmp_path / "m.onnx", w=tensor)).graph.constants["w"].load()


def test_half_a_file(tmp_path: Path) -> None:
    """Cut anywhere: what is read is an error of ours, or a file that ends between two fields."""
    whole = qingzhou.convert(ORACLE / "digits" / "basenn.pth", tmp_path / "m.onnx").path.read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 150)):
        (tmp_path / "half.onnx").write_bytes(whole[:size])
        with pytest.raises(ModelError, match="no complete"):
            read_onnx(tmp_path / "half.onnx")


def test_altered_bytes(tmp_path: Path) -> None:
    """Numbers are asked for as well."""
    whole = bytearray(qingzhou.convert(ORACLE / "digits" / "basenn.pth", tmp_path / "m.onnx").path.read_bytes())
    chance = np.random.default_rng(5)
    for _ in range(300):
        altered = bytearray(whole)
        for place in chance.integers(0, min(len(whole), 4000), 3):
            altered[place] = chance.integers(0, 256)
        (tmp_path / "odd.onnx").write_bytes(altered)
        try:
            for constant in read_onnx(tmp_path / "odd.onnx").graph.constants.values():
                constant.load()
        except ModelError as err:
            assert err.en != err.zh


def test_onnx_is_not_imported(tmp_path: Path) -> None:
    """Importing it takes longer than reading a model."""
    import subprocess

    path = qingzhou.convert(ORACLE / "digits" / "basenn.pth", tmp_path / "m.onnx").path
    code = "import sys; from qingzhou.info import read_info; read_info(sys.argv[1]); print('onnx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
