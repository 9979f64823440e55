"""Connections: those that send nothing, headers without end or never read their answer are closed.

When there are as many as the server holds, a new one takes the place of the one that has waited longest without a
request: so a crowd of idle ones keeps nobody out. Only where all are being answered a new one is told to come later.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .problems import Problem, body

HEADERS_WITHIN = 15.0  # seconds, from the first byte of a request or from connecting
READ_WITHIN = 30.0  # seconds in which a client takes what is waiting for it, at most some 300 KB
REST_WITHIN = 5.0  # seconds in which a client may go on sending what was answered already: many read only afterwards
LAST_WORD = 1.0  # seconds for the refusal to arrive


class Guarded(H11Protocol):
    """uvicorn's own, with clocks and a limit: see limited()."""

    most: ClassVar[int]
    idle: ClassVar[OrderedDict[Guarded, None]]  # those without a request, the longest first
    _refused = False
    _clock: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock, and make room; or refuse."""
        super().connection_made(transport)
        if len(self.connections) > self.most and not self._make_room():
            self._come_later()
            return
        self._wind()

    def data_received(self, data: bytes) -> None:
        """Stop the clock when a request's headers are complete."""
        if self._refused:
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._clock is None:
                self._wind()
        else:
            self._stop()

    def on_response_complete(self) -> None:
        """uvicorn's clock is set for the next request; until then this one is idle. Where the answer came before the
        end of the body, the rest is thrown away, and not for long.
        """
        unfinished = (
            self.conn.their_state is h11.SEND_BODY
        )  # asked now: uvicorn goes on to a request that waits already
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if unfinished:
            self._part(REST_WITHIN)
        elif self.conn.their_state is h11.IDLE:
            self.idle[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._stop()
        self.resume_writing()
        super().connection_lost(exc)

    # -- clients that send nothing ----------------------------------------------------------------------------------

    def _wind(self) -> None:
        self.idle[self] = None
        self._clock = self.loop.call_later(HEADERS_WITHIN, self._late)

    def _late(self) -> None:
        """Nothing came, or too little; a request that is being answered is never cut off."""
        self._clock = None
        if self._waits():
            self.transport.abort()

    def _waits(self) -> bool:
        return self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete)

    def _stop(self) -> None:
        self.idle.pop(self, None)
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    # -- clients that read nothing ----------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """More is waiting for this client than it takes."""
        super().pause_writing()
        if self._reading is None:
            self._reading = self.loop.call_later(READ_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken it."""
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    # -- too many ---------------------------------------------------------------------------------------------------

    def _make_room(self) -> bool:
        """Close the connection that has been idle for longest."""
        while self.idle:
            longest, _ = self.idle.popitem(last=False)
            if longest._waits():
                longest.transport.abort()
                return True
        return False

    def _come_later(self) -> None:
        said = json.dumps(body(Problem("busy").as_dict()), ensure_ascii=False).encode()
        head = (
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nRetry-After: 20\r\n"
        )
        self.transport.write(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        self._part(LAST_WORD)

    def _part(self, seconds: float) -> None:
        """Nothing more is said, and what comes is thrown away: to close it at once could take the words back."""
        self._refused = True
        self.transport.write_eof()
        self.loop.call_later(seconds, self.transport.abort)


def limited(most: int) -> type[Guarded]:
    """For one server, with at most so many connections at once."""
    return type("Limited", (Guarded,), {"most": most, "idle": OrderedDict()})
