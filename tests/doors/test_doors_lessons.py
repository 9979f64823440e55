"""Whole lessons through the doors, with real checkpoints: convert, run, and the numbers that the originals gave."""

from pathlib import Path

import numpy as np
import pytest

from passengers import DIGITS, ORACLE, basenn, digits, reference
from qingzhou.doors.BaseNN import nn
from qingzhou.doors.MMEdu import MMClassification
from qingzhou.doors.XEdu.hub import Workflow

CASES = ["tab_iris", "tab_reg", "npz_conv1d", "npz_lstm_stack", "img_rgb", "img_gray", "em_lstm"]


@pytest.mark.parametrize("case", CASES)
def test_basenn_says_what_basenn_said(case: str, tmp_path: Path) -> None:
    model = nn().convert(checkpoint=str(basenn(case)), out_file=str(tmp_path / "model.onnx"))
    flow = Workflow(task="basenn", checkpoint=str(model.path))
    (found,) = flow.inference(data=reference(case))
    expected = reference(case, "y")
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)
    rows = flow.format_output(isprint=False)
    assert [row["分数"] for row in rows.values()] == pytest.approx(expected.max(axis=1).tolist(), abs=1e-3)


def test_a_text_is_continued_by_its_likeliest_word(tmp_path: Path) -> None:
    model = nn().convert(checkpoint=str(basenn("em_lstm")), out_file=str(tmp_path / "model.onnx"))
    flow, word = Workflow(task="basenn", checkpoint=str(model.path)), next(iter(model.card.vocabulary))
    flow.inference(data=word)
    assert flow.format_output(isprint=False)[0]["预测值"] == model.predict(word).label


@pytest.mark.parametrize("tool", ["mmedu", "basenn"])
def test_digits_are_as_good_as_in_training(tool: str, tmp_path: Path) -> None:
    """98.2 % both: 488 of 497."""
    checkpoint = {"mmedu": ORACLE / "trained/lenet_digits.pth", "basenn": DIGITS / "basenn.pth"}[tool]
    convert = {"mmedu": MMClassification(backbone="LeNet").convert, "basenn": nn().convert}[tool]
    flow = Workflow(task=tool, checkpoint=convert(checkpoint=checkpoint, out_file=tmp_path / "model.onnx").path)
    found = []
    for path, _ in digits():
        flow.inference(data=str(path))
        answer = flow.format_output(isprint=False)
        found.append(str(answer["标签"] if tool == "mmedu" else answer[0]["预测值"]))
    right = sum(one == label for one, (_, label) in zip(found, digits(), strict=True))
    assert right >= 488, f"{right} of {len(found)}"


def test_the_network_runs_once_for_a_result_and_its_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn().convert(checkpoint=DIGITS / "basenn.pth", out_file=tmp_path / "model.onnx")
    flow, runs = Workflow(task="basenn", checkpoint=model.path), []
    run = flow.model.predictor.run
    monkeypatch.setattr(flow.model.predictor, "run", lambda feed: runs.append(feed) or run(feed))
    path, _ = next(digits())
    result, picture = flow.inference(data=str(path), img_type="cv2")
    assert len(runs) == 1 and picture.shape == (24, 24, 3)
    np.testing.assert_allclose(result[0][0], model.predict(str(path)).scores, atol=1e-6)
