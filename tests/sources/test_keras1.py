"""Files of Keras 1, whose settings and arrays have other names: what is refused, and how (answers: test_keras.py)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras_files import ORACLE

from qingzhou.errors import CheckpointDamaged, UnsupportedCheckpoint
from qingzhou.files.types import TensorRef
from qingzhou.graph.form import Value
from qingzhou.info import read_info
from qingzhou.sources.keras.keras1 import in_new_words
from qingzhou.sources.keras.layer import KerasNet, Layer
from qingzhou.sources.keras.table import LAYERS
from qingzhou.sources.keras.weights import Named, Place


def ref(*shape: int) -> TensorRef:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return TensorRef(array.shape, array.dtype, "", lambda: array)


def layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": kind.lower(), **config}}


def model(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": list(layers)}


MERGE = {"mode_type": "raw", "concat_axis": -1, "dot_axes": -1}
REFUSED = {
    "mode 'cos' is not known here": model(layer("Merge", mode="cos", **MERGE)),
    "Lambda layer 'merge'": model(layer("Dense"), layer("Merge", mode="4wIA", mode_type="lambda")),
    "is of the class Merge\\(mine\\)": model(layer("Dense"), layer("Merge", mode="mine", mode_type="function")),
    "border_mode 'full' is not known here": model(layer("Convolution2D", border_mode="full")),
    "does not say on which axis channels are": model(layer("Dense"), layer("UpSampling2D", size=[2, 2])),
    "mode=2 normalises by": model(layer("TimeDistributed", layer=layer("BatchNormalization", mode=2))),
}


@pytest.mark.parametrize("says", REFUSED)
def test_what_later_keras_does_not_have_is_refused_by_name(says: str) -> None:
    entry = REFUSED[says]
    if "cos" in says:
        entry = model(layer("Dense"), *entry["config"])
    with pytest.raises(UnsupportedCheckpoint, match=says):
        in_new_words(entry, {}, {})


def test_channels_are_where_the_other_layers_have_them() -> None:
    pads = {"top_pad": 1, "bottom_pad": 2, "left_pad": 3, "right_pad": 4}
    layers = [layer("Convolution2D", dim_ordering="th", nb_row=3, nb_col=2), layer("ZeroPadding2D", padding=pads)]
    found = in_new_words(model(*layers), {}, {}).entry["config"]["layers"]
    assert found[0]["config"]["kernel_size"] == [3, 2]
    assert found[1]["config"]["data_format"] == "channels_first" and found[1]["config"]["padding"] == [[1, 2], [3, 4]]
    other = layer("Convolution2D", dim_ordering="tf")
    with pytest.raises(UnsupportedCheckpoint, match="on which axis"):
        in_new_words(model(*layers, other), {}, {})


def test_a_gate_that_is_missing_is_named() -> None:
    keys = [f"model_weights/lstm/lstm_{letter}_{gate}:0" for gate in "icf" for letter in "WUb"]
    with pytest.raises(CheckpointDamaged, match="a gate of layer 'lstm' is missing"):
        in_new_words(model(layer("LSTM")), {key: ref(2, 2) for key in keys}, {"lstm": keys})


def test_names_that_tensorflow_made_its_own_by_a_number() -> None:
    """As of a model that was loaded and saved again; and of two layers, one of whose names begins as the other's."""
    keys = ["model_weights/d_1/d_1_W_2:0", "model_weights/d_1/d_1_b:0", "model_weights/d/d_W:0"]
    entry = model({"class_name": "Dense", "config": {"name": "d_1"}}, {"class_name": "Dense", "config": {"name": "d"}})
    found = in_new_words(entry, {key: ref(2, 2) for key in keys}, {"d_1": keys[:2], "d": keys[2:]})
    assert sorted(found.tensors) == ["d/kernel", "d_1/bias", "d_1/kernel"] and not found.theano


def test_what_no_layer_owns_is_still_there() -> None:
    keys = ["model_weights/dense/dense_W", "model_weights/dense/other"]
    found = in_new_words(model(layer("Dense")), {key: ref(2, 2) for key in keys}, {"dense": keys})
    assert set(found.tensors) == {"dense/kernel", keys[1]} and found.theano


def deconvolution(wish: list[Any], size: int = 3, theano: bool = False) -> Any:
    weights = Named({"": [("d/kernel", ref(size, size, 2, 2))]}, one=True)
    net = KerasNet(weights, 2)
    net.theano = theano
    config = {"filters": 2, "kernel_size": [size, size], "strides": [2, 2], "use_bias": False, "output_shape": wish}
    one = Layer("Conv2DTranspose", "d", {**config, "padding": "same"}, 2, Place("d", ("d",)))
    x: Value = net.input("x", (1, 4, 4, 2))
    return LAYERS["Conv2DTranspose"].run(net, one, x)


def test_a_deconvolution_gives_the_size_that_it_was_asked_for() -> None:
    assert deconvolution([None, 8, 8, 2]).shape == (1, 8, 8, 2)
    with pytest.raises(UnsupportedCheckpoint, match="its output_shape"):
        deconvolution([None, 7, 7, 2])
    with pytest.raises(UnsupportedCheckpoint, match="even size, on Theano"):
        deconvolution([None, 8, 8, 2], 2, theano=True)


def test_info_says_which_keras_it_was() -> None:
    found = read_info(ORACLE / "k1_th_turned" / "model.h5")
    assert (found.facts["keras"], found.facts["backend"]) == ("1.2.2", "Theano")
