"""Records that another program holds, and disks that are full: said at once, and nothing piles up."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from clients import DIGITS, SURE, finished, free_port, order, served_here, upload

from qingzhou.cli import main
from qingzhou.web import queue, records
from qingzhou.web.jobs import Jobs
from qingzhou.web.records import SqliteRecords, outage
from qingzhou.web.settings import Settings
from qingzhou.web.store import Store


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (records, queue):
        monkeypatch.setattr(module, "PATIENCE", 0.1)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """By another program."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        yield
        other.execute("rollback")


def test_records_that_are_held_are_said(tmp_path: Path) -> None:
    """Who reads is served; sixty who write are answered, each with when to come again; then all is as before."""
    with (
        served_here(Settings(tmp_path / "data", workers=1, tick=0.2)) as server,
        httpx.Client(base_url=server) as client,
    ):
        model = upload(client).json()["upload"]
        asks = [lambda: upload(client), lambda: order(client, model)]
        with held(tmp_path / "data/records.db"), ThreadPoolExecutor(60) as crowd:
            answers = list(crowd.map(lambda n: asks[n % 2](), range(60)))
            assert client.get("/healthz").status_code == 200
        assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(503, "locked")}
        assert all(answer.headers["retry-after"] for answer in answers)
        assert {*answers[0].json()["error"]} == {"code", "en", "zh"}
        assert finished(client, order(client, model).json()["job"])["state"] == "done"


def test_a_queue_that_is_held_loses_no_job(tmp_path: Path) -> None:
    """The message is lost; the record is the truth."""
    with served_here(Settings(tmp_path / "data", workers=0)) as server, httpx.Client(base_url=server) as client:
        model = upload(client).json()["upload"]
        with held(tmp_path / "data/queue.db"):
            job = order(client, model)
        assert job.status_code == 201
        assert client.get(job.json()["url"].replace("/j/", "/api/jobs/")).json()["state"] == "queued"


def test_a_job_whose_worker_cannot_write_is_done_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its lease as long as there is one, and delivers when it can."""
    deliver, times = Jobs.deliver, []

    def held_first(self: Jobs, *args: object) -> bool:
        times.append(1)
        if len(times) == 1:
            with held(tmp_path / "data/records.db"):
                return deliver(self, *args)
        return deliver(self, *args)

    monkeypatch.setattr(Jobs, "deliver", held_first)
    with (
        served_here(Settings(tmp_path / "data", workers=1, tick=0.2)) as server,
        httpx.Client(base_url=server) as client,
    ):
        job = order(client, upload(client).json()["upload"]).json()["job"]
        assert finished(client, job)["state"] == "done" and len(times) == 2


@pytest.mark.parametrize("file", ["records.db", "queue.db"])
@pytest.mark.parametrize("how", ["held", "no database"])
def test_a_start_that_cannot_open_them_says_so(file: str, how: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / file)) as db:
        db.execute("create table other (x)")
    argv = ["serve", "--folder", str(tmp_path), "--port", str(free_port()), "--lang"]
    for lang, word in (("en", "cannot be opened"), ("zh", "无法打开")):
        if how == "held":
            with held(tmp_path / file):
                result = CliRunner().invoke(main, [*argv, lang])
        else:
            (tmp_path / file).write_bytes(b"no database " * 100)
            result = CliRunner().invoke(main, [*argv, lang])
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.exception
        assert word in result.output and "Traceback" not in result.output


def test_a_disk_that_fills_up_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Store, key: str, source: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    settings = Settings(tmp_path / "data", workers=1, least_free=0)
    with served_here(settings) as server, httpx.Client(base_url=server) as client:
        model = upload(client).json()["upload"]
        monkeypatch.setattr(Store, "put", full)
        answer = upload(client, DIGITS.read_bytes())
        assert answer.status_code == 507 and answer.json()["error"]["code"] == "full"
        assert finished(client, order(client, model).json()["job"])["error"]["code"] == "full"


def test_counters_that_cannot_be_written_leave_nothing_half_done(tmp_path: Path) -> None:
    with closing(SqliteRecords(tmp_path / "records.db")) as found:
        with pytest.raises(sqlite3.Error):
            found.count_up({"a": 1.0, "b": {}})  # type: ignore[dict-item]
        found.count_up({"a": 1.0})
        assert found.counters() == {"a": 1.0}


CAUSES = [
    (sqlite3.OperationalError("database is locked"), "locked"),
    (OSError(errno.ENOSPC, "x"), "full"),
    (sqlite3.OperationalError("database table is locked"), "locked"),
    (OSError(errno.EACCES, "x"), ""),
    (sqlite3.OperationalError("database or disk is full"), "full"),
    (ValueError("locked"), ""),
]


@pytest.mark.parametrize(("err", "code"), CAUSES)
def test_what_an_error_means(err: Exception, code: str) -> None:
    assert outage(err) == code


@pytest.mark.parametrize("path", ["/api/jobs", "/api/uploads", "/api/reports"])
def test_other_errors_stay_bugs(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise sqlite3.OperationalError("no such table: records")

    with served_here(Settings(tmp_path / "data", workers=0)) as server, httpx.Client(base_url=server) as client:
        monkeypatch.setattr(SqliteRecords, "count", broken)
        monkeypatch.setattr(SqliteRecords, "get", broken)
        files = {"file": ("best.pth", b"x")} if path.endswith("uploads") else None
        body = {"upload": "x"} if path.endswith("jobs") else {}
        answer = client.post(path, headers=SURE, files=files, json=None if files else body)
        assert answer.status_code == 500 and answer.json()["error"]["code"] == "internal"
