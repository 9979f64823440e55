"""MindSpore's .mindir: what MindSpore itself answers, network by network and operation by operation."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mindspore_files import constant, mindir, node
from qingzhou.conversion import run_conversion
from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsupportedCheckpoint, use_language
from qingzhou.graph.fold import simplify
from qingzhou.info import read_info
from qingzhou.model import load
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.options import Options
from qingzhou.runtime.engine.session import open_session
from qingzhou.sources.network import Network
from qingzhou.sources.read import read_network

ORACLE = Path(__file__).parents[1] / "oracle" / "mindspore"
DIGITS = Path(__file__).parents[1] / "oracle" / "digits" / "test"
TOLD: Mapping[str, Any] = json.loads((ORACLE / "manifest.json").read_text("utf-8"))
NETWORKS = sorted(name for name, one in TOLD.items() if one["format"] == "mindir" and "refuse" not in one)
REFUSED = sorted(name for name, one in TOLD.items() if "refuse" in one)
OPERATIONS = zipfile.ZipFile(ORACLE / "operations.zip")
NAMES = sorted(name.removesuffix(".mindir") for name in OPERATIONS.namelist() if name.endswith(".mindir"))
KINDS = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}


def answers(network: Network, place: Path, opset: int, xs: list[Any]) -> list[Any]:
    """Of our network, sample by sample where it takes only so many."""
    write_onnx(place, emit(simplify(network.graph), opset, 8))
    session = open_session(place)
    entries = session.get_inputs()
    given = [x.astype(KINDS[entry.type]) for entry, x in zip(entries, xs, strict=True)]
    size = entries[0].shape[0] if entries[0].shape else None
    if not isinstance(size, int) or size == len(given[0]):
        return list(session.run(None, {entry.name: x for entry, x in zip(entries, given, strict=True)}))
    rows = [
        session.run(None, {entry.name: x[i : i + size] for entry, x in zip(entries, given, strict=True)})
        for i in range(0, len(given[0]), size)
    ]
    return [np.concatenate(row) for row in zip(*rows, strict=True)]


def compare(found: list[Any], numbers: Mapping[str, Any], tolerance: float) -> None:
    """Each output; relative to the largest number, where that is above 1."""
    wanted = [numbers[key] for key in sorted(numbers, key=lambda key: (len(key), key)) if key[0] == "y"]
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.shape == theirs.shape
        scale = max(1.0, float(np.abs(theirs).max(initial=0)))
        assert np.abs(ours.astype(np.float64) - theirs).max(initial=0) <= tolerance * scale


@pytest.mark.parametrize("opset", [13, 17])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_answer_as_mindspore_does(name: str, opset: int, tmp_path: Path) -> None:
    network = read_network(ORACLE / name / "model.mindir")
    numbers = np.load(ORACLE / name / "reference.npz")
    compare(answers(network, tmp_path / "x.onnx", opset, [numbers["x"]]), dict(numbers), TOLD[name]["tolerance"])
    assert not network.unused and network.card.tool == "MindSpore"


def operation(name: str, folder: Path) -> tuple[Path, Mapping[str, Any]]:
    path = folder / f"{name}.mindir"
    path.write_bytes(OPERATIONS.read(f"{name}.mindir"))
    return path, dict(np.load(io.BytesIO(OPERATIONS.read(f"{name}.npz"))))


@pytest.mark.parametrize("name", NAMES)
def test_operations_answer_as_mindspore_does(name: str, tmp_path: Path) -> None:
    path, numbers = operation(name, tmp_path)
    xs = [numbers[key] for key in sorted(numbers) if key[0] == "x"]
    network = read_network(path)
    for opset in (13, 17):
        compare(answers(network, tmp_path / "x.onnx", opset, xs), numbers, 1e-5)
    if isinstance(network.graph.inputs[0].shape[0], str):  # any number may go in
        twice = answers(network, tmp_path / "x.onnx", 13, [np.concatenate([x, x[::-1]]) for x in xs])
        count = len(xs[0])
        compare([y[:count] for y in twice], numbers, 1e-5)


# -- batches -----------------------------------------------------------------------------------------------------------


def test_the_batch_of_an_example_becomes_free_where_samples_are_apart() -> None:
    for name in ("digits_trained", "lstm_two_ways", "gru", "vit", "mobilenet_v3", "detector"):
        network = read_network(ORACLE / name / "model.mindir")
        assert network.graph.inputs[0].shape[0] == network.graph.outputs[0].shape[0] == "batch"
        assert any("batch of the" in note or "batch 1" in note or "批量是 1" in note for note in network.card.notes)
    kept = read_network(ORACLE / "lenet" / "model.mindir", Wanted(keep_batch=True))
    assert kept.graph.inputs[0].shape[0] == 1


def test_samples_that_are_mixed_keep_their_number(tmp_path: Path) -> None:
    """A softmax over the batch, and a mean over it."""
    nodes = [constant("axis", (0,)), node("Softmax", ["x", "axis"], "y", (1, 3))]
    (tmp_path / "x.mindir").write_bytes(mindir(nodes, {"x": (1, 3)}, "y"))
    assert read_network(tmp_path / "x.mindir").graph.inputs[0].shape == (1, 3)
    nodes = [constant("four", np.float32(4)), node("Div", ["x", "four"], "y", (4, 3))]
    (tmp_path / "x.mindir").write_bytes(mindir(nodes, {"x": (4, 3)}, "y"))
    assert read_network(tmp_path / "x.mindir").graph.inputs[0].shape == (4, 3)  # 4 may be how many there were


# -- from pictures to classes ------------------------------------------------------------------------------------------


def test_digits_from_pictures(tmp_path: Path) -> None:
    labels = sorted(folder.name for folder in DIGITS.iterdir())
    options = Options(labels=labels, preprocess="0-1")
    done = run_conversion(ORACLE / "digits_trained" / "model.mindir", tmp_path / "digits.onnx", options)
    reader, paths = load(done.model.path), sorted(DIGITS.glob("*/*"))
    right = sum(reader.predict(path).label == path.parent.name for path in paths)
    assert len(paths) == 497 and round(right / len(paths), 4) == TOLD["digits_trained"]["accuracy"]
    assert done.model.card.network == "LeNet"


# -- what files say ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_so(name: str) -> None:
    path = next(ORACLE.joinpath(name).glob("model.*"))
    use_language("en")
    with pytest.raises(UnsupportedCheckpoint) as caught:
        read_network(path)
    assert TOLD[name]["refuse"] in str(caught.value) and "export" in str(caught.value)
    found = read_info(path)
    assert found.problem is not None and (bool(found.parts) or name not in ("lenet_ckpt", "refuse_train_mode"))


def test_values_are_called_after_their_cells() -> None:
    graph = read_network(ORACLE / "lenet" / "model.mindir").graph
    assert [one.name for one in graph.inputs] == ["image"] and graph.outputs[0].name == "output"
    assert "conv1" in graph.values and "conv1.weight" in graph.constants and "fc3.bias" in graph.tensors


def test_a_shape_that_contradicts_the_operation_is_damage(tmp_path: Path) -> None:
    (tmp_path / "x.mindir").write_bytes(mindir([node("ReLU", ["x"], "y", (1, 4))], {"x": (1, 3)}, "y"))
    with pytest.raises(CheckpointDamaged):
        read_network(tmp_path / "x.mindir")


def test_settings_of_older_files_are_attributes(tmp_path: Path) -> None:
    """Before MindSpore 2.3 they were no inputs."""
    w = np.arange(6, dtype=np.float32).reshape(2, 3)
    nodes = [node("MatMul", ["x", "w"], "m", (1, 2), transpose_a=False, transpose_b=True)]
    nodes.append(node("Softmax", ["m"], "y", (1, 2), axis=(-1,)))
    (tmp_path / "x.mindir").write_bytes(mindir(nodes, {"x": (1, 3)}, "y", {"w": w}))
    x = np.array([[0.1, -0.2, 0.3]], np.float32)
    (y,) = answers(read_network(tmp_path / "x.mindir"), tmp_path / "x.onnx", 13, [x])
    powers = np.exp(x @ w.T)
    assert np.abs(y - powers / powers.sum()).max() < 1e-6


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([node("Custom", ["x"], "y")], "custom operation"),
        ([node("UniformReal", ["x"], "y")], "random numbers"),
        ([constant("keep", 0.5), node("Dropout", ["x", "keep"], "y")], "training mode"),
        ([node("ReLUGrad", ["x", "x"], "y")], "training mode"),
        ([node("AssignAdd", ["x", "x"], "y")], "training mode"),
        ([node("Switch", ["x", "x", "x"], "y")], "control flow"),
        ([node("ReLU", ["x"], "f"), node("f", ["x"], "y")], "control flow"),
    ],
)
def test_what_no_inference_has(nodes: list[bytes], said: str, tmp_path: Path) -> None:
    (tmp_path / "x.mindir").write_bytes(mindir(nodes, {"x": (1, 3)}, "y"))
    use_language("en")
    with pytest.raises(QingzhouError, match=said):
        read_network(tmp_path / "x.mindir")


def test_air_says_what_to_export_instead(tmp_path: Path) -> None:
    (tmp_path / "x.air").write_bytes(b"\x0a\x05graph\x12\x04\x0a\x02ge")
    use_language("en")
    with pytest.raises(UnsupportedCheckpoint, match=r"AIR.*file_format='MINDIR'"):
        read_network(tmp_path / "x.air")


def test_a_value_that_is_overwritten_and_read_later_is_refused(tmp_path: Path) -> None:
    """x += 1 where x itself is read behind it: which of both is meant is in no name."""
    add = node("InplaceAddsExt", ["r", "one", "one"], "y", (1, 3))
    before = [node("ReLU", ["x"], "r", (1, 3)), constant("one", 1), node("Exp", ["r"], "e", (1, 3))]
    for end, fine in (("e", False), ("y", True)):
        nodes = [*before, add, node("Mul", ["y", end], "z", (1, 3))]
        (tmp_path / "x.mindir").write_bytes(mindir(nodes, {"x": (1, 3)}, "z"))
        if fine:
            assert read_network(tmp_path / "x.mindir").graph.nodes
        else:
            with pytest.raises(UnsupportedCheckpoint):
                read_network(tmp_path / "x.mindir")


@pytest.mark.parametrize(("kind", "wanted"), [(32, [-37, 113, 5, 127]), (37, [219, 113, 5, 127])])
def test_whole_numbers_begin_again_at_the_other_end(kind: int, wanted: list[int], tmp_path: Path) -> None:
    """Of int8 and of uint8: as MindSpore answers."""
    kinds = {"all": 35, "small": kind, "float": 43}
    nodes = [constant(name, number) for name, number in kinds.items()]
    nodes += [
        node("Cast", [x, name], y) for x, name, y in (("x", "all", "n"), ("n", "small", "s"), ("s", "float", "y"))
    ]
    (tmp_path / "x.mindir").write_bytes(mindir(nodes, {"x": (1, 4)}, "y"))
    x = np.array([[-293, -143, 261, 127]], np.float32)
    assert answers(read_network(tmp_path / "x.mindir"), tmp_path / "x.onnx", 13, [x])[0].tolist() == [wanted]


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (node("LpNorm", ["x"], "y", (1,), axis=(1,), p=2, keep_dims=False, epsilon=1e-12), [13**0.5]),
        (node("RemainderTensorScalar", ["x", "two"], "y", (1, 2)), [[0.0, 1.0]]),
    ],
)
def test_operations_whose_settings_are_elsewhere(made: bytes, wanted: list[Any], tmp_path: Path) -> None:
    """ops.norm and ops.cosine_similarity have theirs as attributes; % has the sign of the divisor."""
    (tmp_path / "x.mindir").write_bytes(mindir([constant("two", 2.0), made], {"x": (1, 2)}, "y"))
    x = np.array([[2, -3]], np.float32)
    assert np.allclose(answers(read_network(tmp_path / "x.mindir"), tmp_path / "x.onnx", 13, [x])[0], wanted)


def test_padding_of_max_pool_3d_is_told_as_calculated(tmp_path: Path) -> None:
    window = {"kernel_size": (1, 1, 3, 3, 3), "strides": (1, 1, 2, 2, 2), "pad_list": (1, 0, 0, 1, 1, 1)}
    nodes = [node("MaxPool3D", ["x"], "y", (1, 1, 2, 2, 2), pad_mode="CALCULATED", ceil_mode=0, **window)]
    (tmp_path / "x.mindir").write_bytes(mindir(nodes, {"x": (1, 1, 4, 4, 3)}, "y"))
    x = np.random.default_rng(2).standard_normal((1, 1, 4, 4, 3)).astype(np.float32)
    padded = np.pad(x[0, 0], ((1, 0), (0, 1), (1, 1)), constant_values=-np.inf)
    wanted = [[[padded[i : i + 3, j : j + 3, k : k + 3].max() for k in (0, 2)] for j in (0, 2)] for i in (0, 2)]
    found = answers(read_network(tmp_path / "x.mindir"), tmp_path / "x.onnx", 13, [x])[0]
    assert np.array_equal(found[0, 0], np.array(wanted, np.float32))
