"""A server that takes for ever, or has more to say than there is room for."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from answering import Handler, answering, honest

from qingzhou.errors import OutputError
from qingzhou.web import asking, remote
from qingzhou.web.asking import Clock, RemoteError
from qingzhou.web.remote import convert

# -- time and room ----------------------------------------------------------------------------------------------------


class Counted:
    """A clock that goes on by `step` seconds each time it is asked, and by `nap` in each sleep; nobody waits."""

    def __init__(self, step: float, nap: float = 1.0) -> None:
        self.step, self.nap, self.asked, self.slept = step, nap, 0, 0
        self.clock = Clock(self.now, self.sleep)

    def now(self) -> float:
        self.asked += 1
        return self.step * self.asked + self.nap * self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += 1


def drip(first: bytes, part: bytes) -> Callable[[Handler], None]:
    """A beginning, and then the same until nobody listens."""

    def send(handler: Handler) -> None:
        handler.wfile.write(first)
        try:
            while True:
                handler.wfile.write(part)
        except OSError:
            handler.close_connection = True

    return send


OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "a status": drip(b"", b"H"),
    "headers": drip(OK, b"X-Y: z\r\n"),
    "one header": drip(OK + b"X: ", b"z"),
    "continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": drip(OK + b"\r\n", b" " * 4096),
    "chunks": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a size": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "much": drip(OK + b"Content-Length: 999999999999\r\n\r\n", b" " * 4096),
}


@pytest.mark.parametrize("path", ["/api/uploads", "/api/jobs/J", "/api/jobs/J/files/best.onnx"])
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_server_that_never_ends(
    kind: str, path: str, home: Path, sent: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By bytes or by time, whichever is first: counted by a clock that goes on with each look at it."""
    monkeypatch.setattr(asking, "LARGEST_ANSWER", 1 << 16)
    counted = Counted(1.0)
    with answering({**honest(sent[1]), path: ENDLESS[kind]}) as (address, _), pytest.raises(RemoteError):
        convert(home / "best.pth", address, clock=counted.clock)
    assert counted.asked < 1000 and {one.name for one in home.iterdir()} == {"best.pth"}


def test_a_byte_a_minute(home: Path, sent: tuple[bytes, bytes]) -> None:
    """Each keeps the wait for the next one alive; all together are too slow."""
    ours, theirs = socket.socketpair()
    counted = Counted(119.0)
    server = asking.Server("http://x", clock=counted.clock)
    theirs.sendall(OK + b"\r\n" + b"1" * 200)
    bounded = asking._Bounded(ours.makefile("rb"), ours, lambda: server._left(asking.ANSWER))
    with pytest.raises(TimeoutError):
        for _ in range(200):
            bounded.readinto(bytearray(1))
    assert counted.asked == 3  # after 119, 238 and 357 seconds
    theirs.close()
    ours.close()


def test_a_job_that_never_ends(home: Path, sent: tuple[bytes, bytes]) -> None:
    answers = honest(sent[1])
    answers["/api/jobs/J"] = {"state": "queued"}
    counted = Counted(0.01, nap=600.0)
    with answering(answers) as (address, asked), pytest.raises(RemoteError, match=r"4 hours.*/j/J"):
        convert(home / "best.pth", address, clock=counted.clock)
    assert counted.slept == len(asked) - 3 == remote.LONGEST / 600


def body(status: int, data: bytes = b"{}", **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.whole(status, data, **headers)


ODD_ANSWERS = {
    "gzip": body(200, b"\x1f\x8b", Content_Encoding="gzip"),
    "deflate": body(200, Content_Encoding="deflate"),
    "redirect": body(302, Location="http://127.0.0.1:9/"),
    "permanent": body(308, b"", Location="/x"),
    "no content": body(204, b""),
    "partial": body(206, b"x"),
    "server": body(500, b"x"),
    "list": body(200, b"[]"),
    "deep": body(200, b"[" * 100_000),
    "digits": body(200, b'{"upload": ' + b"9" * 100_000 + b"}"),
    "nan": body(200, b'{"upload": NaN}'),
    "twice": body(200, b'{"upload": "a", "upload": "b"}'),
    "latin": body(200, b'{"upload": "\xff"}'),
    "nothing": drip(OK, b"\r\n"),
}


@pytest.mark.parametrize("path", ["/api/uploads", "/api/jobs", "/api/jobs/J", "/api/jobs/J/files/best.onnx"])
@pytest.mark.parametrize("kind", ODD_ANSWERS)
def test_answers_of_another_kind(kind: str, path: str, home: Path, sent: tuple[bytes, bytes]) -> None:
    """No redirect is followed, nothing is unpacked."""
    if kind == "nothing" and path != "/api/uploads":
        pytest.skip("the same")
    answers: dict[str, Any] = {**honest(sent[1]), path: ODD_ANSWERS[kind]}
    with answering(answers) as (address, asked), pytest.raises(RemoteError):
        convert(home / "best.pth", address, clock=Counted(0.5).clock)
    assert asked[-1] == path and {one.name for one in home.iterdir()} == {"best.pth"}


@pytest.mark.parametrize("off", [-1, 1])
def test_a_file_of_another_size(off: int, home: Path, sent: tuple[bytes, bytes]) -> None:
    answers = honest(sent[1])
    answers["/api/jobs/J"]["result"]["files"][2]["size"] += off
    with answering(answers) as (address, _), pytest.raises(RemoteError, match="size"):
        convert(home / "best.pth", address)


def test_a_disk_without_room(home: Path, sent: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is fetched; and what fails while it is written is our disk's, not the server's."""
    monkeypatch.setattr(remote, "SPARE", 1 << 60)
    with answering(honest(sent[1])) as (address, asked), pytest.raises(OutputError, match="left"):
        convert(home / "best.pth", address)
    assert not any("/files/" in path for path in asked)
    (home / "taken").touch()
    with answering(honest(sent[1])) as (address, _), pytest.raises(OutputError, match="Cannot make the folder"):
        convert(home / "best.pth", address, home / "taken" / "x")


def test_the_clock_of_every_wait() -> None:
    """No wait is longer than SILENCE, none outlives its end."""
    server = asking.Server("http://x", clock=Clock(itertools.count(0, 50).__next__, lambda _: None))
    assert [server._left(180.0) for _ in range(4)] == [120.0, 120.0, 80.0, 30.0]
    with pytest.raises(TimeoutError):
        server._left(180.0)
