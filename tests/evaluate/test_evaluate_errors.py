"""Every way in which data can be wrong: the class of error, and a message in both languages that names the cause."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import BLUE, COLOURS, GREEN, RED, Boxes, Eye, card, coco, paint, write

from qingzhou.errors import DataError, ExtraMissing, FileMissing, LabelError, ModelError, OptionError, TaskError
from qingzhou.evaluate import evaluate
from qingzhou.evaluate.data import LAYOUTS
from qingzhou.runtime.model.detect import Detection

IMAGE = [(1, "1.png", 100, 50)]
BOX = [(1, 1, [0, 0, 9, 9], 0)]


def folders(root: Path) -> Path:
    for name, colour in COLOURS.items():
        paint(root / name / "1.png", colour)
    return root


def yolo(root: Path, line: str = "0 0.5 0.5 1 1", names: str = "names: [cat]") -> Path:
    paint(root / "images" / "1.png")
    write(root / "labels" / "1.txt", line)
    write(root / "data.yaml", names)
    return root


def annotated(root: Path, images: Any = IMAGE, boxes: Any = BOX, names: Any = None) -> Path:
    paint(root / "images" / "1.png", size=(100, 50))
    coco(root / "annotations" / "a.json", images, boxes, names or {1: "cat"})
    return root


def edited(root: Path, **changes: object) -> Path:
    """COCO annotations with other values."""
    file = annotated(root) / "annotations" / "a.json"
    content = json.loads(file.read_text())
    content["annotations"][0].update(changes)
    write(file, json.dumps(content))
    return root


def array(root: Path, **arrays: object) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    np.savez(root / "a.npz", **arrays)
    return root / "a.npz"


def two(root: Path) -> Path:
    annotated(root)
    coco(root / "annotations" / "b.json", IMAGE, BOX, {1: "cat"})
    return root


def lone(root: Path, **content: str) -> Path:
    for name, text in content.items():
        write(root / name.replace("_", "."), text)
    return root


def folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


CLASSES, ROWS, FINDER = Eye(), Eye(card(kind="table")), Boxes({})
DEEP = "[" * 200_000

# what: (model, data, layout, error, words of the English message, words of the Chinese one)
WRONG: dict[str, tuple[Any, Callable[[Path], Path], str, type, list[str], list[str]]] = {
    "missing": (CLASSES, lambda p: p / "no", "auto", FileMissing, ["There is no", "no"], ["不存在"]),
    "empty": (CLASSES, folder, "auto", DataError, ["is empty"], ["空的"]),
    "layout": (CLASSES, folders, "kitti", OptionError, ["'kitti'", "folders, mmedu"],
               ["'kitti'", "folders、mmedu"]),
    "flat": (CLASSES, lambda p: paint(p / "1.png").parent, "auto", DataError, ["no data set", "qingzhou run"],
             ["不是已知的数据集", "qingzhou run"]),
    "other file": (CLASSES, lambda p: write(p / "a.doc", "x"), "auto", DataError, ["a.doc", "no data set"], ["a.doc"]),
    "empty classes": (CLASSES, lambda p: folder(p / "cat").parent, "auto", DataError, ["no folders with pictures"],
                      ["没有装有图片的文件夹"]),
    "folders of a file": (CLASSES, lambda p: paint(p / "1.png"), "folders", DataError, ["no folders"], ["文件夹"]),
    "mmedu without pictures": (CLASSES, lambda p: lone(p, classes_txt="cat"), "auto", DataError, ["no folders"],
                               ["文件夹"]),
    "strangers": (CLASSES, lambda p: paint(p / "cat" / "1.png").parent.parent, "auto", LabelError,
                  ["the data have cat", "red, green, blue", "--labels"], ["数据里是 cat", "red, green, blue"]),
    "nothing readable": (CLASSES, lambda p: write(p / "red" / "1.png", "x").parent.parent, "auto", DataError,
                         ["None of the 1", "1.png", "is no picture"], ["1 个输入都无法评估", "不是能读取的图片"]),
    "boxes for classes": (CLASSES, annotated, "auto", DataError, ["pictures with boxes", "pictures with classes"],
                          ["带目标框标注的图片", "分好类的图片"]),
    "classes for boxes": (FINDER, folders, "auto", DataError, ["judged by pictures with boxes"],
                          ["需要带目标框标注的图片"]),
    "table for pictures": (CLASSES, lambda p: write(p / "t.csv", "1,2,red"), "auto", DataError, ["judged by pictures"],
                           ["需要分好类的图片"]),
    "pictures for rows": (ROWS, folders, "auto", DataError, ["judged by a table or"], ["需要带答案的表格或数组"]),
    "task": (Eye(card("values")), folders, "auto", TaskError, ["model for values", "classification"], ["values"]),
    "empty table": (ROWS, lambda p: write(p / "t.csv", ""), "auto", DataError, ["no table", "last column"],
                    ["最后一列是答案"]),
    "one column": (ROWS, lambda p: write(p / "t.csv", "1\n2\n"), "auto", DataError, ["no table"], ["表格"]),
    "a folder as table": (ROWS, folder, "csv", FileMissing, ["is a folder"], ["文件夹"]),
    "long cell": (ROWS, lambda p: write(p / "t.csv", "1,2," + "x" * 200_000), "auto", DataError, ["cannot be read"],
                  ["无法读取"]),
    "no label": (ROWS, lambda p: array(p, data=[[1, 2, 3]]), "auto", DataError, ["data and label", "savez"], ["savez"]),
    "objects": (ROWS, lambda p: array(p, data=[[1]], label=np.array([{}])), "auto", DataError, ["cannot be read"],
                ["无法"]),
    "no zip": (ROWS, lambda p: write(p / "a.npz", "x"), "auto", DataError, ["cannot be read"], ["无法"]),
    "other count": (ROWS, lambda p: array(p, data=[[1, 2, 3]], label=[1, 2]), "auto", DataError, ["[1, 3]", "[2]"],
                    ["[1, 3]", "[2]"]),
    "no rows": (ROWS, lambda p: array(p, data=np.zeros((0, 3)), label=[]), "auto", DataError, ["at least one"], ["零"]),
    "soft labels": (ROWS, lambda p: array(p, data=[[1, 2, 3]], label=[[0.2, 0.3, 0.5]]), "auto", DataError,
                    ["single 1"], ["只有一个 1"]),
    "no number": (Eye(card("regression", (), "table")), lambda p: write(p / "t.csv", "1,2,3,warm"), "auto", DataError,
                  ["'warm' is no number"], ["'warm' 不是数字"]),
    "other width": (Eye(card("regression", (), "table")), lambda p: array(p, data=[[1, 2, 3]], label=[[1, 2]]), "auto",
                    DataError, ["has 2 answers", "gives 1"], ["2 个答案", "给出 1 个"]),
    "no coco": (FINDER, folder, "coco", DataError, ["no COCO annotations"], ["没有 COCO 标注"]),
    "other json": (FINDER, lambda p: lone(p, a_json="[]"), "auto", DataError, ["no COCO boxes"], ["不是 COCO"]),
    "broken json": (FINDER, lambda p: lone(p, a_json='{"images": '), "auto", DataError, ["no COCO boxes"], ["COCO"]),
    "deep json": (FINDER, lambda p: lone(p, a_json=DEEP), "auto", DataError, ["no COCO boxes"], ["COCO"]),
    "no pictures listed": (FINDER, lambda p: annotated(p, [], []), "auto", DataError, ["lists no"], ["没有图片"]),
    "no bbox": (FINDER, lambda p: edited(p, bbox=[]), "auto", DataError, ["bbox"], ["bbox"]),
    "endless bbox": (FINDER, lambda p: edited(p, bbox=[0, 0, float("inf"), 1]), "auto", DataError, ["bbox"], ["bbox"]),
    "odd area": (FINDER, lambda p: edited(p, area="large"), "auto", DataError, ["large"], ["large"]),
    "odd id": (FINDER, lambda p: edited(p, image_id=[1]), "auto", DataError, ["no COCO boxes"], ["COCO"]),
    "two json": (FINDER, two, "auto", DataError, ["several annotations", "a.json"], ["多个标注文件"]),
    "other size": (FINDER, lambda p: annotated(p, [(1, "1.png", 50, 100)]), "auto", DataError,
                   ["100 x 50", "says 50 x 100"], ["100 x 50", "50 x 100"]),
    "picture missing": (FINDER, lambda p: annotated(p, [(1, "2.png", 100, 50)]), "auto", DataError,
                        ["no picture 2.png"], ["找不到图片 2.png"]),
    "picture outside": (FINDER, lambda p: annotated(p, [(1, "../images/1.png", 9, 9)]), "auto", DataError,
                        ["lies outside"], ["不在数据文件夹内"]),
    "absolute": (FINDER, lambda p: annotated(p, [(1, "C:\\1.png", 9, 9)]), "auto", DataError, ["lies outside"],
                 ["不在数据文件夹内"]),
    "strange boxes": (FINDER, lambda p: annotated(p, names={1: "cow"}), "auto", LabelError, ["data have cow"], ["cow"]),
    "no boxes": (FINDER, lambda p: annotated(p, boxes=[]), "auto", DataError, ["not one true box"], ["没有任何目标框"]),
    "no yolo": (FINDER, folder, "yolo", DataError, ["data.yaml"], ["data.yaml"]),
    "no names": (FINDER, lambda p: yolo(p, names="nc: 1"), "auto", DataError, ["class numbers mean"], ["类别编号"]),
    "other nc": (FINDER, lambda p: yolo(p, names="names: [cat]\nnc: 2"), "auto", LabelError, ["nc: 2"], ["nc 是 2"]),
    "no labels": (FINDER, lambda p: lone(folder(p / "images").parent, data_yaml="names: [cat]"), "auto", DataError,
                  ["no pictures with YOLO labels"], ["没有带 YOLO 标注的图片"]),
    "not four": (FINDER, lambda p: yolo(p, "0 0.5 0.5 1"), "auto", DataError, ["Line 1", "no YOLO box"], ["第 1 行"]),
    "pixels": (FINDER, lambda p: yolo(p, "0 50 50 10 10"), "auto", DataError, ["from 0 to 1"], ["0 到 1"]),
    "words": (FINDER, lambda p: yolo(p, "cat 0.5 0.5 1 1"), "auto", DataError, ["class number"], ["类别编号"]),
    "other labels": (Eye(card(labels=["red", "green"])), lambda p: paint(p / "red" / "1.png").parent.parent, "auto",
                     ModelError, ["3 scores", "2 labels"], ["3 个分数", "2 个标签"]),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_both_languages(what: str, tmp_path: Path) -> None:
    model, build, layout, error, en, zh = WRONG[what]
    data = build(tmp_path / "data")
    with pytest.raises(error) as caught:
        evaluate(model, data, layout)
    assert [word for word in en if word not in caught.value.en] == []
    assert [word for word in zh if word not in caught.value.zh] == []


def test_layouts_that_the_verb_offers() -> None:
    from qingzhou.cli_measure import evaluate as verb

    (option,) = (p for p in verb.params if p.name == "layout")
    assert tuple(option.type.choices) == LAYOUTS


def test_boxes_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    def without(name: str, *rest: object) -> Any:
        if name.startswith("pycocotools"):
            raise ImportError("No module named 'pycocotools'")
        return builtins.__import__(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ExtraMissing) as caught:
        evaluate(Boxes({}), annotated(tmp_path))
    line = 'pip install "qingzhou[evaluate]"'
    assert line in caught.value.en and line in caught.value.zh


# -- some of the data -----------------------------------------------------------------------------------------------


def test_what_a_list_gets_wrong_is_counted_and_named(tmp_path: Path) -> None:
    """Of nine lines two are right; the others are counted with their reasons, or as a class that is unknown."""
    for name, colour in (("red", RED), ("green", GREEN), ("cow", BLUE)):
        paint(tmp_path / "val_set" / name / "1.png", colour)
    write(tmp_path / "val_set" / "red" / "bad.png", "x")
    write(tmp_path / "classes.txt", "green\nred\ncow\n")
    lines = [
        "red/1.png 1",
        "green/1.png 0",
        "cow/1.png 2",
        "red/1.png 7",
        "red/1.png 0",
        "red/9.png 1",
        "../1.png 1",
        "red/bad.png 1",
        "red/1.png",
    ]
    write(tmp_path / "val.txt", "\n".join(lines))
    found = evaluate(Eye(), tmp_path)
    assert (found.result.judged, found.failed, found.unknown) == (2, 5, {"cow": 1, "7": 1})
    messages = [failure.error.en for failure in found.failures]
    for message, words in zip(
        messages, ["which is green in classes.txt", "no picture red/9.png", "outside", "bad.png", "Line 9"], strict=True
    ):
        assert words in message
    assert not found.complete


def test_rows_that_are_wrong_are_counted_and_named(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "9,1,1,red\n1,,1,red\n1,9,1\n1,1,9,\n1,1,9,blue\nx,1,9,blue\n1,1,9,cow\n")
    found = evaluate(Eye(card(kind="table")), table)
    assert (found.result.judged, found.failed, found.unknown) == (2, 4, {"cow": 1})
    assert [failure.source.rpartition(":")[2] for failure in found.failures] == ["2", "3", "4", "6"]


def test_answers_that_are_no_numbers_do_not_count(tmp_path: Path) -> None:
    data = array(tmp_path, data=[[1, 2, 3], [np.nan, 1, 2]], label=[2, 2])
    found = evaluate(Eye(card(kind="array")), data)
    assert (found.result.judged, found.failed) == (1, 1)
    assert "no number" in found.failures[0].error.en


def test_boxes_of_unknown_classes_and_unreadable_pictures(tmp_path: Path) -> None:
    """The picture that cannot be read takes its boxes with it; boxes of cows are counted and no more."""
    images = [*IMAGE, (2, "2.png", 9, 9)]
    boxes = [*BOX, (1, 2, [0, 0, 5, 5], 0), (2, 1, [0, 0, 5, 5], 0), (3, 1, [0, 0, 5, 5], 0)]
    annotated(tmp_path, images, boxes, {1: "cat", 2: "cow"})
    write(tmp_path / "images" / "2.png", "x")
    found = evaluate(Boxes({"1.png": [Detection("cat", 0, 0.9, (0, 0, 9, 9))]}), tmp_path)
    assert (found.result.judged, found.failed, found.unknown) == (1, 1, {"cow": 1})
    assert found.result.as_dict()["map"] == pytest.approx(1)
    assert len(found.notes) == 1  # boxes for a picture that is not listed


def test_yolo_says_what_it_takes_as_background(tmp_path: Path) -> None:
    yolo(tmp_path)
    paint(tmp_path / "images" / "2.png")
    write(tmp_path / "labels" / "3.txt", "0 0.5 0.5 1 1")
    found = evaluate(Boxes({"1.png": [Detection("cat", 0, 0.9, (0, 0, 8, 6))]}), tmp_path)
    assert (found.result.judged, found.complete, len(found.notes)) == (2, True, 2)
    assert "1" in found.notes[0] and "3.txt" in found.notes[1]
