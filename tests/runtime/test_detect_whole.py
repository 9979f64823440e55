"""A detector from a picture to its answer: boxes, masks, the self-test, drawing, and the program beside it."""

from __future__ import annotations

import base64
import dataclasses
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detectors import ANSWER, NUMBERS, RAW, ROWS, SAMPLE, SQUASH, entry, finished_card, heads, write
from PIL import Image

from qingzhou.errors import InputError, ModelError, SelfTestFailed
from qingzhou.runtime import draw as drawing
from qingzhou.runtime import load
from qingzhou.runtime.bundle.given import predict_file
from qingzhou.runtime.model.card import Card, Output, Sample
from qingzhou.runtime.model.detect import Detection
from qingzhou.runtime.model.image import read_image
from qingzhou.runtime.model.marks import COLORS
from qingzhou.runtime.predict import Predictor
from qingzhou.scenes import write_sample


def finished(folder: Path, card: Card | None = None, **outputs: np.ndarray) -> Predictor:
    outputs = {"dets": ROWS, "labels": NUMBERS, **outputs}
    return load(write(folder / "盒.onnx", card or finished_card(), **outputs))


def test_predict(tmp_path: Path) -> None:
    model, picture = finished(tmp_path), Image.new("RGB", (192, 64))
    found = model.predict(picture)
    assert [(one.label, one.index) for one in found] == [("dog", 1), ("猫", 0), ("2", 2)]
    assert found[0].box == (16, 8, 48, 40) and found[2].box == (0, 40, 192, 64) and found[0].mask is None
    assert found[0].confidence == pytest.approx(0.9) and isinstance(found[0], Detection)
    assert [one.label for one in model.predict(picture, threshold=0.7)] == ["dog", "猫"]
    assert [len(one) for one in model.predict([picture, picture], threshold=0.8)] == [1, 1]
    picture.save(tmp_path / "a.png")
    assert len(model.predict(tmp_path)[0]) == 3 and len(predict_file(model, tmp_path / "a.png")) == 3
    assert model.answer(model.outputs(model.prepare(picture)))[0].box == (8, 8, 24, 40)
    with pytest.raises(InputError):
        model.predict(picture, threshold=2)


def test_boxes_are_of_the_upright_picture(tmp_path: Path) -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 192)).save(file, "JPEG", exif=exif)
    assert finished(tmp_path).predict(file.getvalue())[2].box == (0, 40, 192, 64)


def test_masks(tmp_path: Path) -> None:
    masks = np.random.default_rng(1).random((1, 4, 28, 28), np.float32)
    found = finished(tmp_path, masks=masks).predict(Image.new("RGB", (96, 64)))
    np.testing.assert_array_equal(found[1].mask, masks[0, 1])
    assert found[2].mask.shape == (28, 28) and found[2].box == (0, 40, 96, 64)  # the box ended outside


def test_raw_form_on_any_picture(tmp_path: Path) -> None:
    outputs = heads("SSD_Lite")
    outputs = {name: array for name, array in outputs.items() if not name.startswith("torch")}
    steps = [{"op": "resize", "size": [320, 320], "interpolation": "cv2"}]
    card = dataclasses.replace(RAW["SSD_Lite"], input=entry((320, 320), *steps), labels=["a", "b", "c"])
    model = load(write(tmp_path / "raw.onnx", card, **outputs))
    for size in ((640, 480), (5000, 1), (3, 2)):
        found = model.predict(Image.new("RGB", size))
        assert 0 < len(found) <= 200 and all(0 <= x1 < x2 <= size[0] for x1, _, x2, _ in (one.box for one in found))
    assert len(model.predict(Image.new("RGB", (9, 9)), threshold=0.05)) > len(found) - 20


def test_nothing_found(tmp_path: Path) -> None:
    for rows in (ROWS * 0, ROWS[:, :0], np.full_like(ROWS, np.nan), np.full_like(ROWS, np.inf)):
        model = finished(
            tmp_path, finished_card(sample=Sample(SAMPLE, [])), dets=rows, labels=NUMBERS[:, : rows.shape[1]]
        )
        assert model.predict(Image.new("RGB", (40, 30))) == [] and model.check() == 0


@pytest.mark.parametrize(
    "outputs",
    [{"dets": ROWS[..., :4]}, {"labels": NUMBERS[:, :2]}, {"dets": np.full(ROWS.shape, "x")}, {"masks": ROWS[0, 0]}],
)
def test_outputs_that_do_not_fit(tmp_path: Path, outputs: Any) -> None:
    with pytest.raises(ModelError):
        finished(tmp_path, **outputs).predict(Image.new("RGB", (40, 30)))


def test_networks_without_the_outputs_of_the_card(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="labels"):
        load(write(tmp_path / "a.onnx", finished_card(), dets=ROWS))
    with pytest.raises(ModelError, match="pred_map_0"):
        load(write(tmp_path / "a.onnx", RAW["Yolov3"], dets=ROWS))


def moved(place: int, by: float, row: int = 0) -> list[list[float]]:
    answer = [list(one) for one in ANSWER]
    answer[row][place] += by
    return answer


@pytest.mark.parametrize(
    ("answer", "worst"),
    [
        (ANSWER, 0.0),
        (ANSWER[::-1], 0.0),
        (moved(0, 0.05), 0.05 / 96),
        (moved(4, 5e-4), 5e-4),
        (ANSWER[:2], None),
        ([*ANSWER, ANSWER[0]], None),
        (moved(5, 1), None),
        (moved(2, 0.2), None),
        (moved(4, 0.01), None),
        ([], None),
    ],
)
def test_the_self_test(tmp_path: Path, answer: Any, worst: Any) -> None:
    model = finished(tmp_path, finished_card(sample=Sample(SAMPLE, answer)))
    if worst is None:
        with pytest.raises(SelfTestFailed):
            model.check()
    else:
        assert model.check() == pytest.approx(worst, abs=1e-6)
    assert model.found(model.run(model.feed(model.card.sample))).rows() == pytest.approx(np.array(ANSWER))


def test_threshold_is_for_detectors(tmp_path: Path) -> None:
    card = Card("classification", "T", "T", entry((64, 96), SQUASH), Output("dets", "values"))
    with pytest.raises(InputError, match="threshold"):
        load(write(tmp_path / "a.onnx", card, dets=ROWS)).predict(Image.new("RGB", (40, 30)), threshold=0.5)


# -- drawing, and the program beside the model ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (48, 40), (640, 480)])
@pytest.mark.parametrize("masks", [True, False])
def test_drawing(size: tuple[int, int], masks: bool) -> None:
    width, height = size
    picture, mask = Image.new("RGB", size, (9, 9, 9)), np.ones((28, 28), np.float32) if masks else None
    boxes = [(0.0, 0.0, width / 2, height / 2), (width / 3, height / 3, 1.0 * width, 1.0 * height)]
    found = [Detection("x" * 9 * i, i, 0.5, box, mask) for i, box in enumerate(boxes * 15)]
    drawn = drawing.draw(picture, found)
    assert drawn.size == size and picture.getpixel((0, 0)) == (9, 9, 9) != drawn.getpixel((width - 1, height - 1))
    assert drawing.draw(picture, []).tobytes() == picture.tobytes()
    assert min(drawing.draw(picture, found, enlarge=True).size) >= 160


def test_every_class_has_the_colour_of_its_box() -> None:
    drawn = drawing.draw(Image.new("RGB", (200, 200)), [Detection("a", 1, 0.5, (40, 60, 160, 180))])
    assert drawn.getpixel((40, 120)) == COLORS[1] and drawn.getpixel((100, 120)) == (0, 0, 0)


def test_without_a_font_it_says_so_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(drawing, "chinese_font", lambda: None)
    drawing._tell_once.cache_clear()
    for _ in range(3):
        drawing.draw(Image.new("RGB", (90, 90)), [Detection("猫", 0, 0.5, (1, 1, 80, 80))] * 2)
    assert capsys.readouterr().err.count("fonts-wqy-zenhei") == 1
    drawing._tell_once.cache_clear()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    monkeypatch.setenv("QINGZHOU_LANG", lang)
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    card = finished_card(sample=Sample(SAMPLE, ANSWER))
    program = write_sample(write(tmp_path / "盒.onnx", card, dets=ROWS, labels=NUMBERS), card)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, cwd=tmp_path, check=False)
    text = done.stdout.decode("utf-8")
    assert done.returncode == 0, done.stderr.decode("utf-8")
    assert "90.0%" in text and "猫" in text and text.count("(") == 6
    sample = read_image(base64.b64decode(SAMPLE["data"]), "RGB")
    assert read_image(tmp_path / "盒_result.png", "RGB").shape == sample.shape, "what is drawn on keeps its size"
