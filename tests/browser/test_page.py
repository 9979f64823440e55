"""The page that runs a model in a browser: the same pixels, numbers and answers as in Python, and no way out."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from chromium import Page, served
from click.testing import CliRunner
from page_cards import CARDS, SIZES
from PIL import Image

import qingzhou
from passengers import basenn, digits, mmedu, photo, reference
from qingzhou.bundle.browser import write_page
from qingzhou.cli import main
from qingzhou.model import load
from qingzhou.runtime.model.card import Input
from qingzhou.runtime.model.image import read_image
from qingzhou.runtime.model.prepare import prepare_view

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
ORACLE = ROOT / "tests/oracle"
Open = Callable[..., Page]


def convert(source: Path, out: Path, **options: Any) -> Path:
    qingzhou.convert(source, out, **options)
    return out


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def lenet(open_page: Open, desk: Path) -> tuple[Page, Any]:
    """The page of the digits' LeNet, and the same model in Python."""
    path = convert(ORACLE / "trained/lenet_digits.pth", desk / "lenet.onnx")
    return open_page(path), load(path)


# -- nothing but the folder -----------------------------------------------------------------------------------------


def test_it_asks_nobody_else_and_complains_of_nothing(lenet: tuple[Page, Any]) -> None:
    page, _ = lenet
    asked = [url for url in page.requests if not url.startswith(("blob:", "data:"))]
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
    names = [urlsplit(url).path.rpartition("/")[2] for url in asked]
    assert [names.count(name) for name in ("ort.wasm", "model.onnx", "card.json", "model.js")] == [1, 1, 1, 1]
    assert page.problems == []
    assert "Self-test passed" in page.page.inner_text("#status")


def test_its_policy_lets_nothing_out(lenet: tuple[Page, Any]) -> None:
    """No script in the page's text runs, and no other address can be asked, whatever a model's labels hold."""
    page, _ = lenet
    assert page.ask("() => fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'refused')") == "refused"
    page.ask("""() => { const s = document.createElement("script"); s.textContent = "globalThis.ran = 1";
                        document.body.append(s); }""")
    assert page.ask("() => globalThis.ran ?? 'refused'") == "refused"
    assert any("Content Security Policy" in problem for problem in page.problems)
    page.problems.clear()


def test_hostile_labels_are_text(open_page: Open, desk: Path) -> None:
    labels = ["<img src=x onerror=alert(1)>", "</title><script>alert(1)</script>", *"23456789"]
    path = convert(ORACLE / "trained/lenet_digits.pth", desk / "<b>bold&amp;.onnx", labels=labels)
    page = open_page(path)
    page.page.click("text=Try the sample")
    page.page.wait_for_selector(".bars li")
    assert labels[0] in page.page.inner_text("section.answer") or labels[1] in page.page.inner_text("section.answer")
    assert page.page.inner_text("h1") == "<b>bold&amp;" and page.page.query_selector("h1 b, main img") is None
    assert page.problems == []


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", CARDS)
def test_pictures_are_prepared_as_in_python(
    name: str, size: tuple[int, int], lenet: tuple[Page, Any], tmp_path: Path
) -> None:
    """Bit for bit where numbers are whole until they are normalised; floats to their last bits."""
    color, shape, steps = CARDS[name]
    entry = Input("input", "image", shape, color, steps)
    data = photo(tmp_path / "photo.png", size).read_bytes()
    values, view = prepare_view(read_image(data, color), entry)
    found = lenet[0].prepare(data, dataclasses.asdict(entry))
    np.testing.assert_array_equal(found["pixels"], read_image(data, color).ravel())
    assert found["shape"] == list(values.shape)
    names = {"scale_x": "scaleX", "scale_y": "scaleY"}
    assert found["view"] == pytest.approx({names.get(key, key): value for key, value in view._asdict().items()})
    floats = any(name.startswith(word) for word in ("floats", "grey of", "BaseNN", "Faster"))
    np.testing.assert_allclose(found["values"], values.ravel(), rtol=0, atol=2e-6 if floats else 0)


def test_grey_png_and_colours_of_formats(lenet: tuple[Page, Any], tmp_path: Path) -> None:
    """Grey as Python computes it for each format; of JPEG, whose own brightness browsers do not tell, nearly."""
    image = Image.open(photo(tmp_path / "photo.png"))
    for kind, most in (("PNG", 0), ("BMP", 0), ("WEBP", 0), ("JPEG", 6)):
        file = io.BytesIO()
        image.save(file, kind, quality=95, lossless=True)
        entry = {"color": "GRAY", "shape": [1, 1, None, None], "steps": []}
        found = lenet[0].prepare(file.getvalue(), entry, f"image/{kind.lower()}")["values"]
        apart = np.abs(found - read_image(file.getvalue(), "GRAY").ravel().astype(int))
        assert apart.max() <= most and apart.mean() < 0.1, kind


MODES = ["RGBA", "LA", "P", "I;16", "RGB with one transparent colour", "1 with one transparent colour"]


@pytest.mark.parametrize("mode", MODES)
def test_png_of_every_kind(mode: str, lenet: tuple[Page, Any], tmp_path: Path) -> None:
    """Transparent pixels keep the colour that the file has there, and 16 bits lose their lower 8, as in Python."""
    image = Image.open(photo(tmp_path / "photo.png", (61, 47)))
    alpha = image.getchannel("G").point(lambda n: 0 if n < 90 else n)
    file = io.BytesIO()
    if mode == "RGBA":
        image.putalpha(alpha)
        image.save(file, "PNG")
    elif mode == "LA":
        Image.merge("LA", (image.convert("L"), alpha)).save(file, "PNG")
    elif mode == "P":
        image.quantize(200).save(file, "PNG", transparency=7)
    elif mode == "I;16":
        grey = np.asarray(image.convert("L")).astype(np.uint16) * 257 - 100
        Image.fromarray(grey).save(file, "PNG")
    elif mode.startswith("RGB with"):
        image.save(file, "PNG", transparency=image.getpixel((5, 5)))
    else:
        image.convert("1").save(file, "PNG", transparency=0)
    entry = {"color": "RGB", "shape": [1, 3, None, None], "steps": []}
    found = lenet[0].prepare(file.getvalue(), entry)
    np.testing.assert_array_equal(found["pixels"], read_image(file.getvalue(), "RGB").ravel())


def test_a_phones_turned_jpeg(lenet: tuple[Page, Any], tmp_path: Path) -> None:
    """The pixels of a JPEG that lies on its side are those that Pillow reads, upright."""
    image, exif = Image.open(photo(tmp_path / "photo.png")), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif, quality=92)
    data = (tmp_path / "turned.jpg").read_bytes()
    entry = {"color": "RGB", "shape": [1, 3, None, None], "steps": []}
    found = lenet[0].prepare(data, entry, "image/jpeg")
    expected = read_image(data, "RGB")
    assert found["shape"][2:] == [300, 260]
    assert np.abs(found["pixels"] - expected.ravel().astype(int)).max() <= 1


# -- the same answers -----------------------------------------------------------------------------------------------


def test_digits(lenet: tuple[Page, Any]) -> None:
    """Every answer, to the last digits of its confidence."""
    page, model = lenet
    for path, _ in list(digits())[::11]:
        expected, found = model.predict(path), page.predict(path.read_bytes())
        assert found["label"] == expected.label
        np.testing.assert_allclose(found["scores"], expected.scores, atol=1e-6)


@pytest.mark.parametrize("name", ["MobileNet", "ResNet18", "RegNetX_400MF", "basenn"])
def test_a_colour_photo(name: str, open_page: Open, desk: Path) -> None:
    source = ORACLE / "digits/basenn.pth" if name == "basenn" else mmedu(name, desk)
    path = convert(source, desk / f"{name}.onnx")
    page, model = open_page(path), load(path)
    for size in SIZES:
        data = photo(desk / "photo.png", size).read_bytes()
        expected, found = model.predict(data), page.predict(data)
        assert found["label"] == expected.label
        np.testing.assert_allclose(found["scores"], expected.scores, atol=1e-5)


def test_bytes_go_in_as_they_are(open_page: Open, desk: Path) -> None:
    """--input uint8: the self-test passes, the numbers are bytes, and the answers those of the usual form."""
    source = ORACLE / "trained/lenet_digits.pth"
    usual = load(convert(source, desk / "floats.onnx"))
    path = convert(source, desk / "bytes.onnx", input_type="uint8")
    page, model = open_page(path), load(path)
    assert "Self-test passed" in page.page.inner_text("#status")
    for size in SIZES:
        data = photo(desk / "photo.png", size).read_bytes()
        batch, _ = prepare_view(read_image(data, "GRAY"), model.card.input)
        found = page.prepare(data, dataclasses.asdict(model.card.input))
        assert batch.dtype == np.uint8
        np.testing.assert_array_equal(found["values"], batch.ravel())
        np.testing.assert_allclose(page.predict(data)["scores"], usual.predict(data).scores, atol=1e-5)


def test_several_classes(open_page: Open, desk: Path) -> None:
    """Each class by itself: all that reach the threshold are named, and the slider moves it."""
    path = convert(ORACLE / "heads/multilabel.pth", desk / "several.onnx", labels=["cat", "dog", "bird"])
    page, model = open_page(path), load(path)
    data = photo(desk / "photo.png").read_bytes()
    for threshold in (None, 0.1, 0.95):
        expected, found = model.predictor.predict(data, threshold=threshold), page.predict(data, threshold=threshold)
        assert [one["label"] for one in found["named"]] == [one.label for one in expected.named]
        assert found["label"] == expected.label
    page.page.click("text=Try the sample")
    page.page.wait_for_selector(".bars li")
    assert page.page.inner_text("p.first").split()[::3] == ["dog", "cat"]


@pytest.mark.parametrize(
    "source",
    ["trained/lenet_digits.pth", "keras/digits_trained/model.keras", "keras/digits_trained/tfjs/model.json",
     "tflite/digits_int8.tflite"],
)  # fmt: skip
def test_what_qingzhou_bundle_makes(source: str, chromium: Any, tmp_path: Path) -> None:
    """A trained file to a page on the command line; the page tests itself and answers as the model does."""
    folder, checkpoint = tmp_path / "bundle", ORACLE / source
    own = load(convert(checkpoint, tmp_path / "own.onnx", check=False))
    done = CliRunner().invoke(
        main, ["bundle", str(checkpoint), "--device", "browser", "-o", str(folder), "--lang", "zh"]
    )
    assert done.exit_code == 0, done.output
    with served(folder) as url:
        page = Page(chromium.new_page(), url)
        assert "自检通过" in page.page.inner_text("#status")
        for digit, _ in list(digits())[::25]:
            expected, found = own.predict(digit), page.predict(digit.read_bytes())
            assert found["label"] == expected.label
            np.testing.assert_allclose(found["scores"], expected.scores, atol=0.02 if "int8" in source else 1e-5)
        assert page.problems == []


def test_int8(open_page: Open, desk: Path) -> None:
    """The engine rounds as Python's does: the answers of an INT8 model differ by less than its own steps."""
    path = convert(ORACLE / "trained/lenet_digits.pth", desk / "float.onnx")
    qingzhou.quantize(path, ORACLE / "digits/test", desk / "int8.onnx", max_drop=5, any_speed=True)
    page, model = open_page(desk / "int8.onnx"), load(desk / "int8.onnx")
    for picture, _ in list(digits())[::25]:
        expected, found = model.predict(picture), page.predict(picture.read_bytes())
        np.testing.assert_allclose(found["scores"], expected.scores, atol=0.02)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_by_its_own_server_with_several_threads(secure: bool, chromium: Any, desk: Path) -> None:
    """serve.py isolates the page, so that the engine may share memory between threads; --https for phones' cameras."""
    model = load(convert(ORACLE / "trained/lenet_digits.pth", desk / "served.onnx"))
    write_page(desk / "served.onnx", model.card, desk / f"served{secure}", "en")
    command = [sys.executable, "serve.py", "--only-here", "--port", "0", *(["--https"] if secure else [])]
    with subprocess.Popen(command, cwd=desk / f"served{secure}", stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            context = chromium.new_context(ignore_https_errors=True)  # it has signed for itself
            page = Page(context.new_page(), server.stdout.readline().strip())
            several = page.ask("() => [crossOriginIsolated, qingzhou.model.ort.env.wasm.numThreads > 1]")
            assert several == [True, (os.cpu_count() or 1) > 1]
            digit, _ = next(digits())
            found = page.predict(digit.read_bytes())
            np.testing.assert_allclose(found["scores"], model.predict(digit).scores, atol=1e-6)
            # Nobody has signed for the certificate: Chromium keeps nothing of such a page, and the page says so.
            told = [problem for problem in page.problems if "fetching the script" not in problem]
            assert told == [] and (secure or page.problems == [])
        finally:
            server.terminate()


@pytest.mark.parametrize("form", ["boxes", "raw"])
def test_boxes_of_a_trained_detector(form: str, open_page: Open, desk: Path) -> None:
    folder = ORACLE / "trained_ssd"
    path = convert(folder / "checkpoint.pth", desk / f"ssd_{form}.onnx", input_size=(160, 160), form=form)
    page, model = open_page(path), load(path)
    assert "Self-test passed" in page.page.inner_text("#status")
    for picture in sorted((folder / "pictures").iterdir())[:8]:
        same_boxes(page.predict(picture.read_bytes()), model.predict(picture))
        if form == "raw":
            lower = page.predict(picture.read_bytes(), threshold=0.1)
            same_boxes(lower, model.predictor.predict(picture, threshold=0.1))
    assert page.problems == []


def test_boxes_of_yolo(open_page: Open, desk: Path) -> None:
    """Untrained, so that there are many to suppress."""
    path = convert(mmedu("Yolov3", desk), desk / "yolo.onnx", form="raw")
    page, model = open_page(path), load(path)
    data = photo(desk / "photo.png", (500, 375)).read_bytes()
    expected = model.predictor.predict(data, threshold=0.01)
    assert expected
    same_boxes(page.predict(data, threshold=0.01), expected)


def same_boxes(found: Any, expected: Any) -> None:
    assert [one["label"] for one in found] == [one.label for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one["confidence"] == pytest.approx(other.confidence, abs=1e-5)
        assert one["box"] == pytest.approx(other.box, abs=0.01)


def test_rows_of_a_table(open_page: Open, desk: Path) -> None:
    case = next(path.name for path in sorted(ORACLE.glob("basenn/torch1.13/*")) if path.name.startswith("tab"))
    path = convert(basenn(case), desk / "table.onnx")
    page, model = open_page(path), load(path)
    for row in reference(case)[:5]:
        found = page.ask("async (row) => Array.from((await qingzhou.model.predictNumbers(row)).scores)", row.tolist())
        np.testing.assert_allclose(found, model.predict(row).scores, atol=1e-6)
    inputs = page.page.query_selector_all("form input")
    for field, number in zip(inputs, reference(case)[0], strict=True):
        field.fill(f"{number:.6f}")
    page.page.click("text=Predict")
    page.page.wait_for_selector("section.answer li")
    inputs[0].fill("five")
    page.page.click("text=Predict")
    page.page.wait_for_selector("p.note:not([hidden])")
    assert "five" in page.page.inner_text("p.note:not([hidden])")


def test_an_array_of_numbers(open_page: Open, desk: Path) -> None:
    case = next(path.name for path in sorted(ORACLE.glob("basenn/torch1.13/*")) if "npz" in path.name)
    path = convert(basenn(case), desk / "array.onnx")
    page, model = open_page(path), load(path)
    row = reference(case)[0]
    page.page.fill("textarea", ", ".join(repr(float(n)) for n in row.ravel()))
    page.page.click("text=Predict")
    page.page.wait_for_selector("section.answer li, section.answer p")
    found = page.ask(
        "async (row) => Array.from((await qingzhou.model.predictNumbers(row)).scores)", row.ravel().tolist()
    )
    np.testing.assert_allclose(found, model.predict(row).scores, atol=1e-6)
    page.page.fill("textarea", "1, 2, 3")
    page.page.click("text=Predict")
    page.page.wait_for_selector("p.note:not([hidden])")


def test_a_text_goes_on(open_page: Open, desk: Path) -> None:
    path = convert(basenn("em_lstm"), desk / "text.onnx")
    page, model = open_page(path), load(path)
    for word in list(model.card.vocabulary)[:3]:
        found = page.ask("(text) => qingzhou.model.generate(text, 12)", word)
        assert found == model.predictor.generate(word, 12)
    page.page.fill("textarea", "\N{SNOWMAN}")
    page.page.click("text=Continue")
    page.page.wait_for_selector("p.note:not([hidden])")


# -- the camera -----------------------------------------------------------------------------------------------------

SEEN = """async () => {
  const {view, model} = qingzhou;
  view.stop();
  const {rgba, width, height} = view.last;
  const answer = await model.predict(view.last);
  return {rgba: Array.from(rgba), width, height, scores: Array.from(answer.scores),
          shown: Array.from(view.answer.scores)};
}"""


def test_the_live_camera(open_page: Open, desk: Path) -> None:
    """Frames of Chromium's fake camera: the very frame that was judged last is judged again by Python."""
    path = convert(mmedu("MobileNet", desk), desk / "camera.onnx")
    page, model = open_page(path), load(path)
    page.page.click("text=Live camera")
    page.page.wait_for_function("() => document.body.innerText.includes('pictures a second')", timeout=30_000)
    seen = page.ask(SEEN)
    frame = np.asarray(seen["rgba"], np.uint8).reshape(seen["height"], seen["width"], 4)[..., :3]
    assert frame.std() > 10, "a picture, not a grey nothing"
    expected = model.predict(np.ascontiguousarray(frame))
    np.testing.assert_allclose(seen["scores"], expected.scores, atol=1e-5)
    np.testing.assert_allclose(seen["shown"], expected.scores, atol=1e-5)
    assert page.page.inner_text("button.main") == "Live camera", "stopped"
    assert page.problems == []


def test_no_camera_is_said(open_page: Open, desk: Path) -> None:
    page = open_page(convert(ORACLE / "trained/lenet_digits.pth", desk / "none.onnx"), "zh")
    for name, word in (("NotFoundError", "没有摄像头"), ("NotAllowedError", "权限"), ("NotReadableError", "其他程序")):
        page.ask(
            "(name) => { navigator.mediaDevices.getUserMedia = () => Promise.reject("
            "Object.assign(new Error('x'), {name})); }",
            name,
        )
        page.page.click("text=实时摄像头")
        page.page.wait_for_selector("p.note:not([hidden])")
        assert word in page.page.inner_text("p.note:not([hidden])")
    page.ask("() => Object.defineProperty(navigator, 'mediaDevices', {value: undefined, configurable: true})")
    page.page.click("text=实时摄像头")
    page.page.wait_for_function("() => document.querySelector('p.note').innerText.includes('https://')")


def test_no_picture_is_said(lenet: tuple[Page, Any], tmp_path: Path) -> None:
    page, _ = lenet
    (tmp_path / "poem.txt").write_text("no picture", "utf-8")
    page.page.set_input_files("#file", str(tmp_path / "poem.txt"))
    page.page.wait_for_selector("p.note:not([hidden])")
    assert "poem.txt" in page.page.inner_text("p.note:not([hidden])")
