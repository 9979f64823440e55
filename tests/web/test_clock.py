"""Whatever becomes of the clock on the wall: who lives keeps a job, what is kept stays as long as was said."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from clients import free_port

from qingzhou.web import clock, sandbox
from qingzhou.web.jobs import FAILED, JOB, QUEUED, READY, RUNNING, UPLOAD, Jobs
from qingzhou.web.record import Record
from qingzhou.web.records import COLUMNS, SCHEMA, Records, SqliteRecords, open_records
from qingzhou.web.settings import Settings
from qingzhou.web.store import Store

DAY, STARTED = 24 * 3600.0, 1_700_000_000.0
STEPS = {"a minute on": 60.0, "three days back": -3 * DAY, "26 hours on": DAY + 7200.0, "to 1970": -STARTED}


@dataclass
class Machine:
    """Its clocks, which a test sets."""

    wall: float = STARTED
    ticks: float = 1000.0
    boot: str = "first"

    def later(self, seconds: float) -> None:
        self.wall, self.ticks = self.wall + seconds, self.ticks + seconds

    def reboot(self, boot: str = "second") -> None:
        self.ticks, self.boot = 5.0, boot


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(time, "time", lambda: found.wall)
    monkeypatch.setattr(clock, "ticks", lambda: found.ticks)
    monkeypatch.setattr(clock, "boot", lambda: found.boot)
    return found


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.web)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where records are; a real Redis."""
    if request.param == "sqlite":
        yield str(tmp_path / "records.db")
        return
    assert shutil.which("redis-server"), "apt install redis-server"
    port = free_port()
    server = subprocess.Popen(["redis-server", "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL)
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait()


@contextmanager
def service(place: str, folder: Path) -> Iterator[Jobs]:
    """One process of it."""
    with closing(open_records(place)) as records:
        settings = Settings(folder)
        yield Jobs(settings, records, Store(settings.store_place), lambda job: None, lambda *_, **__: None)


def ordered(jobs: Jobs) -> str:
    """A job that waits, and its upload."""
    now = jobs.records.now()
    facts = {"kind": "model", "name": "best.pth", "size": 1}
    jobs.records.add(Record(UPLOAD, "m", READY, "a", now, now + DAY, facts))
    return jobs.add_job("a", "m", None, {"precision": "fp32"}).id


@pytest.mark.parametrize("step", STEPS)
def test_a_clock_that_is_set_changes_nothing(step: str, place: str, machine: Machine, tmp_path: Path) -> None:
    with service(place, tmp_path) as jobs:
        job = ordered(jobs)
        held = jobs.claim()
        assert held is not None and held.state == RUNNING
        told = jobs.shown(jobs.job(job))
        machine.wall += STEPS[step]
        machine.later(15.0)
        jobs.tend(0)
        held = jobs.beat(held, None)
        assert held is not None, "the living worker has lost its job"
        machine.later(15.0)
        jobs.tend(0)
        assert jobs.sweep() == 0 and jobs.job(job).data["deaths"] == 0
        assert {**jobs.shown(jobs.job(job)), "state": told["state"]} == told
        machine.later(6.0)
        jobs.tend(0)
        assert jobs.job(job).state == QUEUED and jobs.job(job).data["deaths"] == 1
        machine.later(DAY - 40.0)
        assert jobs.sweep() == 0
        machine.later(700.0)
        assert jobs.sweep() == 2
        assert jobs.records.get(JOB, job) is None


def test_a_restart_goes_on(machine: Machine, tmp_path: Path) -> None:
    """Of the service alone, by one or by several processes at once: the hour in between counts."""
    place = str(tmp_path / "records.db")
    with service(place, tmp_path) as jobs:
        job = ordered(jobs)
        jobs.claim()
        before = jobs.records.now()
    machine.wall -= 3 * DAY
    machine.later(3600.0)
    with service(place, tmp_path) as jobs, service(place, tmp_path) as others:
        assert jobs.records.now() == others.records.now() == pytest.approx(before + 3600.0)
        others.tend(0)
        assert jobs.job(job).state == QUEUED


BOOTS: dict[str, Callable[[Machine], None]] = {
    "known": lambda machine: machine.reboot(),
    "not known": lambda machine: machine.reboot(boot="first"),  # only its clock tells
}


@pytest.mark.parametrize("boot", BOOTS)
@pytest.mark.parametrize("wall", [0.0, STARTED + 40 * DAY], ids=["1970", "40 days later"])
def test_another_boot_ends_leases_and_leaves_what_expires_its_time(
    boot: str, wall: float, machine: Machine, tmp_path: Path
) -> None:
    """Nobody knows how long the machine was off, least of all one without a clock."""
    place = str(tmp_path / "records.db")
    with service(place, tmp_path) as jobs:
        job = ordered(jobs)
        machine.later(10 * 3600.0)
        jobs.records.now()
        machine.later(25.0)
        assert jobs.claim() is not None
    BOOTS[boot](machine)
    machine.wall = wall
    with service(place, tmp_path) as jobs:
        jobs.tend(0)
        assert jobs.job(job).state == QUEUED
        machine.later(13 * 3600.0)
        assert jobs.sweep() == 0
        machine.later(3600.0 + 700.0)
        assert jobs.sweep() == 2


def test_two_machines_share_a_time(machine: Machine, place: str, tmp_path: Path) -> None:
    """Each by its own monotonic clock, from its own boot: neither stays behind, and none pushes the other on."""
    with service(place, tmp_path) as one:
        start = one.records.now()
        machine.later(100.0)
        with service(place, tmp_path) as other:
            said = []
            for _ in range(50):
                machine.later(1.0)
                said += [one.records.now(), other.records.now()]
        assert said == sorted(said) and said[-1] == pytest.approx(start + 150.0)


@pytest.mark.parametrize("wall", [STARTED + 5 * 3600.0, 100.0], ids=["as it should be", "1970"])
def test_a_file_of_an_earlier_version_loses_no_job(wall: float, machine: Machine, tmp_path: Path) -> None:
    """Its times are the wall clock's."""
    path = tmp_path / "records.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA.partition("create table if not exists clock")[0])
        facts = (
            '{"attempt": 1, "deaths": 0, "lease": %f, "sent": 0, "stage": null, "name": "m", "size": 1, "options": {},'
        )
        facts = facts % (STARTED + 20.0) + '"finished": null, "result": null, "error": null}'
        row = ("job", "j", "running", "a", STARTED, STARTED + DAY, facts, 3)
        db.execute(f"insert into records ({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.commit()
    machine.wall = wall
    with service(str(path), tmp_path) as jobs:
        shown = jobs.shown(jobs.job("j"))
        assert (shown["created"], shown["expires"]) == (STARTED, STARTED + DAY)
        machine.later(21.0)
        jobs.tend(0)
        assert jobs.job("j").state == QUEUED and jobs.sweep() == 0
        machine.later(DAY)
        assert jobs.sweep() == 1


@pytest.mark.parametrize("step", STEPS)
def test_working_folders_go_by_age_where_none_can_be_held(
    step: str, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""

    @contextmanager
    def unknown(folder: Path) -> Iterator[None]:
        yield None

    monkeypatch.setattr(sandbox, "_held", unknown)
    (tmp_path / "tmp_of_an_earlier_version").mkdir()
    with sandbox.working_folder(tmp_path) as folder:
        machine.wall += STEPS[step]
        machine.later(100.0)
        sandbox.clear_stale(tmp_path, 3600.0)
        assert list(tmp_path.iterdir()) == [folder]
        machine.later(3600.0)
        sandbox.clear_stale(tmp_path, 3600.0)
        assert not folder.exists()


def test_a_death_is_final_the_second_time(machine: Machine, tmp_path: Path) -> None:
    """By the same clock."""
    with service(str(tmp_path / "records.db"), tmp_path) as jobs:
        job = ordered(jobs)
        for _ in range(2):
            assert jobs.claim() is not None
            machine.later(21.0)
            jobs.tend(0)
        assert jobs.job(job).state == FAILED


def test_the_boot_of_this_machine() -> None:
    assert clock.boot() == clock.boot() and "\n" not in clock.boot()
    records: Records = SqliteRecords(Path(":memory:"))
    with closing(records):
        assert records.now() <= records.now()
