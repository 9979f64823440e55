"""What a process leaves that is killed, and a result that is written down while Redis dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from qingzhou.web import sandbox
from qingzhou.web.jobs import Jobs
from qingzhou.web.problems import Problem
from qingzhou.web.record import Record
from qingzhou.web.records import SqliteRecords
from qingzhou.web.settings import Settings
from qingzhou.web.store import Store

RESULT = {"files": [{"name": "best.onnx", "size": 5, "kind": "model"}], "try": None}
LOST = redis.exceptions.ConnectionError


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    """Without a queue."""
    settings = Settings(tmp_path)
    records, store = SqliteRecords(tmp_path / "records.db"), Store(settings.store_place)
    return Jobs(settings, records, store, lambda job: None, lambda *_, **__: None)


def kept(folder: Path) -> set[str]:
    """The files in the store."""
    root = folder / "files"
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def claimed(jobs: Jobs) -> Record:
    """A job that somebody runs."""
    facts = {"attempt": 0, "deaths": 0, "lease": 0.0, "sent": 0.0, "stage": None}
    jobs.records.add(Record("job", "j", "queued", "c", 1.0, 9e9, facts))
    held = jobs.claim()
    assert held is not None
    return held


@pytest.mark.parametrize("when", ["the answer is lost", "the counters are lost"])
def test_a_result_stays_that_was_written_down_as_redis_died(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The worker, who cannot know, delivers once more."""
    made, swap, count, lost = tmp_path / "best.onnx", SqliteRecords.swap, SqliteRecords.count_up, []
    made.write_bytes(b"model")

    def dies(self: SqliteRecords, old: Record, new: Record) -> bool:
        said = swap(self, old, new)
        if new.state == "done" and when == "the answer is lost" and not lost:
            lost.append(True)
            raise LOST
        return said

    def uncounted(self: SqliteRecords, amounts: Any) -> None:
        if when == "the counters are lost" and not lost:
            lost.append(True)
            raise LOST
        count(self, amounts)

    monkeypatch.setattr(SqliteRecords, "swap", dies)
    monkeypatch.setattr(SqliteRecords, "count_up", uncounted)
    held = claimed(jobs)
    with pytest.raises(LOST):
        jobs.deliver(held, RESULT, [made])
    assert jobs.deliver(held, RESULT, [made])
    key, _ = jobs.file("j", "best.onnx")
    assert b"".join(jobs.store.pieces(key)) == b"model"
    assert jobs.records.counters()['jobs_total{state="done"}'] == 1


def test_a_late_result_is_thrown_away(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "best.onnx").write_bytes(b"late")
    late = claimed(jobs)
    (tmp_path / "files/jobs/j/1").mkdir(parents=True)
    (tmp_path / "files/jobs/j/1/1-12ab-part").write_bytes(b"half")
    jobs.orphaned(late)
    assert kept(tmp_path) == set()
    held = jobs.claim()
    assert held is not None
    (tmp_path / "again.onnx").write_bytes(b"model")
    assert jobs.deliver(held, RESULT, [tmp_path / "again.onnx"])
    assert not jobs.deliver(late, RESULT, [tmp_path / "best.onnx"])
    assert kept(tmp_path) == {"jobs/j/2/0"}
    assert b"".join(jobs.store.pieces(jobs.file("j", "best.onnx")[0])) == b"model"


class Killed(BaseException):
    """What no `except Exception` sees."""


def test_an_upload_whose_server_is_killed_goes_in_the_end(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(key: str) -> None:
        (tmp_path / "files" / key).parent.mkdir(parents=True)
        (tmp_path / "files" / f"{key}-12ab-part").write_bytes(b"half")
        raise Killed

    with pytest.raises(Killed):
        jobs.add_upload("c", {}, half)
    assert len(kept(tmp_path)) == 1
    (record,) = jobs.records.listed("upload", "coming")
    with pytest.raises(Problem):
        jobs.upload(record.id, "model")
    later = time.time() + 4000
    monkeypatch.setattr(SqliteRecords, "now", lambda self: later)
    assert jobs.sweep() == 1 and not kept(tmp_path)


def test_an_upload_that_cannot_be_kept_leaves_nothing(jobs: Jobs, tmp_path: Path) -> None:
    def full(key: str) -> None:
        (tmp_path / "files" / key).parent.mkdir(parents=True)
        (tmp_path / "files" / f"{key}-12ab-part").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        jobs.add_upload("c", {}, full)
    assert not kept(tmp_path) and not jobs.records.listed("upload", "coming")


def test_no_upload_is_without_its_file(jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis dies as it has written down that the file is kept; nothing can be taken back while it is away."""

    def keep(key: str) -> None:
        (tmp_path / "files" / key).parent.mkdir(parents=True)
        (tmp_path / "files" / key).write_bytes(b"model")

    def lost(*_: object) -> bool:
        raise LOST

    def dies(self: SqliteRecords, old: Record, new: Record) -> bool:
        assert swap(self, old, new)
        monkeypatch.setattr(SqliteRecords, "remove", lost)
        raise LOST

    swap = SqliteRecords.swap
    monkeypatch.setattr(SqliteRecords, "swap", dies)
    with pytest.raises(LOST):
        jobs.add_upload("c", {}, keep)
    (record,) = jobs.records.listed("upload", "ready")
    assert kept(tmp_path) == {f"uploads/{record.id}/file"}


def test_a_sweep_that_is_killed_leaves_nothing_unknown(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "best.onnx").write_bytes(b"model")
    assert jobs.deliver(claimed(jobs), RESULT, [tmp_path / "best.onnx"])
    monkeypatch.setattr(SqliteRecords, "now", lambda self: 9e9 + 1)

    def killed(*_: object) -> None:
        raise Killed

    for place, name in ((Store, "remove"), (SqliteRecords, "remove")):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(place, name, killed)
            jobs.sweep()
    assert jobs.sweep() == 1 and not kept(tmp_path) and jobs.records.get("job", "j") is None


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a folder goes when it is old")
def test_the_working_folder_of_who_was_killed_goes_at_once(tmp_path: Path) -> None:
    """And that of the living stays, however old it is said to be."""
    code = """if True:
        import sys, time; from pathlib import Path; from qingzhou.web import sandbox
        with sandbox.working_folder(Path(sys.argv[1])) as folder: print(folder, flush=True); time.sleep(60)"""
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    with other, sandbox.working_folder(tmp_path) as own:
        theirs = Path(other.stdout.readline().strip())
        (theirs / "in").mkdir()
        sandbox.clear_stale(tmp_path, 3600)
        assert own.is_dir() and theirs.is_dir()
        other.kill()
        other.wait()
        sandbox.clear_stale(tmp_path, 3600)
        assert own.is_dir() and not theirs.exists()
