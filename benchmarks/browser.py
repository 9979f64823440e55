"""A model in a browser: seconds from opening the page to its first answer, with an empty cache, in Chromium.

    python benchmarks/browser.py [SRC]

SRC is the src folder of another commit (git worktree add); the two pages then have their turn one after the other, each
shown by its own serve.py. The first answer is the one to the model's own sample, with which the page begins. The wires
are those of Chromium's developer tools. Needs Chromium, and playwright to steer it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from measure import ENVIRONMENT, HERE, make

WIRES = {"none": 0.0, "50 Mbit/s": 50e6, "10 Mbit/s": 10e6}  # how narrow the wire is, 0 for as wide as it is
LATENCY = 10  # ms, where there is one
ROUNDS = 5
NETWORKS = ("MobileNet", "LeNet")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu"]
MAKE = """
import sys
from pathlib import Path
import qingzhou
from qingzhou.bundle.browser import write_page
checkpoint, folder = map(Path, sys.argv[1:])
model = qingzhou.convert(checkpoint, folder.with_suffix(".onnx"))
write_page(model.path, model.card, folder, "en")
"""
READY = """() => ["ready", "broken"].includes(document.body?.dataset.state)
  && [document.body.dataset.state, performance.now()]"""


def page_of(source: Path, checkpoint: Path, folder: Path) -> Path:
    """The folder of a page that this commit makes."""
    environment = {**ENVIRONMENT, "PYTHONPATH": str(source)}
    argv = [sys.executable, "-c", MAKE, str(checkpoint), str(folder)]
    subprocess.run(argv, check=True, env=environment, stdout=subprocess.DEVNULL)
    return folder


@contextlib.contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """The page at an address, shown as its user shows it; once it has had the time to prepare what it sends."""
    argv = [sys.executable, str(folder / "serve.py"), "--only-here", "--port", str(port)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=ENVIRONMENT) as server:
        try:
            url = f"http://localhost:{port}/"
            for _ in range(100):
                with contextlib.suppress(URLError), urlopen(url):
                    break
                time.sleep(0.1)
            time.sleep(2)
            yield url
        finally:
            server.terminate()


def first_answer(browser: Any, url: str, wire: float) -> tuple[float, float]:
    """Seconds until the page has answered, and the MB that came; nothing is kept from one call to the next."""
    context = browser.new_context()
    try:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        if wire:
            way = {"offline": False, "latency": LATENCY, "downloadThroughput": wire / 8, "uploadThroughput": wire / 8}
            session.send("Network.emulateNetworkConditions", way)
        came: list[float] = []
        session.on("Network.loadingFinished", lambda said: came.append(said["encodedDataLength"]))
        page.goto(url, wait_until="commit")
        state, ms = page.wait_for_function(READY, polling=10, timeout=180_000).json_value()
        assert state == "ready", page.inner_text("#status")
        return ms / 1e3, sum(came) / 1e6
    finally:
        context.close()


def rows(browser: Any, name: str, urls: dict[str, str]) -> None:
    """A line for each wire; the ratios are of pairs."""
    for wire, width in WIRES.items():
        rounds = [{way: first_answer(browser, url, width) for way, url in urls.items()} for _ in range(ROUNDS)]
        for way in urls:
            seconds, came = zip(*(one[way] for one in rounds), strict=True)
            text = f"{name:12}{wire:12}{way:8}{statistics.median(seconds):6.2f} s"
            text += f" (least {min(seconds):5.2f}){came[0]:7.1f} MB"
            if way == "now" and "before" in urls:
                text += f"   {statistics.median(one['now'][0] / one['before'][0] for one in rounds):5.2f} x the time"
            print(text, flush=True)


def main() -> None:
    """Both networks over every wire."""
    if importlib.util.find_spec("playwright") is None or CHROMIUM is None:
        sys.exit("This needs Chromium, and playwright to steer it: apt install chromium; pip install playwright")
    from playwright.sync_api import sync_playwright

    ways = {"before": Path(sys.argv[1])} if len(sys.argv) > 1 else {}
    ways["now"] = HERE.parent / "src"
    print(f"{os.cpu_count()} cores, {ROUNDS} rounds, median")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright, contextlib.ExitStack() as stack:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for number, network in enumerate(NETWORKS):
            make(network, folder)
            urls = {}
            for place, (way, source) in enumerate(ways.items()):
                page = page_of(source, folder / f"{network}.pth", folder / f"{network}-{way}")
                urls[way] = stack.enter_context(served(page, 8700 + 10 * number + place))
            rows(browser, network, urls)
        browser.close()


if __name__ == "__main__":
    main()
