"""Every layout: how it is recognised, which part is judged, and which truths it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import BLUE, COLOURS, GREEN, RED, Boxes, Eye, card, coco, paint, write

from qingzhou.errors import use_language
from qingzhou.evaluate import Classification, DetectionScore, Regression, evaluate
from qingzhou.evaluate.data import read_data
from qingzhou.runtime.model.detect import Detection


def folders(root: Path, below: str = "") -> Path:
    for name, colour in COLOURS.items():
        paint(root / below / name / "1.png", colour)
    return root


def parts(root: Path) -> Path:
    return folders(folders(folders(root, "train"), "val"), "test")


def mmedu(root: Path) -> Path:
    """classes.txt in an order of its own; test pictures only in a list, some names with spaces, some in folders."""
    folders(root, "training_set")
    write(root / "classes.txt", "blue\nred\ngreen\n")
    paint(root / "test_set" / "my red.png", RED)
    paint(root / "test_set" / "green" / "2.png", GREEN)
    write(root / "test.txt", "my red.png 1\ngreen/2.png 2\n")
    return root


def mmedu_without_test_answers(root: Path) -> Path:
    folders(root, "val_set")
    paint(root / "test_set" / "my photo.png")
    write(root / "test.txt", "my photo.png\n")
    return root


def imagenet(root: Path) -> Path:
    """No classes.txt: the numbers are positions in the card's labels."""
    paint(root / "val" / "a.png", GREEN)
    write(root / "val.txt", "a.png 1\n")
    return root


CLASSES: list[tuple[Callable[[Path], Path], str, str, list[str]]] = [
    (folders, "folders", "all", ["blue", "green", "red"]),
    (parts, "folders", "test", ["blue", "green", "red"]),
    (lambda root: folders(root, "valid"), "folders", "val", ["blue", "green", "red"]),
    (lambda root: folders(root, "train"), "folders", "train", ["blue", "green", "red"]),
    (mmedu, "mmedu", "test", ["red", "green"]),
    (mmedu_without_test_answers, "mmedu", "val", ["blue", "green", "red"]),
    (lambda root: folders(root, "val_set"), "mmedu", "val", ["blue", "green", "red"]),
    (lambda root: folders(root, "training_set"), "mmedu", "train", ["blue", "green", "red"]),
    (imagenet, "mmedu", "val", ["green"]),
]


@pytest.mark.parametrize("number", range(len(CLASSES)))
def test_pictures_with_classes(number: int, tmp_path: Path) -> None:
    build, layout, split, truths = CLASSES[number]
    found = evaluate(Eye(), build(tmp_path / "数据 集"))
    assert isinstance(found.result, Classification)
    assert (found.data.layout, found.data.split) == (layout, split)
    labels = found.result.labels
    assert sorted(labels[i] for i, n in enumerate(found.result.confusion.diagonal()) if n) == sorted(truths)
    assert (found.result.right, found.complete) == (len(truths), True)
    assert bool(found.data.notes) == (split == "train" or build is mmedu_without_test_answers)


def test_pictures_of_deeper_folders_count_and_other_files_do_not(tmp_path: Path) -> None:
    folders(tmp_path)
    paint(tmp_path / "red" / "more" / "2.JPG", RED)
    write(tmp_path / "red" / "notes.txt", "x")
    write(tmp_path / "red" / ".hidden", "x")
    write(tmp_path / "blue" / "photo.heic", "x")
    paint(tmp_path / "loose.png")
    (tmp_path / "yellow").mkdir()
    use_language("en")
    found = evaluate(Eye(), tmp_path)
    assert (found.result.judged, found.failed, [Path(f.source).name for f in found.failures]) == (4, 1, ["photo.heic"])
    assert "yellow" in found.notes[0] and "loose.png" in found.notes[1]


# -- tables and arrays ----------------------------------------------------------------------------------------------

TABLES = {
    "header": "r,g,b,answer\n9,1,1,0\n1,9,1,1\n1,1,9,2\n",
    "numbers": "9,1,1,0\n1,9,1,1.0\n1,1,9,2\n",
    "names": "r,g,b,answer\n9,1,1,red\n1,9,1,green\n1,1,9,blue\n",
    "quoted; semicolons": 'r;g;b;answer\n9;1;1;"red"\n\n1;9;1; green \n1;1;9;"blue"\n',
    "tabs": "9\t1\t1\tred\n1\t9\t1\tgreen\n1\t1\t9\tblue\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str, tmp_path: Path) -> None:
    found = evaluate(Eye(card(kind="table")), write(tmp_path / "t.csv", TABLES[name]))
    assert isinstance(found.result, Classification)
    assert (found.data.layout, found.result.right, found.result.judged, found.complete) == ("csv", 3, 3, True)


def test_tables_in_gbk(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "甲,乙,丙,答案\n9,1,1,红\n1,1,9,蓝\n", "gbk")
    found = evaluate(Eye(card(labels=["红", "绿", "蓝"], kind="table")), table)
    assert isinstance(found.result, Classification) and found.result.right == 2


ROWS = np.float32([[9, 1, 1], [1, 9, 1], [1, 1, 9]])
LABELS: dict[str, Any] = {
    "numbers": [0, 1, 2],
    "column": [[0], [1], [2]],
    "floats": [0.0, 1.0, 2.0],
    "one-hot": np.eye(3, dtype=int),
    "one-hot floats": np.eye(3),
    "names": ["red", "green", "blue"],
}


@pytest.mark.parametrize("name", LABELS)
def test_arrays(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=ROWS, label=np.array(LABELS[name]))
    found = evaluate(Eye(card(kind="array")), tmp_path / "a.npz")
    assert isinstance(found.result, Classification)
    assert (found.data.layout, found.result.right, found.complete) == ("npz", 3, True)


def test_arrays_of_pictures(tmp_path: Path) -> None:
    pictures = np.uint8([np.full((8, 8, 3), colour) for colour in COLOURS.values()])
    np.savez(tmp_path / "a.npz", data=pictures, label=[0, 1, 1])
    result = evaluate(Eye(), tmp_path / "a.npz").result
    assert isinstance(result, Classification) and (result.right, result.judged) == (2, 3)


@pytest.mark.parametrize("rows", [1, 256, 257, 600])
def test_many_rows_are_asked_for_in_parts(rows: int, tmp_path: Path) -> None:
    label = np.arange(rows) % 3
    np.savez(tmp_path / "a.npz", data=np.eye(3, dtype=np.float32)[label], label=label)
    result = evaluate(Eye(card(kind="array")), tmp_path / "a.npz").result
    assert isinstance(result, Classification) and result.right == rows
    assert result.confusion.diagonal().tolist() == np.bincount(label, minlength=3).tolist()


def test_values(tmp_path: Path) -> None:
    """Predicted 1, 2, 3, 4 for 1, 2, 4, 8: worked out by hand."""
    table = write(tmp_path / "t.csv", "x,y,z,answer\n1,0,0,1\n2,0,0,2\n3,0,0,4\n4,0,0,8\n")
    result = evaluate(Eye(card("regression", (), "table")), table).result
    assert isinstance(result, Regression)
    assert (result.judged, result.mae, result.rmse) == (4, 1.25, pytest.approx(17**0.5 / 2))
    assert result.r2 == pytest.approx(1 - 17 / 28.75)


# -- boxes ----------------------------------------------------------------------------------------------------------


def boxes(root: Path, folder: str = "images") -> None:
    paint(root / folder / "1.png", size=(100, 50))
    paint(root / folder / "2.png", BLUE, size=(40, 40))


COCO_IMAGES = [(7, "1.png", 100, 50), (9, "2.png", 40, 40)]
COCO_BOXES = [(7, 18, [10, 5, 30, 20], 0), (9, 17, [0, 0, 20, 20], 0)]
COCO_NAMES = {17: "cat", 18: "dog"}


def coco_plain(root: Path) -> Path:
    boxes(root)
    coco(root / "annotations" / "all.json", COCO_IMAGES, COCO_BOXES, COCO_NAMES)
    return root


def coco_mmedu(root: Path) -> Path:
    """Pictures of the same names in both parts: those of the part that is judged count."""
    boxes(root, "images/valid")
    paint(root / "images" / "train" / "1.png", size=(30, 30))
    coco(root / "annotations" / "valid.json", COCO_IMAGES, COCO_BOXES, COCO_NAMES)
    coco(root / "annotations" / "train.json", COCO_IMAGES[:1], COCO_BOXES[:1], COCO_NAMES)
    return root


def coco_original(root: Path) -> Path:
    boxes(root, "val2017")
    coco(root / "annotations" / "instances_val2017.json", COCO_IMAGES, COCO_BOXES, COCO_NAMES)
    write(root / "annotations" / "captions_val2017.json", "{}")
    coco(root / "annotations" / "instances_train2017.json", [(1, "x.png", 1, 1)], [], COCO_NAMES)
    return root


def coco_roboflow(root: Path) -> Path:
    for part in ("train", "test"):
        boxes(root, part)
        coco(root / part / "_annotations.coco.json", COCO_IMAGES, COCO_BOXES, COCO_NAMES)
    return root


def coco_file(root: Path) -> Path:
    return coco_plain(root) / "annotations" / "all.json"


def yolo(root: Path, images: str = "images", labels: str = "labels") -> Path:
    boxes(root, images)
    write(root / labels / "1.txt", "1 0.25 0.3 0.3 0.4\n")
    write(root / labels / "2.txt", "0 0 0 0.5 0 0.5 0.5 0 0.5\n")  # an outline
    write(root / "data.yaml", "train: ../train/images\nnames:\n  0: cat\n  1: 'dog'\nnc: 2\n")
    return root


def yolo_flat(root: Path) -> Path:
    yolo(root, ".", ".")
    (root / "data.yaml").unlink()
    write(root / "classes.txt", "cat\ndog\n")
    return root


DETECTION: list[tuple[Callable[[Path], Path], str, str]] = [
    (coco_plain, "coco", "all"),
    (coco_mmedu, "coco", "val"),
    (coco_original, "coco", "val"),
    (coco_roboflow, "coco", "test"),
    (coco_file, "coco", "all"),
    (yolo, "yolo", "all"),
    (lambda root: yolo(root, "images/val", "labels/val"), "yolo", "val"),
    (lambda root: yolo(root, "test/images", "test/labels"), "yolo", "test"),
    (lambda root: yolo(root) / "data.yaml", "yolo", "all"),
    (yolo_flat, "yolo", "all"),
]


@pytest.mark.parametrize("number", range(len(DETECTION)))
def test_pictures_with_boxes(number: int, tmp_path: Path) -> None:
    """The same two boxes in every layout; a detector that finds just them is perfect."""
    build, layout, split = DETECTION[number]
    answers = {
        "1.png": [Detection("dog", 1, 0.9, (10, 5, 40, 25))],
        "2.png": [Detection("cat", 0, 0.8, (0, 0, 20, 20))],
    }
    found = evaluate(Boxes(answers), build(tmp_path / "数据 集"))
    assert isinstance(found.result, DetectionScore)
    assert (found.data.layout, found.data.split, found.complete) == (layout, split, True)
    assert (found.result.judged, found.result.boxes, found.result.found) == (2, 2, 2)
    assert (found.result.map, found.result.map50) == (pytest.approx(1), pytest.approx(1))


def test_boxes_of_a_turned_photo_lie_in_the_upright_picture(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (100, 50)).save(tmp_path / "images" / "1.jpg", exif=exif)
    write(tmp_path / "labels" / "1.txt", "0 0.5 0.5 1 1")
    write(tmp_path / "classes.txt", "cat")
    case = next(iter(read_data(tmp_path).cases()))
    assert case.truth[0].box == (0, 0, 50, 100)
