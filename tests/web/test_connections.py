"""Slow, silent, endless and too many connections, over real sockets; meanwhile the others are served."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from clients import client_at, finished, memory, order, served_here, serving, until, upload

from qingzhou.bundle.browser import engine_file
from qingzhou.web import protocol
from qingzhou.web.serve import _room as room_for
from qingzhou.web.settings import Settings


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server with room for 50 connections."""
    settings = Settings(tmp_path / "data", workers=0, max_size=1 << 20, connections=50, requests_per_client=60)
    with served_here(settings) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
def hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Another one, with little patience: only for who is to lose it, since on a busy machine anybody may be late."""
    monkeypatch.setattr(protocol, "HEADERS_WITHIN", 1.0)
    monkeypatch.setattr(protocol, "READ_WITHIN", 1.0)
    settings = Settings(tmp_path / "data", workers=0, idle=1.0, connections=50, requests_per_client=60)
    with served_here(settings) as address:
        yield int(address.rpartition(":")[2])


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """Of how many connections the server has done this, so far."""
    done: list[object] = []
    own = getattr(protocol.Guarded, name)

    def counting(self: protocol.Guarded, *args: object) -> None:
        own(self, *args)
        done.append(self)

    monkeypatch.setattr(protocol.Guarded, name, counting)
    return done


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 10)


def said(connection: socket.socket) -> bytes:
    """All until the server closes."""
    connection.settimeout(10)
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionError:
        pass
    return found


def test_silence_and_endless_headers_are_closed(hasty: int) -> None:
    with connect(hasty) as silent, connect(hasty) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        assert said(silent) == said(endless) == b""


def test_a_slow_upload_is_given_up(hasty: int) -> None:
    head = b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nX-Qingzhou: 1\r\nContent-Length: 1000000\r\n"
    with connect(hasty) as slow:
        slow.sendall(head + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n")
        assert b" 408 " in said(slow)


HEADS = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00" * 20 + b"\r\n\r\n",
]


@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_tricks_with_headers(port: int, head: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(head)
        answer = said(connection)
    assert not answer or answer.split()[1][:1] == b"4"


LENGTHS = {
    "both": b"HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
    "the other way round": b"HTTP/1.1\r\ntransfer-encoding: Chunked\r\ncontent-length: 5",
    "an old version": b"HTTP/1.0\r\nTransfer-Encoding: chunked",
}


@pytest.mark.parametrize("path", [b"/api/jobs", b"/api/uploads", b"/"])
@pytest.mark.parametrize("head", LENGTHS)
def test_a_length_that_can_be_read_in_two_ways(port: int, head: str, path: bytes) -> None:
    """It is refused in words, and what comes after it is no request of anybody."""
    with connect(port) as connection:
        connection.sendall(b"POST %b %b\r\nHost: localhost\r\nX-Qingzhou: 1\r\n\r\n" % (path, LENGTHS[head]))
        connection.sendall(b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = said(connection)
    assert answer.startswith(b"HTTP/1.1 400") and answer.count(b"content-security-policy") == 1
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_framing"


def test_idle_connections_make_room(port: int) -> None:
    with contextlib.ExitStack() as held:
        crowd = [held.enter_context(connect(port)) for _ in range(300)]
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        assert said(crowd[0]) == b""  # the oldest went first


BEGUN = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nX-Qingzhou: 1\r\nContent-Length: 9\r\n\r\n["


def test_where_all_are_answered_a_new_one_is_told_to_come_later(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = counted(monkeypatch, "data_received")
    with contextlib.ExitStack() as held:
        for _ in range(50):
            held.enter_context(connect(port)).sendall(BEGUN)
        until(lambda: len(begun) == 50)
        with connect(port) as late:
            late.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = said(late)
        assert b" 503 " in answer and b"Retry-After" in answer and json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    until(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200)


def test_one_client_cannot_have_all_requests(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "data", workers=0, requests_per_client=10)
    with served_here(settings) as server, contextlib.ExitStack() as held:
        for _ in range(20):
            one = held.enter_context(connect(int(server.rpartition(":")[2])))
            one.sendall(BEGUN)
        assert b" 429 " in said(one)
        with client_at(server, "127.0.0.2") as other:
            assert other.get("/healthz").status_code == 200


def test_a_client_that_never_reads_is_closed(hasty: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before, lost, most = memory(), counted(monkeypatch, "connection_lost"), 0
    with contextlib.ExitStack() as held:
        deaf = [held.enter_context(connect(hasty)) for _ in range(20)]
        for one in deaf:
            one.sendall(b"GET /static/ort/ort.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def closed() -> bool:
            nonlocal most
            most = max(most, memory())
            return len(lost) == 20

        until(closed)
        assert most - before < 60 << 20  # the file has 13 MB, and is unpacked once
        assert len(said(deaf[0])) < 12 << 20


def test_what_is_read_comes_whole(port: int) -> None:
    whole = httpx.get(f"http://127.0.0.1:{port}/static/ort/ort.wasm", timeout=60)
    assert whole.content == engine_file("ort.wasm")


def test_a_body_without_a_length_is_counted(port: int) -> None:
    """Chunked: one that is too large, and one that never ends."""
    for path in (b"/api/jobs", b"/api/uploads"):
        with connect(port) as endless:
            endless.sendall(b"POST %b HTTP/1.1\r\nHost: localhost\r\nX-Qingzhou: 1\r\n" % path)
            endless.sendall(b"Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                endless.sendall((b"10000\r\n" + bytes(1 << 16) + b"\r\n") * 40)
            assert said(endless).split()[1] in (b"413", b"422")


CROWD, ADDRESSES = 10_000, 10


@pytest.fixture
def room(request: pytest.FixtureRequest) -> None:
    """For so many open sockets in this process."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CROWD + 500:
        pytest.skip(f"this system allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (CROWD + 500, hard))
    request.addfinalizer(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))


def crowd(port: int, held: contextlib.ExitStack) -> Iterator[int]:
    """Open them from ten addresses; half of them say nothing, half begin a request and do not end it."""
    for number in range(CROWD):
        one = held.enter_context(socket.socket())
        one.bind((f"127.0.1.{number % ADDRESSES + 1}", 0))
        one.settimeout(10)
        one.connect(("127.0.0.1", port))
        if number % 2:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        yield number


def answered(client: httpx.Client) -> bool:
    """Whether a request on a connection of its own is answered; the client gives up some time."""
    return client.get("/healthz", headers={"Connection": "close"}).status_code == 200


@pytest.mark.web
@pytest.mark.usefixtures("room")
def test_ten_thousand_connections(tmp_path: Path) -> None:
    """A server as it is started by default: it answers, does a job, keeps its memory, and is rid of them in the end."""
    with serving(tmp_path / "data", "--workers", "1") as (client, server), contextlib.ExitStack() as held:
        upload(client)
        before = memory(server.process.pid)
        assert all(answered(client) for number in crowd(int(client.base_url.port or 0), held) if number % 500 == 499)
        job = order(client, upload(client).json()["upload"]).json()["job"]
        assert finished(client, job)["state"] == "done"
        assert answered(client)
        assert memory(server.process.pid) - before < 100 << 20
        end = time.monotonic() + 60
        while (count := len(os.listdir(f"/proc/{server.process.pid}/fd"))) > 100 and time.monotonic() < end:
            time.sleep(0.5)
        assert count <= 100, count


def test_a_request_that_comes_before_the_last_answer_is_over_is_answered(port: int) -> None:
    """Its body is not taken for the rest of the one before: an upload right after a download."""
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pth"\r\n\r\nabc\r\n--x--\r\n'
    head = b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nX-Qingzhou: 1\r\nConnection: close\r\n"
    head += b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with connect(port) as one:
        one.sendall(b"GET /static/ort/ort.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n" + head + body[:20])
        whole = len(engine_file("ort.wasm"))
        found = b""
        one.settimeout(60)
        while len(found.partition(b"\r\n\r\n")[2]) < whole:
            piece = one.recv(1 << 20)
            assert piece, "closed before the answer was whole"
            found += piece
        one.sendall(body[20:])
        answer = found.partition(b"\r\n\r\n")[2][whole:] + said(one)
    assert answer.startswith(b"HTTP/1.1 201") and b"upload" in answer


@pytest.mark.skipif(os.name != "posix", reason="limits of open files are set there")
@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [(1 << 20, 1 << 20, 2000), (256, 1 << 20, 2000), (1024, 1024, 512), (2500, 2500, 1500), (-1, -1, 2000)],
)
def test_room_for_connections(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, expected: int) -> None:
    """What the settings say, and less where the system allows fewer open files; never more."""
    import resource

    limits = tuple(resource.RLIM_INFINITY if limit < 0 else limit for limit in (soft, hard))
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda which, wanted: None)
    assert room_for(2000) == expected
