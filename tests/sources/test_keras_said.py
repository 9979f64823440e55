"""What is said of a model of Keras that is read, or refused, in words that its owner knows."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_files import ORACLE, read, stored, with_config

from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.files.types import TensorRef
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.keras import walk
from qingzhou.sources.keras.layer import KerasNet, Kind, Layer
from qingzhou.sources.keras.weights import Named, Place
from qingzhou.sources.read import read_network

NET = ORACLE / "k3_sequential_cnn" / "model.keras"
BRANCHES = ORACLE / "k3_functional_branches" / "model.keras"
PAGE = (ORACLE / "tfjs_uint8" / "model.json").read_bytes()


def layer_of(config: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in config["config"]["layers"] if one["class_name"] == kind)
    return found


def test_pictures_that_go_in_by_threes_are_arrays_and_that_is_said(tmp_path: Path) -> None:
    def three(config: dict[str, Any]) -> None:
        layer_of(config, "InputLayer")["config"]["batch_shape"][0] = 3

    found = read_network(with_config(NET, tmp_path / "m.keras", three), Wanted())
    assert found.card.input.kind == "array"
    assert any("Since 3 pictures have to go in at once" in note for note in found.card.notes)
    assert not any("go in at once" in note for note in read("k3_sequential_cnn/model.keras").card.notes)


def test_scales_that_keras_forgets_are_used_and_that_is_said() -> None:
    """findings/keras-quantised-time-distributed.sh."""
    notes = read("k3_quantized_steps/model.keras").card.notes
    assert sum(bool(re.match(r"time_distributed\w*: Keras 3.15 forgets the scales", note)) for note in notes) == 1
    assert not any("forgets" in note for note in read("k3_quantized_int8/model.keras").card.notes)


@pytest.mark.parametrize(("filters", "first"), [(8, True), (7, True), (8, False)])
def test_a_bias_that_tensorflow_adds_elsewhere_is_said(filters: int, first: bool) -> None:
    """findings/keras-add-along-the-wrong-axis.sh."""
    arrays = {"c/kernel": np.zeros((1, 1, 3, filters), "f4"), "c/bias": np.zeros(filters, "f4")}
    refs = {key: TensorRef(one.shape, one.dtype, "", partial(np.copy, one)) for key, one in arrays.items()}
    net = KerasNet(Named({"": list(refs.items())}, one=True), 3)
    config = {"filters": filters, "kernel_size": 1, "data_format": "channels_first" if first else "channels_last"}
    layer = Layer("Conv2D", "c", config, 3, Place("c", ("c",)))
    walk.LAYERS["Conv2D"].run(net, layer, net.input("x", (1, 3, 9, 8) if first else (1, 8, 8, 3)))
    assert bool(net.notes) == (filters == 8 and first)


@pytest.mark.parametrize("beside", [[], ["readme.txt"], ["metadata.json"]])
def test_a_page_without_its_shards_names_them(beside: list[str], tmp_path: Path) -> None:
    path = stored(tmp_path / "m.zip", {"model.json": PAGE, **{name: b"{}" for name in beside}})
    with pytest.raises(UnsupportedCheckpoint, match=r"group1-shard1of1\.bin do not lie beside it"):
        read_network(path)


def test_a_model_json_of_another_tool(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match=r"its model\.json is not one of TF\.js"):
        read_network(stored(tmp_path / "m.zip", {"model.json": b'{"layers": []}'}))


BROKEN = {  # a setting that has no meaning -> what may be said of it
    "axis": ("Concatenate", {"axis": None}),
    "deep": ("Concatenate", {"axis": [1, "x"]}),
    "activation": ("Conv2D", {"activation": 7}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_words_of_python_are_said(name: str, tmp_path: Path) -> None:
    kind, settings = BROKEN[name]
    path = with_config(BRANCHES, tmp_path / "m.keras", lambda config: layer_of(config, kind)["config"].update(settings))
    with pytest.raises(Exception, match=kind if name != "activation" else "activation") as caught:
        read_network(path, Wanted())
    error: Any = caught.value
    assert not re.search(r"NoneType|not supported|object|unsupported|argument|\bstr\b|\bint\b|\.\.", error.en), error.en


def test_a_fault_of_ours_is_not_taken_for_one_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("ours")

    monkeypatch.setitem(walk.LAYERS, "Conv2D", Kind(broken, "drop"))
    with pytest.raises(AssertionError, match="ours"):
        read_network(NET, Wanted())
