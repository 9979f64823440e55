"""An .onnx of another tool gets a card: what the file says is known, what it does not is assumed aloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

import foreign_files as files
import qingzhou
from qingzhou.errors import (
    CheckpointTypeError,
    LabelError,
    OptionError,
    OutputError,
    QingzhouError,
    UnsupportedCheckpoint,
)
from qingzhou.runtime.model.card import KEY, Card


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    noise = np.random.default_rng(1).integers(0, 256, (48, 80, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def by_hand(path: Path, batch: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path))
    return np.asarray(session.run(None, {session.get_inputs()[0].name: batch})[0])


def test_it_stays_byte_for_byte_and_the_card_stands_behind(tmp_path: Path) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx")
    before = path.read_bytes()
    model = qingzhou.convert(path, labels="cat,dog,hen")
    assert path.read_bytes() == before
    assert model.path == tmp_path / "net.card.onnx"
    after = model.path.read_bytes()
    assert after.startswith(before)
    rest = onnx.ModelProto.FromString(after[len(before) :])
    assert [entry.key for entry in rest.metadata_props] == [KEY] and not rest.graph.node
    assert model.card.labels == ["cat", "dog", "hen"]
    assert model.card.assumed == ["resize", "color", "normalize"]
    assert any("assumed" in note or "假定" in note for note in model.card.notes)
    assert (tmp_path / "net.card.py").exists()


def test_the_answer_is_that_of_the_file(tmp_path: Path, photo: Path) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx")
    model = qingzhou.convert(path, labels="cat,dog,hen", preprocess="imagenet")
    assert model.card.assumed == ["resize", "color"]
    picture = np.asarray(Image.open(photo).resize((32, 32), Image.Resampling.BILINEAR), np.float32)
    batch = (
        ((picture - [123.675, 116.28, 103.53]) / [58.395, 57.12, 57.375]).transpose(2, 0, 1)[None].astype(np.float32)
    )
    scores = np.exp(by_hand(path, batch))
    np.testing.assert_allclose(model.predict(photo).scores, (scores / scores.sum())[0], atol=2e-3)


def test_never_over_the_users_own_file(tmp_path: Path) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx")
    before = path.read_bytes()
    for out in (path, tmp_path):
        with pytest.raises(OutputError):
            qingzhou.convert(path, out)
    assert path.read_bytes() == before
    assert qingzhou.convert(path, tmp_path / "other").path == tmp_path / "other.onnx"


def test_what_has_a_card_is_not_given_another(tmp_path: Path) -> None:
    model = qingzhou.convert(files.torch_classifier(tmp_path / "net.onnx"))
    with pytest.raises(CheckpointTypeError, match=r"already|已经"):
        qingzhou.convert(model.path)


def test_torchs_default_becomes_one_file_without_traces_of_people(tmp_path: Path) -> None:
    path = files.torch_default(tmp_path / "net.onnx")
    model = qingzhou.convert(path)
    assert files.PERSON.encode() in path.read_bytes() and b"zhang_san" not in model.path.read_bytes()
    assert b"name_scopes" in model.path.read_bytes()
    made = onnx.load(model.path, load_external_data=False)
    assert not any(tensor.external_data for tensor in made.graph.initializer)
    batch = np.random.default_rng(0).random((1, 3, 32, 32)).astype(np.float32)
    np.testing.assert_array_equal(by_hand(model.path, batch), by_hand(path, batch))
    assert any("net.onnx.data" in note for note in model.card.notes)


@pytest.mark.parametrize("opset", [11, 13, 17, 21])
@pytest.mark.parametrize("make", [files.torch_default, files.caffe2, files.paddle, files.tensorflow])
def test_another_opset_answers_the_same(tmp_path: Path, make: Callable[[Path], Path], opset: int) -> None:
    path = make(tmp_path / "net.onnx")
    model = qingzhou.convert(path, opset=opset, ir_version=7)
    made = onnx.load(model.path)
    assert (made.ir_version, next(one.version for one in made.opset_import if not one.domain)) == (7, opset)
    sizes = [
        one if isinstance(one, int) else 1 for one in onnxruntime.InferenceSession(str(path)).get_inputs()[0].shape
    ]
    batch = np.random.default_rng(0).random(sizes).astype(np.float32)
    np.testing.assert_allclose(by_hand(model.path, batch), by_hand(path, batch), atol=1e-5)


def test_another_ir_version_alone_changes_nothing_else(tmp_path: Path) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx", ir=10)
    made = onnx.load(qingzhou.convert(path, ir_version=8).path)
    before = onnx.load(path)
    assert made.ir_version == 8 and made.graph == before.graph


def test_bodies_are_not_written_in_another_opset(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="If"):
        qingzhou.convert(files.state(tmp_path / "net.onnx"), opset=13)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx"]


def test_channels_last_are_seen_by_the_structure(tmp_path: Path, photo: Path) -> None:
    path = files.tensorflow(tmp_path / "net.onnx")
    model = qingzhou.convert(path, labels="a,b,c")
    entry = model.card.input
    assert (entry.layout, entry.shape, model.card.tool) == ("NHWC", [None, 32, 32, 3], "TensorFlow")
    assert model.card.output.scores == "probabilities"
    picture = np.asarray(Image.open(photo).resize((32, 32), Image.Resampling.BILINEAR), np.float32)[None] / 255
    np.testing.assert_allclose(model.predict(photo).scores, by_hand(path, picture)[0], atol=2e-3)


def test_a_network_that_scales_pictures_itself_is_given_pixels(tmp_path: Path) -> None:
    card = qingzhou.convert(files.tensorflow(tmp_path / "net.onnx", scaled=True), labels="a,b,c").card
    assert not any(step["op"] == "normalize" for step in card.input.steps)
    assert "normalize" not in card.assumed


def test_paddles_names(tmp_path: Path) -> None:
    card = qingzhou.convert(files.paddle(tmp_path / "net.onnx")).card
    assert (card.tool, card.labels, card.output.scores) == ("PaddlePaddle", ["0", "90", "180"], "probabilities")
    assert "labels" not in card.assumed


def test_scikit_learns_classes_are_read_behind_the_table(tmp_path: Path) -> None:
    for name, zipmap in (("table", True), ("plain", False)):
        path = files.scikit(tmp_path / f"{name}.onnx", zipmap)
        model = qingzhou.convert(path)
        assert model.card.labels == ["setosa", "versicolor", "virginica"]
        row = [5.1, 3.5, 1.4, 0.2]
        found = model.predict(row)
        session = onnxruntime.InferenceSession(str(path))
        label, scores = session.run(None, {"X": np.array([row], np.float32)})
        expected = list(scores[0].values()) if zipmap else scores[0]
        np.testing.assert_allclose(found.scores, expected, atol=1e-6)
        assert found.label == label[0]


def test_float16_and_float64_are_fed_as_they_want(tmp_path: Path) -> None:
    path = files.half(tmp_path / "net.onnx")
    model = qingzhou.convert(path, labels="a,b,c")
    assert model.check() < 1e-3 and model.card.input.kind == "image"


def test_states_and_numbers_without_axes(tmp_path: Path) -> None:
    path = files.state(tmp_path / "net.onnx")
    model = qingzhou.convert(path)
    assert [entry.shape for entry in model.card.inputs] == [[None, 8], [2, None, 8], []]
    given = {"input": np.ones((1, 8), np.float32), "state": np.ones((2, 1, 8), np.float32), "sr": np.array(16000)}
    session = onnxruntime.InferenceSession(str(path))
    expected = session.run(None, given)[0]
    np.savez(tmp_path / "given.npz", **given)
    from qingzhou.runtime.bundle.given import predict_file

    found = predict_file(model.predictor, tmp_path / "given.npz")
    np.testing.assert_allclose(np.ravel(found[0].scores), np.ravel(expected), rtol=1e-6)
    assert Card.from_json(model.card.to_json()) == model.card


def test_texts_have_no_card(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="town"):
        qingzhou.convert(files.words(tmp_path / "net.onnx"))
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_mmedu_says_how_it_prepares(tmp_path: Path) -> None:
    card = qingzhou.convert(files.mmedu(tmp_path / "net.onnx")).card
    assert (card.tool, card.labels) == ("MMEdu", ["paper", "rock", "scissors"])
    assert card.assumed == ["resize", "normalize"]


def test_config_json_beside_it_is_believed(tmp_path: Path) -> None:
    path = files.torch_classifier(tmp_path / "model.onnx", (1, 3, 64, 64))
    cfg = {"input_size": [3, 64, 64], "crop_pct": 0.5, "interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.25] * 3}
    config = {"architecture": "resnet18", "pretrained_cfg": cfg, "label_names": ["ant", "bee", "cow"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    card = qingzhou.convert(path).card
    assert (card.network, card.labels, card.assumed) == ("resnet18", ["ant", "bee", "cow"], [])
    assert card.input.steps == [
        {"op": "resize", "short": 128, "interpolation": "bicubic"},
        {"op": "center_crop", "size": [64, 64]},
        {"op": "normalize", "mean": [127.5] * 3, "std": [63.75] * 3},
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"xeduhub": True},
        {"input_type": "uint8"},
        {"network": "ResNet18"},
        {"details": {"eps": 0.001}},
        {"input_size": (64, 64)},
    ],
)
def test_what_would_change_the_network_is_refused(tmp_path: Path, asked: dict[str, object]) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx")
    with pytest.raises(OptionError):
        qingzhou.convert(path, **asked)  # type: ignore[arg-type]


def test_the_wrong_number_of_labels(tmp_path: Path) -> None:
    with pytest.raises(LabelError):
        qingzhou.convert(files.torch_classifier(tmp_path / "net.onnx"), labels="a,b")
    with pytest.raises(LabelError):
        qingzhou.convert(files.two_inputs(tmp_path / "two.onnx"), labels="a,b")


def test_a_free_size_may_be_fixed(tmp_path: Path) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx", ("batch", 3, "h", "w"))
    assert qingzhou.convert(path, tmp_path / "any.onnx").card.input.shape == [None, 3, None, None]
    card = qingzhou.convert(path, tmp_path / "one.onnx", input_size=(48, 64)).card
    assert card.input.shape == [None, 3, 48, 64]
    assert card.input.steps[0]["size"] == [48, 64]


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_half_a_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(QingzhouError):
        qingzhou.convert(path)
    assert [one.name for one in tmp_path.iterdir()] == ["net.onnx"]


def test_what_torchs_newer_exporter_writes_has_an_older_form(tmp_path: Path) -> None:
    """Attributes that came later and say what was always so; Gelu, Split into a number of parts."""
    nodes = [
        onnx.helper.make_node("Reshape", ["x", "flat"], ["r"], allowzero=1),
        onnx.helper.make_node("Gelu", ["r"], ["g"], approximate="tanh"),
        onnx.helper.make_node("Split", ["g"], ["a", "b"], axis=1, num_outputs=2),
        onnx.helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    flat = onnx.numpy_helper.from_array(np.array([1, 8], np.int64), "flat")
    made = files.model(nodes, [files.value("x", [1, 2, 4])], [files.value("y", [1, 4])], [flat], opset=20, ir=10)
    path = files.kept(tmp_path / "net.onnx", made)
    model = qingzhou.convert(path, opset=11)
    batch = np.random.default_rng(0).standard_normal((1, 2, 4)).astype(np.float32)
    np.testing.assert_allclose(by_hand(model.path, batch), by_hand(path, batch), atol=1e-6)


def test_names_make_a_row_of_numbers_scores(tmp_path: Path) -> None:
    nodes = [onnx.helper.make_node("Gemm", ["x", "w"], ["y"])]
    weight = onnx.numpy_helper.from_array(files.array(1, 4, 3), "w")
    made = files.model(nodes, [files.value("x", ["batch", 4])], [files.value("y", ["batch", 3])], [weight])
    path = files.kept(tmp_path / "net.onnx", made)
    assert qingzhou.convert(path, tmp_path / "plain.onnx").card.task == "values"
    found = qingzhou.convert(path, labels="a,b,c").predict([1.0, 2.0, 3.0, 4.0])
    scores = np.exp(by_hand(path, np.array([[1, 2, 3, 4]], np.float32)))[0]
    np.testing.assert_allclose(found.scores, scores / scores.sum(), rtol=1e-5)
    assert found.label == "abc"[int(scores.argmax())]
