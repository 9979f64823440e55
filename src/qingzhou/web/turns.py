"""Who may go on, of clients who want the same: so many at once, each client's first before anybody's second.

A client is an address, so a class behind one router is one: alone it may have half of everything, and beyond that its
share. Who waits for a turn holds no thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

from .problems import Problem

Result = TypeVar("Result")
Given = ParamSpec("Given")


def admit(own: int, all: int, share: int, most: int) -> None:
    """Let one more in: anybody's while half is free, then only of who has less than a share; Problem."""
    if all >= most:
        raise Problem("busy")
    if own >= share and all >= most // 2:
        raise Problem("too_many")


class Turns:
    """Of so many slots, at most `each` of them one client's; for one event loop."""

    def __init__(self, slots: int, each: int = 0) -> None:
        self._free, self._each, self._count = slots, each or slots, itertools.count(1)
        self._held: Counter[str] = Counter()
        self._last: dict[str, int] = {}  # when those were called who are here, counted
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    async def run(self, client: str, work: Callable[Given, Result], *args: Given.args, **named: Given.kwargs) -> Result:
        """Do this in a thread when it is this client's turn."""
        async with self.turn(client):
            return await run_in_threadpool(work, *args, **named)

    @contextlib.asynccontextmanager
    async def turn(self, client: str, patience: float | None = None) -> AsyncIterator[None]:
        """While it is this client's turn; Problem if it does not come in so many seconds."""
        await self._come(client, patience)
        try:
            yield
        finally:
            self._leave(client)

    async def _come(self, client: str, patience: float | None) -> None:
        place = client, asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._call()
        try:
            await asyncio.wait({place[1]}, timeout=patience)
        except asyncio.CancelledError:
            self._give_up(place)
            raise
        if not place[1].done():
            self._give_up(place)
            raise Problem("busy")

    def _give_up(self, place: tuple[str, asyncio.Future[None]]) -> None:
        if place in self._waiting:
            self._waiting.remove(place)
            self._forget(place[0])
        else:
            self._leave(place[0])

    def _leave(self, client: str) -> None:
        self._free += 1
        self._held[client] -= 1
        self._call()
        self._forget(client)

    def _forget(self, client: str) -> None:
        """Who is not here any more."""
        if not self._held[client] and all(client != other for other, _ in self._waiting):
            self._held.pop(client, None)
            self._last.pop(client, None)

    def _call(self) -> None:
        """Those who are next: of the clients who hold fewest the one whose last turn is longest ago."""
        while self._free and (able := [one for one in self._waiting if self._held[one[0]] < self._each]):
            place = min(able, key=lambda one: (self._held[one[0]], self._last.get(one[0], 0)))
            self._waiting.remove(place)
            self._free -= 1
            self._held[place[0]] += 1
            self._last[place[0]] = next(self._count)
            place[1].set_result(None)
