"""A server that answers as a test says, and a user's folder that asks it."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from qingzhou.bundle import contents

EVIL = "\x1b[2J\u202eevil\x00"


class Handler(BaseHTTPRequestHandler):
    """Answers what its server's `answers` have for a path: JSON, bytes, or a function that takes the handler."""

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        asked: list[str] = self.server.asked  # type: ignore[attr-defined]
        asked.append(self.path)
        found = self.server.answers.get(self.path, {"error": {"en": "not there", "zh": "没有"}})  # type: ignore[attr-defined]
        if callable(found):
            found(self)
            return
        status = 404 if isinstance(found, dict) and self.path not in self.server.answers else 200  # type: ignore[attr-defined]
        self.whole(status, found if isinstance(found, bytes) else json.dumps(found).encode())

    def whole(self, status: int, body: bytes, **headers: str) -> None:
        """A complete answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def answering(answers: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """A server; its address, and what was asked of it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.asked = answers, []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def bundle_zip(files: Mapping[str, bytes], root: str = "best") -> bytes:
    """A bundle as it is downloaded."""
    facts: dict[str, Any] = {"format": "qingzhou.bundle"}
    facts["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    facts["digest"] = contents._seal(facts)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in {**files, "bundle.json": json.dumps(facts).encode()}.items():
            archive.writestr(f"{root}/{name}", data)
    return packed.getvalue()


def job_of(files: Mapping[str, tuple[str, bytes]], **changed: object) -> dict[str, Any]:
    """What a server that made these files ({name: (kind, data)}) answers."""
    entries = [
        {"name": name, "kind": kind, "size": len(data), "url": "http://elsewhere/"}
        for name, (kind, data) in files.items()
    ]
    result = {"convert": {"network": "LeNet"}, "quantize": None, "notes": [], "files": entries, **changed}
    told = {"job": "J", "state": "done", "name": "best.pth", "error": None, "result": result}
    answers: dict[str, Any] = {
        "/api/uploads": {"upload": "U", "error": None},
        "/api/jobs": {"job": "J"},
        "/api/jobs/J": told,
    }
    return answers | {f"/api/jobs/J/files/{name}": data for name, (_, data) in files.items()}


def mine(home: Path, *names: str) -> dict[str, bytes]:
    """Files of the user's."""
    for name in names:
        (home / name).write_bytes(b"mine: " + name.encode())
    return {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}


def stays(home: Path, before: Mapping[str, bytes]) -> bool:
    return all((home / name).read_bytes() == data for name, data in before.items())


BUNDLE = bundle_zip({"main.py": b"print(1)\n"})


def honest(model: bytes) -> dict[str, Any]:
    return job_of(
        {
            "best-pi5-basic.zip": ("bundle", BUNDLE),
            "best.zip": ("program", b"PK"),
            "best.onnx": ("model", model),
            "best.py": ("program", b"print('from afar')"),
        }
    )
