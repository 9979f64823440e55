"""Running jobs: a message comes, the job is claimed, its process is watched, and what it made is delivered."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import process, sandbox
from .jobs import UPLOAD, Jobs
from .log import log, log_bug
from .problems import Problem
from .queue import Queue
from .record import Record
from .records import open_records, outage
from .settings import Settings
from .store import Store

PATIENCE = 15  # seconds with records that are away when a result is to be delivered
SWEEP = 60.0  # seconds between looking for what has expired


class Worker:
    """All that a server and a worker share; `start` makes it take jobs and tend those of others."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        settings.work.mkdir(parents=True, exist_ok=True)
        self.queue = Queue(settings, self.run)
        self.jobs = Jobs(
            settings, open_records(settings.records_place), Store(settings.store_place), self.queue.send, log
        )
        self._stopping = threading.Event()
        self._tending = threading.Thread(target=self._tend, daemon=True, name="tending")

    def start(self) -> None:
        """Take jobs, as many at once as the settings say, and look after all."""
        process.FORKS.warm()  # uploads are looked at in every server
        if self.settings.workers:
            self.queue.start(self.settings.workers)
        self._tending.start()

    def stop(self) -> None:
        """End; what runs goes back to the queue."""
        self._stopping.set()
        self.queue.stop()
        self._tending.join(10)
        process.FORKS.close()
        self.jobs.records.close()

    def run(self, id: str) -> None:
        """The job whose turn it is: a message says that one waits, not which is next."""
        if self._stopping.is_set():
            self.queue.send(id)
            return
        held = self.jobs.claim()
        if held is None:
            return
        try:
            with sandbox.working_folder(self.settings.work) as folder:
                self._attempt(held, folder)
        except Exception as err:
            log_bug("attempt failed", err, job=held.id[:6])
            if not away(err):  # then the lease runs out, and the job runs again
                self._give_up(held, outage(err) or "internal")

    def _give_up(self, held: Record, code: str) -> None:
        """Our own bug, a store that is away, a full disk: told to the user, unless the record is another's by now."""
        now = self.jobs.records.get(held.kind, held.id)
        if now is not None and now.data["attempt"] == held.data["attempt"] and now.state == held.state:
            self.jobs.fail(now, Problem(code).as_dict())

    def _attempt(self, held: Record, folder: Path) -> None:
        order = self._order(held, folder)
        if order is None:
            self.jobs.fail(held, Problem("not_found").as_dict())
            return
        lease = _Lease(self.jobs, held, self._stopping)
        limits = self.settings.limits
        seconds = limits.seconds if order["data"] else min(limits.seconds, limits.brief)
        said = sandbox.run(order, folder, limits, seconds, lease.beat)
        if "given up" in said:
            if self._stopping.is_set() or lease.gives_way:
                self.jobs.release(lease.held)
        elif "lost" in said:
            self.jobs.orphaned(lease.held)
        elif "error" in said:
            if "bug" in said:
                log("job met a bug", job=held.id[:6], bug=said["bug"], at=said["at"])
            self.jobs.fail(lease.held, said["error"])
        else:
            self._deliver(lease.held, said["result"], _files(folder / "out", said["result"]))

    def _deliver(self, held: Record, result: Mapping[str, Any], files: list[Path]) -> None:
        """Through a Redis that is restarted just now."""
        for patience in range(PATIENCE, -1, -1):
            try:
                self.jobs.deliver(held, result, files)
                return
            except Exception as err:
                if not away(err) or not patience:
                    raise
                time.sleep(1.0)

    def _order(self, held: Record, folder: Path) -> dict[str, Any] | None:
        """What the process is told, with its files in place; None if an upload is gone."""
        data, place = held.data, folder / "in"
        place.mkdir()
        upload = self.jobs.records.get(UPLOAD, data["upload"])
        if upload is None:
            return None
        order = {
            "what": "job",
            "lang": data["options"]["lang"],
            "options": data["options"],
            "data": None,
            "model": str(place / upload.data["safe"]),
            "threads": max(1, (os.cpu_count() or 1) // max(1, self.settings.workers)),
        }
        try:
            self.jobs.store.fetch(f"uploads/{upload.id}/file", Path(order["model"]))
            if data["data"] is not None:
                order["data"] = str(place / "data.zip")
                self.jobs.store.fetch(f"uploads/{data['data']}/file", place / "data.zip")
        except FileNotFoundError:
            return None
        return order

    def _tend(self) -> None:
        swept = 0.0
        while not self._stopping.wait(self.settings.tick):
            try:
                self.queue.mend()
                self.jobs.tend(self.queue.length())
                if time.monotonic() - swept > SWEEP:
                    swept = time.monotonic()
                    gone = self.jobs.sweep()
                    sandbox.clear_stale(self.settings.work, self.settings.limits.seconds + sandbox.STALE)
                    if gone:
                        log("expired", count=gone)
            except Exception as err:  # Redis is away, say; it will be back
                log_bug("tending failed", err)


def away(err: Exception) -> bool:
    """Whether this is a Redis that cannot be reached, or a file that another program holds; it will be back."""
    return outage(err) in ("busy", "locked")


class _Lease:
    """A job that is held, and renewed in time."""

    def __init__(self, jobs: Jobs, held: Record, stopping: threading.Event) -> None:
        self.held, self.gives_way = held, False
        self._jobs, self._stopping = jobs, stopping
        self._stage: Mapping[str, str] | None = None
        self._renewed = time.monotonic()

    def beat(self, stage: Mapping[str, str] | None) -> bool:
        """Called about once a second; False when the job is not to go on."""
        if self._stopping.is_set():
            return False
        if stage == self._stage and time.monotonic() - self._renewed < self._jobs.settings.lease / 4:
            return True
        try:
            held = self._jobs.beat(self.held, stage)
            self.gives_way = held is not None and self._jobs.gives_way(held)
        except Exception as err:
            if not away(err):
                raise
            return True  # it will be back; if it comes back too late, the record says so
        if held is None:
            return False
        self.held, self._stage, self._renewed = held, stage, time.monotonic()
        return not self.gives_way


def _files(out: Path, result: Mapping[str, Any]) -> list[Path]:
    """The files that were made. What the process says of names is not believed where it could lead elsewhere."""
    names = [entry["name"] for entry in result["files"]]
    with contextlib.suppress(ValueError, OSError):
        paths = [out / name for name in names]
        if all(path.parent == out and path.is_file() and not path.is_symlink() for path in paths):
            return paths
    raise RuntimeError("the job names files that it did not make")
