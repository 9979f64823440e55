"""Predictor on tiny networks whose answers can be worked out by hand."""

from __future__ import annotations

import base64
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from qingzhou.errors import FileMissing, ImageError, InputError, ModelError, SelfTestFailed
from qingzhou.runtime import Predictor, load
from qingzhou.runtime.bundle.given import predict_file
from qingzhou.runtime.draw import caption, draw
from qingzhou.runtime.model.card import KEY, Card, Input, Output, Sample
from qingzhou.runtime.model.sample import sample_picture

RED, BLUE = (250, 10, 30), (10, 20, 240)


def info(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def write(path: Path, nodes: Any, ends: Any, card: Any, opset: int = 13, weights: Any = ()) -> Path:
    graph = helper.make_graph(nodes, "tiny", *ends, initializer=[numpy_helper.from_array(w, n) for n, w in weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    if card is not None:
        helper.set_model_props(model, {KEY: card.to_json()})
    onnx.save(model, str(path))
    return path


def colours(folder: Path, color: str = "RGB", sample: Any = None) -> Path:
    """(1, 3, 8, 6) -> the mean of each channel, 0 to 1, as logits."""
    steps = [{"op": "normalize", "mean": [0.0] * 3, "std": [255.0] * 3}]
    card = Card(
        "classification",
        "Tiny",
        "BaseNN",
        Input("input", "image", [1, 3, 8, 6], color, steps),
        Output("out", "logits"),
        ["红", "green", "blue"],
        sample=sample,
    )
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["out"], axis=1),
    ]
    return write(folder / "颜色 1.onnx", nodes, ([info("input", [1, 3, 8, 6])], [info("out", [1, 3])]), card)


def table(folder: Path, task: str = "classification", batch: Any = None, kind: str = "table") -> Path:
    card = Card(
        task,
        "Tiny",
        "BaseNN",
        Input("input", kind, [batch, 4]),
        Output("out", "values"),
        sample=Sample({"encoding": "json", "data": [[1, 2, 3, 4]]}, [[-1, -2, -3, -4]]),
    )
    ends = [info("input", [batch or "N", 4])], [info("out", [batch or "N", 4])]
    return write(folder / "table.onnx", [helper.make_node("Neg", ["input"], ["out"])], ends, card)


def poet(folder: Path) -> Path:
    """Scores that prefer the word after the last one, and a state that counts the words."""
    words = ["床", "前", "明", "月"]
    card = Card(
        "generation",
        "LSTM",
        "BaseNN",
        Input("input", "tokens", [None, 1]),
        Output("out", "logits"),
        vocabulary={word: i for i, word in enumerate(words)},
    )
    nodes = [
        helper.make_node("Gather", ["next", "input"], ["rows"], axis=0),
        helper.make_node("Squeeze", ["rows", "one"], ["out"]),
        helper.make_node("Add", ["h", "step"], ["h_out"]),
    ]
    weights = [
        ("next", np.roll(np.eye(4, dtype=np.float32) * 9, 1, axis=1)),
        ("one", np.array([1], np.int64)),
        ("step", np.ones((1, 1, 2), np.float32)),
    ]
    ends = [
        [info("input", ["L", 1], TensorProto.INT64), info("h", [1, 1, 2])],
        [info("out", ["L", 4]), info("h_out", [1, 1, 2])],
    ]
    return write(folder / "poet.onnx", nodes, ends, card, weights=weights)


def test_every_kind_of_picture(tmp_path: Path) -> None:
    model, path = load(colours(tmp_path)), tmp_path / "图 片.png"
    picture = Image.new("RGB", (40, 30), RED)
    picture.save(str(path))
    for data in (path, str(path), path.read_bytes(), picture, np.asarray(picture)):
        found = model.predict(data)
        assert (found.label, found.index) == ("红", 0)
        assert found.confidence == pytest.approx(found.scores[0]) and found.scores.sum() == pytest.approx(1)
    assert model.predict(np.asarray(picture)[..., ::-1], order="BGR").label == "红"
    assert [one.label for one in model.predict([picture, Image.new("RGB", (9, 9), BLUE)])] == ["红", "blue"]
    assert [one.label for one in model.predict(tmp_path)] == ["红"]
    assert predict_file(model, path).label == "红"
    assert Predictor(colours(tmp_path, "BGR")).predict(picture).index == 2
    with pytest.raises(ImageError):
        model.predict([[1, 2]])


def test_scores_are_probabilities(tmp_path: Path) -> None:
    model = load(colours(tmp_path), threads=1)
    batch = model.prepare(Image.new("RGB", (6, 8), RED))
    assert batch.shape == (1, 3, 8, 6) and batch.max() == np.float32(250 / 255)
    powers = np.exp(np.array(RED) / 255)
    np.testing.assert_allclose(model.scores(batch)[0], powers / powers.sum(), atol=1e-6)


def test_the_sample(tmp_path: Path) -> None:
    png = base64.b64encode(sample_picture((8, 6), "RGB")).decode()
    sample = Sample({"encoding": "png", "data": png}, [])
    model = load(colours(tmp_path, sample=sample))
    answer = model.run(model.feed(sample))[0].tolist()
    with pytest.raises(SelfTestFailed):
        model.check()
    good, bad = (dataclasses.replace(sample, output=output) for output in (answer, [[0.0, 0.0, 0.0]]))
    assert load(colours(tmp_path, sample=good)).check() == 0
    with pytest.raises(SelfTestFailed):
        load(colours(tmp_path, sample=bad)).check()
    with pytest.raises(SelfTestFailed):
        load(colours(tmp_path, sample=dataclasses.replace(sample, output=[[0.0]]))).check()
    assert model.predict(model.sample_input()).scores.shape == (3,)


@pytest.mark.parametrize("color", ["RGB", "GRAY"])
@pytest.mark.parametrize("size", [(1, 1), (20, 20), (224, 224), (320, 200)])
def test_the_sample_picture_is_small_and_always_the_same(size: tuple[int, int], color: str) -> None:
    data = sample_picture(size, color)
    assert data == sample_picture(size, color) and len(data) < 2048


def test_tables(tmp_path: Path) -> None:
    model = load(table(tmp_path))
    found = model.predict([4, 3, 2, 1])
    assert (found.label, found.index, found.confidence) == ("3", 3, -1)
    assert model.predict(["4", "3", "2", "1"]).index == 3
    assert [one.index for one in model.predict([[1, 2, 3, 4], [4, 3, 2, 1]])] == [0, 3]
    assert [one.index for one in load(table(tmp_path, batch=1)).predict([[1, 2, 3, 4], [4, 3, 2, 1]])] == [0, 3]
    assert model.check() == 0 and model.predict(model.sample_input()).index == 0
    value = load(table(tmp_path, "regression")).predict(np.arange(4.0))
    assert value.label == "" and math.isnan(value.confidence) and value.scores.tolist() == [0, -1, -2, -3]
    assert caption(value) == "-0 -1 -2 -3"


@pytest.mark.parametrize(
    "data", [[1, 2, 3], [1, 2, 3, 4, 5], [], [[]], "no.csv", "abc", [1, 2, 3, "x"], [[1, 2], [3]], 5, None]
)
def test_tables_that_do_not_fit(tmp_path: Path, data: Any) -> None:
    with pytest.raises((InputError, FileMissing)):
        load(table(tmp_path)).predict(data)


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3,4\n4,3,2,1\n",
        "a,b,c,d\n1,2,3,4\n4,3,2,1",
        "\ufeff花,萼,叶,茎\r\n1,2,3,4\r\n\r\n4,3,2,1\r\n",
        "1;2;3;4\n4;3;2;1",
        "1\t2\t3\t4\n4\t3\t2\t1",
        '"1","2","3","4"\n"4","3","2","1"',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_csv(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "表.csv"
    path.write_bytes((text if encoding == "utf-8" else text.lstrip("\ufeff")).encode(encoding))
    assert [one.index for one in load(table(tmp_path)).predict(path)] == [0, 3]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1,2,3,4\n1,x,3,4", "Line 2"),
        ("a,b,c,d\n1,2,3,4\n1,2,3", "Line 3"),
        ("1,2,3,4\n1,nan,3,4", "Line 2"),
        ("", "no rows"),
        ("a,b\n", "no rows"),
        ("1,2,3,4,5\n", "[1, 5]"),
    ],
)
def test_csv_that_is_wrong(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        load(table(tmp_path)).predict(tmp_path / "a.csv")
    assert line in caught.value.en


def test_npz(tmp_path: Path) -> None:
    model, path = load(table(tmp_path, kind="array")), str(tmp_path / "a.npz")
    np.savez(path, label=np.zeros(2), data=np.array([[1, 2, 3, 4], [4, 3, 2, 1]]))
    assert [one.index for one in model.predict(path)] == [0, 3]
    np.savez(path, data=np.array([{}, {}], dtype=object))
    with pytest.raises(InputError):
        model.predict(path)
    Path(path).write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(InputError):
        model.predict(path)


def test_words(tmp_path: Path) -> None:
    model = load(poet(tmp_path))
    assert model.predict("床前").label == "明" and model.predict([1, 2]).label == "月"
    assert model.generate("床", 5) == "床前明月床前"
    assert model.generate("床前明", 1) == "床前明月"
    assert model.generate("床", 30, seed=1) == model.generate("床", 30, seed=1)
    (tmp_path / "诗.txt").write_bytes("床前".encode("gbk"))
    assert predict_file(model, tmp_path / "诗.txt").label == "明" and predict_file(model, Path("床前")).label == "明"
    row, state = model.step(np.array([[0]]), {})
    assert row.shape == (4,) and model.step(np.array([[0]]), state)[1]["h"].max() == 2
    for unknown in ("猫", "", [4], [-1], None, 1.5j):
        with pytest.raises(InputError):
            model.predict(unknown)
    with pytest.raises(InputError):
        load(table(tmp_path)).generate("a", 3)


def test_models_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        load(tmp_path / "no.onnx")
    for data in (b"", b"<html>", colours(tmp_path).read_bytes()[:40]):
        (tmp_path / "broken.onnx").write_bytes(data)
        with pytest.raises(ModelError):
            load(tmp_path / "broken.onnx")
    ends = [info("input", [1])], [info("out", [1])]
    nodes = [helper.make_node("Neg", ["input"], ["out"])]
    with pytest.raises(ModelError, match=r"newer onnxruntime|更新的 onnxruntime"):
        load(write(tmp_path / "new.onnx", nodes, ends, None, opset=999))
    with pytest.raises(ModelError, match=r"convert bare\.onnx"):
        load(write(tmp_path / "bare.onnx", nodes, ends, None))
    card = Card("values", "T", "T", Input("other", "array", [None]), Output("out", "values"))
    with pytest.raises(ModelError, match="other"):
        load(write(tmp_path / "alien.onnx", nodes, ends, card))


@pytest.mark.parametrize("size", [(24, 24), (40, 30), (640, 480)])
def test_drawing(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, RED)
    answer = load(colours(tmp_path)).predict(picture)
    drawn = draw(picture, answer)
    assert drawn.size == size and drawn.getpixel((size[0] - 1, size[1] - 1)) == RED
    assert picture.getpixel((0, 0)) == RED != drawn.getpixel((0, 0))
    assert min(draw(picture, answer, enlarge=True).size) >= 160


@pytest.mark.parametrize(("said", "given", "used"), [("", None, 0), ("1", None, 1), ("1", 2, 2), ("many", None, 0)])
def test_how_many_cores(said: str, given: Any, used: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINGZHOU_THREADS", said)
    session = load(colours(tmp_path), threads=given).session
    assert session.get_session_options().intra_op_num_threads == used
