"""--html: the page has the score, the matrix and the pictures; names are text; nothing is left by a failure."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fakes import RED, Boxes, Eye, coco, paint

import qingzhou
from passengers import DIGITS, ORACLE, basenn, reference
from qingzhou.cli import main
from qingzhou.errors import use_language
from qingzhou.evaluate import Box, evaluate
from qingzhou.evaluate.result import Case
from qingzhou.evaluate.scenes import MOST_SCENES, Scenes, mistakes, shared
from qingzhou.present.evaluation_page import evaluation_page
from qingzhou.runtime.model.detect import Detection
from qingzhou.runtime.model.image import read_image

PICTURE = re.compile(r'<img src="data:image/(?:png|jpeg);base64,([^"]+)"')
CAT, FAR = (10.0, 10.0, 30.0, 30.0), (60.0, 60.0, 90.0, 90.0)


def verb(*args: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, args)])


def page_of(found: Any, folder: Path, lang: str = "en") -> str:
    use_language(lang)
    evaluation_page(found, folder / "page.html")
    return (folder / "page.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["98.19 %", "488 of 497", "96.6 to 99.0 %", "Each class", "Wrong answers", "0 → 4", "1573.png"]),
        ("zh", ["98.19 %", "497 个中 488 个", "混淆矩阵", "各个类别", "答错的", "0 → 4", "1573.png"]),
    ],
)
def test_the_page_of_real_digits(lang: str, words: list[str], tmp_path: Path) -> None:
    model = qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path / "m.onnx").path
    done = verb(model, DIGITS / "test", "--html", tmp_path / "new" / "page", "--lang", lang)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "new" / "page.html").read_text("utf-8")
    assert [word for word in words if word not in text] == []
    wrong = DIGITS / "test" / "0" / "1573.png"
    shown = PICTURE.findall(text)
    assert len(shown) == 9
    first = read_image(base64.b64decode(shown[0]), "GRAY").astype(int)
    assert np.abs(first - read_image(wrong, "GRAY")).max() < 40  # JPEG, where that is smaller


def test_boxes_are_drawn_beside_the_annotated_ones(tmp_path: Path) -> None:
    paint(tmp_path / "1.png", (0, 0, 0), (100, 100))
    coco(tmp_path / "a.json", [(1, "1.png", 100, 100)], [(1, 1, [10, 10, 20, 20], 0)], {1: "cat"})
    found = evaluate(Boxes({"1.png": [Detection("cat", 0, 0.9, FAR), Detection("cat", 0, 0.2, CAT)]}), tmp_path)
    text = page_of(found, tmp_path)
    assert "1 missed, 1 too many" in text and "mAP75" in text
    (encoded,) = PICTURE.findall(text)
    drawn = read_image(base64.b64decode(encoded), "RGB")
    assert drawn[10, 20].min() > 200 and drawn[90, 75].max() > 150 and drawn[40, 40].max() < 60


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be on Windows")
def test_names_of_classes_and_files_are_text(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=1>"
    folder = tmp_path / "data"
    paint(folder / "green" / f"{hostile}.png", RED)
    paint(folder / "red" / "1.png", RED)
    paint(folder / hostile / "1.png", RED)
    text = page_of(evaluate(Eye(), folder), tmp_path)
    assert "onerror" in text and "<img src=x" not in text and "1 not judged" in text
    assert len(PICTURE.findall(text)) == 1


def test_values_and_tables_have_no_pictures(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=reference("tab_reg"), label=reference("tab_reg", "y") + 0.25)
    found = evaluate(qingzhou.convert(basenn("tab_reg"), tmp_path / "reg.onnx"), tmp_path / "a.npz")
    text = page_of(found, tmp_path)
    assert "MAE" in text and "0.25" in text and "<img" not in text
    rows, answers = reference("tab_iris"), (reference("tab_iris", "y").argmax(axis=1) + 1) % 3
    np.savez(tmp_path / "b.npz", data=rows, label=answers)
    text = page_of(evaluate(qingzhou.convert(basenn("tab_iris"), tmp_path / "i.onnx"), tmp_path / "b.npz"), tmp_path)
    assert "<img" not in text and "b.npz" in text and "Wrong answers" in text


def test_nothing_is_left_where_there_is_no_result(tmp_path: Path) -> None:
    done = verb(tmp_path / "no.onnx", tmp_path, "--html", tmp_path / "page.html", "--lang", "en")
    assert done.exit_code == 1 and list(tmp_path.iterdir()) == []


def test_every_mistake_is_counted_once() -> None:
    cat, dog = Box(0, CAT), Box(1, CAT)
    sure = Detection("cat", 0, 0.9, CAT)
    assert mistakes([cat], [sure]) == (0, 0)
    assert mistakes([cat, dog], [sure, sure._replace(confidence=0.5)]) == (1, 1)
    assert mistakes([dog], [sure]) == (1, 1)
    assert mistakes([], []) == (0, 0)
    assert mistakes([cat._replace(crowd=True)], [sure, sure]) == (0, 0)
    assert mistakes([cat], [sure._replace(box=(10, 10, 30, 19))]) == (1, 1)
    others = [sure._replace(box=box) for box in (CAT, FAR, (0, 0, 0, 0))]
    assert shared([cat], others).tolist() == [[1.0, 0.0, 0.0]]


def test_the_worst_are_kept_in_order() -> None:
    scenes = Scenes()
    cases = [(Case(str(i), None, [Box(0, CAT)] * (i % 7)), []) for i in range(100)]
    assert list(scenes.passing(cases)) == cases
    found = [(scene.mistakes, int(scene.source)) for scene in scenes.worst]
    assert found == sorted(((i % 7, i) for i in range(100)), key=lambda s: (-s[0], s[1]))[:MOST_SCENES]
