"""One Chromium for all tests here, and a page for each model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from chromium import ARGUMENTS, EXECUTABLE, Page, served
from converter import DESKTOP, Visit, serving

from qingzhou.bundle.browser import write_page
from qingzhou.model import load

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    """What steers browsers; there can be one only."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def chromium(playwright: Any) -> Iterator[Any]:
    """The browser, with a new empty profile."""
    browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def phone(playwright: Any, tmp_path: Path) -> Iterator[Any]:
    """A browser with a profile of its own that may keep things: private windows are never installable."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile", executable_path=EXECUTABLE, args=ARGUMENTS, viewport={"width": 390, "height": 844}
    )
    yield context
    context.close()


@pytest.fixture(scope="session")
def open_page(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """open_page(model): the page written for an .onnx file, opened."""
    with ExitStack() as stack:

        def open_one(model: Path, language: str = "en", width: int = 390, height: int = 844) -> Page:
            folder = tmp_path_factory.mktemp("page")
            write_page(model, load(model).card, folder, language)
            url = stack.enter_context(served(folder))
            return Page(chromium.new_page(viewport={"width": width, "height": height}), url)

        yield open_one


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a `qingzhou serve` of the module's own."""
    with serving(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def visit(chromium: Any, server: str) -> Iterator[Callable[..., Visit]]:
    """visit(size): a new browser profile, closed afterwards."""
    with ExitStack() as stack:

        def open_one(size: tuple[int, int] = DESKTOP, address: str = server, **options: Any) -> Visit:
            made = Visit(chromium, address, size, **options)
            stack.callback(made.context.close)
            return made

        yield open_one
