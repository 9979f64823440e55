"""Checkpoints whose config names another preparation of pictures than the tool's usual one: it is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from makers import write_checkpoint
from passengers import ORACLE, digits
from qingzhou.conversion import run_conversion
from qingzhou.model import Model
from qingzhou.sources.torch.container import read_checkpoint

USUAL_MEAN, USUAL_STD = 33.46, 78.87  # MMEdu's, for LeNet
TEN = [str(i) for i in range(10)]
MMCLS = """
norm = dict(mean=[{mean}], std=[{std}])
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='grayscale'),
    dict(type='Resize', size=32, backend='pillow'),
    dict(type='Normalize', **norm),
    dict(type='ImageToTensor', keys=['img']),
    dict(type='Collect', keys=['img'])]
data = dict(test=dict(type='Digits', data_prefix='data/test', pipeline=test_pipeline))
model = dict(type='ImageClassifier', backbone=dict(type='LeNet5', num_classes=10))
"""
MMPRETRAIN = """
data_preprocessor = dict(num_classes=10, mean=[{mean}], std=[{std}])
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='grayscale'),
    dict(type='Resize', scale=32, backend='pillow'),
    dict(type='PackInputs')]
test_dataloader = dict(batch_size=32, dataset=dict(type='CustomDataset', pipeline=test_pipeline))
model = dict(type='ImageClassifier', backbone=dict(type='LeNet5', num_classes=10))
"""


def trained_with(path: Path, mean: float, std: float, meta: dict[str, Any]) -> Path:
    """The oracle's real LeNet, 98.19 % on the digits, rewritten for another normalisation.

    (x - 33.46) / 78.87 = (z * std + mean - 33.46) / 78.87 for z = (x - mean) / std; no padding, so this is exact.
    """
    tensors = read_checkpoint(ORACLE / "trained" / "lenet_digits.pth").tensors
    state = {key: np.array(tensors[key]) for key in tensors}
    weight, bias = (state[f"backbone.features.0.{name}"].astype(np.float64) for name in ("weight", "bias"))
    state["backbone.features.0.weight"] = (weight * std / USUAL_STD).astype(np.float32)
    state["backbone.features.0.bias"] = (bias + weight.sum((1, 2, 3)) * (mean - USUAL_MEAN) / USUAL_STD).astype("f4")
    return write_checkpoint(path, {"meta": meta, "state_dict": state})


def right(model: Model) -> int:
    """Of 497 test pictures."""
    return sum(model.predict(str(path)).label == digit for path, digit in digits())


@pytest.mark.parametrize(
    ("key", "text", "labels"),
    [
        ("config", MMCLS, {"CLASSES": TEN}),
        ("cfg", MMPRETRAIN, {"dataset_meta": {"classes": TEN}}),
    ],
)
def test_mean_and_deviation_of_the_config(key: str, text: str, labels: dict[str, Any], tmp_path: Path) -> None:
    meta = {key: text.format(mean=127.5, std=127.5), **labels}
    done = run_conversion(trained_with(tmp_path / "net.pth", 127.5, 127.5, meta))
    assert done.model.card.input.steps[-1] == {"op": "normalize", "mean": [127.5], "std": [127.5]}
    assert done.model.card.assumed == [] and done.model.card.notes == []
    assert right(done.model) == 488  # 98.19 %, as trained; MMEdu's own numbers would give 359
