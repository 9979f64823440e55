"""Uploads and jobs: accepted, claimed, delivered, expired. Each step is one compare-and-set on the record.

A job is queued → running → done or failed. Who runs it holds a lease and renews it; when the lease is over its worker
is taken for dead, and the job is queued once more, then failed. Each attempt keeps its files in a folder of its own,
and they count only when the record says so: whoever is late finds the record changed, and throws its files away.
"""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .problems import Problem
from .record import Record
from .records import Records
from .settings import Settings
from .store import Store
from .turns import admit

UPLOAD, JOB, REPORT = "upload", "job", "report"
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
READY, COMING = "ready", "coming"  # of an upload or a report; of an upload whose file is not yet kept
DEATHS = 2  # of workers, after which a job is not tried again
KEEPING = 3600.0  # seconds in which a file is surely kept, or its server has died meanwhile
AT_ONCE = 2.0  # seconds in which a free worker takes a job
RESEND = 30.0  # seconds after which a queued job is spoken of again, if no message is waiting


def token() -> str:
    """144 bits that nobody guesses."""
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class Jobs:
    """All that is known of uploads and jobs. send: tells a worker of a job.

    "at" and "finished" are for people, by the wall clock; all other times are the records'.
    """

    settings: Settings
    records: Records
    store: Store
    send: Callable[[str], None]
    log: Callable[..., None]

    # -- accepting --------------------------------------------------------------------------------------------------

    def room_for_upload(self, client: str, coming: int) -> None:
        """Problem if this client, or all together, have too many; or if all that comes does not fit on the disk twice,
        as it was sent and as it is looked at.
        """
        own, all = self.records.count(UPLOAD, READY, client), self.records.count(UPLOAD, READY)
        admit(own, all, self.settings.uploads_per_client, self.settings.uploads)
        if shutil.disk_usage(self.settings.work).free < self.settings.least_free + 2 * coming:
            raise Problem("full")

    def add_upload(self, client: str, facts: Mapping[str, Any], keep: Callable[[str], None]) -> Record:
        """An upload, whose file is kept under a key. It is written down before, so that sweep() finds what a server
        leaves that is killed meanwhile.
        """
        now = self.records.now()
        record = Record(UPLOAD, token(), COMING, client, now, now + KEEPING, facts)
        self.records.add(record)
        ready = dataclasses.replace(record, state=READY, expires=now + self.settings.keep)
        try:
            keep(f"uploads/{record.id}/file")
        except Exception:
            self.remove(record)
            raise
        if not self.records.swap(record, ready):
            self.store.remove(f"uploads/{record.id}")  # it took longer than that
            raise Problem("not_found")
        return dataclasses.replace(ready, version=record.version + 1)

    def add_job(self, client: str, upload: str, data: str | None, options: Mapping[str, Any]) -> Record:
        """Accept a job; Problem. When this returns it will be done, whatever dies."""
        model = self.upload(upload, "model")
        pictures = None if data is None else self.upload(data, "data")
        if options["precision"] == "int8" and pictures is None:
            raise Problem("needs_data")
        active = sum(self.records.count(JOB, state, client) for state in (QUEUED, RUNNING))
        admit(active, self.records.count(JOB, QUEUED), self.settings.jobs_per_client, self.settings.queue_length)
        now = self.records.now()
        end = now + self.settings.keep
        for used in filter(None, (model, pictures)):
            self.records.swap(used, dataclasses.replace(used, expires=end + 600))
        facts = {
            "upload": upload,
            "data": data,
            "options": dict(options),
            "name": model.data["name"],
            "size": model.data["size"],
            "at": time.time(),
            "attempt": 0,
            "deaths": 0,
            "lease": 0.0,
            "sent": now,
            "stage": None,
            "finished": None,
            "result": None,
            "error": None,
        }
        record = Record(JOB, token(), QUEUED, client, now, end, facts)
        self.records.add(record)
        self.log("job accepted", job=record.id[:6])
        try:
            self.send(record.id)
        except Exception as err:  # Redis died in between: tend() speaks of it again
            self.log("message lost", job=record.id[:6], bug=type(err).__name__)
        return record

    def upload(self, id: str, kind: str) -> Record:
        """An upload of this kind; Problem."""
        found = self.records.get(UPLOAD, id)
        if found is None or found.state != READY or found.expires < self.records.now():
            raise Problem("not_found")
        if found.data["kind"] != kind:
            raise Problem("wrong_kind")
        return found

    def job(self, id: str) -> Record:
        """A job; Problem if it is unknown or expired."""
        found = self.records.get(JOB, id)
        if found is None or found.expires < self.records.now():
            raise Problem("not_found")
        return found

    # -- running ----------------------------------------------------------------------------------------------------

    def claim(self) -> Record | None:
        """The job whose turn it is as this worker's own; None if none waits. Each message stands for one of them."""
        for found in self.waiting():
            attempt = found.data["attempt"] + 1
            now = self.records.now()
            held = self._change(found, RUNNING, attempt=attempt, lease=self._lease(), started=now, stage=None)
            if held is not None:
                return held
        return None

    def waiting(self) -> list[Record]:
        """The queued jobs in their turn: each client's first before anybody's second, what runs counted; then by age.

        So who orders ten gets no more of the workers than who orders one.
        """
        before = Counter(job.client for job in self.records.listed(JOB, RUNNING))
        turns = []
        for job in self.records.listed(JOB, QUEUED):
            turns.append((before[job.client], job.created, job))
            before[job.client] += 1
        return [job for _, _, job in sorted(turns, key=lambda turn: turn[:2])]

    def gives_way(self, held: Record) -> bool:
        """Whether this is the last that was begun of several of one client, while somebody waits who has none."""
        running, now = self.records.listed(JOB, RUNNING), self.records.now()
        own = [job for job in running if job.client == held.client]
        if len(own) < 2 or held.id != max(own, key=lambda job: (job.data.get("started", 0.0), job.id)).id:
            return False
        busy, queued = {job.client for job in running}, self.records.listed(JOB, QUEUED)
        return any(job.client not in busy and job.data["sent"] < now - AT_ONCE for job in queued)

    def beat(self, held: Record, stage: Mapping[str, str] | None) -> Record | None:
        """Keep the lease; None if the job is another's by now, or gone."""
        return self._keep(held, RUNNING, lease=self._lease(), stage=stage)

    def deliver(self, held: Record, result: Mapping[str, Any], files: list[Path]) -> bool:
        """Put the files of this attempt in place; False if they came too late, and are gone again."""
        folder = f"jobs/{held.id}/{held.data['attempt']}"
        kept: Record | None = held
        for number, path in enumerate(files):
            self.store.put(f"{folder}/{number}", path)
            kept = kept and self.beat(kept, kept.data["stage"])
        ended = kept and self._keep(kept, DONE, result=result, finished=time.time(), stage=None)
        if ended is None and not self._stands(held):
            self.store.remove(folder)
            return False
        self.count(held, "done", "")
        return True

    def _stands(self, held: Record) -> bool:
        """Whether the result is that of this attempt: it was written down before, and Redis died as it said so."""
        now = self.records.get(JOB, held.id)
        return now is not None and now.state == DONE and bool(now.data["attempt"] == held.data["attempt"])

    def fail(self, held: Record, error: Mapping[str, str]) -> bool:
        """The end of a job that did not go well."""
        if self._keep(held, FAILED, error=error, finished=time.time(), stage=None) is None:
            return False
        self.count(held, "failed", error["code"])
        return True

    def release(self, held: Record) -> None:
        """Give a job back that this worker cannot finish, since it is told to stop."""
        if self._keep(held, QUEUED, lease=0.0, sent=self.records.now(), stage=None) is not None:
            self.send(held.id)

    def count(self, job: Record, outcome: str, code: str) -> None:
        """For /metrics."""
        took = max(0.0, self.records.now() - job.created)
        amounts = {f'jobs_total{{state="{outcome}"}}': 1.0, "job_seconds_sum": took, "job_seconds_count": 1.0}
        if code:
            amounts[f'failures_total{{kind="{code}"}}'] = 1.0
        amounts |= {f'job_seconds_bucket{{le="{edge}"}}': 1.0 for edge in BUCKETS if took <= edge}
        self.records.count_up(amounts)
        self.log(
            "job ended", job=job.id[:6], state=outcome, kind=code, seconds=round(took, 3), attempt=job.data["attempt"]
        )

    def _lease(self) -> float:
        return self.records.now() + self.settings.lease

    def _change(self, old: Record, state: str, **facts: object) -> Record | None:
        new = dataclasses.replace(old, state=state, data={**old.data, **facts})
        return dataclasses.replace(new, version=old.version + 1) if self.records.swap(old, new) else None

    def _keep(self, held: Record, state: str, **facts: object) -> Record | None:
        """_change() by the one who holds the job, through a Redis that was away: a change of its own whose answer was
        lost is not another's. Nobody else changes a running record of this attempt but to take it away.
        """
        done, now = self._change(held, state, **facts), None
        if done is None:
            now = self.records.get(JOB, held.id)
        if now is None or now.data["attempt"] != held.data["attempt"]:
            return done
        if now.state == RUNNING:
            return self._change(now, state, **facts)
        return now if now.state == state == DONE else None

    # -- tending ----------------------------------------------------------------------------------------------------

    def tend(self, waiting: int) -> None:
        """Find jobs whose worker died, and queued ones that no message speaks of; any process may, at any time."""
        now = self.records.now()
        for job in self.records.listed(JOB, RUNNING):
            if job.data["lease"] < now:
                self.orphaned(job)
        if not waiting:
            for job in self.records.listed(JOB, QUEUED):
                if job.data["sent"] < now - RESEND and self._change(job, QUEUED, sent=now):
                    self.send(job.id)

    def orphaned(self, job: Record) -> None:
        """Once more, if its worker did not die before as well."""
        deaths = job.data["deaths"] + 1
        self.log("worker died", job=job.id[:6], deaths=deaths)
        if deaths >= DEATHS:
            error = Problem("worker_died").as_dict()
            if self._change(job, FAILED, error=error, finished=time.time(), stage=None):
                self.count(job, "failed", error["code"])
                self._forget(job)
        elif self._change(job, QUEUED, deaths=deaths, lease=0.0, sent=self.records.now(), stage=None):
            self.send(job.id)
            self._forget(job)

    def _forget(self, job: Record) -> None:
        """What an attempt kept that will not count."""
        self.store.remove(f"jobs/{job.id}/{job.data['attempt']}")

    def sweep(self) -> int:
        """Take away what has expired; how much."""
        gone = [record for kind in (UPLOAD, JOB, REPORT) for record in self.records.expired(kind)]
        return sum(self.remove(record) for record in gone)

    def remove(self, record: Record) -> bool:
        """Take away a record and its files; one that runs finds out at its next beat. The files first: who is killed in
        between leaves a record, which is found again.
        """
        if record.kind != REPORT:
            self.store.remove(f"{record.kind}s/{record.id}")
        return self.records.remove(record)

    # -- telling ----------------------------------------------------------------------------------------------------

    def shown(self, job: Record) -> dict[str, Any]:
        """A job as the API tells it."""
        data = job.data
        created = data.get("at", job.created)
        turns = [other.id for other in self.waiting()] if job.state == QUEUED else []
        ahead = turns.index(job.id) if job.id in turns else 0
        return {
            "job": job.id,
            "state": job.state,
            "stage": data["stage"],
            "ahead": ahead,
            "created": created,
            "finished": data["finished"],
            "expires": created + job.expires - job.created,
            "name": data["name"],
            "size": data["size"],
            "options": data["options"],
            "result": _with_links(job.id, data["result"]),
            "error": data["error"],
        }

    def file(self, id: str, name: str) -> tuple[str, int]:
        """The key and size of a finished job's file by the name it was given; Problem."""
        job = self.job(id)
        if job.state != DONE:
            raise Problem("not_ready" if job.state in (QUEUED, RUNNING) else "not_found")
        for number, entry in enumerate(job.data["result"]["files"]):
            if entry["name"] == name:
                return f"jobs/{id}/{job.data['attempt']}/{number}", entry["size"]
        raise Problem("not_found")


BUCKETS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)


def _with_links(id: str, result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A result whose files have addresses."""
    if result is None:
        return None
    files = [{**entry, "url": link(id, entry["name"])} for entry in result["files"]]
    trial = result["try"] and {**result["try"], "model": link(id, result["try"]["model"])}
    return {**result, "files": files, "try": trial}


def link(id: str, name: str) -> str:
    """Where a file of a job is."""
    return f"/api/jobs/{id}/files/{quote(name, safe='')}"
