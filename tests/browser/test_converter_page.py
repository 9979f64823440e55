"""The page of `qingzhou serve`, in a real browser and with the real server: from a checkpoint to a bundle that runs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from rebuild import rebuild

import qingzhou
from makers import write_checkpoint
from passengers import DIGITS, ORACLE, digits
from qingzhou.model import load

pytestmark = pytest.mark.browser

PHONE, DESKTOP = (390, 844), (1280, 800)
TEXTS = {
    "en": {"convert": "Convert", "done": "Done", "action": "Add an action", "camera": "Live camera", "delete": "Delete",
           "no_model": "is no model file", "count": "2 names were given; the model has 10 classes",
           "no_data": "Choose the pictures for INT8", "accuracy": "Accuracy"},
    "zh": {"convert": "开始转换", "done": "完成", "action": "添加动作", "camera": "实时摄像头", "delete": "删除",
           "no_model": "不是模型文件", "count": "填了 2 个名称，而模型有 10 个类别",
           "no_data": "请选择 INT8 所用的图片", "accuracy": "准确率"},
}  # fmt: skip
AXE = "axe-core@4.14.1"


# -- the server and the browser -------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """`qingzhou serve` on a free port of 127.0.0.1, with its files in a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-c", "from qingzhou.cli import main; main()", "serve", "--port", str(port)]
    line += ["--folder", str(folder / "data"), *options]
    log = (folder / "log.txt").open("w+", encoding="utf-8")
    server = subprocess.Popen(line, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env={**os.environ})
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def wait_for(address: str, server: Any, log: Any) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    log.seek(0)
    raise AssertionError(f"the server did not start: {log.read()}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("server")) as address:
        yield address


class Visit:
    """A page that somebody has opened in a browser of their own: what it asks for, and what it complains of."""

    def __init__(self, chromium: Any, server: str, size: tuple[int, int], **options: Any) -> None:
        viewport = {"width": size[0], "height": size[1]}
        self.context = chromium.new_context(viewport=viewport, accept_downloads=True, **options)
        self.page, self.server = self.context.new_page(), server
        self.requests: list[str] = []
        self.problems: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        self.page.on("dialog", lambda dialog: dialog.accept())

    def open(self, path: str) -> Any:
        self.page.goto(self.server + path)
        self.page.wait_for_selector("body[data-state]")
        return self.page

    def give(self, *files: Path) -> Any:
        """Choose models, and wait until the server has looked into them."""
        self.page.set_input_files("#files", [str(file) for file in files])
        self.page.wait_for_function(
            "(count) => document.querySelectorAll('.model .what, .model .note').length >= count",
            arg=len(files),
            timeout=120_000,
        )
        return self.page

    def convert(self) -> Any:
        """Press the button, and wait for the report."""
        self.page.click("#options button.wide")
        self.page.wait_for_selector(".job[data-state=done], .job[data-state=failed]", timeout=300_000)
        assert self.page.get_attribute(".job", "data-state") == "done", self.page.inner_text(".job")
        return self.page

    def try_it(self) -> Any:
        self.page.click(".trial > button")
        self.page.wait_for_selector(".trial[data-ready]", timeout=180_000)
        return self.page

    def fits(self) -> bool:
        """Whether nothing is wider than the screen."""
        return bool(self.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))

    def check(self) -> None:
        """It spoke with its own server only, and complained of nothing."""
        addresses = {urlsplit(url).netloc for url in self.requests if not url.startswith(("blob:", "data:"))}
        assert addresses == {urlsplit(self.server).netloc}
        assert self.problems == []


Open = Callable[..., Visit]


@pytest.fixture
def visit(chromium: Any, server: str) -> Iterator[Open]:
    """visit(size): a new browser profile, closed afterwards."""
    with contextlib.ExitStack() as stack:

        def open_one(size: tuple[int, int] = DESKTOP, address: str = server, **options: Any) -> Visit:
            made = Visit(chromium, address, size, **options)
            stack.callback(made.context.close)
            return made

        yield open_one


def lenet(folder: Path, name: str = "lenet.pth", labels: Any = None) -> Path:
    """The trained LeNet under another name; with labels, one whose weights are the oracle's."""
    if labels is None:
        return Path(shutil.copyfile(ORACLE / "trained/lenet_digits.pth", folder / name))
    manifest = json.loads((ORACLE / "mmedu/LeNet/manifest.json").read_text("utf-8"))
    meta = {**manifest["checkpoint_meta"], "CLASSES": tuple(labels)}
    return write_checkpoint(folder / name, {"meta": meta, "state_dict": rebuild(manifest), "optimizer": {}})


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


HOSTILE = "<img src=x onerror=alert(1)>"
STRANGE = "main img:not([src^='data:image/']), main [onerror], main script"  # a job's own pictures come as data


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


# -- the class board ------------------------------------------------------------------------------------------------


def report(model: str, device: str, fps: float) -> dict[str, Any]:
    row = {
        "model": model,
        "network": "LeNet-5",
        "device": device,
        "engine": "onnxruntime 1.16",
        "precision": "fp32",
        "size_bytes": 250_753,
        "accuracy": 0.98,
        "latency_ms_p50": 1000 / fps,
        "latency_ms_p95": 1200 / fps,
        "fps": fps,
        "load_s": 0.5,
        "memory_mb": 60,
        "temperature_c": 55,
        "throttled": False,
        "how": "bench.py",
        "note": "",
        "date": "2026-11-25",
    }
    return {"format": "qingzhou.report", "version": 1, "source": "measured", "rows": [row]}


def test_the_class_board(visit: Open, tmp_path: Path) -> None:
    guest = visit()
    page = guest.open("/board?lang=en")
    boards = [("digits", "pi5", 900.0), (HOSTILE, "unihiker", 90.0)]
    for i, (model, device, fps) in enumerate(boards):
        (tmp_path / f"{i}.json").write_text(json.dumps(report(model, device, fps)), "utf-8")
    (tmp_path / "poem.json").write_text("[1, 2", "utf-8")
    page.set_input_files("#report", [str(tmp_path / name) for name in ("0.json", "1.json", "poem.json")])
    page.wait_for_selector("#said:not([hidden])")
    said = page.inner_text("#said")
    assert "Added: 0.json" in said and "Added: 1.json" in said and "poem.json is no report" in said
    page.wait_for_function("() => document.querySelectorAll('tbody tr').length === 2")
    assert "900" in page.inner_text("tbody tr >> nth=0") and "Raspberry Pi 5" in page.inner_text("tbody tr >> nth=0")
    page.click("th button[data-name=fps]")
    assert page.get_attribute("th[aria-sort=ascending] button", "data-name") == "fps"
    assert HOSTILE in page.inner_text("tbody tr >> nth=0") and page.locator("main img").count() == 0
    page.select_option(".filters select >> nth=1", "pi5")
    assert page.locator("tbody tr").count() == 1
    guest.check()


# -- for everybody --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, as npm gives it."""
    folder = tmp_path_factory.mktemp("axe")
    subprocess.run(["npm", "pack", AXE], cwd=folder, check=True, capture_output=True)
    shutil.unpack_archive(next(folder.glob("*.tgz")), folder)
    return (folder / "package/axe.min.js").read_text("utf-8")


def findings(page: Any, axe: str) -> list[str]:
    """What axe calls serious or critical, by its rules for WCAG 2.2 AA and good practice."""
    page.evaluate(axe)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("language", "size", "scheme"), [("zh", PHONE, "light"), ("en", DESKTOP, "dark")], ids=["zh-phone", "en-dark"]
)
def test_axe_finds_nothing_serious(
    language: str, size: tuple[int, int], scheme: str, axe: str, visit: Open, tmp_path: Path
) -> None:
    guest = visit(size, color_scheme=scheme)
    page = guest.open(f"/?lang={language}")
    assert findings(page, axe) == []
    (tmp_path / "broken.pth").write_bytes(b"PK\x03\x04 not a checkpoint")
    guest.give(lenet(tmp_path), tmp_path / "broken.pth")
    page.check("input[name=device][value=unihiker]")
    page.click(f"text={TEXTS[language]['action']}")
    page.check("#int8")
    assert findings(page, axe) == []
    page.uncheck("#int8")
    page.locator(".model .away").last.click()
    guest.convert()
    assert findings(page, axe) == []
    guest.try_it()
    page.set_input_files("#file", str(next(digits())[0]))
    page.wait_for_selector(".answer .first")
    assert findings(page, axe) == []
    page = guest.open(f"/?lang={language}")
    assert page.is_visible("#history") and findings(page, axe) == []
    page = guest.open(f"/board?lang={language}")
    assert findings(page, axe) == []


def test_with_the_keyboard_alone(visit: Open, tmp_path: Path) -> None:
    """Tab reaches everything in the order of the page; what has the focus is seen."""
    guest = visit()
    page = guest.open("/?lang=en")
    names = []
    for _ in range(6):
        page.keyboard.press("Tab")
        names.append(page.evaluate("() => document.activeElement.id || document.activeElement.textContent.trim()"))
    assert names == ["Skip to the content", "Qingzhou", "Convert", "Class board", "中文", "files"]
    outline = page.evaluate("() => getComputedStyle(document.querySelector('label[for=files]')).outlineStyle")
    assert outline == "solid"
    guest.give(lenet(tmp_path))
    page.focus("input[name=device]:checked")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("() => document.activeElement.name") == "device"
    page.check("input[name=device][value='']")
    page.focus("#options button.wide")
    page.keyboard.press("Enter")
    page.wait_for_selector(".job[data-state=done]", timeout=300_000)
    page.focus(".trial > button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".trial[data-ready]", timeout=180_000)
    assert page.evaluate("() => document.activeElement.closest('.view') !== null"), "the focus goes on to the view"


def test_the_code_of_the_class(chromium: Any, visit: Open, tmp_path: Path) -> None:
    with serving(tmp_path, "--code", "kingfisher") as address:
        guest = visit(DESKTOP, address)
        page = guest.open("/?lang=en")
        page.set_input_files("#files", str(lenet(tmp_path)))
        page.wait_for_selector("#code[open]")
        page.fill("#code-value", "heron")
        page.keyboard.press("Enter")
        page.wait_for_selector("#code-wrong:not([hidden])")
        page.fill("#code-value", "kingfisher")
        page.keyboard.press("Enter")
        page.wait_for_selector(".model .what", timeout=60_000)
        assert page.is_hidden("#code")
