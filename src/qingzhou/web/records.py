"""Uploads, jobs and reports, written down: every change is a compare-and-set on the record's version.

SQLite here; records_redis.py does the same in Redis.
"""

from __future__ import annotations

import contextlib
import errno
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from . import clock
from .problems import Problem
from .record import Record

PATIENCE = 2.0  # seconds with a file that another program holds


class Records(Protocol):
    """What both can."""

    def now(self) -> float:
        """Seconds by the one clock that leases, turns and expiries go by: see clock.py."""

    def add(self, record: Record) -> None:
        """Write a new one down; it is safe when this returns."""

    def get(self, kind: str, id: str) -> Record | None:
        """The record as it is now."""

    def swap(self, old: Record, new: Record) -> bool:
        """Replace `old` by `new` if nobody has changed it since."""

    def remove(self, record: Record) -> bool:
        """Take it away; False if it is gone already."""

    def listed(self, kind: str, state: str, limit: int = 1000) -> list[Record]:
        """Those of a state, the oldest first."""

    def expired(self, kind: str) -> list[Record]:
        """Those whose time is over."""

    def count(self, kind: str, state: str, client: str = "") -> int:
        """How many are in a state, of one client or of all."""

    def count_up(self, amounts: Mapping[str, float]) -> None:
        """Add to counters, for /metrics."""

    def counters(self) -> dict[str, float]:
        """All counters."""

    def close(self) -> None:
        """Let go of the file or connection."""


def outage(err: BaseException) -> str:
    """The code of the problem that this is: records that cannot be reached just now, or a full disk; "" for others."""
    if isinstance(err, Problem):
        return err.code if err.code in ("locked", "full") else ""
    if isinstance(err, sqlite3.OperationalError):
        return next((code for code in ("locked", "full") if code in str(err)), "")
    if isinstance(err, OSError) and err.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", -1)):
        return "full"
    return "busy" if type(err).__module__.startswith("redis.") else ""  # it is restarted, say


def open_records(place: str) -> Records:
    """Of "redis://…", or of a file."""
    if "://" in place:
        from .records_redis import RedisRecords

        return RedisRecords(place)
    return SqliteRecords(Path(place))


SCHEMA = """
create table if not exists records (kind text, id text, state text, client text, created real, expires real,
                                    data text, version integer, primary key (kind, id)) without rowid;
create index if not exists by_state on records (kind, state, created);
create index if not exists by_client on records (kind, client, state);
create index if not exists by_end on records (kind, expires);
create table if not exists counters (name text primary key, value real) without rowid;
create table if not exists clock (one integer primary key check (one = 1), time real, ticks real, boot text);
"""
COLUMNS = "kind, id, state, client, created, expires, data, version"


class SqliteRecords:
    """In one file; several threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")  # what was accepted survives a power cut
        self._db.executescript(SCHEMA)
        with self._whole() as db:
            self._mark = self._resumed(db)
            self._write(db, self._mark)

    @contextlib.contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        """The connection, one thread at a time; Problem where another program holds the file, or the disk is full."""
        if not self._lock.acquire(timeout=PATIENCE):
            raise Problem("locked")
        try:
            yield self._db
        except sqlite3.OperationalError as err:
            if code := outage(err):
                raise Problem(code) from err
            raise
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def _whole(self) -> Iterator[sqlite3.Connection]:
        """The same, for several changes of which all are made or none."""
        with self._held() as db:
            db.execute("begin immediate")
            try:
                yield db
                db.execute("commit")
            finally:
                if db.in_transaction:
                    db.execute("rollback")

    def _run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._held() as db:
            return db.execute(sql, values).fetchall()

    def _changed(self, sql: str, *values: object) -> bool:
        with self._held() as db:
            return db.execute(sql, values).rowcount == 1

    def now(self) -> float:
        ticks = clock.ticks()
        if ticks > self._written + clock.WRITTEN:
            with contextlib.suppress(Problem), self._held() as db:
                self._write(db, clock.Mark(clock.at(self._mark, ticks), ticks, self._mark.boot))
        return clock.at(self._mark, ticks)

    def _write(self, db: sqlite3.Connection, mark: clock.Mark) -> None:
        self._written = mark.ticks
        db.execute("insert or replace into clock values (1, ?, ?, ?)", mark)

    def _resumed(self, db: sqlite3.Connection) -> clock.Mark:
        """A file of an earlier version has records, by the wall clock, and no time: what was written is past."""
        for mark in db.execute("select time, ticks, boot from clock"):
            return clock.resumed(clock.Mark(*mark))
        ((last,),) = db.execute("select max(created) from records")
        return clock.begun(max(time.time(), last or 0.0))

    def add(self, record: Record) -> None:
        self._run(f"insert into records ({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?)", *_row(record))

    def get(self, kind: str, id: str) -> Record | None:
        found = self._run(f"select {COLUMNS} from records where kind = ? and id = ?", kind, id)
        return _record(found[0]) if found else None

    def swap(self, old: Record, new: Record) -> bool:
        return self._changed(
            "update records set state = ?, expires = ?, data = ?, version = version + 1 "
            "where kind = ? and id = ? and version = ?",
            new.state,
            new.expires,
            json.dumps(new.data),
            old.kind,
            old.id,
            old.version,
        )

    def remove(self, record: Record) -> bool:
        return self._changed("delete from records where kind = ? and id = ?", record.kind, record.id)

    def listed(self, kind: str, state: str, limit: int = 1000) -> list[Record]:
        sql = f"select {COLUMNS} from records where kind = ? and state = ? order by created limit ?"
        return [_record(row) for row in self._run(sql, kind, state, limit)]

    def expired(self, kind: str) -> list[Record]:
        sql = f"select {COLUMNS} from records where kind = ? and expires < ? limit 1000"
        return [_record(row) for row in self._run(sql, kind, self.now())]

    def count(self, kind: str, state: str, client: str = "") -> int:
        sql, values = "select count(*) from records where kind = ? and state = ?", [kind, state]
        if client:
            sql, values = sql + " and client = ?", [*values, client]
        return int(self._run(sql, *values)[0][0])

    def count_up(self, amounts: Mapping[str, float]) -> None:
        sql = "insert into counters values (?, ?) on conflict (name) do update set value = value + excluded.value"
        with self._whole() as db:
            db.executemany(sql, amounts.items())

    def counters(self) -> dict[str, float]:
        return dict(self._run("select name, value from counters order by name"))

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _row(record: Record) -> tuple[object, ...]:
    return (
        record.kind,
        record.id,
        record.state,
        record.client,
        record.created,
        record.expires,
        json.dumps(record.data),
        record.version,
    )


def _record(row: tuple[Any, ...]) -> Record:
    kind, id, state, client, created, expires, data, version = row
    return Record(kind, id, state, client, created, expires, json.loads(data), version)
