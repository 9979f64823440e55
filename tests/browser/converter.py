"""The page of a server of its own, and a browser that visits it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rebuild import rebuild

from makers import write_checkpoint
from passengers import ORACLE

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
            "(count) => document.querySelectorAll('.model:has(.what, .note)').length >= count",
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


def lenet(folder: Path, name: str = "lenet.pth", labels: Any = None) -> Path:
    """The trained LeNet under another name; with labels, one whose weights are the oracle's."""
    if labels is None:
        return Path(shutil.copyfile(ORACLE / "trained/lenet_digits.pth", folder / name))
    manifest = json.loads((ORACLE / "mmedu/LeNet/manifest.json").read_text("utf-8"))
    meta = {**manifest["checkpoint_meta"], "CLASSES": tuple(labels)}
    return write_checkpoint(folder / name, {"meta": meta, "state_dict": rebuild(manifest), "optimizer": {}})


HOSTILE = "<img src=x onerror=alert(1)>"
STRANGE = "main img:not([src^='data:image/']), main [onerror], main script"  # a job's own pictures come as data
