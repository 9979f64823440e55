"""Tables whose columns have names: by name from a file, dicts or rows; what is missing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.runtime.errors import InputError, ModelError
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.cells import decoded, is_single, table_of

COLUMNS: list[dict[str, Any]] = [
    {"name": "length"},
    {"name": "colour", "texts": ["blue", "red", "3"]},
    {"name": "size", "missing": True},
]
ENTRY = Input("input", "table", [None, 3], columns=COLUMNS)
NUMBERED = Input("input", "table", [None, 2], columns=[{"name": "x0"}, {"name": "x1"}])
NAN = float("nan")


def table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("length,colour,size\n1.5,red,2\n", [[1.5, 1, 2]]),
        ("size,answer,colour,length\n2,a,red,1.5\n,b,green,3\n", [[1.5, 1, 2], [3, -1, NAN]]),
        ("1.5,red,2\n3,blue,1\n", [[1.5, 1, 2], [3, 0, 1]]),
        ("1.5,red,\n2,red,1\n", [[1.5, 1, NAN], [2, 1, 1]]),
        ("length;colour;size\n1,5;3;nan\n", [[1.5, 2, NAN]]),
        ("length,colour,size\n1.5,,2\n", [[1.5, -1, 2]]),
        ("length,colour,size\nTrue,red,FALSE\n", [[1, 1, 0]]),
    ],
)
def test_a_file(text: str, rows: list[list[float]], tmp_path: Path) -> None:
    np.testing.assert_equal(table_of(table(tmp_path, text), ENTRY), np.array(rows, np.float32))


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ({"size": 2, "colour": "red", "length": 1.5}, [[1.5, 1, 2]]),
        ({"size": [2, None], "colour": ["red", "x"], "length": [1.5, 3]}, [[1.5, 1, 2], [3, -1, NAN]]),
        ([{"size": 2, "colour": 3, "length": 1.5, "more": 1}], [[1.5, 2, 2]]),
        ([1.5, "blue", 2], [[1.5, 0, 2]]),
        ([["1.5", "blue", ""]], [[1.5, 0, NAN]]),
        (np.array([[1.5, 3, 2]]), [[1.5, 2, 2]]),
    ],
)
def test_data(data: Any, rows: list[list[float]]) -> None:
    """A number in a column of texts is the text of that number, never a place among them."""
    np.testing.assert_equal(table_of(data, ENTRY), np.array(rows, np.float32))


def test_names_with_blanks_that_lightgbm_wrote_without(tmp_path: Path) -> None:
    entry = Input("input", "table", [None, 2], columns=[{"name": "pay_(¥)"}, {"name": "a b"}])
    for data in ({"pay (¥)": 3, "a b": 4}, [{"a b": 4, "pay_(¥)": 3, "pay (¥)": 9, "a_b": 9}]):
        np.testing.assert_equal(table_of(data, entry), np.array([[3, 4]], np.float32))
    np.testing.assert_equal(table_of(table(tmp_path, "a b,pay (¥)\n4,3\n"), entry), np.array([[3, 4]], np.float32))
    with pytest.raises(InputError, match="a b"):
        table_of({"pay (¥)": 3, "a_b": 4}, entry)


def test_a_column_that_nothing_asks_for(tmp_path: Path) -> None:
    """No text of it matters: a number, a text, nothing."""
    entry = Input("input", "table", [None, 2], columns=[{"name": "name", "texts": []}, {"name": "n"}])
    found = table_of(table(tmp_path, "name,n\n甲,1\n,2\n7.5,3\n"), entry)
    np.testing.assert_equal(found[:, 1], np.array([1, 2, 3], np.float32))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("length,size,answer\n1,2,3\n", ("colour", "missing", "answer")),
        ("length,colour,size\nx,red,2\n", ("Row 2", "'x'", "length")),
        ("length,colour,size\n,red,2\n", ("Row 2", "length", "empty")),
        ("1,2\n", ("2 columns", "3")),
        ("length,colour,size\n", ("no rows",)),
        ("length,colour,size,length\n1,red,2,3\n", ("Several columns", "length")),
    ],
)
def test_what_is_wrong_is_said(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        table_of(table(tmp_path, text), ENTRY)
    assert all(word in caught.value.en for word in words), caught.value.en


def test_columns_without_names_go_by_their_place(tmp_path: Path) -> None:
    assert table_of(table(tmp_path, "sepal,petal\n1.5,2.5\n"), NUMBERED).tolist() == [[1.5, 2.5]]
    assert table_of(table(tmp_path, "x1,x0\n1,2\n3,4\n"), NUMBERED).tolist() == [[2, 1], [4, 3]]
    with pytest.raises(InputError, match="nothing in the column x1"):
        table_of(np.array([[1.0, NAN]]), NUMBERED)


def test_one_row_or_several() -> None:
    assert [is_single(one, ENTRY) for one in ({"a": 1}, {"a": [1]}, [1, 2], [[1, 2]], [{"a": 1}], np.zeros(2))] == [
        True, False, True, False, False, True,
    ]  # fmt: skip


def test_a_sample_is_shown_as_people_write_it() -> None:
    assert decoded([1.5, 1.0, 2.0], ENTRY) == [1.5, "red", 2.0]


def test_a_card_keeps_them() -> None:
    card = Card("classification", "KMeans", "x", ENTRY, Output("scores", "probabilities", label="label"), labels=["a"])
    text = card.to_json()
    assert '"version": 4' in text and Card.from_json(text) == card
    for wrong in ('"texts": [1]', '"texts": "a"', '"missing": false', '"more": 1'):
        with pytest.raises(ModelError):
            Card.from_json(text.replace('"missing": true', wrong))
    with pytest.raises(ModelError):
        Card.from_json(text.replace("[null, 3]", "[null, 4]"))


COUNTS = {"words": ["cat", "the cat", "天气"], "rule": "two", "lower": True, "runs": [1, 2]}
TEXTS = Input("input", "table", [None, 3], columns=[{"name": "text", "counts": COUNTS}])


def test_texts_are_counted(tmp_path: Path) -> None:
    """Words of two letters and more, small; a run is two words that follow each other, also across what is no word."""
    rows = [[2, 2, 0], [0, 0, 1], [0, 0, 0]]
    texts = ["The cat, the CAT!", "天气 a 的", ""]
    assert table_of(texts, TEXTS).tolist() == rows and table_of(texts[0], TEXTS).tolist() == rows[:1]
    assert [is_single(one, TEXTS) for one in (texts[0], texts, [texts])] == [True, False, False]
    path = table(tmp_path, 'answer,text\nx,"The cat, the CAT!"\ny,天气 a 的\n')
    assert table_of(path, TEXTS).tolist() == rows[:2]
    assert decoded(np.array([1, 0, 1]), TEXTS) == ["cat 天气"]


@pytest.mark.parametrize(
    "wrong", [{"rule": "x"}, {"runs": [2, 1]}, {"runs": [1, 99]}, {"words": []}, {"lower": 1}, {"a": 1}]
)
def test_a_card_that_counts_wrongly(wrong: dict[str, Any]) -> None:
    entry = Input("input", "table", [None, 3], columns=[{"name": "text", "counts": {**COUNTS, **wrong}}])
    with pytest.raises(ModelError):
        Card.from_json(Card("values", "x", "x", entry, Output("values", "values")).to_json())
