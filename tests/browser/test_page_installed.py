"""The page as an app on a phone: installable, kept for use without a network, replaced by a newer one as a whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import Page, served

import qingzhou
from qingzhou.bundle.browser import write_page
from qingzhou.model import load

pytestmark = pytest.mark.browser

CHECKPOINT = Path(__file__).parents[1] / "oracle/trained/lenet_digits.pth"
KEPT = "() => document.body.innerText.includes('also opens without a network')"
LABELS = ["zero", *"123456789"]
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make(folder, labels): the page of the digits' LeNet with these labels, in place of what is in the folder."""

    def write(folder: Path, labels: list[str] | None = None) -> Path:
        model = tmp_path / "lenet.onnx"
        qingzhou.convert(CHECKPOINT, model, labels=labels or list("0123456789"))
        shutil.rmtree(folder, ignore_errors=True)
        write_page(model, load(model).card, folder, "en")
        return folder

    return write


def test_it_can_be_installed(phone: Any, make: Make, tmp_path: Path) -> None:
    """By Chromium's own judgement: the manifest without an error, and nothing against installing."""
    with served(make(tmp_path / "page")) as url:
        page = Page(phone.new_page(), url)
        page.page.wait_for_function(KEPT)
        session = phone.new_cdp_session(page.page)
        manifest = session.send("Page.getAppManifest")
        assert manifest["url"] == f"{url}manifest.json" and manifest["errors"] == []
        assert json.loads(manifest["data"])["display"] == "standalone"
        assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        assert page.problems == []


def test_it_opens_without_a_network(phone: Any, make: Make, tmp_path: Path) -> None:
    """The server is gone: the page comes back whole, with several threads, and answers as before."""
    digit = (CHECKPOINT.parents[1] / "digits/test/7").glob("*.png").__next__().read_bytes()
    with served(make(tmp_path / "page")) as url:
        page = Page(phone.new_page(), url)
        page.page.wait_for_function(KEPT)
        assert page.ask("() => navigator.serviceWorker.controller !== null"), "the worker has the page"
        before = page.predict(digit)
    again = Page(phone.new_page(), url)
    assert "Self-test passed" in again.page.inner_text("#status")
    assert again.predict(digit)["scores"] == pytest.approx(before["scores"], abs=1e-6)
    assert again.ask("() => crossOriginIsolated"), "though the server does not ask for it"
    again.page.wait_for_function(KEPT)


def test_a_newer_page_takes_its_place(phone: Any, make: Make, tmp_path: Path) -> None:
    """Opened and not yet used, it makes way by itself; only what has changed is loaded, and one version is kept."""
    folder, asked = make(tmp_path / "page"), list[str]()
    with served(folder, asked) as url:
        Page(phone.new_page(), url).page.wait_for_function(KEPT)
        make(folder, LABELS)
        asked.clear()
        page = phone.new_page()
        page.goto(url)
        page.wait_for_function("() => globalThis.qingzhou?.model.labels[0] === 'zero'", timeout=60_000)
        assert page.evaluate("async () => (await caches.keys()).length") == 1
        page.wait_for_function(KEPT)
        assert {"/card.json", "/index.html"} <= set(asked) and "/ort.wasm" not in asked


def test_one_that_is_used_asks_first(phone: Any, make: Make, tmp_path: Path) -> None:
    folder = make(tmp_path / "page")
    with served(folder) as url:
        page = Page(phone.new_page(), url)
        page.page.wait_for_function(KEPT)
        page.page.click("text=Try the sample")
        make(folder, LABELS)
        page.ask("async () => { await (await navigator.serviceWorker.getRegistration()).update(); }")
        page.page.wait_for_selector("text=Use it now")
        assert page.ask("() => qingzhou.model.labels[0]") == "0", "nothing has changed under the user's hands"
        page.page.click("text=Use it now")
        page.page.wait_for_function("() => globalThis.qingzhou?.model.labels[0] === 'zero'", timeout=60_000)


def test_half_a_version_is_none(phone: Any, make: Make, tmp_path: Path) -> None:
    """A server that still has the old model beside the new page: the old version stays, whole, and says it."""
    folder = make(tmp_path / "page")
    with served(folder) as url:
        Page(phone.new_page(), url).page.wait_for_function(KEPT)
        old = (folder / "card.json").read_bytes()
        make(folder, LABELS)
        (folder / "card.json").write_bytes(old)
        page = Page(phone.new_page(), url)
        page.page.wait_for_function("() => document.body.innerText.includes('could not be loaded whole')")
        assert page.ask("() => qingzhou.model.labels[0]") == "0"
        assert page.ask("async () => (await caches.keys()).length") == 1


def test_an_address_that_has_another_page_now(phone: Any, make: Make, tmp_path: Path) -> None:
    """Somebody's own project on the same port: the kept page steps aside."""
    folder = make(tmp_path / "page")
    with served(folder) as url:
        Page(phone.new_page(), url).page.wait_for_function(KEPT)
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "index.html").write_text("<h1>Something else</h1>", "utf-8")
        page = phone.new_page()
        page.goto(url)
        page.wait_for_selector("text=Something else")
        assert page.evaluate("async () => (await caches.keys()).length") == 0


def test_plain_http_says_what_works(phone: Any, make: Make, tmp_path: Path) -> None:
    """As a phone sees it that opens http://192.168…: no camera, nothing kept, pictures work."""
    with served(make(tmp_path / "page")) as url:
        page = Page(phone.new_page(), url.replace("127.0.0.1", "phones.example"))
        assert page.ask("() => [isSecureContext, navigator.serviceWorker === undefined]") == [False, True]
        assert "http://" in page.page.inner_text("p.note")
        page.page.click("text=Try the sample")
        page.page.wait_for_selector(".bars li")
        assert [text for text in page.problems if "Cross-Origin-Opener" not in text] == []
