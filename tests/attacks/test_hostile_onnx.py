"""Models whose metadata or weights lay traps: a card is parsed, never evaluated, and no other file is read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
from bombs import BOMBS, bomb
from click.testing import CliRunner
from onnx import TensorProto

from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.doors.XEdu.hub import Workflow
from qingzhou.engines import compile_for
from qingzhou.errors import ModelError
from qingzhou.info import read_info
from qingzhou.model import load
from qingzhou.quant.signal import session as quantizing
from qingzhou.runtime.engine.session import open_session, start
from qingzhou.runtime.model.card import KEY

CHECKPOINT = Path(__file__).parents[1] / "oracle" / "digits" / "basenn.pth"
CODE = "__import__('pathlib').Path('ran').touch()"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    return run_conversion(CHECKPOINT, tmp_path_factory.mktemp("model")).model.proto


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(proto: onnx.ModelProto, change: Callable[[onnx.ModelProto], None]) -> Path:
    altered = onnx.ModelProto()
    altered.CopyFrom(proto)
    change(altered)
    Path("m.onnx").write_bytes(altered.SerializeToString())
    return Path("m.onnx")


def entry(proto: onnx.ModelProto, key: str, value: str) -> None:
    """Set one entry of the metadata."""
    kept = {item.key: item.value for item in proto.metadata_props} | {key: value}
    onnx.helper.set_model_props(proto, kept)


def card(path: str, value: object) -> Callable[[onnx.ModelProto], None]:
    """Set one field of the card, "input.steps.0.size" for example."""

    def change(proto: onnx.ModelProto) -> None:
        found = json.loads(next(item.value for item in proto.metadata_props if item.key == KEY))
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place = found
        for part in way:
            place = place[part]
        place[last] = value
        entry(proto, KEY, json.dumps(found))

    return change


CARDS = [
    ("input.shape", [1, 1, 1 << 40, 1 << 40]), ("input.shape", [1, 1, 8000, 8000, 8000]), ("input.shape", CODE),
    ("input.steps.0.size", [1 << 30, 1 << 30]), ("input.steps.0.size", [10**400, 1]), ("input.steps.0.size", [-1, -1]),
    ("input.steps.0.op", CODE), ("input.steps", [{"op": "center_crop", "size": [1 << 20] * 2}]),
    ("input.steps", [{"op": "pad", "border": [1 << 40] * 4, "value": 0}]), ("input.steps", [[]] * 10),
    ("input.steps.1.std", [0.0]), ("input.steps.1.mean", [1e400]), ("input.kind", "__class__"), ("input.color", "CODE"),
    ("labels", CODE), ("labels", {"a": 1}), ("labels", [CODE] * 3 + [1]), ("vocabulary", [1]),
    ("vocabulary", {"a": -1}), ("vocabulary", {"a": 1e30}), ("output.name", 3), ("output.scores", CODE),
    ("sample.input.data", CODE), ("sample.tolerance", 1e9), ("version", "99"), ("version", 10**20), ("version", -1),
    ("surprise", 1), ("origin", [[[]]]), ("task", None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), CARDS, ids=lambda value: str(value)[:30])
def test_a_card_that_cannot_be(path: str, value: object, good: onnx.ModelProto) -> None:
    """Refused as a whole, or harmless: never run, never a crash, never a huge amount of memory."""
    model = write(good, card(path, value))
    with pytest.raises(ModelError) as caught:
        load(model).check()
    assert caught.value.code == -202 and len(caught.value.en) < 400
    for verb, may_work in (("info", path.startswith("sample")), ("run", False), ("check", False)):
        result = CliRunner().invoke(main, [verb, "m.onnx"])
        assert result.exit_code == 1 or may_work
        assert isinstance(result.exception, SystemExit) or may_work, result.exception
    assert os.listdir() == ["m.onnx"]


TEXTS = [
    "",
    "null",
    "[]",
    CODE,
    "{" * 100_000,
    '{"a":' * 50_000,
    "1" * 1_000_000,
    '{"version": ' + "9" * 5000 + "}",
    "NaN",
    '{"task": "values", "task": "values"}',
    "\\ud800",
    '"\\ud800"',
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:12])
def test_a_card_that_is_no_card(text: str, good: onnx.ModelProto) -> None:
    model = write(good, lambda proto: entry(proto, KEY, text))
    for read in (load, read_info):
        with pytest.raises(ModelError):
            read(model)


KEYS = ["input_size", "word2idx", "dataset_type", "MODEL_INFO", "names"]


@pytest.mark.parametrize("key", KEYS)
def test_code_in_the_metadata_of_others_is_text(key: str, good: onnx.ModelProto) -> None:
    """XEduHub evaluates input_size and word2idx; here they are not even looked at."""
    model = write(good, lambda proto: entry(proto, key, CODE))
    assert load(model).check() <= 1e-6 and read_info(model).problem is None
    foreign = write(good, lambda proto: onnx.helper.set_model_props(proto, {key: CODE}))
    with pytest.raises(ModelError):
        load(foreign)
    assert read_info(foreign).facts[key] == CODE
    assert not Path("ran").exists()


PLACES = ["/etc/passwd", "../" * 12 + "etc/passwd", "link", "missing.bin"]


def weights_in(proto: onnx.ModelProto, place: str) -> None:
    """Say that the first weights are in another file."""
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "0"), ("length", "216")):
        tensor.external_data.add(key=key, value=value)


OPENED: dict[str, Callable[[Path], Any]] = {
    "load": load,
    "open_session": open_session,
    "bytes": lambda path: start(path.read_bytes(), onnxruntime.SessionOptions()),
    "quantising": lambda path: quantizing(onnx.load(path, load_external_data=False)),
    "mmedu": lambda path: Workflow("mmedu", path),
    "basenn": lambda path: Workflow("basenn", path),
    "custom": lambda path: Workflow("custom", path),
    "export": lambda path: compile_for("onnxruntime", path),
    "bundle": lambda path: build(path, "pc"),
    "page": lambda path: build(path, "browser"),
}


@pytest.mark.parametrize("place", PLACES)
def test_weights_in_another_file(place: str, good: onnx.ModelProto) -> None:
    """ONNX files may name the file of their weights; ours never do, and none is read."""
    if place == "link":
        os.symlink("/etc/passwd", "link")
    model = write(good, lambda proto: weights_in(proto, place))
    assert read_info(model).network == "Sequential"
    for opened in OPENED.values():
        with pytest.raises(ModelError, match="another file"):
            opened(model)
    for words in (["info", "--tree", "m.onnx"], ["run", "m.onnx"]):
        assert "root:" not in CliRunner().invoke(main, words).output


@pytest.mark.parametrize("cut", [0, 1, 50, 1000, -1])
def test_half_a_model(cut: int, good: onnx.ModelProto) -> None:
    Path("m.onnx").write_bytes(good.SerializeToString()[:cut])
    for read in (load, read_info):
        with pytest.raises(ModelError):
            read("m.onnx")


def test_weights_in_another_file_wherever_a_tensor_can_be(good: onnx.ModelProto) -> None:
    """Constants of nodes, of graphs within nodes, of functions, and sparse ones; as onnxruntime finds them too."""
    Path("secret").write_bytes(bytes(64))
    tensor = TensorProto(name="t", dims=[16], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="secret")
    constant = onnx.helper.make_node("Constant", [], ["c"], value=TensorProto(dims=[1], data_type=1, float_data=[1]))
    constant.attribute[0].t.CopyFrom(tensor)
    inner = onnx.helper.make_graph([constant], "inner", [], [onnx.ValueInfoProto(name="c")])
    branch = onnx.helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    sparse = onnx.SparseTensorProto(values=tensor, dims=[16])
    changes: list[Callable[[onnx.ModelProto], None]] = [
        lambda proto: proto.graph.node.append(constant),
        lambda proto: proto.graph.node.append(branch),
        lambda proto: proto.graph.initializer.append(tensor),
        lambda proto: proto.graph.sparse_initializer.append(sparse),
        lambda proto: proto.functions.append(onnx.FunctionProto(name="f", node=[constant])),
    ]
    for change in changes:
        with pytest.raises(ModelError, match="another file"):
            load(write(good, change))


@pytest.mark.parametrize("what", BOMBS)
def test_what_a_model_is_can_be_read_whatever_it_would_compute(what: str, good: onnx.ModelProto) -> None:
    """In no time; without an end where each of 40 functions that call the next one twice is gone through."""
    Path("m.onnx").write_bytes(bomb(good, what))
    assert read_info(Path("m.onnx")).network == "Sequential"
