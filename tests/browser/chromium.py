"""A headless Chromium that opens pages of 127.0.0.1 only, and the way to ask a model that runs there."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--host-resolver-rules=MAP *.example 127.0.0.1",  # other hosts, which are here
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """What `python -m http.server` does, without its log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path, asked: list[str] | None = None) -> Iterator[str]:
    """The folder at http://127.0.0.1, as `python -m http.server` shows it. asked: what is sent whole is added to it."""

    class Counting(Quiet):
        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            if asked is not None and int(code) == 200:
                asked.append(self.path)

    handler = functools.partial(Counting, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


class Page:
    """A page that was opened: what it asked for, what it complained of, and its model."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.requests, self.problems = page, [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.goto(url)
        try:
            page.wait_for_selector("body[data-state]", timeout=180_000)
        except Exception as err:
            facts = page.inner_text("#status"), self.problems, self.requests[-3:]
            raise AssertionError(f"the page did not start: {facts}") from err

    def ask(self, code: str, argument: Any = None) -> Any:
        """The result of a JavaScript function of one argument; `qingzhou` is the page's model and view."""
        return self.page.evaluate(code, argument)

    def predict(self, picture: bytes, kind: str = "image/png", threshold: float | None = None) -> Any:
        """The model's answer to the bytes of a picture."""
        argument = {"data": base64.b64encode(picture).decode("ascii"), "kind": kind, "threshold": threshold}
        return self.ask(PREDICT, argument)

    def prepare(self, picture: bytes, entry: dict[str, Any], kind: str = "image/png") -> Any:
        """{shape, view, values, pixels}: what a network with this input would get, and what the browser has read."""
        argument = {"data": base64.b64encode(picture).decode("ascii"), "kind": kind, "input": entry}
        found = self.ask(PREPARE, argument)
        values, pixels = (base64.b64decode(found[name]) for name in ("values", "pixels"))
        return {
            **found,
            "values": np.frombuffer(values, entry.get("dtype", "float32")),
            "pixels": np.frombuffer(pixels, np.uint8).astype(int),
        }


BLOB = "const blob = new Blob([Uint8Array.from(atob(data), c => c.charCodeAt(0))], {type: kind});"
PREDICT = f"""async ({{data, kind, threshold}}) => {{
  {BLOB}
  const {{decodePicture}} = await import("./picture.js");
  const answer = await qingzhou.model.predict(await decodePicture(blob), threshold);
  return Array.isArray(answer) ? answer : {{...answer, scores: Array.from(answer.scores)}};
}}"""
PREPARE = f"""async ({{data, kind, input}}) => {{
  {BLOB}
  const {{decodePicture}} = await import("./picture.js");
  const {{prepare, readPixels}} = await import("./preprocess.js");
  const picture = await decodePicture(blob);
  const pixels = readPixels(picture, input.color);
  const {{values, shape, view}} = prepare(pixels, input);
  const packed = async (numbers) => {{
    const reader = new FileReader();
    const done = new Promise((resolve) => (reader.onload = resolve));
    reader.readAsDataURL(new Blob([numbers]));
    await done;
    return reader.result.split(",")[1];
  }};
  return {{shape, view, values: await packed(values), pixels: await packed(pixels.data)}};
}}"""
