"""A config.json beside a .safetensors: transformers' own file (oracle/hub), and timm's made here of a known network."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import qingzhou
from nets.test_layouts import filled, read
from qingzhou.errors import OptionError, UnsupportedCheckpoint, use_language

HUB = Path(__file__).parents[1] / "oracle" / "hub"
PICTURES = {
    "do_resize": True,
    "size": {"shortest_edge": 72},
    "do_center_crop": True,
    "crop_size": {"height": 64, "width": 64},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.25, 0.25, 0.25],
    "resample": 2,
}


def beside(place: Path, config: dict[str, Any] | str, pictures: dict[str, Any] | None = None) -> Path:
    """transformers' ResNet with another config.json."""
    text = config if isinstance(config, str) else json.dumps(config)
    (place / "config.json").write_text(text, "utf-8")
    if pictures is not None:
        (place / "preprocessor_config.json").write_text(json.dumps(pictures), "utf-8")
    return Path(shutil.copy(HUB / "model.safetensors", place))


def config(**changes: object) -> dict[str, Any]:
    return {**json.loads((HUB / "config.json").read_text("utf-8")), **changes}


def test_it_answers_as_transformers(tmp_path: Path) -> None:
    model = qingzhou.convert(beside(tmp_path, config()), input_size=(64, 64))
    with np.load(HUB / "reference.npz") as made:
        picture, logits = made["in_x"], made["out_0"][0]
    expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    [[found]] = onnxruntime.InferenceSession(model.path).run(None, {"input": picture})
    assert np.abs(found - expected).max() < 1e-5
    assert model.card.labels == ["ant", "蜜蜂", "cat", "dog"] and model.card.tool == "transformers"


def test_pictures_are_prepared_as_it_says(tmp_path: Path) -> None:
    """transformers/image_processing_utils.py: shorter side, centre, (x / 255 - mean) / std."""
    card = qingzhou.convert(beside(tmp_path, config(), PICTURES)).card
    assert card.assumed == [] and card.input.color == "RGB"
    assert card.input.steps == [
        {"op": "resize", "short": 72, "interpolation": "pillow"},
        {"op": "center_crop", "size": [64, 64]},
        {"op": "normalize", "mean": [127.5] * 3, "std": [63.75] * 3},
    ]


def test_what_is_not_followed_is_said(tmp_path: Path) -> None:
    use_language("en")
    steps = qingzhou.convert(beside(tmp_path, config(), {**PICTURES, "resample": 3})).card.input.steps
    assert steps[0] == {"op": "resize", "short": 72, "interpolation": "bicubic"}
    notes = qingzhou.convert(beside(tmp_path, config(), {**PICTURES, "resample": 1})).card.notes
    assert any("by ? interpolation" in note for note in notes)
    with pytest.raises(UnsupportedCheckpoint, match="hidden_act = gelu"):
        qingzhou.convert(beside(tmp_path, config(hidden_act="gelu")))
    with pytest.raises(UnsupportedCheckpoint, match="downsample_in_first_stage = True"):
        qingzhou.convert(beside(tmp_path, config(downsample_in_first_stage=True)))


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", '{"name": "an app"}', "[" * 100_000, "\ufeff{}", '{"architecture": 7}']
)
def test_a_config_of_something_else_says_nothing(text: str, tmp_path: Path) -> None:
    card = qingzhou.convert(beside(tmp_path, text)).card
    assert "labels" in card.assumed and "normalize" in card.assumed


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> Path:
    header: dict[str, Any] = {}
    place = 0
    for key, array in tensors.items():
        kind = {"float32": "F32", "int64": "I64"}[array.dtype.name]
        header[key] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [place, place + array.nbytes]}
        place += array.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in tensors.values()))
    return path


TIMM = {
    "architecture": "mobilenetv3_small_100",
    "num_classes": 4,
    "label_names": ["a", "b", "c", "d"],
    "pretrained_cfg": {
        "input_size": [3, 96, 96],
        "interpolation": "bilinear",
        "crop_pct": 0.75,
        "crop_mode": "center",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    },
}


def test_timms(tmp_path: Path) -> None:
    """timm/data/transforms_factory.py: the short side is the crop's by crop_pct."""
    use_language("en")
    path = write_safetensors(tmp_path / "model.safetensors", filled(read("timm_mobilenetv3_small_100")))
    (tmp_path / "config.json").write_text(json.dumps(TIMM), "utf-8")
    card = qingzhou.convert(path).card
    assert card.labels == ["a", "b", "c", "d"] and card.assumed == []
    assert card.input.steps[:2] == [
        {"op": "resize", "short": 128, "interpolation": "pillow"},
        {"op": "center_crop", "size": [96, 96]},
    ]
    assert card.network == "MobileNetV3 small" and not any("tf_" in note for note in card.notes)


def test_a_tf_network_is_told_by_its_name_or_by_its_padding(tmp_path: Path) -> None:
    use_language("en")
    path = write_safetensors(tmp_path / "model.safetensors", filled(read("timm_mobilenetv3_small_100")))
    plain = qingzhou.convert(path, tmp_path / "plain.onnx").card
    named = qingzhou.convert(path, tmp_path / "named.onnx", network="tf_mobilenetv3_small_100").card
    said = qingzhou.convert(path, tmp_path / "said.onnx", details=["padding=same"]).card
    assert (plain.network, named.network, said.network) == (
        *("MobileNetV3 small", "tf MobileNetV3 small", "tf MobileNetV3 small"),
    )
    assert any("network=tf_mobilenetv3_small_100" in note for note in plain.notes)  # its own name, as an option
    assert not any("tf_" in note for note in (*named.notes, *said.notes))
    with pytest.raises(OptionError, match="same, torch"):
        qingzhou.convert(path, tmp_path / "x.onnx", details={"padding": "valid"})
    with pytest.raises(OptionError, match="eps/padding/heads/transform_input"):
        qingzhou.convert(path, tmp_path / "x.onnx", details={"colour": "red"})
    with pytest.raises(OptionError, match=r"0\.001"):
        qingzhou.convert(path, tmp_path / "x.onnx", details={"eps": "much"})
