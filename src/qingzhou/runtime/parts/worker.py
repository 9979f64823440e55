"""Slow things in threads of their own, so that they never hold up the camera."""

from __future__ import annotations

import collections
import threading
import time
from typing import Callable, Deque, Dict

from ..errors import QingzhouError
from .optional import tell

Job = Callable[[], None]
ROOM = 3  # jobs that may wait; of a voice that is behind, nobody wants to hear more
_told: Dict[str, bool] = {}


class Worker:
    """Does its jobs one after another; where more than ROOM wait, the oldest is dropped."""

    def __init__(self, name: str) -> None:
        self._jobs: Deque[Job] = collections.deque(maxlen=ROOM)
        self._more = threading.Condition()
        self._busy = False
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def put(self, job: Job) -> None:
        """Leaves a job to be done, at once."""
        with self._more:
            self._jobs.append(job)
            self._more.notify_all()

    def finish(self, seconds: float) -> None:
        """Waits until all is done, but no longer than so many seconds."""
        end = time.monotonic() + seconds
        with self._more:
            while (self._jobs or self._busy) and time.monotonic() < end:
                self._more.wait(0.05)

    def _run(self) -> None:
        while True:
            with self._more:
                while not self._jobs:
                    self._more.wait()
                job = self._jobs.popleft()
                self._busy = True
            attempt(job)
            with self._more:
                self._busy = False
                self._more.notify_all()


def attempt(job: Job) -> None:
    """Does it; what goes wrong is said once, and the program goes on."""
    try:
        job()
    except QingzhouError as err:
        tell_once(err.en, err.zh)
    except Exception as err:  # a driver's own error must not end a camera program
        tell_once(
            "This did not work: %s: %s" % (type(err).__name__, err), "没有成功：%s：%s" % (type(err).__name__, err)
        )


def tell_once(en: str, zh: str) -> None:
    """A line for the person at the board, but not thirty times a second."""
    if en not in _told:
        _told[en] = True
        tell(en, zh)
