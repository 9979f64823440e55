"""Models of Keras: what Keras and TensorFlow.js themselves answer, file by file."""

from __future__ import annotations

import builtins
import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_files import CASES, ORACLE, answers, files, read, reference, stored, with_config

from passengers import digits
from qingzhou.conversion import run_conversion
from qingzhou.errors import QingzhouError, UnsupportedCheckpoint
from qingzhou.info import read_info
from qingzhou.model import load
from qingzhou.options import Options
from qingzhou.sources.read import read_network

REFUSED = {
    "refuse_custom_activation": "activation schoolwork>my_swish of layer 'dense_4': its program is not in the file",
    "refuse_custom_layer": "layer 'dbl' is of the class schoolwork>Doubler, whose program is not in the file",
    "refuse_k2_lambda": "Lambda layer 'my_lambda' holds Python code",
    "refuse_k2_weights_only": "weights only (there is no model_config)",
    "refuse_lambda": "Lambda layer 'times_two' holds Python code (marshalled bytecode)",
    "refuse_subclassed": "subclassed model schoolwork>Whole: its config has no layers",
    "refuse_text_vectorization": "works on strings: its vocabulary is in assets/",
    "refuse_weights_only": "weights only (a .weights.h5 has no config)",
}
ROUNDED = {"digits_trained/tfjs_uint8/model.json": 1e-3}  # of which there is no reference but before it was quantised
RIGHT = 496  # of 497: 99.80 %


@pytest.mark.parametrize("name", files(refused=False))
def test_answers_as_keras_does(name: str, tmp_path: Path) -> None:
    case = name.partition("/")[0]
    network = read(name)
    xs, ys = reference(case)
    most = ROUNDED.get(name, CASES[case]["tolerance"])
    for opset in (13, 17):
        found = answers(network, xs, tmp_path / "net.onnx", opset)
        assert len(found) == len(ys)
        for i, (one, expected) in enumerate(zip(found, ys, strict=True)):
            assert one.shape == expected.shape, i
            assert np.abs(one - expected).max() <= most * max(1, float(np.abs(expected).max())), (i, opset)


def test_every_number_of_a_file_is_used_or_named() -> None:
    for name in files(refused=False):
        network = read(name)
        counted = [key for key in network.unused if not key.endswith("/vars/2")]  # how many pictures Normalization saw
        assert not counted, name


@pytest.mark.parametrize("name", files(refused=True))
def test_refused_by_name_with_the_way_out(name: str) -> None:
    case = name.partition("/")[0]
    with pytest.raises(UnsupportedCheckpoint) as caught:
        read(name)
    assert REFUSED[case] in caught.value.en
    assert any(
        word in caught.value.en for word in ("model.save(", "save the model again", "save that", "save the part")
    )
    assert "保存" in caught.value.zh
    info = read_info(ORACLE / name)
    assert info.problem is not None and REFUSED[case] in info.problem.en and info.parts


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "tfjs/model.json", "tfjs_uint8/model.json"])
def test_digits_from_the_picture_to_the_answer(name: str, tmp_path: Path) -> None:
    folder = ORACLE / "digits_trained"
    words = (folder / "labels.txt").read_text().split()
    model = run_conversion(folder / name, tmp_path / "digits.onnx", Options(labels=words)).model
    assert model.card.assumed == ["resize", "color"]  # Rescaling is inside: pixels go in as they are
    assert not any(step["op"] == "normalize" for step in model.card.input.steps)
    right = sum(model.predict(path).label == words[int(digit)] for path, digit in digits())
    assert right == RIGHT


def test_teachable_machine_from_the_picture_to_the_class(tmp_path: Path) -> None:
    folder = ORACLE / "teachable_machine"
    model = run_conversion(folder / "converted_keras.zip", tmp_path / "hands.onnx").model
    card = model.card
    assert (card.tool, card.labels, card.assumed) == ("Teachable Machine", ["石头", "剪刀", "布 paper"], [])
    assert [step["op"] for step in card.input.steps] == ["resize", "center_crop", "normalize"]
    assert card.input.steps[0]["short"] == 224 and card.input.steps[2]["mean"] == [127.5] * 3
    _, (expected,) = reference("teachable_machine")
    x = np.load(folder / "reference.npz")["x0"][0].repeat(4, axis=0).repeat(4, axis=1)
    pixels = np.rint((x + 1) * 127.5).astype(np.uint8)
    wide = np.pad(pixels, ((0, 0), (40, 40), (0, 0)))  # the camera is wider than the square in the middle
    assert np.abs(model.predict(wide).scores - expected[0]).max() < 0.02


def unpacked(folder: Path) -> Path:
    shutil.copytree(ORACLE / "tfjs_teachable", folder / "model")
    return folder / "model"


def zipped(folder: Path) -> Path:
    names = ("model.json", "weights.bin", "metadata.json")
    parts = {name: (ORACLE / "tfjs_teachable" / name).read_bytes() for name in names}
    return stored(folder / "tm.zip", parts, packed=True)


def in_a_folder_of_a_zip(folder: Path) -> Path:
    names = ("model.json", "weights.bin", "metadata.json")
    parts = {f"my model/{name}": (ORACLE / "tfjs_teachable" / name).read_bytes() for name in names}
    return stored(folder / "tm.zip", parts)


@pytest.mark.parametrize("make", [unpacked, zipped, in_a_folder_of_a_zip])
def test_a_page_of_teachable_machine_in_every_form(make: Any, tmp_path: Path) -> None:
    network = read_network(make(tmp_path))
    assert network.named == ["猫", "dog", "nothing"] and network.card.tool == "Teachable Machine"
    xs, (expected,) = reference("tfjs_teachable")
    (found,) = answers(network, xs, tmp_path / "net.onnx", 13)
    assert np.abs(found - expected).max() < 1e-5


def test_keras_h5_unpacked_has_its_labels_beside_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(ORACLE / "teachable_machine" / "converted_keras.zip") as archive:
        archive.extractall(tmp_path)
    for path in (tmp_path, tmp_path / "keras_model.h5"):
        assert read_network(path).named == ["石头", "剪刀", "布 paper"]


def test_the_number_of_a_label_goes_only_where_it_is_the_lines_own() -> None:
    from qingzhou.sources.keras.card import names_of

    assert names_of("0 Rock\n1 Paper\n") == ["Rock", "Paper"]
    assert names_of("3 apples\n1 pear\n") == ["3 apples", "1 pear"]
    assert names_of("0 Rock\nPaper\n") == ["0 Rock", "Paper"]


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    shutil.copy(ORACLE / "tfjs_uint8" / "model.json", tmp_path)
    with pytest.raises(UnsupportedCheckpoint, match=r"group1-shard1of1\.bin do not lie beside it"):
        read_network(tmp_path / "model.json")


def test_without_pyfive_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "pyfive":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for one in [name for name in sys.modules if name.split(".")[0] == "pyfive"]:
        monkeypatch.delitem(sys.modules, one)
    with pytest.raises(UnsupportedCheckpoint, match=r'pip install "qingzhou\[keras\]"'):
        read("k2_functional/model.h5")


def test_a_number_for_each_picture_of_any_size(tmp_path: Path) -> None:
    """Height and width that the model leaves free can be given."""

    def free(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "InputLayer":
                layer["config"]["batch_shape"] = [None, None, None, 3]

    path = with_config(ORACLE / "k3_mixed_float16" / "model.keras", tmp_path / "any.keras", free)
    done = run_conversion(path, tmp_path / "any.onnx", Options(input_size=(10, 10)))
    assert load(done.model.path).card.input.shape == [None, 3, 10, 10]


def test_what_is_not_keras_own_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    def other(config: dict[str, Any]) -> None:
        layer = next(one for one in config["config"]["layers"] if one["class_name"] == "Conv2D")
        layer["module"] = "os"

    def inner(config: dict[str, Any]) -> None:
        layer = next(one for one in config["config"]["layers"] if one["class_name"] == "Conv2D")
        layer["config"]["layer"] = {"class_name": "Lambda", "config": {"name": "hidden", "function": "…"}}

    source = ORACLE / "k3_sequential_cnn" / "model.keras"
    for change, word in ((other, "is of the class"), (inner, "Lambda layer 'hidden'")):
        with pytest.raises(QingzhouError, match=word):
            read_network(with_config(source, tmp_path / "x.keras", change))


@pytest.mark.parametrize("case", ["k3_mixed_float16", "k3_bfloat16"])
def test_float32_is_what_mixed_precision_would_give(case: str, tmp_path: Path) -> None:
    expected = np.load(ORACLE / case / "reference_float32.npz")
    (found,) = answers(read(f"{case}/model.keras"), [expected["x0"]], tmp_path / "net.onnx", 13)
    assert np.abs(found - expected["y0"]).max() < 1e-5


def test_outputs_are_called_as_in_the_model() -> None:
    network = read("k3_multi_io/model.keras")
    with zipfile.ZipFile(ORACLE / "k3_multi_io" / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))["config"]
    assert [value.name for value in network.graph.outputs] == list(config["output_layers"])
