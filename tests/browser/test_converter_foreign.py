"""An .onnx that another tool wrote, on the page of `qingzhou serve`: named and prepared as the form says, tried on a
picture, fetched; what cannot be adopted is said in the reader's language.
"""

from __future__ import annotations

import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pytest
from converter import DESKTOP, PHONE, Open
from test_converter_yolo import shot

import foreign_files as files
import qingzhou
from passengers import photo

pytestmark = pytest.mark.browser
ASSUMED = {"en": "pixels / 255", "zh": "除以 255"}


@pytest.mark.parametrize(("size", "language", "beside"), [(PHONE, "zh", True), (DESKTOP, "en", False)])
def test_it_is_adopted_with_names_and_preparation(
    size: tuple[int, int], language: str, beside: bool, visit: Open, tmp_path: Path
) -> None:
    """beside: its weights lie in another file, as torch writes them; both are chosen at once."""
    path = (files.torch_default if beside else files.torch_classifier)(tmp_path / "net.onnx")
    names = ["猫", "dog", "hen"]
    own = qingzhou.convert(path, tmp_path / "own.onnx", labels=names, preprocess="imagenet")
    guest = visit(size)
    page = guest.open(f"/?lang={language}")
    page.set_input_files("#files", [str(one) for one in (path, tmp_path / "net.onnx.data") if one.exists()])
    page.wait_for_selector(".model:has(.what, .note)", timeout=120_000)
    assert page.locator(".model").count() == 1 and page.is_hidden("#wrong")
    assert page.inner_text(".model .tag") == "PyTorch" and ASSUMED[language] in page.inner_text(".model")
    page.fill(".model textarea", "\n".join(names))
    page.select_option(".model select", "imagenet")
    page.check("input[name=device][value='']")
    shot(page, f"foreign-{language}")
    guest.convert()
    address = urljoin(page.url, page.get_attribute("a[download$='.onnx']", "href"))
    with urllib.request.urlopen(address) as answer:
        fetched = answer.read()
    assert fetched.startswith(path.read_bytes()) or beside
    assert files.PERSON.encode() not in fetched
    guest.try_it()
    picture = photo(tmp_path / "photo.png", (300, 200))
    page.set_input_files("#file", str(picture))
    page.wait_for_selector(".answer .first")
    expected = own.predict(picture)
    assert page.inner_text(".answer .first").startswith(expected.label)
    scores = page.evaluate("() => Array.from(qingzhou.view.answer.scores)")
    np.testing.assert_allclose(scores, expected.scores, atol=1e-5)
    assert guest.fits()
    guest.check()


def test_what_is_wrong_with_it_is_said_in_chinese(visit: Open, tmp_path: Path) -> None:
    half = files.torch_classifier(tmp_path / "half.onnx")
    half.write_bytes(half.read_bytes()[:-400])
    alone = files.torch_default(tmp_path / "alone.onnx", "weights.bin")
    (tmp_path / "weights.bin").unlink()
    guest = visit(PHONE)
    for path, words in (
        (files.words(tmp_path / "words.onnx"), "是文本"),
        (alone, "weights.bin"),
        (half, "不是完整的 ONNX 模型"),
    ):
        page = guest.open("/?lang=zh")
        guest.give(path)
        assert words in page.inner_text("#models"), path
        shot(page, f"foreign-{path.stem}")
    guest.check()
