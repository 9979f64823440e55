"""A .mindir or .ckpt that lies: depths, sizes, names and places are errors of ours, soon, in little memory."""

from __future__ import annotations

import contextlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mindspore_files import checkpoint, constant, mindir, node, split, tensor
from qingzhou.errors import CheckpointDamaged, QingzhouError, UnsafeCheckpoint, UnsupportedCheckpoint
from qingzhou.files.protobuf import part, whole
from qingzhou.graph.fold import simplify
from qingzhou.info import read_info
from qingzhou.onnxfile.emit import emit
from qingzhou.sources.read import read_network

ORACLE = Path(__file__).parents[1] / "oracle" / "mindspore"
SOUND = [(ORACLE / name / "model.mindir").read_bytes() for name in ("lstm", "table", "pools", "refuse_branch")]
RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LARGE = np.zeros((2, 2), np.float32)


def survives(path: Path, data: bytes) -> None:
    """Everything is read, or it ends in one of our errors."""
    path.write_bytes(data)
    with contextlib.suppress(QingzhouError):
        made = emit(simplify(read_network(path).graph), 13, 8)
        for one in made.constants.values():
            assert one.load().shape == one.shape
    with contextlib.suppress(QingzhouError):
        read_info(path)


@RELAXED
@given(data=st.data(), which=st.integers(0, len(SOUND) - 1))
def test_bytes_that_were_changed(tmp_path: Path, data: st.DataObject, which: int) -> None:
    changed = bytearray(SOUND[which])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(20, len(changed) - 1))
        changed[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    survives(tmp_path / "x.mindir", bytes(changed))


@RELAXED
@given(data=st.data())
def test_a_checkpoint_whose_bytes_were_changed(tmp_path: Path, data: st.DataObject) -> None:
    changed = bytearray((ORACLE / "lenet_ckpt" / "model.ckpt").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    survives(tmp_path / "x.ckpt", bytes(changed))


@RELAXED
@given(data=st.binary(max_size=200))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    survives(tmp_path / "x.mindir", part(1, "1.1") + part(2, "MindSpore") + data)
    survives(tmp_path / "x.ckpt", part(1, part(1, "a") + part(2, data)))


@pytest.mark.parametrize("which", range(len(SOUND)))
def test_ends_too_early(tmp_path: Path, which: int) -> None:
    data = SOUND[which]
    for size in range(30, len(data), len(data) // 60):
        survives(tmp_path / "x.mindir", data[:size])


def refused(path: Path, data: bytes, *kinds: type[QingzhouError]) -> None:
    """Soon, and in little memory."""
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(kinds or (CheckpointDamaged, UnsafeCheckpoint, UnsupportedCheckpoint)):
        emit(simplify(read_network(path).graph), 13, 8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


def test_tuples_inside_tuples(tmp_path: Path) -> None:
    value = whole(16, 20)
    for _ in range(2000):
        value = part(17, value) + whole(16, 20)
    deep = part(2, "c") + part(4, "Constant") + part(5, part(1, "value") + value)
    refused(
        tmp_path / "x.mindir", mindir([deep, node("Reshape", ["x", "c"], "y")], {"x": (1, 3)}, "y"), UnsafeCheckpoint
    )


@pytest.mark.parametrize("shape", [(1 << 40, 1 << 40), (-1, 3), (1,) * 40, (1 << 62, 4), (1000000, 1000000)])
def test_parameters_of_no_size(shape: tuple[int, ...], tmp_path: Path) -> None:
    bad = part(7, part(3, tensor("w", None, shape) + part(9, bytes(48)) + part(13, "w")))
    data = mindir([node("Mul", ["x", "w"], "y")], {"x": (1, 3)}, "y", more=bad)
    refused(tmp_path / "x.mindir", data)


@pytest.mark.parametrize("place", [(1 << 62, 16), (-5, 16), (64, 1 << 60), (0, 15)])
def test_places_outside_of_the_numbers(place: tuple[int, int], tmp_path: Path) -> None:
    graph = split(ORACLE / "lenet" / "model.mindir", tmp_path / "net")
    where = part(12, part(1, "net_variables/data_0") + whole(2, place[0]) + whole(3, place[1]))
    lying = part(7, part(3, tensor("w", None, (4,)) + where + part(13, "w")))
    refused(tmp_path / "net" / "y.mindir", graph.read_bytes() + lying)


def test_many_parameters_of_the_same_numbers(tmp_path: Path) -> None:
    graph = split(ORACLE / "lenet" / "model.mindir", tmp_path / "net")
    (tmp_path / "net" / "net_variables" / "data_0").write_bytes(b"\1" + bytes(1 << 20))
    where = part(12, part(1, "net_variables/data_0") + whole(2, 0) + whole(3, 1 << 20))
    many = b"".join(part(3, tensor(f"w{i}", None, (1 << 18,)) + where + part(13, f"w{i}")) for i in range(200))
    refused(tmp_path / "net" / "y.mindir", graph.read_bytes() + part(7, many), UnsafeCheckpoint)


@pytest.mark.parametrize(
    "nodes",
    [
        [constant("n", (1 << 15, 1 << 15)), node("BroadcastTo", ["x", "n"], "y")],
        [constant("n", (1 << 30, 1)), node("Tile", ["x", "n"], "y")],
        [constant("n", 1 << 30), node("Eye", ["n", "n"], "y")],
        [constant("n", (1 << 40,)), constant("v", 1.0), node("FillV2", ["n", "v"], "y")],
        [constant("n", 1 << 40), constant("o", 0), node("Range", ["o", "n"], "y")],
        [constant("p", (1 << 40, 1 << 40)), node("PadV3", ["x", "p"], "y")],
        [constant("i", 5), node("MakeTuple", ["x", "x"], "t"), node("TupleGetItem", ["t", "i"], "y")],
        [node("ReLU", ["y"], "y")],
        [node("Transpose", ["x", "x"], "y")],
        [node("MakeTuple", ["x"] * 10, f"t{0}")]
        + [node("MakeTuple", [f"t{i}"] * 10, f"t{i + 1}") for i in range(12)]
        + [node("AddN", ["t12"], "y")],
        [node("Conv2D", ["x", "x"], "y", kernel_size=(3, 3), stride=(0, 0), pad_mode="pad", pad=(1 << 40,) * 4)],
        [node("Split", ["x"], "y", axis=1, output_num=1 << 40)],
        [node("REF::Nothing:1", ["x"], "y")],
        [node("ReLU", [], "y")],
    ],
)
def test_settings_that_no_file_has(nodes: list[bytes], tmp_path: Path) -> None:
    refused(tmp_path / "x.mindir", mindir(nodes, {"x": (1, 3)}, "y"))


def test_outputs_that_grow_without_end(tmp_path: Path) -> None:
    nodes = [node("MakeTuple", ["x"] * 10, "t0")]
    nodes += [node("MakeTuple", [f"t{i}"] * 10, f"t{i + 1}") for i in range(12)]
    refused(tmp_path / "x.mindir", mindir(nodes, {"x": (1, 3)}, "t12"))


def test_names_that_are_alike_or_long(tmp_path: Path) -> None:
    twice = part(7, part(3, tensor("a", LARGE, key="k")) + part(3, tensor("b", LARGE, key="k")))
    refused(tmp_path / "x.mindir", mindir([node("ReLU", ["x"], "y")], {"x": (1, 3)}, "y", more=twice), UnsafeCheckpoint)
    long = part(7, part(3, tensor("a", LARGE, key="k" * 5000)))
    refused(tmp_path / "x.mindir", mindir([node("ReLU", ["x"], "y")], {"x": (1, 3)}, "y", more=long), UnsafeCheckpoint)
    (tmp_path / "x.ckpt").write_bytes(checkpoint({"k" * 100 + "é\n\x1b[31m": LARGE}))
    with pytest.raises(QingzhouError) as caught:
        read_network(tmp_path / "x.ckpt")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        part(1, "a") + part(2, whole(1, 1 << 40) + whole(1, 1 << 40) + part(2, "Float32") + part(3, bytes(4))),
        part(1, "a") + part(2, whole(1, -1) + part(2, "Float32") + part(3, bytes(4))),
        part(1, "a") + part(2, whole(1, 3) + part(2, "Float32") + part(3, bytes(4))),
        part(1, "a") + part(2, b"".join(whole(1, 1) for _ in range(100)) + part(2, "Float32") + part(3, bytes(4))),
    ],
)
def test_checkpoints_that_lie(value: bytes, tmp_path: Path) -> None:
    refused(tmp_path / "x.ckpt", part(1, value))
