"""Slow, silent, endless and too many connections, over real sockets; meanwhile the others are served."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from clients import served_here

from qingzhou.web import protocol
from qingzhou.web.settings import Settings


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server with little patience, and room for 50 connections."""
    monkeypatch.setattr(protocol, "HEADERS_WITHIN", 1.0)
    monkeypatch.setattr(protocol.Guarded, "most", 50)
    settings = Settings(tmp_path / "data", workers=0, idle=1.0, max_size=1 << 20)
    with served_here(settings) as address:
        yield int(address.rpartition(":")[2])


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


def test_silence_and_endless_headers_are_closed(port: int) -> None:
    with connect(port) as silent, connect(port) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        assert said(silent) == said(endless) == b""


def test_a_slow_upload_is_given_up(port: int) -> None:
    head = b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nX-Qingzhou: 1\r\nContent-Length: 1000000\r\n"
    with connect(port) as slow:
        slow.sendall(head + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n")
        assert b" 408 " in said(slow)


HEADS = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00" * 20 + b"\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_tricks_with_headers(port: int, head: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(head)
        answer = said(connection)
    assert not answer or answer.split()[1][:1] == b"4"


def test_too_many_connections_leave_the_server_to_others(port: int) -> None:
    held = [connect(port) for _ in range(300)]
    time.sleep(2.5)
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    for connection in held:
        connection.close()
