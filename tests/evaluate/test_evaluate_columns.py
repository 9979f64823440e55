"""Tables whose columns have names are judged by these: in any order, with texts, beside a column of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

import qingzhou
from qingzhou.errors import DataError
from qingzhou.evaluate import evaluate
from qingzhou.evaluate.result import Classification

FOREST = Path(__file__).parents[1] / "oracle" / "sklearn" / "columns_forest.pkl"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(FOREST, tmp_path_factory.mktemp("forest") / "model.onnx").path


def table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return path


def test_columns_by_their_names(model: Path, tmp_path: Path) -> None:
    """A row that the model cannot take is counted and named."""
    rows = "S,a,5.1,blue,3.5,setosa\nL,b,6.7,red,3.0,virginica\nM,c,5.9,green,3.0,setosa\nM,d,x,red,3.0,virginica\n"
    found = evaluate(model, table(tmp_path, "size,kind,length,colour,width,answer\n" + rows))
    assert isinstance(found.result, Classification)
    assert (found.result.judged, found.result.right, found.failed) == (3, 2, 1)
    assert found.failures[0].source.endswith(":5") and "length" in found.failures[0].error.en


def test_without_names_in_order(model: Path, tmp_path: Path) -> None:
    found = evaluate(model, table(tmp_path, "5.1,blue,3.5,S,setosa\n6.7,red,3.0,L,virginica\n"))
    assert isinstance(found.result, Classification) and found.result.right == 2


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("size,length,colour,answer\nS,5,red,setosa\n", "width"),
        ("length,colour,width,size\n5,red,3,S\n", "right answers"),
    ],
)
def test_what_is_missing_is_said(text: str, word: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=word):
        evaluate(model, table(tmp_path, text))


def test_a_bundle_has_a_sample_with_the_columns(model: Path, tmp_path: Path) -> None:
    from qingzhou.bundle.sample import _write_rows

    opened = qingzhou.load(model)
    _write_rows(opened.predictor, "table", tmp_path / "sample.csv")
    lines = (tmp_path / "sample.csv").read_text("utf-8").splitlines()
    assert lines[0] == "length,colour,width,size" and lines[1].split(",")[1] == "blue"
    assert opened.predict(tmp_path / "sample.csv")[0].index == opened.predict(opened.predictor.sample_input()).index
