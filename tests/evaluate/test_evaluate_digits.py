"""Two real models on the real digits, against the counts from the original frameworks, through the API and the verb."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import qingzhou
from passengers import DIGITS, ORACLE, basenn, digits, reference
from qingzhou.cli import main
from qingzhou.evaluate import Classification, Regression, evaluate

CHECKPOINTS = {"lenet": ORACLE / "trained" / "lenet_digits.pth", "basenn": DIGITS / "basenn.pth"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {name: qingzhou.convert(path, folder / f"{name}.onnx").path for name, path in CHECKPOINTS.items()}


def verb(*args: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, args)])


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_as_right_as_in_the_original_framework(models: dict[str, Path], name: str) -> None:
    """tests/oracle/digits/README.md: 98.19 % of 497 in MMEdu and in BaseNN."""
    found = evaluate(models[name], DIGITS / "test")
    assert isinstance(found.result, Classification)
    assert (found.result.right, found.result.judged, found.complete) == (488, 497, True)
    assert (found.data.layout, found.data.split, found.task) == ("folders", "all", "classification")


def test_counts_are_those_of_the_single_answers(models: dict[str, Path]) -> None:
    predictor = qingzhou.load(models["lenet"]).predictor
    pairs = Counter((truth, predictor.predict(path).label) for path, truth in digits())
    result = evaluate(predictor, DIGITS / "test").result
    assert isinstance(result, Classification)
    rows = {
        (a, b): int(result.confusion[i, j]) for i, a in enumerate(result.labels) for j, b in enumerate(result.labels)
    }
    assert {pair: n for pair, n in rows.items() if n} == dict(pairs)
    wrong = {(e.truth, e.answer) for e in result.examples}
    assert len(result.examples) == 9 and wrong == {pair for pair in pairs if pair[0] != pair[1]}
    assert [(a, b) for a, b, _ in result.mistakes] == sorted(wrong, key=lambda pair: (-pairs[pair], *map(int, pair)))


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["488 of 497", "98.19 %", "class folders", "all of it", "9 wrong answers", "96.6 to 99.0 %"]),
        ("zh", ["497 个中 488 个", "98.19 %", "按类别分文件夹", "全部", "答错 9 个", "96.6% 到 99.0%"]),
    ],
)
def test_the_verb_shows_the_score(models: dict[str, Path], lang: str, words: list[str]) -> None:
    done = verb(models["lenet"], DIGITS / "test", "--lang", lang)
    assert done.exit_code == 0
    assert [word for word in words if word not in done.output] == []


def test_the_verb_for_programs(models: dict[str, Path]) -> None:
    done = verb(models["basenn"], DIGITS / "test", "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["right"], found["wrong"], found["judged"], found["failed"]) == (0, 488, 9, 497, 0)
    assert sum(entry["count"] for entry in found["confusion"]) == 497
    assert sum(entry["support"] for entry in found["classes"]) == 497


def test_what_cannot_be_judged_ends_in_status_1(models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "one.png").write_bytes((DIGITS / "test" / "0" / "1573.png").read_bytes())
    (tmp_path / "0" / "two.png").write_bytes(b"no picture")
    done = verb(models["lenet"], tmp_path, "--lang", "en")
    assert done.exit_code == 1
    assert "two.png" in done.output and "1 could not be judged" in done.output
    (tmp_path / "0" / "two.png").unlink()
    (tmp_path / "0").rename(tmp_path / "00")
    (tmp_path / "ten").mkdir()
    (tmp_path / "ten" / "one.png").write_bytes((DIGITS / "test" / "0" / "1573.png").read_bytes())
    unknown = verb(models["lenet"], tmp_path, "--json")
    assert (unknown.exit_code, json.loads(unknown.output)["unknown"]) == (1, {"ten": 1})
    missing = verb(models["lenet"], tmp_path / "nowhere", "--json", "--lang", "en")
    assert (missing.exit_code, json.loads(missing.output)["code"]) == (1, -103)


def test_a_table_as_basenn_answers_it(tmp_path: Path) -> None:
    """The answers in the last column are those that BaseNN itself gave; one row is made wrong on purpose."""
    rows, answers = reference("tab_iris"), reference("tab_iris", "y").argmax(axis=1)
    answers[0] = (answers[0] + 1) % 3
    lines = [",".join(map(str, [*row, answer])) for row, answer in zip(rows.tolist(), answers.tolist(), strict=True)]
    (tmp_path / "iris.csv").write_text("a,b,c,d,class\n" + "\n".join(lines), "utf-8")
    model = qingzhou.convert(basenn("tab_iris"), tmp_path / "iris.onnx")
    result = evaluate(model, tmp_path / "iris.csv").result
    assert isinstance(result, Classification)
    assert (result.judged, result.wrong, result.examples[0].source) == (len(rows), 1, f"{tmp_path / 'iris.csv'}:2")


def test_values_as_basenn_predicts_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=reference("tab_reg"), label=reference("tab_reg", "y") + 0.25)
    result = evaluate(qingzhou.convert(basenn("tab_reg"), tmp_path / "reg.onnx"), tmp_path / "a.npz").result
    assert isinstance(result, Regression)
    assert (result.mae, result.rmse) == (pytest.approx(0.25, abs=1e-4), pytest.approx(0.25, abs=1e-4))
