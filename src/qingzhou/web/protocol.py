"""Connections that send nothing, or headers without end, are closed; so are those beyond what the server holds."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_WITHIN = 15.0  # seconds, from the first byte of a request or from connecting


class Guarded(H11Protocol):
    """uvicorn's own, with a clock and a limit. `most` is set by serve()."""

    most = 2000
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock, or refuse."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
            return
        self._wind()

    def data_received(self, data: bytes) -> None:
        """Stop the clock when a request's headers are complete."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._clock is None:
                self._wind()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._stop()
        super().connection_lost(exc)

    def _wind(self) -> None:
        self._clock = self.loop.call_later(HEADERS_WITHIN, self._late)

    def _late(self) -> None:
        """Nothing came, or too little; a request that is being answered is never cut off."""
        self._clock = None
        if self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete):
            self.transport.abort()

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
