"""One client never stops the others: turns at looks, at threads, and a share of whatever is limited."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from clients import client_at, served_here, upload

from qingzhou.web import looks, reports, sandbox
from qingzhou.web.problems import Problem
from qingzhou.web.settings import Settings
from qingzhou.web.turns import Turns, admit

OWN_ADDRESSES = pytest.mark.skipif(sys.platform != "linux", reason="clients have addresses of their own")
PICKLE = b"\x80\x02]."

SHARES = [  # of its own, of all, share, most -> what is said
    (0, 0, 4, 128, ""),
    (63, 63, 4, 128, ""),
    (64, 64, 4, 128, "too_many"),
    (3, 64, 4, 128, ""),
    (4, 64, 4, 128, "too_many"),
    (0, 127, 4, 128, ""),
    (0, 128, 4, 128, "busy"),
    (0, 0, 1, 1, ""),
    (1, 1, 1, 1, "busy"),
]


@pytest.mark.parametrize(("own", "all", "share", "most", "said"), SHARES)
def test_half_is_anybodys_and_then_each_has_a_share(own: int, all: int, share: int, most: int, said: str) -> None:
    """So a class behind one router has room, and whoever takes all leaves half."""
    try:
        admit(own, all, share, most)
        found = ""
    except Problem as err:
        found = err.code
    assert found == said


ORDERS = [  # slots, at most of one client, those who come at once, the order in which they are called
    (1, 0, "a1 a2 a3 b1 b2", "a1 b1 a2 b2 a3"),
    (2, 0, "a1 a2 a3 a4 b1 c1", "a1 a2 b1 c1 a3 a4"),
    (2, 1, "a1 a2 a3 b1", "a1 b1 a2 a3"),
    (4, 2, "a1 a2 a3 b1 a4 b2", "a1 a2 b1 b2 a3 a4"),
]


@pytest.mark.parametrize(("slots", "each", "come", "called"), ORDERS)
def test_each_clients_first_comes_before_anybodys_second(slots: int, each: int, come: str, called: str) -> None:
    """Whoever is called goes on; the first to have come leaves first."""

    async def lesson() -> list[str]:
        turns, seen, running, goes = Turns(slots, each), [], [], {name: asyncio.Event() for name in come.split()}

        async def one(name: str) -> None:
            async with turns.turn(name[0]):
                seen.append(name)
                running.append(name)
                await goes[name].wait()

        tasks = [asyncio.ensure_future(one(name)) for name in goes]
        for _ in tasks:
            await _settled()
            goes[running.pop(0)].set()
        await asyncio.gather(*tasks)
        return seen

    assert asyncio.run(lesson()) == called.split()


async def _settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("how", ["no patience", "cancelled", "cancelled as it is called"])
def test_who_gives_up_takes_no_turn_away(how: str) -> None:
    async def lesson() -> bool:
        turns = Turns(1)
        async with turns.turn("a"):
            if how == "no patience":
                with pytest.raises(Problem, match="busy"):
                    async with turns.turn("b", 0.0):
                        pass
                gone = None
            else:
                gone = asyncio.ensure_future(turns.turn("b").__aenter__())
                await _settled()
                if how == "cancelled":
                    gone.cancel()
        if gone:
            gone.cancel()
            await asyncio.wait({gone})
        async with turns.turn("c", 1.0):
            return True

    assert asyncio.run(lesson())


class Hostile:
    """In place of looks: those at files of this name never end by themselves, only with their time."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Semaphore(0), threading.Event()
        self.cut = 0

    def run(self, order: Any, folder: Path, limits: Any, seconds: float, beat: Callable[..., bool]) -> dict[str, Any]:
        if not Path(order["model"]).name.startswith("hostile"):
            return {"result": {"network": "honest"}}
        if seconds < limits.info:
            self.cut += 1
        else:
            self.begun.release()
            self.end.wait(60)
        return {"error": Problem("timed_out").as_dict()}


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    found = Hostile()
    monkeypatch.setattr(sandbox, "run", found.run)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    yield found
    found.end.set()


@contextlib.contextmanager
def attacked(server: str, clients: list[str]) -> Iterator[list[Future[httpx.Response]]]:
    """One hostile upload of each."""
    with ThreadPoolExecutor(len(clients)) as crowd:
        yield [crowd.submit(upload, client_at(server, client), PICKLE, "hostile.pth") for client in clients]


@OWN_ADDRESSES
@pytest.mark.parametrize("crowd", [["127.0.0.2"] * 4, [f"127.0.0.{n}" for n in range(2, 6)]], ids=["one", "four"])
@pytest.mark.parametrize("honest", ["127.0.0.2", "127.0.0.9"], ids=["the same address", "another"])
def test_looks_that_never_end_stop_nobody(hostile: Hostile, crowd: list[str], honest: str, tmp_path: Path) -> None:
    """While four of them are on, an honest file is looked at; they end with an error."""
    settings = Settings(tmp_path / "data", workers=0, least_free=0)
    with served_here(settings) as server, attacked(server, crowd) as attacks:
        assert hostile.begun.acquire(timeout=20)
        with httpx.Client(timeout=5.0, base_url=server, transport=client_at(server, honest)._transport) as client:
            told = upload(client, PICKLE)
        assert told.status_code == 201 and told.json()["info"] == {"network": "honest"}
        assert not any(attack.done() for attack in attacks)
        hostile.end.set()
        ends = [attack.result() for attack in attacks]
    assert {end.status_code for end in ends} == {201}
    assert {end.json()["error"]["code"] for end in ends} == {"timed_out"} and hostile.cut == 4


def test_whoever_waits_too_long_is_told_to_come_again(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path / "data", workers=0, least_free=0)
    with served_here(settings) as server, attacked(server, ["127.0.0.1"]) as attacks:
        assert hostile.begun.acquire(timeout=20)
        monkeypatch.setattr(looks, "PATIENCE", 0.05)
        late = upload(client_at(server, "127.0.0.1"), PICKLE, "hostile.pth")
        assert late.status_code == 503 and late.json()["error"]["code"] == "busy" and late.headers["retry-after"]
        hostile.end.set()
        assert attacks[0].result().status_code == 201


@OWN_ADDRESSES
def test_requests_that_take_long_leave_threads_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty of one client, more than there are threads."""
    begun, end = threading.Semaphore(0), threading.Event()

    def merged(jobs: Any) -> dict[str, Any]:
        begun.release()
        end.wait(60)
        return {}

    monkeypatch.setattr(reports, "merged", merged)
    with served_here(Settings(tmp_path / "data", workers=0)) as server, ThreadPoolExecutor(60) as crowd:
        slow = [crowd.submit(client_at(server, "127.0.0.2").get, "/api/reports") for _ in range(60)]
        try:
            assert begun.acquire(timeout=20)
            for honest in ("127.0.0.2", "127.0.0.9"):
                with httpx.Client(
                    timeout=5.0, base_url=server, transport=client_at(server, honest)._transport
                ) as client:
                    assert client.get("/healthz").status_code == 200
        finally:
            end.set()
        assert {one.result().status_code for one in slow} == {200}


def test_a_class_behind_one_router_uploads_at_once(hostile: Hostile, tmp_path: Path) -> None:
    """Thirty-nine of an address are on their way; the fortieth is taken as well."""
    head = (
        b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nX-Qingzhou: 1\r\nContent-Length: 1000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    )
    settings = Settings(tmp_path / "data", workers=0, least_free=0)
    with served_here(settings) as server, contextlib.ExitStack() as held:
        for _ in range(39):
            one = held.enter_context(socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2])), 10))
            one.sendall(head)
        with httpx.Client(base_url=server) as client:
            assert client.get("/healthz").status_code == 200
            assert upload(client, PICKLE).status_code == 201
