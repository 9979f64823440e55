"""Which worker is told of which job: Huey, in SQLite or Redis. A message is a hint; the record is the truth.

So a message that is lost costs a moment (jobs.tend() sends it again) and one that comes twice costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import huey
import huey.consumer
from huey.registry import Message
from huey.serializer import Serializer

from .records import PATIENCE
from .settings import Settings


class Plain(Serializer):  # type: ignore[misc]
    """Messages as JSON: Huey's own are pickles, by which whoever reaches Redis could run code on every worker."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps([data.id, data.name, data.args[0]] if isinstance(data, Message) else data).encode()

    def _deserialize(self, data: bytes) -> Any:
        id, name, job = json.loads(data)
        return Message(id, name, None, 0, 0, None, (job,), {})


class Queue:
    """Tell of jobs with send(); run them with start()."""

    def __init__(self, settings: Settings, run: Callable[[str], None]) -> None:
        common: dict[str, Any] = {"results": False, "serializer": Plain()}
        if settings.queue:
            self._huey = huey.RedisHuey("qingzhou", url=settings.queue, **common)
        else:
            settings.folder.mkdir(parents=True, exist_ok=True)
            place = str(settings.folder / "queue.db")
            self._huey = huey.SqliteHuey("qingzhou", filename=place, fsync=True, timeout=PATIENCE, **common)
        self._task = self._huey.task(name="run")(run)
        self._consumer: Consumer | None = None

    def send(self, job: str) -> None:
        """Tell a worker of a job."""
        self._task(job)

    def length(self) -> int:
        """Messages that nobody has taken yet."""
        return int(self._huey.storage.queue_size())

    def start(self, workers: int) -> None:
        """Take messages, in so many threads."""
        self._consumer = Consumer(self._huey, workers=workers, periodic=False, initial_delay=0.05, max_delay=0.5)
        self._consumer.start()

    def mend(self) -> None:
        """Replace threads that died, of a Redis that was away say."""
        if self._consumer is not None:
            self._consumer.check_worker_health()

    def stop(self) -> None:
        """Take no more, and wait for what runs."""
        if self._consumer is not None:
            self._consumer.stop(graceful=True)


class Consumer(huey.consumer.Consumer):  # type: ignore[misc]
    """Huey's, inside a process whose signals are its own affair."""

    def _set_signal_handlers(self) -> None:
        pass
