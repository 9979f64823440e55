"""Which one is recommended, and what the sentence says, from figures that are written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qingzhou.bench.compare import pairs
from qingzhou.bench.result import Candidate, Row, Score, Timing
from qingzhou.bench.verdict import noise, title, verdict
from qingzhou.errors import EngineError, use_language

NOISY = [1.0, 1.6, 0.7, 1.3, 0.6, 1.1, 1.5, 0.9, 1.2, 0.8] * 2


def row(name: str, ms: float | None, size: int = 100, score: float | None = None, noisy: bool = False) -> Row:
    engine, precision = name.split()
    of = Candidate(Path("m.onnx"), engine, precision)
    if ms is None:
        return Row(of, error=EngineError(en="crashed", zh="崩溃"))
    rounds = [ms * noise for noise in NOISY] if noisy else [ms] * 20
    judged = None if score is None else Score("accuracy_top1", score, 1000)
    return Row(of, "1", size=size, whole=Timing(ms, ms, 20, rounds), network=Timing(ms, ms, 20, rounds), score=judged)


def said(*rows: Row, lang: str = "en") -> tuple[int | None, str, list[str]]:
    use_language(lang)
    found = pairs({i: row.whole.rounds for i, row in enumerate(rows) if row.whole is not None})
    return (*verdict(rows, found), noise(rows, found))


PLAIN = row("onnxruntime fp32", 10.0, 1000, 0.98)


@pytest.mark.parametrize(
    ("rows", "choice", "words"),
    [
        # faster, smaller and as right
        ([PLAIN, row("openvino int8", 4.0, 260, 0.978)], 1, ["2.50 times as fast as onnxruntime", "0.26 of its size"]),
        # faster, but less right than 0.5 points below the best
        ([PLAIN, row("openvino int8", 4.0, 260, 0.95)], 0, ["slower than openvino int8", "98.00 %, not 95.00 %"]),
        # as fast: the smaller one
        ([PLAIN, row("openvino fp16", 10.1, 500, 0.98)], 1, ["as fast as onnxruntime fp32", "0.5 of its size"]),
        # as fast and as large: the first
        ([PLAIN, row("openvino fp32", 9.9, 1010, 0.98)], 0, ["as fast as openvino fp32", "makes no difference"]),
        # faster still, but less right: a third one is mentioned
        (
            [PLAIN, row("openvino fp32", 5.0, 1000, 0.98), row("openvino int8", 2.0, 260, 0.9)],
            1,
            ["2.00 times as fast as onnxruntime fp32", "openvino int8 is faster but less right (90.00 %)"],
        ),
        # what crashed is no choice
        ([row("openvino fp32", None), PLAIN], 1, ["nothing else was measured"]),
        # not judged
        ([row("onnxruntime fp32", 10.0), row("openvino fp16", 5.0, 50)], 1, ["not compared (--data"]),
    ],
)
def test_the_sentence(rows: list[Row], choice: int, words: list[str]) -> None:
    found, sentence, _ = said(*rows)
    assert found == choice and sentence.startswith("Use " + rows[choice].candidate.name)
    assert [word for word in words if word not in sentence] == []


def test_noise_is_said_and_no_winner_is_proclaimed() -> None:
    calm = row("onnxruntime fp32", 10.0, 100)
    found, sentence, notes = said(calm, row("openvino fp32", 9.0, 100, noisy=True))
    assert found == 1 and "too noisy" in sentence and "times as fast" not in sentence
    assert len(notes) == 1 and "onnxruntime fp32 and openvino fp32" in notes[0]
    assert said(calm, row("openvino fp32", 5.0))[2] == []


def test_a_busy_machine_is_said() -> None:
    busy = replace(PLAIN, whole=Timing(1.0, 3.5, 20, [1.0] * 20))
    assert "took 3.5 times the median" in said(busy)[2][0] and said(PLAIN)[2] == []


def test_what_is_clearly_slower_is_not_preferred_for_its_size() -> None:
    assert said(PLAIN, row("openvino fp16", 11.2, 10, 0.98))[0] == 0


def test_a_model_that_was_not_judged_is_no_choice_beside_one_that_was() -> None:
    assert said(PLAIN, row("openvino fp16", 5.0, 10))[0] == 0


def test_a_mean_error_is_better_when_it_is_smaller() -> None:
    right, wrong = (replace(PLAIN, score=Score("MAE", value, 10)) for value in (0.5, 0.6))
    fast = replace(row("openvino fp16", 1.0), score=wrong.score)
    found, sentence, _ = said(right, fast)
    assert found == 0 and "MAE 0.5" in sentence and "not 0.6" in sentence


def test_nothing_ran() -> None:
    assert said(row("openvino fp32", None))[:2] == (None, "Nothing could be measured.")


def test_chinese() -> None:
    _, sentence, _ = said(PLAIN, row("openvino int8", 4.0, 260, 0.978), lang="zh")
    assert sentence == (
        "在这台机器上请用 openvino int8：从输入到答案的速度是 onnxruntime fp32 的 2.50 倍（95% 置信区间 2.50–2.50），"
        "大小是它的 0.26，accuracy_top1 97.80 %。"
    )


def test_names_hold_the_model_where_there_are_several() -> None:
    other = replace(PLAIN, candidate=Candidate(Path("n.onnx"), "openvino", "int8"))
    assert (title([PLAIN], 0), title([PLAIN, other], 1)) == ("onnxruntime fp32", "n openvino int8")
