"""Kill what can be killed, at random moments, with and without Redis: nothing accepted is lost, nothing comes twice.

QINGZHOU_FAULTS says how many kills, a few by default; QINGZHOU_FAULTS_SEED which, as a failure printed it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from clients import Running, finished, free_port, jobs_running, order, serving, until_up, upload
from house import JOBS, KILLS, MODELS, SEED, Accepted, House, attempts, children, ended, model_of, pupil, variant

from qingzhou.conversion import run_conversion
from qingzhou.web.jobs import Jobs
from qingzhou.web.record import Record
from qingzhou.web.records import open_records
from qingzhou.web.records_redis import RedisRecords
from qingzhou.web.settings import Settings
from qingzhou.web.store import Store

pytestmark = [pytest.mark.web, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, bytes]]:
    """Checkpoints, and what everybody should get for each."""
    found = []
    for number in range(MODELS):
        folder = tmp_path_factory.mktemp("model")
        (folder / "best.pth").write_bytes(variant(number))
        model = run_conversion(folder / "best.pth", folder / "best.onnx").model.path
        found.append(((folder / "best.pth").read_bytes(), model.read_bytes()))
    assert len({model for _, model in found}) == MODELS
    return found


@pytest.fixture
def orphans() -> Iterator[Callable[[], set[int]]]:
    """Processes that lost their parents meanwhile and live: they become children of this one."""
    libc, before = ctypes.CDLL(None), {pid for pid, _ in children().get(os.getpid(), [])}
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def living() -> set[int]:
        found = set()
        for pid, state in children().get(os.getpid(), []):
            if pid not in before and state == "Z":
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            elif pid not in before:
                found.add(pid)
        return found

    yield living
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Running]:
    """A real one that writes down what it is told before it answers."""
    assert shutil.which("redis-server"), "apt install redis-server"
    port = str(free_port())

    class Redis(Running):
        def start(self) -> None:
            self.url = f"redis://127.0.0.1:{port}/0"
            argv = [
                "redis-server",
                "--port",
                port,
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--save",
                "",
                "--dir",
                str(tmp_path),
            ]
            self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
            end = time.monotonic() + 20
            while time.monotonic() < end:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), 1):
                    return
                time.sleep(0.1)

    server = Redis(folder=tmp_path, log=tmp_path / "redis.log")
    yield server
    server.stop()


def storm(house: House, models: list[tuple[bytes, bytes]]) -> list[Accepted]:
    """Round after round: pupils come, something dies, and every job ends as it should."""
    accepted: list[Accepted] = []
    for turn, victim in zip(range(KILLS), house.victims(), strict=False):
        found: list[Accepted] = []
        numbers = [house.chance.randrange(MODELS) for _ in range(JOBS)]
        threads = [
            threading.Thread(
                target=pupil, args=(house, number, f"127.0.{turn // 10 + 2}.{n + 1}", models[number][0], found, turn)
            )
            for n, number in enumerate(numbers)
        ]
        for thread in threads:
            thread.start()
        house.kill(victim)
        for thread in threads:
            thread.join()
        assert len(found) == JOBS, "a pupil was turned away"
        told = [ended(house, one) for one in found]
        failed = [each["error"]["code"] for each in told if each["state"] == "failed"]
        print(f"round {turn}: {victim} killed; failed: {failed or 'none'}", flush=True)
        assert failed == [] or (failed == ["killed"] and victim == "job")
        for one, each in zip(found, told, strict=True):
            assert each["state"] == "failed" or model_of(house, each) == models[one.number][1], "another's model"
        accepted += found
    return accepted


def settle(house: House, settings: Settings, accepted: list[Accepted], logs: list[Path]) -> None:
    """After the storm, with everything still there: each job ended once, and its files are there and no others."""
    records = open_records(settings.records_place)
    end = time.monotonic() + 90  # one whose order was written down, but not answered, may wait still
    while True:
        jobs = {state: records.listed("job", state) for state in ("queued", "running", "done", "failed")}
        if not jobs["queued"] and not jobs["running"]:
            break
        assert time.monotonic() < end
        time.sleep(1.0)
    known = {job.id for job in [*jobs["done"], *jobs["failed"]]}
    assert {one.job for one in accepted} <= known and len({one.job for one in accepted}) == len(accepted)
    counted, met = attempts(*logs), sum(job.data["deaths"] for job in jobs["done"])
    print(f"{len(accepted)} jobs; {met} ran once more, {len(jobs['failed'])} were killed and said so")
    assert set(counted) <= {job[:6] for job in known} and set(counted.values()) == {1}
    files = Path(httpx.URL(settings.store_place).path)
    there = {path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()}
    right = {f"uploads/{one.id}/file" for one in records.listed("upload", "ready")}
    right |= {
        f"jobs/{job.id}/{job.data['attempt']}/{n}"
        for job in jobs["done"]
        for n in range(len(job.data["result"]["files"]))
    }
    coming = tuple(f"uploads/{one.id}/" for one in records.listed("upload", "coming"))
    assert right <= there and all(key.startswith(coming or "-") for key in there - right), there ^ right
    for folder in house.folders:
        end = time.monotonic() + 10
        while (left := list((folder / "work").iterdir())) and time.monotonic() < end:
            time.sleep(0.2)  # looked for soon after a start
        assert not left
    records.close()


def expire(settings: Settings) -> None:
    """A day later nothing is left at all."""
    records = open_records(settings.records_place)
    later = records.now() + 2 * settings.keep
    records.now = lambda: later  # type: ignore[method-assign]
    Jobs(settings, records, Store(settings.store_place), lambda job: None, lambda *_, **__: None).sweep()
    assert not [path for path in Path(httpx.URL(settings.store_place).path).rglob("*") if path.is_file()]
    records.close()


def test_everything_of_one_machine_is_killed(
    tmp_path: Path, models: list[tuple[bytes, bytes]], orphans: Callable[[], set[int]]
) -> None:
    print(f"QINGZHOU_FAULTS_SEED={SEED}")
    data, log = tmp_path / "data", tmp_path / "server.log"
    with serving(data, "--workers", "2") as (client, server):
        house = House(str(client.base_url), {"server": server}, [data], random.Random(SEED))
        settle(house, Settings(data), storm(house, models), [log])
        assert orphans() == {server.process.pid}
    assert orphans() == set() and not jobs_running(data)
    expire(Settings(data))


def test_everything_around_redis_is_killed(
    tmp_path: Path, models: list[tuple[bytes, bytes]], redis: Running, orphans: Callable[[], set[int]]
) -> None:
    print(f"QINGZHOU_FAULTS_SEED={SEED}")
    store = (tmp_path / "files").as_uri()
    there = ("--queue", redis.url, "--store", store)  # type: ignore[attr-defined]
    names = ("worker 0", "worker 1")
    places = [tmp_path / name[-1] for name in names]
    workers = {
        name: Running("worker", *there, "--workers", "1", folder=place, log=place.with_suffix(".log"))
        for name, place in zip(names, places, strict=True)
    }
    try:
        with serving(tmp_path / "data", *there, "--workers", "0") as (client, server):
            folders = [tmp_path / "data", *places]
            running = {"server": server, "redis": redis, **workers}
            house = House(str(client.base_url), running, folders, random.Random(SEED))
            settings = Settings(tmp_path / "data", queue=redis.url, store=store)  # type: ignore[attr-defined]
            logs = [tmp_path / "server.log", *(place.with_suffix(".log") for place in places)]
            settle(house, settings, storm(house, models), logs)
            assert orphans() <= {each.process.pid for each in running.values()}
    finally:
        for worker in workers.values():
            worker.stop()
    assert orphans() <= {redis.process.pid} and not any(jobs_running(folder) for folder in folders)
    expire(settings)


# -- one thing at a time ----------------------------------------------------------------------------------------------


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
