"""The first answer in a browser, with nothing kept from before: browser.py opens the pages and waits for them."""

from __future__ import annotations

import functools
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from ..desk import Desk, Figure, NotHere, beside, elsewhere, turns
from ..goals import Goal
from ..machine import Machine
from ..measure import HERE

SECONDS = 12  # for each wire
WIRES = {"": 0.0, ", 50 Mbit/s": 50e6}  # bits a second; 0 for as wide as it is
PORT = 8700
WHAT = "from opening the page of MobileNetV2 to its first answer, with an empty cache, in Chromium"


def goals(machine: Machine) -> tuple[Goal, ...]:
    """Beside the older checkout's page."""
    return tuple(
        Goal(f"browser, first answer{said}", "s", WHAT, "then", partial(first_answer, wire=wire), most=0.7)
        for said, wire in WIRES.items()
    )


def first_answer(desk: Desk, wire: float) -> Figure:
    """Seconds."""
    return beside(opened(desk, wire), "then")


@functools.cache
def opened(desk: Desk, wire: float) -> list[dict[str, float]]:
    """Both pages in turn, in one browser."""
    if not (HERE / "browser.py").exists():
        raise NotHere("benchmarks/browser.py is not there")
    desk.python_with("playwright", "playwright, and apt install chromium")
    sources = {way: str(place / "src") for way, place in desk.checkouts.items()}
    return elsewhere(opening, desk.file("MobileNet"), desk.place("pages", f"{wire:.0f}"), sources, wire)


def opening(checkpoint: str, folder: str, sources: dict[str, str], wire: float) -> list[dict[str, float]]:
    """Rounds of seconds; runs in a process of its own."""
    from playwright.sync_api import sync_playwright

    import browser

    if browser.CHROMIUM is None:
        raise NotHere("no Chromium: apt install chromium")
    with sync_playwright() as playwright, ExitStack() as stack:
        words = ["--headless", "--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=words)
        stack.callback(chromium.close)
        works = {}
        for number, (way, source) in enumerate(sources.items()):
            page = browser.page_of(Path(source), Path(checkpoint), Path(folder) / way)
            url = stack.enter_context(browser.served(page, PORT + number))
            works[way] = lambda url=url: browser.first_answer(chromium, url, wire)[0]
        return turns(works, SECONDS)
