"""A server with its workers, of which any process may be killed, and pupils who use it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from clients import DIGITS, Running, client_at, jobs_running, order, upload

KILLS = int(os.environ.get("QINGZHOU_FAULTS", "6"))
SEED = int(os.environ.get("QINGZHOU_FAULTS_SEED") or random.SystemRandom().randrange(10**6))
WEIGHTS, MODELS, JOBS = "archive/data/94548439755744", 4, 3  # the last layer's biases; of them; in a round


# -- models that differ -----------------------------------------------------------------------------------------------


def variant(number: int) -> bytes:
    """The digits with another bias each, so that a model that is another's is seen."""
    import io

    made = io.BytesIO()
    with zipfile.ZipFile(DIGITS) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry, bytes([number]) + data[1:] if entry.filename == WEIGHTS else data)
    return made.getvalue()


# -- processes --------------------------------------------------------------------------------------------------------


def children() -> dict[int, list[tuple[int, str]]]:
    """The processes below each, with their states."""
    found: dict[int, list[tuple[int, str]]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            found.setdefault(int(parent), []).append((int(path.parent.name), state))
    return found


def forks(of: Running) -> list[int]:
    """The fork servers of a server or worker."""
    return [pid for pid, state in children().get(of.process.pid, []) if state != "Z"]


# -- a class, while things die ----------------------------------------------------------------------------------------


@dataclass
class Accepted:
    """A job whose number somebody was told, and what it should make."""

    job: str
    number: int
    round: int


@dataclass
class House:
    """All that runs, and what is killed of it. victims: their names; folders: of who runs jobs"""

    url: str
    running: dict[str, Running]
    folders: list[Path]
    chance: random.Random

    def victims(self) -> Iterator[str]:
        """Everything once in a random order, then again."""
        names = [*self.running, "job", "fork server"]
        while True:
            yield from self.chance.sample(names, len(names))

    def kill(self, name: str) -> None:
        """At a random moment of the round, more often than not while a job runs."""
        if name == "job":
            self._kill_one(self.chance.choice([self._jobs, self._conversions]), 0.1)
        elif name == "fork server":
            self._kill_one(lambda: [pid for each in self.running.values() for pid in forks(each)], 1.0)
        else:
            if self.chance.random() < 0.3:
                time.sleep(self.chance.uniform(0, 1.5))
            else:
                self._soon(self._jobs, 0.2)
            self.running[name].kill()
            self.running[name].start()

    def _jobs(self) -> list[int]:
        return [pid for folder in self.folders for pid in jobs_running(folder)]

    def _conversions(self) -> list[int]:
        """Without the looks at uploads."""
        return [pid for pid in self._jobs() if Path(f"/proc/{pid}/cwd/in").is_dir()]

    def _soon(self, find: Callable[[], list[int]], later: float) -> list[int]:
        """Those that are there a little later than the first of them."""
        wait, end = self.chance.uniform(0, later), time.monotonic() + 10
        while time.monotonic() < end:
            if find():
                time.sleep(wait)
                return find()
            time.sleep(0.002)
        return []

    def _kill_one(self, find: Callable[[], list[int]], later: float) -> None:
        for _ in range(20):
            if found := self._soon(find, later):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.chance.choice(found), signal.SIGKILL)
                    return
            later /= 2  # it had ended


def through(do: Callable[[], httpx.Response], status: int, seconds: float = 60) -> dict[str, Any]:
    """The answer, asked for again and again as a page does while the server or Redis is away."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx.HTTPError):
            answer = do()
            if answer.status_code == status:
                return dict(answer.json())
            assert answer.status_code >= 500, answer.text
        assert time.monotonic() < end
        time.sleep(0.1)


def pupil(house: House, number: int, address: str, data: bytes, found: list[Accepted], turn: int) -> None:
    """Uploads and orders, until the order is accepted."""
    time.sleep(random.uniform(0, 0.5))
    with client_at(house.url, address) as client:

        def looked_at() -> httpx.Response:
            answer: httpx.Response = upload(client, data)
            if answer.status_code == 201 and answer.json()["error"]:
                assert answer.json()["error"]["code"] == "killed"  # as its look was: that is said
                return httpx.Response(500)
            return answer

        model = through(looked_at, 201)["upload"]
        found.append(Accepted(through(lambda: order(client, model), 201)["job"], number, turn))


def ended(house: House, one: Accepted) -> dict[str, Any]:
    """What is told of a job in the end."""
    with httpx.Client(base_url=house.url, timeout=30) as client:
        end = time.monotonic() + 120
        while True:
            told = through(lambda: client.get(f"/api/jobs/{one.job}"), 200)
            if told["state"] in ("done", "failed"):
                return told
            assert time.monotonic() < end, f"a lost job: {told}"
            time.sleep(0.2)


def model_of(house: House, told: dict[str, Any]) -> bytes:
    """The file that is delivered."""
    (entry,) = (entry for entry in told["result"]["files"] if entry["name"] == "best.onnx")
    with httpx.Client(base_url=house.url, timeout=30) as client:
        answer = client.get(entry["url"])
        assert answer.status_code == 200 and len(answer.content) == entry["size"]
        return answer.content


def attempts(*logs: Path) -> Counter[str]:
    """How often each job ended, by the logs."""
    lines = [json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines() if line.startswith("{")]
    return Counter(line["job"] for line in lines if line["event"] == "job ended")
