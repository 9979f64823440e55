"""Classes of data beside those of a model: the same, another, or a contradiction that is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from qingzhou.errors import LabelError, QingzhouError, use_language
from qingzhou.evaluate import Classification, evaluate
from qingzhou.evaluate.data import recognise
from qingzhou.labels import Matcher, read_label_option
from qingzhou.quant.split import split
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.image import read_image
from qingzhou.runtime.predict import Prediction

COLOURS = [(250, 10, 30), (10, 240, 20), (10, 20, 240)]
TEN = [str(i) for i in range(10)]


class Eye:
    """Its first class is red, its second green, its third blue; of a row the largest number."""

    def __init__(self, labels: list[str], kind: str = "image", task: str = "classification") -> None:
        shape = [1, 3, 8, 8] if kind == "image" else [None, 3]
        entry = Input("input", kind, shape, "RGB" if kind == "image" else "")
        scores, limits = ("boxes", {"score": 0.1, "iou": 0.5, "most": 10}) if task == "detection" else ("values", None)
        self.card = Card(task, "Tiny", "BaseNN", entry, Output("out", scores), labels, thresholds=limits)

    def predict(self, data: Any) -> Any:
        if self.card.input.kind != "image":
            return [self._answer(row) for row in np.asarray(data, np.float32)]
        return self._answer(read_image(data, "RGB").mean(axis=(0, 1)) / 255)

    def _answer(self, scores: Any) -> Prediction:
        index = int(np.argmax(scores))
        return Prediction(self.card.labels[index], index, float(scores[index]), scores)


def painted(root: Path, *names: str, each: int = 1) -> Path:
    """A folder for each name: red, green, blue, red …"""
    for i, name in enumerate(names):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            Image.new("RGB", (8, 6), COLOURS[i % 3]).save(root / name / f"{number}.png")
    return root


# -- the matcher ----------------------------------------------------------------------------------------------------

MATCHED: list[tuple[list[str], list[str], list[Any], bool, Any, int | None]] = [
    (["1", "2", "3"], [], [0, 1, 2], True, 1, 1),  # a position, whatever the classes are called
    (["1", "2", "3"], [], [0, 1], True, 0, 0),
    (["3", "5", "8"], [], [3, 5, 8], True, 5, 1),
    (["3", "5", "8"], [], [3, 5], False, 5, 1),
    (["3", "5", "8"], [], [0, 1, 2], False, 2, 2),
    (["1", "2", "3"], [], [0, 1, 2], False, 1, 1),
    (["1", "2", "3"], [], [1, 2, 3], False, 1, 0),
    (["cat", "dog"], [], [0, 1], False, 1, 1),
    (TEN, [], TEN, False, "7", 7),
    (TEN, [], ["3", "4"], False, "4", 4),
    (TEN[:5], [], TEN, False, "7", None),
    (TEN[:5], [], list(range(10)), False, 7, None),
    (["01", "02"], [], ["1", "2"], False, "2", 1),
    (["crane", "cat", "crane"], [], ["crane"], False, "crane", None),
    (["a", "b", "a"], ["a", "b", "a"], [0, 2], True, 2, 2),
    (["cat", "dog"], ["", "cat", "dog"], [1, 2], True, 2, 1),
    (["cat", "dog"], ["dog", "cat"], [0], True, 0, 1),
    ([], [], [5], False, 5, None),
]


@pytest.mark.parametrize("number", range(len(MATCHED)))
def test_places(number: int) -> None:
    labels, names, truths, positions, truth, place = MATCHED[number]
    matcher = Matcher(labels, names, truths, positions)
    assert (matcher.place(truth), matcher.refusal) == (place, None)


CONTRADICTING: list[tuple[list[str], list[str], list[Any], bool]] = [
    (TEN, [], [str(i) for i in range(1, 11)], False),
    ([str(i) for i in range(1, 11)], [], TEN, False),
    (TEN, [str(i) for i in range(1, 11)], [], False),
    (TEN, [], list(range(1, 11)), False),
    (TEN, [], list(range(1, 11)), True),
    (["class0", "class1"], [], ["class1", "class2"], False),
    (["cat", "dog", "bird"], [], [1, 2, 3], False),
    (["cat", "dog", "bird"], [], [1, 2, 3], True),
    (["cat", "dog"], [], [0, 1, 2], True),
    (["a", "b"], [], [-1, 0], True),
]


@pytest.mark.parametrize("number", range(len(CONTRADICTING)))
def test_numbers_that_are_counted_otherwise(number: int) -> None:
    """Both are named in the message; without it every answer would be judged as its neighbour."""
    labels, names, truths, positions = CONTRADICTING[number]
    refusal = Matcher(labels, names, truths, positions).refusal
    assert isinstance(refusal, LabelError)
    shown = [str(one) for one in sorted(truths or names)[:2]]
    assert all(text in message for text in [*labels[:2], *shown] for message in (refusal.en, refusal.zh))


NOTED: list[tuple[list[str], list[str], list[Any], str]] = [
    (["cat", "dog"], ["dog", "cat"], [], "matched by name"),
    (["1", "2", "3"], [], [1, 2], "taken for the names"),
    ([str(i) for i in range(12)], [], [str(i) for i in range(12)], "--labels DATA"),
]


@pytest.mark.parametrize("number", range(len(NOTED)))
def test_what_could_be_meant_otherwise_is_said(number: int) -> None:
    use_language("en")
    labels, names, truths, words = NOTED[number]
    assert words in Matcher(labels, names, truths).notes[0]


# -- data sets ------------------------------------------------------------------------------------------------------


def listed(root: Path, *names: str, start: int = 0) -> Path:
    """mmcls's form: val/NAME/0.png, and val.txt with positions."""
    painted(root / "val", *names)
    (root / "val.txt").write_text("".join(f"{name}/0.png {start + i}\n" for i, name in enumerate(names)))
    return root


RIGHT: list[tuple[list[str], Callable[[Path], Path]]] = [
    (["1", "2", "3"], lambda root: listed(root, "1", "2", "3")),
    (["1", "2", "3"], lambda root: painted(root, "1", "2", "3")),
    (["a", "b", "c"], lambda root: listed(root, "a", "b", "c")),
    (["a", "b", "c"], lambda root: listed(root, "x", "y", "z")),
    (["0", "1", "2"], lambda root: listed(root, "a", "b", "c")),
    (["0", "1", "2"], lambda root: listed(root, "1", "2", "3")),
]


@pytest.mark.parametrize("number", range(len(RIGHT)))
def test_pictures_are_judged_by_the_class_that_is_meant(number: int, tmp_path: Path) -> None:
    labels, build = RIGHT[number]
    found = evaluate(Eye(labels), build(tmp_path))
    assert (found.result.right, found.result.judged, found.complete) == (3, 3, True)  # type: ignore[union-attr]


WRONG: list[tuple[list[str], Callable[[Path], Path], str]] = [
    (["b", "a", "c"], lambda root: listed(root, "a", "b"), "another order"),
    (["0", "1", "2"], lambda root: painted(root, "1", "2", "3"), "differently"),
    (["a", "b", "c"], lambda root: listed(root, "a", "b", "c", start=1), "differently"),
    (["a", "b", "c"], lambda root: painted(root, "0", "1", "2"), "knows none"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_data_that_contradict_the_model_are_refused(number: int, tmp_path: Path) -> None:
    labels, build, words = WRONG[number]
    with pytest.raises(QingzhouError, match=words):
        evaluate(Eye(labels), build(tmp_path))


@pytest.mark.parametrize("start", [0, 3])
def test_arrays_hold_positions(start: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=np.eye(3, dtype=np.float32), label=np.arange(3) + start)
    found = evaluate(Eye([str(i + max(start, 1)) for i in range(3)], "array"), tmp_path / "a.npz")
    assert (found.result.right, found.complete) == (3, True)  # type: ignore[union-attr]


@pytest.mark.parametrize("first", ["1 a\n2 b\n3 c\n", "0 a\n1 b\n2 c\n", "c\nb\na\n"])
def test_lists_count_as_classes_txt_does(first: str, tmp_path: Path) -> None:
    root = listed(tmp_path, "a", "b", "c", start=int(first[0]) if first[0].isdigit() else 0)
    if first[0] == "c":
        (root / "val.txt").write_text("a/0.png 2\nb/0.png 1\nc/0.png 0\n")
    (root / "classes.txt").write_text(first)
    found = evaluate(Eye(["a", "b", "c"]), root)
    assert (found.result.right, found.complete) == (3, True)  # type: ignore[union-attr]


# -- what data are --------------------------------------------------------------------------------------------------

STRAY = {
    "class_indices.json": '{"0": "0", "1": "1", "2": "2"}',
    "info.json": "[]",
    "broken.json": "{",
    "empty.json": "",
    "data.yaml": "train: x\nnames: [a]\n",
    "config.yml": "a: 1\n",
}


@pytest.mark.parametrize("name", STRAY)
def test_files_beside_folders_of_classes(name: str, tmp_path: Path) -> None:
    """They are judged as if it were not there, and INT8 keeps its promise about accuracy."""
    painted(tmp_path, "0", "1", "2", each=2)
    (tmp_path / name).write_text(STRAY[name])
    model = Eye(["0", "1", "2"])
    found = evaluate(model, tmp_path)
    assert (found.data.layout, found.result.right, found.result.judged) == ("folders", 6, 6)  # type: ignore[union-attr]
    assert split(tmp_path, card=model.card).labelled


def test_data_that_are_two_things_are_what_the_model_needs(tmp_path: Path) -> None:
    painted(tmp_path, "a", "b")
    (tmp_path / "annotations.json").write_text('{"images": [], "annotations": [], "categories": []}')
    assert recognise(tmp_path, Eye(["a", "b"]).card) == "folders"
    assert recognise(tmp_path, Eye(["a", "b"], task="detection").card) == "coco"


def test_why_there_are_no_answers_is_said(tmp_path: Path) -> None:
    use_language("en")
    painted(tmp_path / "images", "x", "y", "z")
    (tmp_path / "annotations.json").write_text('{"images": 1, "annotations": 2, "categories": 3}')
    found = split(tmp_path, card=Eye(["a"], task="detection").card)
    assert not found.labelled and "no COCO boxes" in found.notes[0]


@pytest.mark.parametrize(
    ("inside", "labels", "right"),
    [
        ("set", ["red", "green", "blue"], 3),
        ("archive/set/val", ["red", "green", "blue"], 3),
        ("red", ["red", "green", "blue"], 1),  # a class with folders of its own
    ],
)
def test_data_in_folders_that_hold_nothing_else(inside: str, labels: list[str], right: int, tmp_path: Path) -> None:
    painted(tmp_path / inside, "red", "green", "blue")
    (tmp_path / "__MACOSX").mkdir()
    found = evaluate(Eye(labels), tmp_path).result
    assert isinstance(found, Classification) and (found.judged, found.right) == (3, right)
    assert inside == "red" or read_label_option(tmp_path).names == ("blue", "green", "red")
