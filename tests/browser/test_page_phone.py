"""What a phone's page can besides: one file, two cameras, a voice, a QR code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import ARGUMENTS, EXECUTABLE, Page, served

import qingzhou
from qingzhou.bundle.browser import write_page
from qingzhou.bundle.one_file import one_file
from qingzhou.model import load

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
CHECKPOINT = HERE.parent / "oracle/trained/lenet_digits.pth"
DIGITS = HERE.parent / "oracle/digits/test"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(CHECKPOINT, tmp_path_factory.mktemp("model") / "lenet.onnx").path


@pytest.fixture(scope="module")
def page(open_page: Open, model: Path) -> Page:
    return open_page(model)


@pytest.fixture(scope="module")
def two_cameras(playwright: Any) -> Iterator[Any]:
    """A Chromium with two fake cameras, which do not say which is at the front."""
    words = ["--use-fake-device-for-media-stream=device-count=2" if "fake-device" in one else one for one in ARGUMENTS]
    browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=words)
    yield browser
    browser.close()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_file_from_the_disk(language: str, model: Path, chromium: Any, tmp_path: Path) -> None:
    """file://, with no other file: it asks nobody, complains of nothing, and answers as the model does."""
    write_page(model, load(model).card, tmp_path / "page", language)
    (tmp_path / "网页.html").write_bytes(one_file(tmp_path / "page"))
    page = Page(chromium.new_page(), (tmp_path / "网页.html").as_uri())
    assert "Self-test passed" in (told := page.page.inner_text("#status")) or "自检通过" in told
    picture = next((DIGITS / "7").glob("*.png"))
    expected = load(model).predict(picture)
    page.page.set_input_files("#file", str(picture))
    page.page.wait_for_selector(".bars li")
    found = page.ask("() => Array.from(qingzhou.view.answer.scores)")
    assert found == pytest.approx(expected.scores.tolist(), abs=1e-6)
    page.page.click("button.main")
    page.page.wait_for_function("() => qingzhou.view.camera.frame() !== null", timeout=30_000)
    page.page.click("button.main")
    assert page.problems == []
    assert {url.split(":")[0] for url in page.requests[1:]} <= {"data", "blob"}


def test_one_file_lets_nothing_out(model: Path, chromium: Any, tmp_path: Path) -> None:
    hostile = ["</script><script>globalThis.ran = 1</script>", *"123456789"]
    path = qingzhou.convert(CHECKPOINT, tmp_path / "hostile.onnx", labels=hostile).path
    write_page(path, load(path).card, tmp_path / "page", "en")
    (tmp_path / "page.html").write_bytes(one_file(tmp_path / "page"))
    page = Page(chromium.new_page(), (tmp_path / "page.html").as_uri())
    assert page.ask("() => [globalThis.ran, qingzhou.model.labels[0]]") == [None, hostile[0]]
    assert page.ask("() => fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')") == "refused"
    page.ask("""() => { const s = document.createElement("script"); s.textContent = "globalThis.ran = 1";
                        document.body.append(s); }""")
    assert page.ask("() => globalThis.ran ?? 'refused'") == "refused"


def test_the_other_camera(model: Path, two_cameras: Any, tmp_path: Path) -> None:
    """Two that do not say where they look: the button takes the next one, and the first again."""
    write_page(model, load(model).card, tmp_path / "page", "en")
    with served(tmp_path / "page") as url:
        page = Page(two_cameras.new_page(), url)
        assert not page.page.is_visible("text=Other camera")
        page.page.click("text=Live camera")
        page.page.wait_for_selector("text=Other camera")
        seen = [page.ask("() => qingzhou.view.camera.device")]
        for _ in range(2):
            page.page.click("text=Other camera")
            page.page.wait_for_function(
                f"() => ![undefined, {json.dumps(seen[-1])}].includes(qingzhou.view.camera.device)"
            )
            seen.append(page.ask("() => qingzhou.view.camera.device"))
        assert seen[0] == seen[2] != seen[1]
        assert page.problems == []


RECORDED = """() => {
  globalThis.spoken = [];
  speechSynthesis.speak = ({text, lang}) => spoken.push([text, lang]);
  speechSynthesis.cancel = () => {};
  speechSynthesis.getVoices = () => globalThis.voices ?? [];
}"""


@pytest.mark.parametrize(("language", "code", "button"), [("en", "en", "Read answers"), ("zh", "zh-CN", "朗读结果")])
def test_answers_are_read_aloud(language: str, code: str, button: str, open_page: Open, model: Path) -> None:
    """Off at first; then each answer in the page's language; a camera's only once it stays, and once."""
    page = open_page(model, language)
    page.ask(RECORDED)
    page.page.set_input_files("#file", str(next((DIGITS / "3").glob("*.png"))))
    page.page.wait_for_selector(".bars li")
    assert page.ask("() => spoken") == []
    page.page.click(f"text={button}")
    assert page.page.get_attribute(f"button:has-text('{button}')", "aria-pressed") == "true"
    page.page.set_input_files("#file", str(next((DIGITS / "7").glob("*.png"))))
    page.page.wait_for_function("() => spoken.length === 2")
    assert page.ask("() => spoken[1]") == ["7", code]
    said = page.ask("""() => {
      const {speaker} = qingzhou.view;
      for (const label of ["1", "2", "1", "1", "1", "1", "2", "2", "2"]) speaker.hear({label}, true);
      speaker.hear([{label: "cat"}, {label: "cat"}, {label: "dog"}], false);
      return spoken.slice(2).map(([text]) => text);
    }""")
    assert said == ["1", "2", "2 × cat, dog" if language == "en" else "2 个cat，dog"]
    page.ask("() => { globalThis.voices = [{lang: 'fr-FR'}]; }")
    page.page.click(f"text={button}")
    page.page.click(f"text={button}")
    assert page.page.is_visible("p.note[role=alert]")


def test_qr_codes_are_those_of_another_encoder(page: Page) -> None:
    """Versions 1 to 10, cell by cell, beside qrcode 8.2 (Python) with the mask that ours chose; no longer ones."""
    for text, rows in json.loads((HERE / "qr_codes.json").read_text("utf-8")).items():
        found = page.ask(
            "async (text) => (await import('./qr.js')).qrCode(text).map((row) => row.map(Number).join(''))", text
        )
        assert found == [f"{int(row, 16):0{len(rows)}b}" for row in rows], text
    longest = page.ask("async () => (await import('./qr.js')).qrCode('a'.repeat(213)).length")
    assert longest == 57
    told = "async () => (await import('./qr.js').then(({qrCode}) => qrCode('a'.repeat(214))).catch((e) => e.name))"
    assert page.ask(told) == "RangeError"


def test_the_code_of_the_page(model: Path, chromium: Any, tmp_path: Path) -> None:
    """Its own address; on this computer the one that serve.py knows for others; else why there is none."""
    write_page(model, load(model).card, tmp_path / "page", "en")
    with served(tmp_path / "page") as url:
        page = Page(chromium.new_page(), url)
        page.page.click("text=QR code")
        assert "python serve.py" in page.page.inner_text("dialog")
        page.page.click("text=Close")
        (tmp_path / "page/address.json").write_text('["http://192.168.1.5:8000/"]', "utf-8")
        page.page.click("text=QR code")
        page.page.wait_for_selector("dialog svg")
        assert "http://192.168.1.5:8000/" in page.page.inner_text("dialog")
        page.page.click("text=Close")
        other = url.replace("127.0.0.1", "phones.example")
        page = Page(chromium.new_page(), other)
        page.page.click("text=QR code")
        page.page.wait_for_selector("dialog svg")
        assert page.page.get_attribute("dialog svg", "aria-label") == other
        assert re.search(r"^M4 4h1v1h-1z", page.page.get_attribute("dialog svg path", "d") or ""), "a finder's corner"
