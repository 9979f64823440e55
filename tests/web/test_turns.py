"""Whose job is next, and how long one may take."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from qingzhou.web import sandbox
from qingzhou.web.jobs import DONE, JOB, QUEUED, READY, RUNNING, UPLOAD, Jobs
from qingzhou.web.record import Record
from qingzhou.web.records import SqliteRecords
from qingzhou.web.settings import Settings
from qingzhou.web.store import Store
from qingzhou.web.worker import Worker

FACTS = {
    "attempt": 0,
    "deaths": 0,
    "lease": 0.0,
    "stage": None,
    "finished": None,
    "name": "best.pth",
    "size": 1,
    "options": {},
    "result": None,
    "error": None,
}


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    settings = Settings(tmp_path)
    return Jobs(settings, SqliteRecords(tmp_path / "records.db"), Store(settings.store_place), print, print)


def add(jobs: Jobs, *ids: str, state: str = QUEUED) -> None:
    """Jobs in the order of their coming; the letter is the client's."""
    for id, time in zip(ids, itertools.count(len(jobs.waiting()))):
        jobs.records.add(Record(JOB, id, state, id[0], float(time), 1e12, FACTS))


def claimed(jobs: Jobs) -> list[str]:
    """All that wait, as workers take them who never finish one."""
    return [held.id for held in iter(jobs.claim, None)]


def test_who_orders_many_waits_for_those_who_order_few(jobs: Jobs) -> None:
    add(jobs, "a1", "a2", "a3", "b1", "c1", "b2")
    assert [job.id for job in jobs.waiting()] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert [jobs.shown(jobs.job(id))["ahead"] for id in ("a1", "b1", "a3")] == [0, 1, 5]
    assert claimed(jobs) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_what_runs_counts(jobs: Jobs) -> None:
    add(jobs, "a0", "a1", state=RUNNING)
    add(jobs, "c0", state=DONE)
    add(jobs, "a2", "b1", "b2", "c1")
    assert claimed(jobs) == ["b1", "c1", "b2", "a2"]


def test_one_client_alone_has_all_workers(jobs: Jobs) -> None:
    add(jobs, "a1", "a2")
    assert claimed(jobs) == ["a1", "a2"] and jobs.claim() is None


WAYS = [  # running, the oldest first; waiting; who gives way
    ("a1 a2", "b1", "a2"),
    ("a1 a2", "", ""),
    ("a1 a2", "a3", ""),
    ("a1 b1", "c1", ""),
    ("a1 b1 a2", "b2", ""),
    ("a1 a2 b1 b2", "c1", "a2 b2"),
    ("a1 a2 a3", "b1 c1", "a3"),
]


@pytest.mark.parametrize(("running", "waiting", "way"), WAYS)
def test_who_runs_several_gives_way_to_who_has_none(jobs: Jobs, running: str, waiting: str, way: str) -> None:
    """The last one that was begun of each, and no other."""
    for number, id in enumerate(running.split()):
        facts = {**FACTS, "started": float(number)}
        jobs.records.add(Record(JOB, id, RUNNING, id[0], 0.0, 1e12, facts))
    for id in waiting.split():
        jobs.records.add(Record(JOB, id, QUEUED, id[0], 0.0, 1e12, {**FACTS, "sent": 0.0}))
    assert [id for id in running.split() if jobs.gives_way(jobs.job(id))] == way.split()


def test_a_job_that_gives_way_waits_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no death of a worker; whoever waited is next, and then this one again."""
    worker = Worker(Settings(tmp_path))

    def run(order: Any, folder: Path, limits: Any, time: float, beat: Callable[..., bool]) -> dict[str, Any]:
        return {"result": {"files": [], "try": None}} if beat({"en": "converting"}) else {"given up": True}

    monkeypatch.setattr(sandbox, "run", run)
    jobs = worker.jobs
    (tmp_path / "file").write_bytes(b"x")
    jobs.records.add(Record(UPLOAD, "m", READY, "a", 0.0, 1e12, {"kind": "model", "name": "m", "safe": "m"}))
    jobs.store.put("uploads/m/file", tmp_path / "file")
    facts = {**FACTS, "upload": "m", "data": None, "sent": 0.0, "options": {"lang": "en"}}
    jobs.records.add(Record(JOB, "a1", RUNNING, "a", 0.0, 1e12, facts))
    jobs.records.add(Record(JOB, "a2", QUEUED, "a", 1.0, 1e12, facts))
    claim, come = Jobs.claim, Record(JOB, "b1", QUEUED, "b", 2.0, 1e12, facts)

    def claimed_as_another_comes(self: Jobs) -> Record | None:
        held = claim(self)
        if held is not None and held.id == "a2" and self.records.get(JOB, "b1") is None:
            self.records.add(come)
        return held

    monkeypatch.setattr(Jobs, "claim", claimed_as_another_comes)
    ends = []
    for _ in range(3):
        worker.run("")
        ends.append([jobs.job(id).state for id in ("a2", "b1")])
    assert ends == [[QUEUED, QUEUED], [QUEUED, DONE], [DONE, DONE]] and jobs.job("a2").data["deaths"] == 0
    jobs.records.close()


@pytest.mark.parametrize(("data", "seconds"), [(None, 180.0), ("pictures", 600.0)])
def test_a_job_without_pictures_has_less_time(
    data: str | None, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, given = Worker(Settings(tmp_path)), []

    def run(order: Any, folder: Path, limits: Any, time: float, beat: Callable[..., bool]) -> dict[str, Any]:
        assert order["threads"] == max(1, (os.cpu_count() or 1) // 2)  # of two workers
        given.append(time)
        return {"result": {"files": [], "try": None}}

    monkeypatch.setattr(sandbox, "run", run)
    (tmp_path / "file").write_bytes(b"x")
    for id in ("model", "pictures"):
        worker.jobs.records.add(Record(UPLOAD, id, READY, "a", 0.0, 1e12, {"kind": id, "name": "m", "safe": "m"}))
        worker.jobs.store.put(f"uploads/{id}/file", tmp_path / "file")
    facts = {**FACTS, "upload": "model", "data": data, "sent": 0.0, "options": {"lang": "en"}}
    worker.jobs.records.add(Record(JOB, "a1", QUEUED, "a", 0.0, 1e12, facts))
    worker.run("a1")
    assert given == [seconds] and worker.jobs.job("a1").state == DONE
    worker.jobs.records.close()


def test_an_order_is_taken_whose_message_is_lost(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written down, it will be done: the message is sent again, at the next look for such."""
    sent: list[str] = []

    def send(job: str) -> None:
        sent.append(job)
        if len(sent) == 1:
            raise redis.exceptions.ConnectionError

    lossy = dataclasses.replace(jobs, send=send, log=lambda *_, **__: None)
    lossy.records.add(Record(UPLOAD, "model", READY, "a", 0.0, 1e12, {"kind": "model", "name": "m", "size": 1}))
    job = lossy.add_job("a", "model", None, {"precision": "fp32"})
    assert lossy.job(job.id).state == QUEUED
    monkeypatch.setattr("qingzhou.web.jobs.RESEND", -1.0)
    lossy.tend(0)
    assert sent == [job.id, job.id]
