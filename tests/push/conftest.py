"""A board at the other end of SSH: a server here, with keys and a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bundles import write_bundle
from pushes import USER
from server import Server, start

from qingzhou.bundle.ssh import Board, Login, Target


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "board").mkdir()
    running = start(tmp_path / "board")
    yield running
    running.stop()


@pytest.fixture
def login(server: Server, tmp_path: Path) -> Login:
    return Login(key=server.key, accept=server.fingerprint, known_hosts=tmp_path / "ssh" / "known_hosts")


@pytest.fixture
def board(server: Server, login: Login) -> Iterator[Board]:
    with Board(Target(USER, "127.0.0.1", server.port), login) as one:
        yield one


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "cats 猫")
