"""Recurrent layers, attention and masks of Keras: what is refused by name, and what the card says.

What they answer is in test_keras.py, with the cases k*_lstm, k3_masks, …, r2_* and r3_*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from keras_files import ORACLE, with_config

from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.read import read_network


def layers(config: Any, kind: str) -> Iterator[dict[str, Any]]:
    """All layers of a class, also inside others."""
    if isinstance(config, dict):
        if config.get("class_name") == kind:
            yield config
        for one in list(config.values()):
            yield from layers(one, kind)
    elif isinstance(config, list):
        for one in config:
            yield from layers(one, kind)


def changed(case: str, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A model of the oracle with other settings."""
    return with_config(ORACLE / case / "model.keras", target / "model.keras", change)


def settings(kind: str, **new: Any) -> Callable[[dict[str, Any]], object]:
    """These settings in all layers of a class."""

    def change(config: dict[str, Any]) -> None:
        found = list(layers(config, kind))
        assert found
        for layer in found:
            layer["config"].update(new)

    return change


def refusal(file: Path) -> UnsupportedCheckpoint:
    """What it is refused with."""
    with pytest.raises(UnsupportedCheckpoint) as caught:
        read_network(file, Wanted())
    return caught.value


def test_an_activation_that_no_operator_has_needs_a_length(tmp_path: Path) -> None:
    error = refusal(changed("r3_seq2seq", tmp_path, settings("LSTM", activation="selu")))
    assert "layer 'lstm" in error.en and "(selu, sigmoid) for time" in error.en and "fixed length" in error.en
    assert "激活函数" in error.zh


def test_a_mask_of_which_no_rule_is_known_is_refused_by_the_layers_name(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        (layer,) = layers(config, "GlobalAveragePooling1D")
        layer["class_name"], layer["config"] = "Softmax", {"name": layer["name"], "axis": -1}

    error = refusal(changed("r3_seq2seq", tmp_path, change))
    assert "layer 'global_average_pooling1d" in error.en and "a mask of padded steps" in error.en


@pytest.mark.parametrize(
    ("kind", "new", "said"),
    [
        ("LSTM", {"activation": {"class_name": "function", "config": "my", "registered_name": "mine>my"}}, "mine>my"),
        ("RNN", {"cell": {"class_name": "MyCell", "config": {}}}, "its cell is of the class MyCell"),
    ],
)
def test_what_the_author_wrote_is_named(kind: str, new: Mapping[str, Any], said: str, tmp_path: Path) -> None:
    assert said in refusal(changed("r3_given_masks", tmp_path, settings(kind, **new))).en


def test_the_card_says_that_a_stateful_layer_starts_from_zeros(tmp_path: Path) -> None:
    network = read_network(changed("r3_directions", tmp_path, settings("LSTM", stateful=True)), Wanted())
    (note,) = (note for note in network.card.notes if note.startswith(("Stateful layers", "有状态的层")))
    assert "lstm" in note and "bidirectional" in note


def test_inputs_of_free_length_need_not_be_of_one_length() -> None:
    network = read_network(ORACLE / "r3_seq2seq" / "model.keras", Wanted())
    assert [value.shape for value in network.graph.inputs] == [("batch", "time"), ("batch", "time_2")]
