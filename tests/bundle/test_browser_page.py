"""The folder of the browser's page, without a browser: the engine it carries, what is written, what is refused."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import re
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from qingzhou import quantize
from qingzhou.bundle import browser, one_file
from qingzhou.bundle.browser import ENGINE, GRAPHICS, LATER, PAGE, engine_facts, engine_file, write_page
from qingzhou.bundle.build import build
from qingzhou.bundle.download import Download, download_of
from qingzhou.conversion import convert
from qingzhou.errors import ModelError, OptionError, OutputError
from qingzhou.model import load
from qingzhou.runtime.model.card import Card

CHECKPOINT = Path(__file__).parents[2] / "src/qingzhou/demo/lenet_digits.pth"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(CHECKPOINT, tmp_path_factory.mktemp("model") / "digits.onnx", labels=["<零>", *"123456789"]).path


@pytest.fixture(scope="module")
def folder(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page") / "网页"
    write_page(model, load(model).card, out, "zh")
    return out


def test_the_engine_is_the_published_one() -> None:
    """Its size in the package, its checksums, its licence."""
    facts = engine_facts()
    for name, known in facts["files"].items():
        data = engine_file(name)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (known["bytes"], known["sha256"])
    assert f"ONNX Runtime Web v{facts['version']}".encode() in engine_file("ort.js")[:200]
    assert engine_file("ort.wasm").startswith(b"\0asm")
    assert "MIT License" in (ENGINE / "LICENSE").read_text("utf-8") and facts["licence"] == "MIT"
    assert engine_file("ort_gpu.wasm").startswith(b"\0asm")
    assert sum(path.stat().st_size for path in ENGINE.iterdir()) < 5e6


def test_a_damaged_engine_is_not_written(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = json.loads((ENGINE / "vendored.json").read_text("utf-8"))
    facts["files"]["ort.wasm"]["sha256"] = "0" * 64
    monkeypatch.setattr(browser, "engine_facts", lambda: facts)
    with pytest.raises(OutputError, match=r"ort\.wasm"):
        write_page(model, load(model).card, tmp_path / "page", "en")


def test_what_a_page_is_made_of(folder: Path, model: Path) -> None:
    """The same model and card, and no script, style or address in the HTML itself."""
    assert (folder / "model.onnx").read_bytes() == model.read_bytes()
    assert Card.from_json((folder / "card.json").read_text("utf-8")) == load(model).card
    assert (folder / "labels.txt").read_text("utf-8").splitlines()[0] == "<零>"
    page = (folder / "index.html").read_text("utf-8")
    assert 'lang="zh-CN"' in page and "$" not in page
    assert not re.search(r"<script(?![^>]* src=)|<style|style=|\son\w+=|//", page.replace("http://localhost:8000", ""))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy and "default-src 'none'" in policy[1] and "unsafe-inline" not in policy[1]
    assert "connect-src 'self'" in policy[1]


def test_every_module_that_is_imported_is_there(folder: Path) -> None:
    for script in PAGE.glob("*.js"):
        for name in re.findall(r'(?:from |import\()"\./([\w.]+)"', script.read_text("utf-8")):
            assert (folder / name).is_file() or name in GRAPHICS, f"{script.name} imports {name}"


def test_the_page_asks_at_once_for_all_that_it_will_need(folder: Path) -> None:
    """Else each module is known only once the one before it is here."""
    page = (folder / "index.html").read_text("utf-8")
    modules = {path.name for path in folder.glob("*.js")} - {"app.js", *LATER}
    assert set(re.findall(r'rel="modulepreload" href="([^"]+)"', page)) == modules
    assert set(re.findall(r'rel="preload" href="([^"]+)" as="fetch" crossorigin', page)) == {
        "ort.wasm",
        "card.json",
        "model.onnx",
    }


def test_only_onnx(tmp_path: Path, model: Path) -> None:
    (tmp_path / "m.ncnn.param").write_text("7767517", "utf-8")
    with pytest.raises(ModelError, match=r"\.onnx"):
        write_page(tmp_path / "m.ncnn.param", load(model).card, tmp_path / "page", "en")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write"):
        write_page(model, load(model).card, tmp_path / "file", "en")


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_serve(folder: Path, secure: bool) -> None:
    """Types that browsers want, no listing, and what lets the engine use several cores."""
    command = [sys.executable, "serve.py", "--only-here", "--port", "0", *(["--https"] if secure else [])]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, encoding="utf-8") as server:
        try:
            assert server.stdout and "浏览器" in server.stdout.readline()
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            context = ssl._create_unverified_context()  # it has signed for itself
            browser_ = (
                http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
                if secure
                else http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            )
            browser_.request("GET", "/address.json")
            assert json.loads(browser_.getresponse().read()) == [], "only here: nobody else finds it"
            for name, kind in (("app.js", "text/javascript"), ("ort.wasm", "application/wasm"), ("", "text/html")):
                browser_.request("GET", f"/{name}")
                answer = browser_.getresponse()
                answer.read()
                assert answer.status == 200 and kind in str(answer.headers["Content-Type"])
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
            browser_.request("GET", "/ort.wasm", headers={"Accept-Encoding": "gzip, br"})
            answer = browser_.getresponse()
            data, changed = answer.read(), str(answer.headers["Last-Modified"])
            assert answer.headers["Content-Encoding"] == "gzip" and len(data) < 5_000_000
            assert gzip.decompress(data) == (folder / "ort.wasm").read_bytes()
            known = {"Accept-Encoding": "gzip", "If-Modified-Since": changed}
            for name, headers, status in (("ort.wasm", known, 304), ("model.onnx", {"Accept-Encoding": "gzip"}, 200)):
                browser_.request("GET", f"/{name}", headers=headers)
                answer = browser_.getresponse()
                answer.read()
                assert answer.status == status and not answer.headers["Content-Encoding"]
            browser_.request("GET", "/../secret")
            assert browser_.getresponse().status == 404
        finally:
            server.terminate()


def test_the_worker_lists_what_the_page_has(folder: Path) -> None:
    """Every file that the page asks for, with its digest; another model makes another version."""
    text = (folder / "sw.js").read_text("utf-8")
    listed = json.loads(re.search(r"FILES = (\{.*?\})", text, re.DOTALL)[1])  # type: ignore[index]
    unasked = {"sw.js", "serve.py", "labels.txt", "ort.LICENSE.txt", "ort.ThirdPartyNotices.txt"}
    assert set(listed) == {path.name for path in folder.iterdir()} - unasked
    assert listed["model.onnx"] == hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert "$" not in text


def test_the_manifest_and_its_icons(folder: Path) -> None:
    """Icons of the sizes that it says; those that are cut are light to their edges."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["name"] == "digits" and manifest["lang"] == "zh-CN" and manifest["display"] == "standalone"
    sizes = {}
    for one in manifest["icons"][1:]:
        with Image.open(folder / one["src"]) as image:
            assert one["sizes"] == f"{image.width}x{image.height}" and image.format == "PNG"
            border = {image.getpixel((x, y)) for x in range(0, image.width, 8) for y in (0, image.height - 1)}
            assert border == {(0xFB, 0xFA, 0xF7)} and len(image.getcolors(1 << 18)) > 3
            sizes[image.width] = one["purpose"]
    assert set(sizes) == {192, 512}


def test_what_is_to_be_loaded_is_said(model: Path) -> None:
    """By the sizes of the files that quantize() really writes."""
    told = download_of(model, engine_facts()["files"], graphics=False)
    half = quantize(model, None, model.with_name("half.onnx"), precision="fp16").path
    assert half is not None and told.model == model.stat().st_size
    assert told.half == pytest.approx(half.stat().st_size, rel=0.02)
    assert told.engine == sum(len(gzip.compress(engine_file(name), 6)) for name in ("ort.js", "ort.wasm"))
    large = Download(3_700_000, 4_200_000, 9_000_000, 4_500_000, 2_300_000)
    assert (
        "12.7 MB" in large.said("en")
        and "4.5 MB" in large.said("zh")
        and "quantize best.onnx" in large.said("en", "best.onnx")
    )


def test_one_file(model: Path, tmp_path: Path) -> None:
    """-o page.html: everything inside; made again in its place, and nothing else is replaced."""
    out = tmp_path / "page.html"
    made = build(model, "browser", out=out, lang="zh")
    text = out.read_text("utf-8")
    assert made.size == out.stat().st_size and list(tmp_path.iterdir()) == [out]
    assert not re.search(r' (?:src|href)="(?!data:)', text), "no other file"
    assert build(model, "browser", out=out, lang="en").path == out and 'lang="en"' in out.read_text("utf-8")
    out.write_text("<h1>mine</h1>", "utf-8")
    with pytest.raises(OutputError):
        build(model, "browser", out=out)
    assert out.read_text("utf-8") == "<h1>mine</h1>"
    with pytest.raises(OptionError, match="one file"):
        build(model, "pc", out=tmp_path / "other.html")


def test_a_large_model_is_no_file(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_file, "LARGEST", 1000)
    with pytest.raises(OptionError, match="-o page"):
        build(model, "browser", out=tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
