"""Detectors that Ultralytics and YOLOv5 exported are used as their metadata say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

import foreign_files as files
import qingzhou
from qingzhou.errors import UnsupportedCheckpoint


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Twice as wide as high: 128 x 64 becomes 64 x 32 of the network's 64 x 64, 16 rows of grey above."""
    Image.new("RGB", (128, 64), (10, 200, 30)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_boxes_of_a_free_size_are_placed_in_the_picture(tmp_path: Path, photo: Path) -> None:
    model = qingzhou.convert(files.ultralytics(tmp_path / "best.onnx"))
    card = model.card
    assert (card.network, card.tool, card.task, card.labels) == ("YOLOv8n", "Ultralytics", "detection", ["cat", "dog"])
    assert card.input.shape == [None, 3, 64, 64] and card.assumed == []
    found = model.predict(photo)
    assert [one.label for one in found] == ["cat", "dog"]
    assert found[0].box == pytest.approx((32, 16, 96, 48), abs=1e-3)  # in the middle of the picture
    assert found[0].confidence == pytest.approx(0.9)


def test_thresholds_are_the_users(tmp_path: Path, photo: Path) -> None:
    model = qingzhou.convert(files.ultralytics(tmp_path / "best.onnx"), score_threshold=0.8)
    assert [one.label for one in model.predict(photo)] == ["cat"]


def test_yolov5s_rows_are_decoded_behind_the_network(tmp_path: Path, photo: Path) -> None:
    path = files.yolov5(tmp_path / "best.onnx")
    model = qingzhou.convert(path)
    assert model.path.read_bytes().startswith(path.read_bytes())
    assert (model.card.tool, model.card.task) == ("YOLOv5", "detection")
    found = model.predict(photo)
    assert [one.label for one in found] == ["cat", "dog"]
    assert found[0].confidence == pytest.approx(0.9 * 0.95)
    assert found[0].box == pytest.approx((32, 16, 96, 48), abs=1e-3)
    onnx.checker.check_model(str(model.path), full_check=True)


def test_keypoints_and_angles(tmp_path: Path, photo: Path) -> None:
    pose = qingzhou.convert(files.ultralytics(tmp_path / "pose.onnx", "pose"))
    assert pose.card.output.also == {"keypoints": [2, 3]}
    assert len(pose.predict(photo)[0].keypoints) == 2
    turned = qingzhou.convert(files.ultralytics(tmp_path / "obb.onnx", "obb"))
    assert turned.predict(photo)[0].rotated is not None


def test_a_classifier(tmp_path: Path, photo: Path) -> None:
    model = qingzhou.convert(files.ultralytics(tmp_path / "cls.onnx", "classify"))
    assert model.card.output.scores == "probabilities"
    assert model.predict(photo).label == "dog"


def test_names_that_do_not_fit_are_a_contradiction(tmp_path: Path) -> None:
    path = files.ultralytics(tmp_path / "best.onnx", free=False)
    made = onnx.load(path)
    next(one for one in made.metadata_props if one.key == "names").value = "{0: 'a', 1: 'b', 2: 'c'}"
    files.kept(path, made)
    with pytest.raises(UnsupportedCheckpoint, match="3 classes"):
        qingzhou.convert(path)


def test_names_are_parsed_and_never_run(tmp_path: Path) -> None:
    path = files.ultralytics(tmp_path / "best.onnx")
    made = onnx.load(path)
    next(one for one in made.metadata_props if one.key == "names").value = "__import__('os').system('touch pwned')"
    files.kept(path, made)
    with pytest.raises(qingzhou.errors.QingzhouError):
        qingzhou.convert(path)
    assert not Path("pwned").exists()


def test_segments_need_their_prototypes(tmp_path: Path) -> None:
    path = files.ultralytics(tmp_path / "seg.onnx", "segment")
    made = onnx.load(path)
    answer = np.zeros((1, 4 + 2 + 8, 84), np.float32)
    answer[0, :6, 10] = 32, 32, 32, 16, 0.9, 0
    answer[0, 6:, 10] = 1
    for tensor in made.graph.initializer:
        if tensor.name == "answer":
            tensor.CopyFrom(onnx.numpy_helper.from_array(answer, "answer"))
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((1, 8, 16, 16), np.float32), "proto"))
    made.graph.node.append(onnx.helper.make_node("Add", ["proto", "none"], ["output1"]))
    made.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 14
    made.graph.output.append(files.value("output1", [1, 8, 16, 16]))
    model = qingzhou.convert(files.kept(path, made))
    assert model.card.output.also == {"masks": {"prototypes": "output1", "coefficients": 8, "stride": 4}}
    Image.new("RGB", (64, 64)).save(tmp_path / "p.png")
    assert model.predict(tmp_path / "p.png")[0].mask.all()
