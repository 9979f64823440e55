"""Kill what can be killed, at random moments, with and without Redis: nothing accepted is lost, nothing comes twice.

QINGZHOU_FAULTS says how many kills; a few by default.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from clients import DIGITS, Running, client_at, finished, free_port, jobs_running, order, serving, until_up, upload

from qingzhou.convert import run_conversion
from qingzhou.web.records import Record
from qingzhou.web.records_redis import RedisRecords

pytestmark = [pytest.mark.web, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
KILLS = int(os.environ.get("QINGZHOU_FAULTS", "4"))


@pytest.fixture
def expected(tmp_path: Path) -> bytes:
    """The model that everybody should get."""
    (tmp_path / "best.pth").write_bytes(DIGITS.read_bytes())
    return run_conversion(tmp_path / "best.pth", tmp_path / "best.onnx").model.path.read_bytes()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Running]:
    """A real one that writes down what it is told before it answers."""
    assert shutil.which("redis-server"), "apt install redis-server"
    port = str(free_port())

    class Redis(Running):
        def start(self) -> None:
            self.url = f"redis://127.0.0.1:{port}/0"
            argv = ["redis-server", "--port", port, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                    "--dir", str(tmp_path)]  # fmt: skip
            self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
            end = time.monotonic() + 20
            while time.monotonic() < end:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), 1):
                    return
                time.sleep(0.1)

    server = Redis(folder=tmp_path, log=tmp_path / "redis.log")
    yield server
    server.stop()


def uploaded(client: httpx.Client, number: int) -> str:
    """A model; from another address now and then, since each client may keep so many."""
    with client_at(str(client.base_url), f"127.0.2.{number // 20 + 1}") as pupil:
        return str(upload(pupil).json()["upload"])


def models(client: httpx.Client, jobs: list[str]) -> list[bytes]:
    """What each job has made, in the end."""
    found = []
    for job in jobs:
        told = finished(client, job, 150)
        assert told["state"] == "done", told["error"]
        (entry,) = (entry for entry in told["result"]["files"] if entry["name"] == "best.onnx")
        found.append(client.get(entry["url"]).content)
    return found


def attempts(log: Path, state: str = "done") -> Counter[str]:
    """How often each job ended so, by the logs."""
    import json

    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{")]
    return Counter(line["job"] for line in lines if line["event"] == "job ended" and line["state"] == state)


def test_it_starts_quickly_and_leaves_nothing_running(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (client, server):
        model = upload(client).json()["upload"]
        order(client, model)
        end = time.monotonic() + 30
        while not jobs_running(tmp_path / "data") and time.monotonic() < end:
            time.sleep(0.02)
        server.kill()
        time.sleep(1.0)
        assert not jobs_running(tmp_path / "data")
        server.start()
        until_up(client)


def test_a_killed_job_says_so_and_takes_nothing_with_it(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (client, _):
        model = upload(client).json()["upload"]
        job = order(client, model).json()["job"]
        end = time.monotonic() + 30
        while not (found := jobs_running(tmp_path / "data")) and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(found[0], signal.SIGKILL)
        told = finished(client, job)
        assert told["state"] == "failed" and told["error"]["code"] == "killed"
        assert finished(client, order(client, model).json()["job"])["state"] == "done"


def test_the_server_is_killed_again_and_again(tmp_path: Path, expected: bytes) -> None:
    """Each job runs once more after a kill that met it; no job is met twice here, since each round waits."""
    chance = random.Random(7)
    with serving(tmp_path / "data", "--workers", "2") as (client, server):
        for number in range(KILLS):
            model = uploaded(client, number)
            jobs = [order(client, model).json()["job"] for _ in range(2)]
            time.sleep(chance.uniform(0, 2.5))
            server.kill()
            server.start()
            until_up(client)
            assert models(client, jobs) == [expected] * 2
    assert set(attempts(tmp_path / "server.log").values()) <= {1}
    assert not jobs_running(tmp_path / "data")


def test_workers_and_redis_are_killed(tmp_path: Path, expected: bytes, redis: Running) -> None:
    chance = random.Random(11)
    store = (tmp_path / "files").as_uri()
    there = ("--queue", redis.url, "--store", store)  # type: ignore[attr-defined]
    workers = [Running("worker", *there, "--workers", "1", folder=tmp_path / f"w{n}", log=tmp_path / f"w{n}.log")
               for n in range(2)]  # fmt: skip
    try:
        with serving(tmp_path / "data", *there, "--workers", "0") as (client, _):
            for number in range(KILLS):
                model = uploaded(client, number)
                jobs = [order(client, model).json()["job"] for _ in range(2)]
                time.sleep(chance.uniform(0, 2.5))
                victim = redis if number % 4 == 3 else workers[number % 2]
                victim.kill()
                victim.start()
                assert eventually(client, jobs) == [expected] * 2
    finally:
        for worker in workers:
            worker.stop()
    ended = attempts(tmp_path / "w0.log") + attempts(tmp_path / "w1.log")
    assert ended and set(ended.values()) == {1}


def test_two_who_look_for_the_dead_count_one_death(redis: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first has put the job back between the other's list of names and its look at each."""
    records = RedisRecords(redis.url)  # type: ignore[attr-defined]
    job = Record("job", "j", "running", "c", 1.0, 9e9, {"lease": 0.0})
    records.add(job)
    look = RedisRecords._all

    def late(self: RedisRecords, kind: str, ids: list[str]) -> list[Record]:
        assert ids == ["j"] and self.swap(job, replace(job, state="queued"))
        return look(self, kind, ids)

    monkeypatch.setattr(RedisRecords, "_all", late)
    assert records.listed("job", "running") == []


def eventually(client: httpx.Client, jobs: list[str]) -> list[bytes]:
    """models(), through the moments in which Redis is away."""
    end = time.monotonic() + 150
    while True:
        try:
            return models(client, jobs)
        except (httpx.HTTPError, KeyError):  # KeyError: an answer that is an error
            assert time.monotonic() < end
            time.sleep(0.5)
