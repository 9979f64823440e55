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
    "refuse_k1_mode": "(BatchNormalization): mode=1 normalises by the sample or the batch",
    "refuse_k2_lambda": "Lambda layer 'my_lambda' holds Python code",
    "refuse_k2_weights_only": "weights only (there is no model_config)",
    "refuse_lambda": "Lambda layer 'times_two' holds Python code (marshalled bytecode)",
    "refuse_lora_attention": "query/lora_kernel_a was learned by LoRA, beside the weights of a layer",
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
        # How many pictures Normalization saw; SpectralNormalization has its kernel twice, and where it would go on
        left = ("/vars/2", "/vector_u", "/spectral_normalization/vars/0", "/spectral_normalization/vars/1")
        counted = [key for key in network.unused if not key.endswith(left)]
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


SPECTROGRAM = [("InputLayer", {"batch_shape": [None, 43, 232, 1]}), ("MaxPooling2D", {"pool_size": [43, 116]}),
               ("Flatten", {}), ("Activation", {"activation": "softmax"})]  # fmt: skip
POSE = [("InputLayer", {"batch_shape": [None, 2]}), ("Activation", {"activation": "softmax"})]
NAMES = ["静", "clap"]
PROJECTS = {
    "spectrogram": (
        SPECTROGRAM,
        {"tfjsSpeechCommandsVersion": "0.4.0", "modelName": "TMv2", "wordLabels": NAMES},
        "array",
    ),
    "PoseNet": (POSE, {"tmVersion": "2.4.7", "packageName": "@teachablemachine/pose", "labels": NAMES}, "table"),
}


@pytest.mark.parametrize("says", PROJECTS)
def test_sounds_and_poses_of_teachable_machine_are_no_pictures(says: str, tmp_path: Path) -> None:
    """Their files hold the network behind a spectrogram or behind PoseNet: what goes in is said, and not guessed."""
    layers, about, kind = PROJECTS[says]
    named = [{"class_name": one, "config": {"name": f"layer{i}", **more}} for i, (one, more) in enumerate(layers)]
    entry = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": named}}
    page = {"modelTopology": {"model_config": entry}, "weightsManifest": [{"paths": ["weights.bin"], "weights": []}]}
    parts = {"model.json": json.dumps(page).encode(), "weights.bin": b"", "metadata.json": json.dumps(about).encode()}
    network = read_network(stored(tmp_path / "my_model.zip", parts))
    card = network.card
    assert (card.input.kind, card.task, card.tool, card.assumed) == (kind, "classification", "Teachable Machine", [])
    assert network.named == NAMES and sum(says in note for note in card.notes) == 1


def test_keras_h5_unpacked_has_its_labels_beside_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(ORACLE / "teachable_machine" / "converted_keras.zip") as archive:
        archive.extractall(tmp_path)
    for path in (tmp_path, tmp_path / "keras_model.h5"):
        assert read_network(path).named == ["石头", "剪刀", "布 paper"]


def test_labels_beside_ones_own_h5_do_not_make_it_teachable_machines(tmp_path: Path) -> None:
    """Only its page calls it keras_model.h5 and prepares pictures as it does; another file's are not known."""
    parts = {name: (ORACLE / "digits_trained" / name).read_bytes() for name in ("model.h5", "labels.txt")}
    network = read_network(stored(tmp_path / "own.zip", parts))
    assert network.named and len(network.named) == 10
    assert network.card.tool == "Keras" and "center_crop" not in [step["op"] for step in network.card.input.steps]


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


@pytest.mark.parametrize(
    ("first", "shape", "kind"),
    [
        (False, (28, 28, 1), "image"),
        (False, (3, 40, 8), "array"),  # three rows of 40 steps with 8 channels each
        (True, (3, 40, 8), "image"),
        (True, (8, 40, 3), "array"),
    ],
)
def test_which_axis_has_the_colours(first: bool, shape: tuple[int, ...], kind: str, tmp_path: Path) -> None:
    """The last one, unless the layers say that theirs is the first: by the size alone (3, 40, 8) could be a picture."""
    settings = {"data_format": "channels_first" if first else "channels_last", "pool_size": [2, 2], "padding": "same"}

    def layers(config: dict[str, Any]) -> None:
        entry = {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, *shape], "dtype": "float32"}}
        pool = {"class_name": "AveragePooling2D", "config": {"name": "pool", **settings}}
        end = {"class_name": "GlobalMaxPooling2D", "config": {"name": "end", "data_format": settings["data_format"]}}
        config.update(class_name="Sequential", config={"name": "net", "layers": [entry, pool, end]})

    path = with_config(ORACLE / "k3_sequential_cnn" / "model.keras", tmp_path / "pools.keras", layers)
    network = read_network(path)
    entry, channels = network.card.input, shape[0] if first else shape[2]
    turned = (shape[2], *shape[:2]) if kind == "image" and not first else shape
    assert (entry.kind, entry.shape[1:]) == (kind, list(turned))
    assert network.graph.outputs[0].shape[1:] == (channels,)
