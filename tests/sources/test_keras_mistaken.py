"""Files of Keras as people have them: packed again, written by other editors, or put together from two models."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_files import ORACLE, answers, reference, stored, with_config
from PIL import Image

from qingzhou.conversion import run_conversion
from qingzhou.errors import CheckpointDamaged, CheckpointTypeError
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.read import read_network

NET = ORACLE / "k3_sequential_cnn" / "model.keras"
MACHINE = ORACLE / "teachable_machine" / "converted_keras.zip"


def parts(source: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(source) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("packed", [False, True])
def test_a_keras_file_that_was_unpacked_and_packed_again(packed: bool, tmp_path: Path) -> None:
    path = stored(tmp_path / "m.zip", {f"my model/{name}": data for name, data in parts(NET).items()}, packed)
    xs, ys = reference("k3_sequential_cnn")
    found = answers(read_network(path, Wanted()), xs, tmp_path / "net.onnx", 13)
    assert np.abs(found[0] - ys[0]).max() < 1e-5


def test_a_zip_around_a_model_names_the_model(tmp_path: Path) -> None:
    path = stored(tmp_path / "m.zip", {"notes.txt": b"x", "a/model.keras": NET.read_bytes()})
    with pytest.raises(
        CheckpointTypeError, match=r"with notes\.txt, a/model\.keras.*give the file of the model"
    ) as told:
        read_network(path, Wanted())
    assert "请解压后使用其中的模型文件" in told.value.zh


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
def test_labels_of_any_editor(encoding: str, tmp_path: Path) -> None:
    labels = "0 猫\r\n1 小狗\r\n2 石头\r\n".encode(encoding)
    path = stored(tmp_path / "tm.zip", {**parts(MACHINE), "labels.txt": labels})
    assert run_conversion(path, tmp_path / "tm.onnx").model.card.labels == ["猫", "小狗", "石头"]


def _without_bias(config: Any) -> None:
    next(one for one in config["config"]["layers"] if one["class_name"] == "Conv2D")["config"]["use_bias"] = False


def test_settings_that_have_no_use_for_a_weight(tmp_path: Path) -> None:
    with pytest.raises(CheckpointDamaged, match="no use for layers/conv2d/vars/1") as told:
        read_network(
            with_config(ORACLE / "jax_one_score" / "model.keras", tmp_path / "m.keras", _without_bias), Wanted()
        )
    assert "按配置用不到 layers/conv2d/vars/1" in told.value.zh


def test_the_shards_of_a_larger_model(tmp_path: Path) -> None:
    shutil.copytree(ORACLE / "tfjs_uint8", tmp_path / "page")
    with (tmp_path / "page" / "group1-shard1of1.bin").open("ab") as file:
        file.write(bytes(16))
    with pytest.raises(CheckpointDamaged, match="they are of another model") as told:
        read_network(tmp_path / "page" / "model.json", Wanted())
    assert "分片属于另一个模型" in told.value.zh


def test_an_input_of_bytes_is_a_picture(tmp_path: Path) -> None:
    (x,), (y,) = reference("jax_bytes_in")
    made = run_conversion(ORACLE / "jax_bytes_in" / "model.keras", tmp_path / "bytes.onnx").model
    entry = made.card.input
    assert (entry.kind, entry.color) == ("image", "RGB")
    assert not [step for step in entry.steps if step["op"] == "normalize"]
    Image.fromarray(x[0]).save(tmp_path / "p.png")
    assert np.allclose(made.predict(tmp_path / "p.png").scores, y[0], atol=1e-5)
