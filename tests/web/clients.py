"""Talking to a server as the page does."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from qingzhou.web.serve import server_of
from qingzhou.web.settings import Settings

DIGITS = Path(__file__).parents[2] / "src/qingzhou/demo/lenet_digits.pth"
ORACLE = Path(__file__).parents[1] / "oracle"
PICTURES = ORACLE / "digits/test"
T = TypeVar("T")
SURE = {"X-Qingzhou": "1"}
COMMAND = [sys.executable, "-c", "from qingzhou.cli import main; main()"]


def upload(client: httpx.Client, data: bytes | None = None, name: str = "best.pth") -> httpx.Response:
    """The answer to an upload; without data, of the digits."""
    content = DIGITS.read_bytes() if data is None else data
    return client.post("/api/uploads", files={"file": (name, content)}, headers=SURE)


def order(client: httpx.Client, upload: str, **options: object) -> httpx.Response:
    """The answer to a job's order."""
    return client.post("/api/jobs", json={"upload": upload, "lang": "en", **options}, headers=SURE)


def finished(client: httpx.Client, job: str, seconds: float = 120) -> dict[str, Any]:
    """A job when it has ended. As long as the records are held by another program, nobody can say."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = client.get(f"/api/jobs/{job}")
        told: dict[str, Any] = answer.json()
        locked = answer.status_code == 503 and told["error"]["code"] == "locked"
        if not locked and told["state"] in ("done", "failed"):
            return told
        time.sleep(0.2)
    raise AssertionError(f"not finished: {told}")


def until(happened: Callable[[], T], seconds: float = 60) -> T:
    """Wait for it, however busy the machine is; what it says then."""
    end = time.monotonic() + seconds
    while not (said := happened()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return said


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A .zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def pictures(most: int) -> bytes:
    """A zip of labelled digits, so many of each."""
    found = [path for folder in sorted(PICTURES.iterdir()) for path in sorted(folder.iterdir())[:most]]
    return zipped({f"digits/{path.parent.name}/{path.name}": path.read_bytes() for path in found})


def free_port() -> int:
    """One that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A server or worker in a process of its own."""

    def __init__(self, *arguments: str, folder: Path, log: Path) -> None:
        self.argv = [*COMMAND, *arguments, "--folder", str(folder), "--lang", "en"]
        self.log = log
        self.start()

    def start(self) -> None:
        """Start it, again if it was killed."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(self.argv, stdout=out, stderr=out)

    def kill(self) -> None:
        """As the power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """As it should be."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[httpx.Client, Running]]:
    """A server and a client of it."""
    port = free_port()
    server = Running("serve", "--port", str(port), *arguments, folder=folder, log=folder.parent / "server.log")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            until_up(client)
            yield client, server
    finally:
        server.stop()


@contextmanager
def served_here(settings: Settings) -> Iterator[str]:
    """A server in a thread of this process, where a test can reach into it; its address."""
    server, port = server_of(settings), free_port()
    server.config.port = port
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def client_at(server: str, address: str) -> httpx.Client:
    """A client with an address of its own, one of loopback's 127.0.0.0/8."""
    return httpx.Client(base_url=server, timeout=300, transport=httpx.HTTPTransport(local_address=address))


def until_up(client: httpx.Client, seconds: float = 60) -> float:
    """How long it took until it answers."""
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        try:
            if client.get("/healthz").status_code == 200:
                return time.monotonic() - start
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server does not answer")


def memory(process: int | str = "self") -> int:
    """Bytes that a process has in memory; Linux."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) << 10


def jobs_running(folder: Path) -> list[int]:
    """The processes of jobs of the server with this folder; Linux."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                place = os.readlink(entry / "cwd")
            except OSError:
                continue
            if place.startswith(str(folder / "work")):
                found.append(int(entry.name))
    return found
