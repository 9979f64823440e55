"""The page of `qingzhou serve`, in a real browser and with the real server: from a checkpoint to a bundle that runs."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from converter import DESKTOP, HOSTILE, PHONE, STRANGE, TEXTS, Open, lenet

import qingzhou
from passengers import DIGITS, ORACLE, digits
from qingzhou.model import load

pytestmark = pytest.mark.browser


# -- from a checkpoint to a board -----------------------------------------------------------------------------------

SEEN = """async () => {
  const {view, model} = qingzhou;
  view.stop();
  const {rgba, width, height} = view.last;
  return {rgba: Array.from(rgba), width, height, scores: Array.from((await model.predict(view.last)).scores)};
}"""


@pytest.mark.parametrize(
    ("language", "size", "checkpoint"),
    [("zh", PHONE, "lenet_digits"), ("en", DESKTOP, "mobilenet_digits")],
    ids=["zh-phone", "en-desktop"],
)
def test_from_a_checkpoint_to_a_bundle_that_runs(
    language: str, size: tuple[int, int], checkpoint: str, visit: Open, tmp_path: Path
) -> None:
    says, source = TEXTS[language], ORACLE / f"trained/{checkpoint}.pth"
    guest = visit(size)
    page = guest.open(f"/?lang={language}")
    guest.give(source)
    shown = page.inner_text(".model")
    assert "MMEdu" in shown and "1300" in page.text_content(".model")
    assert page.locator(".model .chips li").all_inner_texts() == list("0123456789")

    page.check("input[name=device][value=unihiker]")
    assert page.input_value("input[name=scene]:checked") == "camera"
    page.click(f"text={says['action']}")
    assert guest.fits()
    guest.convert()
    assert page.inner_text(".job .status").endswith(says["done"])
    assert guest.fits()

    qingzhou.convert(source, tmp_path / "own.onnx")
    own = load(tmp_path / "own.onnx")
    guest.try_it()
    for picture, _ in list(digits())[::60]:
        before = page.inner_text(".answer")
        page.set_input_files("#file", str(picture))
        page.wait_for_function("(b) => document.querySelector('.answer').innerText !== b", arg=before)
        expected = own.predict(picture)
        assert page.inner_text(".answer .first").split()[0] == expected.label
        scores = page.evaluate("() => Array.from(qingzhou.view.answer.scores)")
        np.testing.assert_allclose(scores, expected.scores, atol=1e-5)
        page.evaluate("() => document.querySelector('.answer').replaceChildren()")
    camera_sees_the_same(page, says["camera"], own)
    assert guest.fits()

    with page.expect_download() as started:
        page.click(".files a.main")
    bundle_runs(Path(started.value.path()), tmp_path / "board", speaks=True)
    guest.check()


def camera_sees_the_same(page: Any, button: str, own: Any) -> None:
    """The very frame of Chromium's fake camera that the page has judged is judged by Python."""
    page.click(f"text={button}")
    page.wait_for_function("() => qingzhou.view.camera.frame() && qingzhou.view.last?.width === 640", timeout=60_000)
    seen = page.evaluate(SEEN)
    frame = np.asarray(seen["rgba"], np.uint8).reshape(seen["height"], seen["width"], 4)[..., :3]
    assert frame.std() > 10, "a picture, not a grey nothing"
    np.testing.assert_allclose(seen["scores"], own.predict(np.ascontiguousarray(frame)).scores, atol=1e-5)


def bundle_runs(file: Path, folder: Path, speaks: bool) -> None:
    """The zip, unpacked, says in the simulator what it sees."""
    with zipfile.ZipFile(file) as packed:
        packed.extractall(folder)
    place = next(path.parent for path in folder.rglob("main.py"))
    (place / "sim").mkdir(exist_ok=True)
    seven = next(path for path, label in digits() if label == "7")
    shutil.copyfile(seven, place / "sim" / "seven.png")
    env = {**os.environ, "QINGZHOU_SIM": "1", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=place,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        encoding="utf-8",
        errors="replace",
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "7" in done.stdout and (not speaks or "[sim]" in done.stdout), done.stdout + done.stderr


def test_int8_with_a_folder(visit: Open, tmp_path: Path) -> None:
    """A folder of pictures becomes a .zip in the browser; the report says what INT8 has cost."""
    guest = visit()
    page = guest.open("/?lang=en")
    guest.give(lenet(tmp_path))
    page.check("input[name=device][value=unihiker]")
    page.check("#int8")
    page.click("#options button.wide")
    assert TEXTS["en"]["no_data"] in page.inner_text("#options > .note.bad")
    page.set_input_files("#folder", str(DIGITS / "test"))
    page.wait_for_selector(".inside .good", timeout=120_000)
    guest.convert()
    assert TEXTS["en"]["accuracy"] in page.inner_text(".figures")
    assert "%" in page.inner_text(".figures")
    assert page.inner_text(".job").count("held-out inputs the accuracy") == 1
    seen = page.evaluate("""() => [...document.querySelectorAll(".gallery:first-of-type img")].map(
      (img) => [img.complete && img.naturalWidth > 0, img.parentElement.innerText])""")
    assert len(seen) >= 6 and all(shown and "%" in text for shown, text in seen[:6])
    guest.check()


def test_the_zip_of_a_folder(visit: Open) -> None:
    """As Python's zipfile reads it: names in any language, contents, sums."""
    page = visit().open("/?lang=en")
    packed = page.evaluate("""async () => {
      const {zip} = await import("/static/zip.js");
      const file = (text) => new File([text], "x");
      const entries = [{name: "猫/一.png", file: file("a")}, {name: "dog/空.png", file: file("")},
                       {name: "dog/2.png", file: file("b".repeat(70000))}];
      return Array.from(new Uint8Array(await (await zip(entries)).arrayBuffer()));
    }""")
    with zipfile.ZipFile(io.BytesIO(bytes(packed))) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == {
            "猫/一.png": b"a",
            "dog/空.png": b"",
            "dog/2.png": b"b" * 70000,
        }


def test_several_at_once_and_the_list_of_ones_own(visit: Open, tmp_path: Path) -> None:
    guest = visit(PHONE)
    page = guest.open("/?lang=en")
    guest.give(lenet(tmp_path, "one.pth"), lenet(tmp_path, "two.pth"))
    page.check("input[name=device][value='']")
    assert page.inner_text("#options button.wide") == "Convert 2 models"
    page.click("#options button.wide")
    page.wait_for_function("() => document.querySelectorAll('.job[data-state=done]').length === 2", timeout=300_000)
    page = guest.open("/?lang=zh")
    assert sorted(page.locator("#history li a").all_inner_texts()) == ["one.pth", "two.pth"]
    address = page.get_attribute("#history li a", "href")
    page.locator("#history li button").first.click()
    page.wait_for_function("() => document.querySelectorAll('#history li').length === 1")
    guest.check()
    page = guest.open(address)  # it is deleted: that is said, and not a blank page
    page.wait_for_selector(".job .note.bad")
    assert "服务器" in page.inner_text(".job .note.bad")


# -- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_mistakes_are_said_in_the_pages_language(language: str, visit: Open, tmp_path: Path) -> None:
    guest, says = visit(), TEXTS[language]
    page = guest.open(f"/?lang={language}")
    whole = (ORACLE / "trained/lenet_digits.pth").read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cat.jpg").write_bytes(b"no model")
    guest.give(tmp_path / "half.pth")
    told = page.inner_text(".model .note.bad")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told) == (language == "zh"), told
    assert page.is_hidden("#options")
    page.set_input_files("#files", str(tmp_path / "cat.jpg"))
    assert f"cat.jpg {says['no_model']}" in page.inner_text("#wrong")
    guest.give(lenet(tmp_path))
    page.click(".labels summary")
    page.fill(".labels textarea", "one\ntwo")
    page.click("#options button.wide")
    page.wait_for_selector("#options > .note.bad:not([hidden])")
    assert says["count"] in page.inner_text("#options > .note.bad")


def test_a_server_that_is_away_is_said(visit: Open, tmp_path: Path) -> None:
    guest = visit()
    page = guest.open("/?lang=en")
    page.route("**/api/**", lambda route: route.abort())
    guest.give(lenet(tmp_path))
    assert "The server does not answer" in page.inner_text(".model .note.bad")
    page.unroute("**/api/**")
    page.click(".model .body button")
    page.wait_for_selector(".model .what", timeout=60_000)


def test_hostile_names_are_text(visit: Open, tmp_path: Path) -> None:
    labels = [HOSTILE, "</script><script>alert(2)</script>", *"23456789"]
    guest = visit(PHONE)
    page = guest.open("/?lang=en")
    page.on("dialog", lambda dialog: guest.problems.append(f"a dialog: {dialog.message}"))
    guest.give(lenet(tmp_path, f"{HOSTILE}.pth", labels))
    assert HOSTILE in page.inner_text(".model h3") and HOSTILE in page.inner_text(".model .chips")
    page.check("input[name=device][value='']")
    guest.convert()
    assert HOSTILE in page.inner_text(".job h1")
    guest.try_it()
    page.click("text=Try the sample")
    page.wait_for_selector(".answer .first")
    assert page.locator(".answer .bars li").count() == 5
    page.evaluate("""async () => {
      const {showAnswer} = await import("/static/browser/show.js");
      const scores = Float32Array.from({length: 10}, (_, i) => (i ? 0.05 : 0.55));
      const {model} = qingzhou;
      showAnswer(document.querySelector(".answer"), {label: model.labels[0], confidence: 0.55, scores}, model);
    }""")
    assert HOSTILE in page.inner_text(".answer .first")
    assert page.locator(STRANGE).count() == 0
    page = guest.open("/?lang=en")
    assert HOSTILE in page.inner_text("#history li")
    assert page.locator(STRANGE).count() == 0
    guest.check()
