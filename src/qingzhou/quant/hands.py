"""How many inputs a network is asked for at the same time, and how little memory that leaves behind."""

from __future__ import annotations

import ctypes
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple, TypeVar

from ..runtime.engine.session import threads_allowed

Item = TypeVar("Item")
Found = TypeVar("Found")

LIGHT = 4_000_000  # bytes of an input: of such a network's activations several have room at once
MOST_AT_ONCE = 4


class Hands(NamedTuple):
    """How many inputs at once, and by how many threads each; 0 for as many as the engine likes."""

    at_once: int
    threads: int


def hands(size: int) -> Hands:
    """For inputs of so many bytes. Of light ones each thread takes one, so that none waits for the others at the end of
    every layer; of others all threads take the same, or memory would be full.
    """
    allowed = threads_allowed()
    if size > LIGHT:
        return Hands(1, allowed)
    return Hands(min(allowed or os.cpu_count() or 1, MOST_AT_ONCE), 1)


def in_order(count: int, work: Callable[[Item], Found], items: Iterable[Item]) -> Iterator[Found]:
    """What work(item) gives, in the order of the items; so many are worked on at a time, and no more are drawn."""
    with ThreadPoolExecutor(count) as pool:
        waiting: deque[Future[Found]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def give_back() -> None:
    """Hand memory that is free to the system. What is needed to open a model, and is free afterwards, is several times
    its size, and glibc keeps it; others do not. A confined job of the web page may not ask for it.
    """
    with suppress(OSError):
        if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
            ctypes.CDLL(None).malloc_trim(0)
