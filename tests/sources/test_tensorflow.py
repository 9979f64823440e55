"""SavedModels and frozen graphs: what is said without TensorFlow, and what may happen in the process that has it.

TensorFlow itself is asked in tests/by_tensorflow.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import qingzhou
from qingzhou.errors import CheckpointDamaged, ExtraMissing, QingzhouError, UnsafeCheckpoint, UnsupportedCheckpoint
from qingzhou.files.protobuf import part, whole
from qingzhou.info import read_info
from qingzhou.sources.source import Opened
from qingzhou.sources.table import is_model_folder, open_source
from qingzhou.sources.tensorflow import isolated, refuse
from qingzhou.sources.tensorflow.worker import distance

ORACLE = Path(__file__).parents[1] / "oracle/saved_models"
FROZEN, SAVED = ORACLE / "frozen.pb", ORACLE / "saved_model.zip"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The SavedModel as a folder."""
    with zipfile.ZipFile(SAVED) as packed:
        packed.extractall(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if TensorFlow were there."""
    monkeypatch.setattr(refuse, "find_spec", lambda name: SimpleNamespace(origin=name))


def stub(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Another program in the place of the isolated process. It knows `order` and `say`."""
    start = (
        "import json, os, sys, time; order = json.loads(sys.stdin.readline()); say = lambda x: print(json.dumps(x))\n"
    )
    monkeypatch.setattr(isolated, "COMMAND", (sys.executable, "-c", start + dedent(code)))


# -- without TensorFlow -----------------------------------------------------------------------------------------------


def test_a_folder_a_zip_a_bare_file_and_a_frozen_graph_are_claimed(folder: Path) -> None:
    for path in (FROZEN, SAVED, folder, folder / "saved_model.pb"):
        assert open_source(path)[1].name == "tensorflow", path
    assert is_model_folder(folder)


def test_other_protobufs_are_not(tmp_path: Path) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    for version in (1, 8):
        made = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:]), producer_name="abc")
        made.ir_version = version
        (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
        assert open_source(tmp_path / "m.onnx")[1].name == "onnx"
    (tmp_path / "m.pb").write_bytes(b"\x0a\x05hello world")
    with pytest.raises(QingzhouError):
        open_source(tmp_path / "m.pb")


@pytest.mark.parametrize("path", [FROZEN, SAVED], ids=["frozen", "saved"])
def test_without_the_extra_it_is_said_what_it_holds_and_the_two_ways_out(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ExtraMissing) as caught:
        qingzhou.convert(path, tmp_path / "out.onnx")
    text = caught.value.en
    assert "picture (N, 17, 16, 3) float32" in text and "operators" in text
    assert 'pip install "qingzhou[tensorflow]"' in text and "model.save('model.keras')" in text
    assert ("output_0 (N, 5) float32" in text) == (path == SAVED)
    assert 'pip install "qingzhou[tensorflow]"' in caught.value.zh
    assert not list(tmp_path.iterdir())


def test_info_says_what_it_holds_and_runs_nothing(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch, "raise SystemExit(3)")
    info = read_info(SAVED)
    assert (info.container, info.tool, len(info.parts)) == ("SavedModel", "TensorFlow 2.21.0", 464)
    assert info.facts["signature serving_default"] == "picture (N, 17, 16, 3) float32 -> output_0 (N, 5) float32"
    assert info.problem is not None and "qingzhou convert" in info.problem.en


def test_the_layers_of_keras_2_are_counted(folder: Path) -> None:
    layer = part(4, "_tf_keras_layer") + part(5, '{"name": "dense_7"}')
    (folder / "keras_metadata.pb").write_bytes(part(1, layer) + part(1, part(4, "_tf_keras_metric") + part(5, "{}")))
    with pytest.raises(ExtraMissing, match="1 Keras layers \\(dense_7"):
        qingzhou.convert(folder)


def test_damaged_graphs(tmp_path: Path) -> None:
    data = FROZEN.read_bytes()
    for size in (40, 200, len(data) - 3):
        (tmp_path / "cut.pb").write_bytes(data[:size])
        with pytest.raises(QingzhouError):
            qingzhou.convert(tmp_path / "cut.pb")
    (tmp_path / "empty.pb").write_bytes(whole(1, 1) + part(2, part(1, part(1, b""))))
    with pytest.raises(QingzhouError):
        qingzhou.convert(tmp_path / "empty.pb")


def test_a_bare_saved_model_needs_its_variables(tmp_path: Path, folder: Path, installed: None) -> None:
    (tmp_path / "saved_model.pb").write_bytes((folder / "saved_model.pb").read_bytes())
    with pytest.raises(CheckpointDamaged, match="variables"):
        qingzhou.convert(tmp_path / "saved_model.pb")


def test_a_zip_whose_parts_lead_out_of_it(tmp_path: Path, folder: Path, installed: None) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        packed.write(folder / "saved_model.pb", "saved_model.pb")
        packed.writestr("variables/../../../out", b"x")
    with pytest.raises(UnsafeCheckpoint, match="leads out"):
        qingzhou.convert(tmp_path / "evil.zip")


def test_a_graph_that_reads_files_is_not_run(tmp_path: Path, installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch, "open('/tmp/never', 'w')")
    nodes = [("p", "Placeholder"), ("r", "ReadFile")]
    data = b"".join(
        part(1, part(1, name) + part(2, op) + (part(3, "p") if op == "ReadFile" else b"")) for name, op in nodes
    )
    (tmp_path / "reads.pb").write_bytes(data)
    with pytest.raises(UnsupportedCheckpoint, match="ReadFile"):
        qingzhou.convert(tmp_path / "reads.pb")


# -- what may happen in the process ----------------------------------------------------------------------------------

WRONG = {
    "crashes": ("os.abort()", "SIGABRT" if sys.platform != "win32" else "ended without"),
    "is killed": ("os.kill(os.getpid(), 9)", "memory was full" if sys.platform != "win32" else "ended without"),
    "says nothing": ("sys.stderr.write('no such thing')", "no such thing"),
    "says what is no answer": ("print('{')", "ended without an answer"),
    "refuses": ("say({'failed': 'ValueError: Erfc'})", "ValueError: Erfc"),
    "has wrong numbers": ("say({'differs': 'output_0', 'far': 0.8})", "output_0 .* differs .* by 0.8"),
    "writes nothing": ("say({'far': 0})", "cannot be read"),
    "writes what is no model": ("open('model.onnx', 'wb').write(b'abc'); say({'far': 0})", "cannot be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_nothing_is_written_where_the_process(
    name: str, installed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, told = WRONG[name]
    stub(monkeypatch, code)
    with pytest.raises(UnsupportedCheckpoint, match=told) as caught:
        qingzhou.convert(SAVED, tmp_path / "out.onnx")
    assert "nothing was written" in caught.value.en and "model.save('model.keras')" in caught.value.en
    assert not list(tmp_path.iterdir())


def test_it_has_a_limit_of_time(installed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stub(monkeypatch, "time.sleep(60)")
    with pytest.raises(UnsupportedCheckpoint, match="more than 1 seconds"):
        isolated.ask({}, tmp_path, isolated.Budget(seconds=1))


def test_the_page_starts_no_program(installed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("a job may not: subprocess.Popen")

    monkeypatch.setattr("subprocess.Popen", refused)
    with pytest.raises(UnsupportedCheckpoint, match="a computer of your own"):
        isolated.ask({}, tmp_path)


@pytest.mark.parametrize(
    ("shape", "last", "kind"),
    [((17, 16, 3), True, "image"), ((3, 16, 8), True, "array"), ((3, 17, 16), False, "image")],
)
def test_what_it_writes_is_read_with_channels_first(
    shape: tuple[int, ...],
    last: bool,
    kind: str,
    installed: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Where pictures have their colours last; (3, 16, 8) is one only if the graph takes the 3 for channels."""
    kernel = np.random.default_rng(0).normal(size=(5, shape[2 if last else 0], 1, 1)).astype(np.float32)
    nodes = [
        *([helper.make_node("Transpose", ["picture"], ["a"], perm=[0, 3, 1, 2])] if last else []),
        helper.make_node("Conv", ["a" if last else "picture", "kernel"], ["b"]),
        helper.make_node("ReduceMean", ["b"], ["c"], axes=[2, 3], keepdims=0),
        helper.make_node("Softmax", ["c"], ["output_0"]),
    ]
    entry = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["unk__1", *shape])
    end = helper.make_tensor_value_info("output_0", TensorProto.FLOAT, ["unk__2", 5])
    graph = helper.make_graph(nodes, "g", [entry], [end], [numpy_helper.from_array(kernel, "kernel")])
    made = tmp_path / "made.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), made)
    stub(monkeypatch, f"import shutil; shutil.copy({str(made)!r}, 'model.onnx'); say({{'far': 1e-7}})")
    before = SAVED.read_bytes()
    model = qingzhou.convert(SAVED, tmp_path / "out.onnx")
    assert SAVED.read_bytes() == before
    entry, found = model.card.input, onnx.load(tmp_path / "out.onnx").graph
    first = [shape[2], *shape[:2]] if last and kind == "image" else [*shape]
    assert (entry.kind, entry.shape) == (kind, [None, *first])
    assert kind == "array" or "Transpose" not in {node.op_type for node in found.node}
    assert any("TensorFlow ran this file's program" in note for note in model.card.notes)
    assert model.card.origin["sha256"]


def test_the_digest_of_a_folder_is_that_of_its_numbers(folder: Path) -> None:
    assert Opened.at(folder).main.path.name in ("variables.data-00000-of-00001", "saved_model.pb")


def test_distance() -> None:
    a = np.array([1.0, 100.0], np.float32)
    assert distance(a, a) == 0 and abs(distance(a + 1, a) - 0.01) < 1e-6
    assert distance(a, a[:1]) == distance(a, a.astype(np.float64)) == distance(a * np.nan, a) == float("inf")
