"""Models that the original MMEdu and BaseNN exported: their metadata give the pre-processing of their training."""

import json

import pytest

from qingzhou.errors import ModelError, QingzhouError
from qingzhou.runtime.model.card import Card
from qingzhou.sources.onnx.originals import Port, original_card

IMAGE, OUT = Port("input", (1, 3, 224, 224)), Port("probs", (1, 2))
RGB_MEAN, BGR_MEAN = [123.675, 116.28, 103.53], [103.53, 116.28, 123.675]


def info(name: object, classes: object = ("cat", "狗"), codebase: str = "MMCls") -> dict[str, str]:
    return {"MODEL_INFO": json.dumps({"codebase": codebase, "modelname": name, "classes": classes})}


@pytest.mark.parametrize(
    ("name", "color", "resize", "mean"),
    [
        ("MobileNet", "RGB", "pillow", RGB_MEAN),
        ("ResNet18", "RGB", "cv2", RGB_MEAN),
        ("ResNet50", "RGB", "cv2", RGB_MEAN),
        ("ResNeXt", "RGB", "pillow", RGB_MEAN),
        ("RegNet", "BGR", "cv2", BGR_MEAN),
        ("RepVGG", "RGB", "pillow", RGB_MEAN),
        ("mmcls/.mim/configs/mobilenet_v3/mobilenet-v3-small_8xb32_in1k.py", "RGB", "pillow", RGB_MEAN),
        ("C:\\configs\\regnet\\regnetx-400mf_8xb128_in1k.py", "BGR", "cv2", BGR_MEAN),
        ("", "RGB", "pillow", RGB_MEAN),
    ],
)
def test_mmedu_by_model_name(name: str, color: str, resize: str, mean: list[float]) -> None:
    card = original_card(info(name), IMAGE, OUT)
    first, crop, last = card.input.steps
    assert (card.input.color, first["interpolation"], first["short"], last["mean"]) == (color, resize, 256, mean)
    assert crop["size"] == [224, 224]
    assert card.labels == ["cat", "狗"] and card.task == "classification"
    assert bool(card.notes) == (name == "")


def test_mmedu_lenet() -> None:
    card = original_card(info("LeNet"), Port("input.1", (1, 1, 32, 32)), Port("29", (10,)))
    assert (card.input.name, card.output.name, card.input.color) == ("input.1", "29", "GRAY")
    assert card.input.steps[-1]["mean"] == [33.46] and card.input.shape == [1, 1, 32, 32]


def test_model_info_with_doubled_escapes() -> None:
    text = '{"codebase": "MMCls", "modelname": "LeNet", "classes": [\\"\\u732b\\"]}'
    assert original_card({"MODEL_INFO": text}, IMAGE, OUT).labels == ["猫"]


def test_basenn_picture() -> None:
    card = original_card({"input_size": "[1, 3, 20, 30]", "dataset_type": "img"}, IMAGE, OUT)
    assert card.input.color == "BGR" and card.input.shape == [1, 3, 20, 30]
    assert [step["op"] for step in card.input.steps] == ["resize", "normalize"]
    assert card.input.steps[0]["size"] == [20, 30] and card.input.steps[1]["std"] == [255.0] * 3
    assert card.notes


@pytest.mark.parametrize(("kind", "expected"), [("tab", "table"), ("npz", "array"), ("other", "array")])
def test_basenn_numbers(kind: str, expected: str) -> None:
    card = original_card({"input_size": "[10, 4]", "dataset_type": kind}, IMAGE, OUT)
    assert (card.input.kind, card.input.shape, card.input.steps) == (expected, [None, 4], [])


def test_basenn_words() -> None:
    meta = {"input_size": "[1, 1]", "dataset_type": "npz", "word2idx": "{'床': 0, '前': 1}"}
    card = original_card(meta, IMAGE, OUT)
    assert card.input.kind == "tokens" and card.vocabulary == {"床": 0, "前": 1}


ATTACK = "__import__('os').system('touch harmed')"


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "custom"),
        ({"input_size": "[1, 4]"}, "custom"),
        ({"MODEL_INFO": "{"}, "MODEL_INFO"),
        ({"MODEL_INFO": "[]"}, "MODEL_INFO"),
        ({"MODEL_INFO": "[" * 100_000}, "MODEL_INFO"),
        ({"MODEL_INFO": ATTACK}, "MODEL_INFO"),
        ({"input_size": ATTACK, "dataset_type": "img"}, "input_size"),
        ({"input_size": "[1, True]", "dataset_type": "img"}, "input_size"),
        ({"input_size": "[1, -4]", "dataset_type": "img"}, "input_size"),
        ({"input_size": "[]", "dataset_type": "tab"}, "input_size"),
        ({"input_size": "(" * 100_000, "dataset_type": "tab"}, "input_size"),
        ({"input_size": "-" * 100_000 + "1", "dataset_type": "tab"}, "input_size"),
        ({"input_size": "[1,]" + " " * (1 << 21), "dataset_type": "tab"}, "input_size"),
        ({"input_size": "[1, 4]", "dataset_type": "tabular"}, "dataset_type"),
        ({"input_size": "[1, 4]", "dataset_type": "npz", "word2idx": ATTACK}, "word2idx"),
        ({"input_size": "[1, 4]", "dataset_type": "npz", "word2idx": "{1: 'a'}"}, "word2idx"),
    ],
)
def test_damaged_or_hostile_metadata(metadata: dict[str, str], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        original_card(metadata, IMAGE, OUT)
    assert words in caught.value.en and len(caught.value.en) < 400


@pytest.mark.parametrize(
    ("name", "size", "ops"),
    [
        ("SSD_Lite", (320, 320), ["resize", "normalize"]),
        ("Yolov3", (416, 416), ["resize", "normalize", "pad_to"]),
        ("FasterRCNN", (1333, 800), ["resize", "normalize", "pad_to"]),
    ],
)
def test_detectors_are_prepared_as_in_training(name: str, size: tuple[int, int], ops: list[str]) -> None:
    """SSD squashes pictures; the others keep the ratio inside the size that the export has fixed."""
    card = original_card(info(name, codebase="MMDet"), Port("input", (1, 3, *size)), Port("dets", (1, 100, 5)))
    assert (card.task, card.output.scores, card.labels) == ("detection", "boxes", ["cat", "狗"])
    assert [step["op"] for step in card.input.steps] == ops and card.input.shape == [1, 3, *size]
    assert ("size" if name == "SSD_Lite" else "inside") in card.input.steps[0]
    assert Card.from_json(card.to_json()) == card


def test_other_tools_models_are_refused() -> None:
    with pytest.raises(QingzhouError, match="MMPose"):
        original_card(info("x", codebase="MMPose"), IMAGE, OUT)
    with pytest.raises(ModelError):
        original_card(info("SSD_Lite", codebase="MMDet"), IMAGE, OUT)


@pytest.mark.parametrize("classes", [None, "cat", 3, {"a": 1}])
def test_odd_class_lists_are_no_labels(classes: object) -> None:
    assert original_card(info("LeNet", classes), IMAGE, OUT).labels == []
