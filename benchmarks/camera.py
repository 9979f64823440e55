"""How old the pictures are that a slow network sees: our camera against a loop that reads and thinks in turns.

    python benchmarks/camera.py

A pretended driver, as V4L2's: 30 pictures a second into a queue of four; while that is full, new ones are thrown away.
The network is a pause. Both run in turn, in one process.
"""

from __future__ import annotations

import collections
import collections.abc
import statistics
import threading
import time

from qingzhou.runtime import camera
from qingzhou.runtime.parts.sources import Source

RATE, QUEUE, SECONDS = 30, 4, 8.0


class Driver(Source):
    """Gives the times at which its pictures were taken."""

    name = "pretended"

    def __init__(self) -> None:
        self.queue: collections.deque[float] = collections.deque()
        self.more = threading.Condition()
        self.taken, self.on = 0, True
        threading.Thread(target=self._expose, daemon=True).start()

    def _expose(self) -> None:
        due = time.monotonic()
        while self.on:
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            with self.more:
                if len(self.queue) < QUEUE:
                    self.queue.append(time.monotonic())
                self.more.notify()

    def read(self) -> float:
        with self.more:
            while not self.queue:
                self.more.wait()
            self.taken += 1
            return self.queue.popleft()

    def picture(self, frame: float) -> float:  # type: ignore[override]
        return frame

    def close(self) -> None:
        self.on = False


def in_turns(network: float) -> tuple[float, float, float]:
    """Pictures looked at a second, their age in ms, pictures taken from the driver a second."""
    driver = Driver()
    ages = looked(driver.read, network)
    driver.close()
    return len(ages) / SECONDS, 1000 * statistics.median(ages), driver.taken / SECONDS


def ours(network: float) -> tuple[float, float, float]:
    driver = Driver()
    camera.open_source = lambda *_: driver  # type: ignore[assignment]
    with camera.Camera() as newest:
        ages = looked(newest.read, network)  # type: ignore[arg-type]
    return len(ages) / SECONDS, 1000 * statistics.median(ages), driver.taken / SECONDS


def looked(read: collections.abc.Callable[[], float], network: float) -> list[float]:
    """The age of every picture at the moment the network gets it, in seconds."""
    ages, end = [], time.monotonic() + SECONDS
    while time.monotonic() < end:
        taken = read()
        ages.append(time.monotonic() - taken)
        time.sleep(network)
    return ages


if __name__ == "__main__":
    for network in (0.06, 0.12, 0.25):
        for name, way in (("in turns", in_turns), ("Camera", ours)):
            rate, age, taken = way(network)
            print(
                f"network {1000 * network:3.0f} ms  {name:8}  looks at {rate:4.1f}/s, {age:4.0f} ms old; "
                f"takes {taken:4.1f} of {RATE}/s from the camera"
            )
