"""The converter page for everybody: the class board, the keyboard alone, and what axe finds."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from converter import AXE, DESKTOP, HOSTILE, PHONE, TEXTS, Open, lenet, serving

from passengers import digits

pytestmark = pytest.mark.browser


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
