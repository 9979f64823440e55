"""Boxes as annotation tools write them: the same two boxes in every layout, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import BLUE, RED, Boxes, Eye, paint, write

from qingzhou.errors import DataError, LabelError, QingzhouError, language, use_language
from qingzhou.evaluate import DetectionScore, evaluate
from qingzhou.evaluate.data import read_data
from qingzhou.runtime.model.detect import Detection

ANSWERS = {
    "1.png": [Detection("dog", 1, 0.9, (10, 5, 40, 25))],
    "2.png": [Detection("cat", 0, 0.8, (0, 0, 20, 20))],
}
ONE, TWO = "1 0.25 0.3 0.3 0.4\n", "0 0.25 0.25 0.5 0.5\n"
YAML = "val: images/val\nnames: [cat, dog]\n"


def pictures(folder: Path) -> None:
    paint(folder / "1.png", size=(100, 50))
    paint(folder / "2.png", BLUE, size=(40, 40))


def texts(folder: Path, one: str = ONE, two: str = TWO) -> None:
    write(folder / "1.txt", one)
    write(folder / "2.txt", two)


def yolo(root: Path, yaml: str = "", images: str = "images/val", labels: str = "labels/val", **lines: str) -> Path:
    pictures(root / images)
    texts(root / labels, **lines)
    if yaml:
        write(root / "data.yaml", yaml)
    return root


def labelimg(root: Path) -> Path:
    write(yolo(root) / "labels" / "val" / "classes.txt", "cat\ndog\n")
    return root


def label_studio(root: Path) -> Path:
    write(yolo(root, images="images", labels="labels") / "classes.txt", "cat\ndog\n")
    write(root / "notes.json", '{"categories": [{"id": 0, "name": "cat"}], "info": {}}')
    return root


def cvat(root: Path, subset: str = "train", listed: bool = True) -> Path:
    pictures(root / f"obj_{subset}_data")
    texts(root / f"obj_{subset}_data")
    write(root / "obj.names", "cat\ndog\n")
    write(root / "obj.data", "classes = 2\nnames = data/obj.names\n")
    if listed:
        write(root / f"{subset}.txt", "".join(f"data/obj_{subset}_data/{n}.png\n" for n in (1, 2)))
    return root


def listed(root: Path, line: str = "./images/val/{}.png") -> Path:
    yolo(root, "val: val.txt\nnames: [cat, dog]\n")
    write(root / "val.txt", "".join(line.format(n) + "\n" for n in (1, 2)))
    return root


def darknet(root: Path) -> Path:
    """Roboflow's export for Darknet."""
    yolo(root, images="valid", labels="valid")
    write(root / "valid" / "_darknet.labels", "cat\ndog\n")
    return root


def elsewhere(root: Path) -> Path:
    """data.yaml in a program's folder, named by the user, the data beside that."""
    yolo(root / "datasets" / "pets")
    return write(root / "program" / "pets.yaml", f"path: ../datasets/pets\n{YAML}")


def voc_object(name: str, box: str, more: str = "") -> str:
    sides = "".join(
        f"<{side}>{n}</{side}>" for side, n in zip(("xmin", "ymin", "xmax", "ymax"), box.split(), strict=True)
    )
    return f"<object><name>{name}</name>{more}<bndbox>{sides}</bndbox></object>"


def voc_text(objects: str, size: str = "100 50") -> str:
    width, height = size.split()
    return f"<annotation><size><width>{width}</width><height>{height}</height></size>{objects}</annotation>"


DOG, CAT = voc_text(voc_object("dog", "10 5 40 25")), voc_text(voc_object("cat", "0 0 20 20"), "40 40")


def voc(root: Path, images: str = "JPEGImages", xmls: str = "Annotations", one: str = DOG, two: str = CAT) -> Path:
    pictures(root / images)
    write(root / xmls / "1.xml", one)
    write(root / xmls / "2.xml", two)
    return root


def voc_sets(root: Path) -> Path:
    """Other pictures are for training; a class has a list of its own."""
    voc(root / "VOCdevkit" / "VOC2007")
    home = root / "VOCdevkit" / "VOC2007"
    paint(home / "JPEGImages" / "3.png")
    write(home / "Annotations" / "3.xml", voc_text(""))
    write(home / "ImageSets" / "Main" / "trainval.txt", "3\n")
    write(home / "ImageSets" / "Main" / "val.txt", "1\n2\n")
    write(home / "ImageSets" / "Main" / "cat_val.txt", "1 -1\n2 1\n")
    return root


def paddle(root: Path) -> Path:
    voc(root)
    paint(root / "JPEGImages" / "3.png")
    write(root / "Annotations" / "3.xml", voc_text(""))
    write(root / "val.txt", "".join(f"./JPEGImages/{n}.png ./Annotations/{n}.xml\n" for n in (1, 2)))
    return root


def with_size(text: str, encoding: str) -> Callable[[Path], Path]:
    def build(root: Path) -> Path:
        (voc(root) / "Annotations" / "1.xml").write_bytes(text.encode(encoding))
        return root

    return build


GBK = '<?xml version="1.0" encoding="gb2312"?>\n' + DOG.replace("<size>", "<folder>图片</folder><size>")

SAME: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "data.yaml": (lambda p: yolo(p, YAML), "yolo", "val"),
    "names from 1": (
        lambda p: yolo(p, "val: images/val\nnames:\n  1: cat\n  2: dog\n", one="2" + ONE[1:], two="1" + TWO[1:]),
        "yolo", "val"),
    "a sixth number": (lambda p: yolo(p, YAML, one=ONE[:-1] + " 0.93\n", two=TWO[:-1] + " 0.2\n"), "yolo", "val"),
    "an outline": (lambda p: yolo(p, YAML, two="0 0 0 0.5 0 0.5 0.5 0 0.5\n"), "yolo", "val"),
    "key points": (lambda p: yolo(p, YAML + "kpt_shape: [1, 2]\n", one=ONE[:-1] + " 0.9 0.9\n",
                                  two=TWO[:-1] + " 0.1 0.9\n"), "yolo", "val"),
    "LabelImg": (labelimg, "yolo", "val"),
    "Label Studio": (label_studio, "yolo", "all"),
    "path and another folder": (
        lambda p: yolo(p, "path: elsewhere\nval: images/holdout\nnames: [cat, dog]\n", "elsewhere/images/holdout",
                       "elsewhere/labels/holdout"), "yolo", "val"),
    "the same by its file": (
        lambda p: yolo(p, "path: elsewhere\nval: images/holdout\nnames: [cat, dog]\n", "elsewhere/images/holdout",
                       "elsewhere/labels/holdout") / "data.yaml", "yolo", "val"),
    "Roboflow": (
        lambda p: yolo(p, "train: ../train/images\nval: ../valid/images\nnames: ['cat', 'dog']\nnc: 2\n",
                       "valid/images", "valid/labels"), "yolo", "val"),
    "path of another computer": (
        lambda p: yolo(p, "path: /home/me/pets\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n"),
        "yolo", "val"),
    "path of Windows": (
        lambda p: yolo(p, "val: D:\\pets\\images\\val\nnames: [cat, dog]\n"), "yolo", "val"),
    "test before val": (
        lambda p: yolo(yolo(p, images="images/b", labels="labels/b"),
                       "val: images/b\ntest: images/a\nnames: [cat, dog]\n", "images/a", "labels/a"), "yolo", "test"),
    "a list of folders": (
        lambda p: yolo(p, "val:\n  - images/val\n  - images/none\nnames: [cat, dog]\n"), "yolo", "val"),
    "a list of pictures": (listed, "yolo", "val"),
    "JPEGImages of Darknet": (
        lambda p: yolo(p, "val: VOC/JPEGImages\nnames: [cat, dog]\n", "VOC/JPEGImages", "VOC/labels"), "yolo", "val"),
    "a list of pictures of another computer": (lambda p: listed(p, "/home/me/pets/images/val/{}.png"), "yolo", "val"),
    "data.yaml elsewhere": (elsewhere, "yolo", "val"),
    "no names in data.yaml": (
        lambda p: write(yolo(p, "val: images/val\n") / "classes.txt", "cat\ndog\n").parent, "yolo", "val"),
    "CVAT's YOLO 1.1": (cvat, "yolo", "train"),
    "CVAT, no lists": (lambda p: cvat(p, "Validation", listed=False), "yolo", "val"),
    "Darknet of Roboflow": (darknet, "yolo", "val"),
    "another .json beside data.yaml": (
        lambda p: write(yolo(p, YAML) / "notes.json", '{"author": "a class"}').parent, "yolo", "val"),
    "VOC": (voc, "voc", "all"),
    "VOC's lists": (voc_sets, "voc", "val"),
    "one year of VOC": (lambda p: voc_sets(p) / "VOCdevkit" / "VOC2007", "voc", "val"),
    "PaddleDetection": (paddle, "voc", "val"),
    "LabelImg's .xml beside the pictures": (lambda p: voc(p, ".", "."), "voc", "all"),
    "images and annotations": (lambda p: voc(p, "images", "annotations"), "voc", "all"),
    "VOC in labels": (lambda p: voc(p, "images", "labels"), "voc", "all"),
    "parts in labels": (lambda p: voc(p, "images/val", "labels/val"), "voc", "val"),
    "VOC in xml": (lambda p: voc(p, "img", "xml"), "voc", "all"),
    "Colabeler's outputs below the pictures": (lambda p: voc(p, ".", "outputs"), "voc", "all"),
    "the annotations' own folder": (lambda p: voc(p) / "Annotations", "voc", "all"),
    "parts below": (lambda p: voc(p, "JPEGImages/val", "Annotations/val"), "voc", "val"),
    "Roboflow's VOC": (lambda p: voc(p, "valid", "valid"), "voc", "val"),
    "VOC in GBK": (with_size(GBK, "gbk"), "voc", "all"),
    "VOC in UTF-16": (with_size('<?xml version="1.0" encoding="utf-16"?>' + DOG, "utf-16"), "voc", "all"),
    "VOC without a size": (with_size(DOG.replace("100", "0").replace(">50<", ">0<"), "utf-8"), "voc", "all"),
    "VOC with fractions": (with_size(DOG.replace(">40<", ">40.00<"), "utf-8"), "voc", "all"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_the_same_boxes(name: str, tmp_path: Path) -> None:
    build, layout, split = SAME[name]
    found = evaluate(Boxes(ANSWERS), build(tmp_path / "数据 集"))
    assert isinstance(found.result, DetectionScore)
    assert (found.data.layout, found.data.split, found.complete) == (layout, split, True)
    assert (found.result.judged, found.result.boxes, found.result.found) == (2, 2, 2)
    assert (found.result.map, found.result.map50) == (pytest.approx(1), pytest.approx(1))


SAID = {
    "a sixth number": "confidence",
    "names from 1": "count from 1",
    "CVAT's YOLO 1.1": "training data",
    "LabelImg": "",
    "VOC": "",
    "Label Studio": "",
    "data.yaml": "",
    "a list of pictures": "",
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_of_it(name: str, tmp_path: Path) -> None:
    before = language()
    use_language("en")
    notes = read_data(SAME[name][0](tmp_path / "data")).notes
    use_language(before)
    assert len(notes) == bool(SAID[name]) and SAID[name] in " ".join(notes)


def test_what_is_difficult_need_not_be_found(tmp_path: Path) -> None:
    more = voc_text(voc_object("dog", "10 5 40 25") + voc_object("dog", "50 5 90 45", "<difficult>1</difficult>"))
    found = evaluate(Boxes(ANSWERS), voc(tmp_path, one=more)).result
    assert isinstance(found, DetectionScore) and found.map == pytest.approx(1)


def test_folders_of_classes_with_other_files_beside_them(tmp_path: Path) -> None:
    for name, colour in (("red", RED), ("blue", BLUE)):
        paint(tmp_path / name / "1.png", colour)
    write(tmp_path / "train.yaml", "epochs: 10\nlr: 0.1\n")
    write(tmp_path / "class_indices.json", '{"0": "blue", "1": "red"}')
    write(tmp_path / "project.xml", "<project/>")
    found = evaluate(Eye(), tmp_path)
    assert (found.data.layout, found.result.judged) == ("folders", 2)


def test_a_data_yaml_in_data_leads_to_nothing_outside(tmp_path: Path) -> None:
    """It may have come from anybody."""
    yolo(tmp_path / "secret")
    root = tmp_path / "data"
    for inside in (f"path: {tmp_path / 'secret'}\n{YAML}", f"path: ../secret\n{YAML}"):
        write(root / "data.yaml", inside)
        with pytest.raises(DataError, match=r"YOLO"):
            read_data(root)


def test_no_list_leads_to_anything_outside(tmp_path: Path) -> None:
    """Windows takes "C:1.png" for a file of another drive."""
    secret = paint(tmp_path / "secret" / "3.png")
    root = yolo(tmp_path / "data", "val: val.txt\nnames: [cat, dog]\n")
    lines = ("images/val/1.png", "../secret/3.png", str(secret), "C:3.png", "C:\\secret\\3.png", "//secret/3.png")
    write(root / "val.txt", "\n".join(lines))
    for case in read_data(root / "data.yaml").cases():
        assert root in case.data.parents and ":" not in case.data.relative_to(root).as_posix()


WRONG: dict[str, tuple[Callable[[Path], Any], type[QingzhouError], str]] = {
    "texts from 1, names from 0": (
        lambda p: yolo(p, YAML, one="2" + ONE[1:], two="1" + TWO[1:]),
        DataError,
        "count the classes from 1",
    ),
    "texts from 0, names from 1": (
        lambda p: yolo(p, "val: images/val\nnames: {1: cat, 2: dog}\n"),
        DataError,
        "count the classes from 0",
    ),
    "a gap in the names": (lambda p: yolo(p, "val: images/val\nnames: {0: cat, 2: dog}\n"), LabelError, "missing: 1"),
    "nothing where data.yaml says": (
        lambda p: yolo(p, "val: pictures/none\nnames: [cat, dog]\n", "a", "b"),
        DataError,
        "no pictures with YOLO",
    ),
    "several years": (lambda p: voc(voc(p / "VOC2007").parent / "VOC2012").parent, DataError, "several data sets"),
    "no pictures": (lambda p: write(p / "Annotations" / "1.xml", DOG).parents[1], DataError, "no pictures with VOC"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_contradicts_itself(name: str, tmp_path: Path) -> None:
    build, error, words = WRONG[name]
    with pytest.raises(error) as caught:
        read_data(build(tmp_path / "data"))
    assert words in caught.value.en and caught.value.zh != caught.value.en


STRANGERS = {
    "labelme": ("1.json", '{"version": "5.4", "shapes": [{"label": "cat"}], "imagePath": "1.png"}'),
    "VGG Image Annotator": ("via.json", '{"a": {"regions": [{"shape_attributes": {}, "region_attributes": {}}]}}'),
    "Label Studio": ("export.json", '[{"annotations": [{"result": [{"from_name": "label", "to_name": "image"}]}]}]'),
    "Create ML": ("a.json", '[{"image": "1.png", "annotations": [{"label": "cat", "coordinates": {"x": 1}}]}]'),
    "CVAT for images": (
        "annotations.xml",
        '<?xml version="1.0"?><annotations><image id="0" name="1.png"/></annotations>',
    ),
}


@pytest.mark.parametrize("tool", STRANGERS)
@pytest.mark.parametrize("folder", [".", "images", "cat"])
def test_other_tools_are_named(tool: str, folder: str, tmp_path: Path) -> None:
    name, text = STRANGERS[tool]
    pictures(tmp_path / folder)
    file = write(tmp_path / folder / name, text)
    for data in (tmp_path, file):
        with pytest.raises(DataError) as caught:
            evaluate(Boxes(ANSWERS), data)
        assert tool in caught.value.en and tool in caught.value.zh and "COCO" in caught.value.en


ENTITY = '<!DOCTYPE annotation [<!ENTITY a "dog"><!ENTITY b "&a;&a;">]>'
BROKEN = {
    "a DTD": (ENTITY + DOG.replace("dog", "&b;"), "DTD"),
    "another file": ('<!DOCTYPE annotation SYSTEM "file:///etc/passwd">' + DOG, "DTD"),
    "cut off": (DOG[:60], "no VOC annotation"),
    "another size": (DOG.replace("100", "200"), "100 x 50 pixels"),
    "no corners": (DOG.replace("xmax", "xmas"), "object 1"),
    "corners exchanged": (DOG.replace(">40<", ">4<"), "object 1"),
    "no name": (DOG.replace("<name>dog</name>", ""), "object 1"),
    "too deep": ("<annotation>" + "<a>" * 200_000, "no VOC annotation"),
    "too large": (DOG.replace("<size>", "<!--" + "x" * (5 << 20) + "--><size>"), "4 MB"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_broken_annotation_is_counted_and_named(name: str, tmp_path: Path) -> None:
    text, words = BROKEN[name]
    found = evaluate(Boxes(ANSWERS), voc(tmp_path, one=text))
    assert (found.failed, found.result.judged) == (1, 1) and words in found.failures[0].error.en
    assert found.failures[0].error.zh != found.failures[0].error.en


def test_a_dtd_is_found_in_any_encoding(tmp_path: Path) -> None:
    voc(tmp_path)
    for encoding in ("utf-16", "utf-8-sig", "gbk"):
        (tmp_path / "Annotations" / "1.xml").write_bytes((ENTITY + DOG).encode(encoding))
        assert "DTD" in evaluate(Boxes(ANSWERS), tmp_path).failures[0].error.en


def test_a_class_that_no_name_stands_for(tmp_path: Path) -> None:
    found = evaluate(Boxes(ANSWERS), yolo(tmp_path, YAML, one="7" + ONE[1:]))
    assert (found.failed, found.result.judged) == (1, 1) and "class 7" in found.failures[0].error.en
