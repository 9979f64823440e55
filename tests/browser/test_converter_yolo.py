"""A best.pt of Ultralytics on the page of `qingzhou serve`: looked at, converted, tried on a picture, and drawn."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from converter import DESKTOP, PHONE, Open
from test_page_yolo import PIXELS

import qingzhou
from qingzhou.model import load
from yolos import checkpoint, picture

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("QINGZHOU_SHOTS", "")  # a folder for pictures of the page, to be looked at
ANSWER = """() => qingzhou.view.answer.map(({label, confidence, box, keypoints, rotated, mask}) => (
  {label, confidence, box: [...box], keypoints: !!keypoints, rotated: !!rotated, mask: !!mask}))"""


@pytest.mark.parametrize(
    ("name", "size", "language"),
    [
        ("11", DESKTOP, "en"),
        ("11_segment", PHONE, "zh"),
        ("11_pose", DESKTOP, "en"),
        ("26_obb", PHONE, "en"),
        ("11_classify", DESKTOP, "zh"),
    ],
)
def test_a_best_pt_is_tried(name: str, size: tuple[int, int], language: str, visit: Open, tmp_path: Path) -> None:
    source = checkpoint(name, tmp_path).rename(tmp_path / "best.pt")
    photo = picture(name, tmp_path)
    guest = visit(size)
    page = guest.open(f"/?lang={language}")
    guest.give(source)
    assert "YOLO" in page.inner_text(".model") and "Ultralytics" in page.inner_text(".model")
    shot(page, f"{name}-given")
    page.check("input[name=device][value='']")
    guest.convert()
    guest.try_it()
    page.set_input_files("#file", str(photo))
    expected = load(qingzhou.convert(source, tmp_path / "own.onnx", check=False).path).predict(photo)
    if isinstance(expected, list):
        page.wait_for_selector(".boxes li")
        found = page.evaluate(ANSWER)
        assert [one["label"] for one in found] == [one.label for one in expected]
        for one, other in zip(found, expected, strict=True):
            assert one["box"] == pytest.approx(other.box, abs=0.02)
            assert one["confidence"] == pytest.approx(other.confidence, abs=1e-4)
            kinds = (other.mask is not None, other.keypoints is not None, other.rotated is not None)
            assert (one["mask"], one["keypoints"], one["rotated"]) == kinds
        drawn = np.asarray(page.evaluate(PIXELS)).reshape(-1, 4)
        assert len(np.unique(drawn[:, :3], axis=0)) > 50
    else:
        page.wait_for_selector(".answer .first")
        assert page.inner_text(".answer .first").startswith(expected.label)
    assert guest.fits()
    shot(page, f"{name}-tried")
    guest.check()


def shot(page: object, name: str) -> None:
    """The whole page, where pictures are wanted."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)  # type: ignore[attr-defined]
