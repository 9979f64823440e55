"""Models of Ultralytics on the page: masks, skeletons and turned boxes are drawn, and answers are Python's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from chromium import Page

from qingzhou.model import load

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))
from test_ultralytics_whole import desk  # noqa: F401  # models that always answer the same

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
PIXELS = """() => { const c = document.querySelector("canvas");
                    return Array.from(c.getContext("2d").getImageData(0, 0, c.width, c.height).data); }"""


@pytest.mark.parametrize("name", ["detect_rows", "segment", "pose", "obb"])
def test_what_is_drawn(name: str, open_page: Open, desk: Path) -> None:  # noqa: F811
    path, picture = desk / f"{name}.onnx", desk / f"{name}.png"
    page, expected = open_page(path), load(path).predict(picture)
    found = page.predict(picture.read_bytes())
    assert [one["label"] for one in found] == [one.label for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one["box"] == pytest.approx(other.box, abs=0.01)
    page.page.set_input_files("#file", str(picture))
    page.page.wait_for_selector(".boxes li")
    drawn = np.asarray(page.ask(PIXELS)).reshape(-1, 4)
    assert len(np.unique(drawn[:, :3], axis=0)) > 50 and page.problems == []
