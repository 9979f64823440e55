"""Weights alone of keras.applications: known by their shapes, and answering as Keras does.

That real files of Keras 2 and 3 are read is seen in tests/by_tensorflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_files import answers
from saved_models.application_weights import GAINS, NETWORKS, picture, weight

from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.files.types import TensorRef
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.keras.applications.known import APPLICATIONS, Application, _built, _keys, _names, recognised
from qingzhou.sources.keras.container import Whole
from qingzhou.sources.keras.read import read_keras
from qingzhou.sources.network import Network
from qingzhou.sources.read import read_network
from qingzhou.sources.source import Opened

ORACLE = Path(__file__).parents[1] / "oracle"
TITLES = {
    "mobilenet": "MobileNet 0.25x", "mobilenet_v2": "MobileNetV2 0.35x", "mobilenet_v2_open": "MobileNetV2 0.5x",
    "mobilenet_v3_small": "MobileNetV3 Small 1x", "mobilenet_v3_large": "MobileNetV3 Large 0.75x",
    "mobilenet_v3_minimal": "MobileNetV3 Small 1x minimalistic", "resnet50": "ResNet50", "resnet50_v2": "ResNet50V2",
    "vgg16": "VGG16", "efficientnet_b0": "EfficientNetB0", "inception_v3": "InceptionV3", "xception": "Xception",
    "densenet121": "DenseNet121", "nasnet_mobile": "NASNetMobile",
}  # fmt: skip
CHEAP = ("mobilenet", "mobilenet_v2", "mobilenet_v2_open", "mobilenet_v3_small", "mobilenet_v3_minimal")
CASES = [pytest.param(name, marks=[] if name in CHEAP else [pytest.mark.slow]) for name in NETWORKS]


def by_rule(application: Application, classes: int, side: int, scale: float, gain: float = 1.3) -> dict[str, list[Any]]:
    """A file of weights as Keras 3 calls its layers, in Keras' order."""
    builder = _built(application, classes, side, side)
    names = _names(builder)
    found: dict[str, list[Any]] = {}
    for place, (name, key) in enumerate(zip(names, _keys(builder, names), strict=True)):
        kind, shapes = builder.entries[name]["class_name"], builder.shapes[name]
        arrays = [weight(kind, place, i, len(shapes), shape, gain) for i, shape in enumerate(shapes)]
        arrays[0] = arrays[0] * np.float32(scale if name == names[-1] else 1)
        found[key] = [(f"layers/{key}/vars/{i}", ref(array)) for i, array in enumerate(arrays)]
    return found


def ref(array: np.ndarray) -> TensorRef:
    return TensorRef(array.shape, array.dtype, "", lambda: array)


def network(layers: dict[str, list[Any]], by_key: bool, side: int, tmp_path: Path) -> Network:
    """As read from a file with these layers."""
    known = recognised(layers if by_key else {f"layer{i}": one for i, one in enumerate(layers.values())}, by_key)
    assert known is not None
    (tmp_path / "weights.h5").write_bytes(b"\x89HDF")
    tensors = dict(one for layer in layers.values() for one in layer)
    whole = Whole("weights of Keras", "3" if by_key else "2", known.entry(), tensors, known=known)
    return read_keras(Opened.at(tmp_path / "weights.h5"), whole, Wanted(input_size=(side, side)))


@pytest.mark.parametrize("name", CASES)
def test_it_answers_as_keras_does(name: str, tmp_path: Path) -> None:
    kind, arguments, side = NETWORKS[name]
    kept = np.load(ORACLE / "saved_models/applications.npz")
    application = next(one for one in APPLICATIONS if one.title == TITLES[name])
    classes = int(arguments.get("classes", 0)) if arguments.get("include_top", True) else 0
    layers = by_rule(application, classes, side, float(kept[f"{name}_scale"]), GAINS.get(name, 1.3))
    for by_key in (True, False):
        found = network(layers, by_key, side, tmp_path)
        assert found.card.network == TITLES[name]
        for opset in (13, 17) if by_key else (13,):
            (ours,) = answers(found, [picture(kind, side)], tmp_path / "out.onnx", opset)
            assert ours.shape == kept[name].shape
            assert np.abs(ours - kept[name]).max() <= 1e-5 * max(1.0, np.abs(kept[name]).max())


def test_its_pictures_are_prepared_as_its_own_function_does(tmp_path: Path) -> None:
    modes = {one.title: one.mode for one in APPLICATIONS}
    assert (modes["ResNet50"], modes["ResNet50V2"], modes["DenseNet121"]) == ("caffe", "tf", "torch")
    application = next(one for one in APPLICATIONS if one.title == "MobileNetV2 0.35x")
    card = network(by_rule(application, 3, 64, 1.0), True, 64, tmp_path).card
    assert (card.input.color, card.input.steps[-1]) == (
        "RGB",
        {"op": "normalize", "mean": [127.5] * 3, "std": [127.5] * 3},
    )
    assert "normalize" in card.assumed and any("weights only" in note for note in card.notes)


def test_efficientnet_from_imagenet_divides_once_more() -> None:
    """No shape tells it, but the variance that its Normalization has learned there."""
    application = next(one for one in APPLICATIONS if one.title == "EfficientNetB0")
    layers = by_rule(application, 10, 224, 1.0)
    plain = recognised(layers, True)
    layers["normalization"][1] = (layers["normalization"][1][0], ref(np.array([0.229, 0.224, 0.225], np.float32)))
    again = recognised(layers, True)
    assert plain is not None and again is not None
    kinds = [
        [one["class_name"] for one in known.entry()["config"]["layers"]].count("Rescaling") for known in (plain, again)
    ]
    assert kinds == [1, 2]


def test_no_two_networks_have_the_same_weights() -> None:
    """But for EfficientNet's two."""
    seen: dict[Sequence[object], str] = {}
    for one in APPLICATIONS:
        for classes in (0, 7):
            builder = _built(one, classes, one.size, one.size)
            shape = tuple(builder.shapes[name] for name in _names(builder))
            assert seen.setdefault(shape, one.title) == one.title


@pytest.mark.parametrize("case", ["refuse_weights_only/model.weights.h5", "refuse_k2_weights_only/model.h5"])
def test_other_weights_are_refused_with_the_way_out(case: str) -> None:
    if not (ORACLE / "keras" / case).exists():
        pytest.skip("the case has another name")
    with pytest.raises(UnsupportedCheckpoint, match="weights only") as caught:
        read_network(ORACLE / "keras" / case)
    assert "model.load_weights(" in caught.value.en and "model.save('model.keras')" in caught.value.en


def test_a_layer_of_another_shape_is_not_taken_for_it() -> None:
    application = next(one for one in APPLICATIONS if one.title == "MobileNetV2 0.35x")
    layers = by_rule(application, 3, 64, 1.0)
    layers["conv2d_3"][0] = (layers["conv2d_3"][0][0], ref(np.zeros((1, 1, 9, 9), np.float32)))
    assert recognised(layers, True) is None and recognised({}, True) is None and recognised({"a": []}, False) is None
