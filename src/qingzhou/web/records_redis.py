"""Records in Redis: a hash each, and sorted sets that index them; every change is one script, so it is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import redis

from . import clock
from .record import Record

ROOT = "qingzhou:"
# KEYS: record, then the indexes to leave and to enter. Redis runs a script as one step.
ADD = """
if redis.call('exists', KEYS[1]) == 1 then return 0 end
redis.call('hset', KEYS[1], 'state', ARGV[2], 'client', ARGV[3], 'created', ARGV[4], 'expires', ARGV[5],
           'data', ARGV[6], 'version', ARGV[7])
redis.call('zadd', KEYS[2], ARGV[4], ARGV[1]); redis.call('zadd', KEYS[3], ARGV[4], ARGV[1])
redis.call('zadd', KEYS[4], ARGV[5], ARGV[1])
return 1
"""
SWAP = """
if redis.call('hget', KEYS[1], 'version') ~= ARGV[7] then return 0 end
redis.call('hset', KEYS[1], 'state', ARGV[2], 'expires', ARGV[5], 'data', ARGV[6])
redis.call('hincrby', KEYS[1], 'version', 1)
redis.call('zrem', KEYS[5], ARGV[1]); redis.call('zrem', KEYS[6], ARGV[1])
redis.call('zadd', KEYS[2], ARGV[4], ARGV[1]); redis.call('zadd', KEYS[3], ARGV[4], ARGV[1])
redis.call('zadd', KEYS[4], ARGV[5], ARGV[1])
return 1
"""
REMOVE = """
local state = redis.call('hget', KEYS[1], 'state')
if not state then return 0 end
redis.call('zrem', ARGV[2] .. state, ARGV[1]); redis.call('zrem', ARGV[2] .. state .. ':' .. ARGV[3], ARGV[1])
redis.call('zrem', KEYS[2], ARGV[1])
return redis.call('del', KEYS[1])
"""
# The latest time that anybody has said, as it was written: Lua's own numbers have fewer digits.
NOW = """
local kept = redis.call('get', KEYS[1])
if kept and tonumber(kept) >= tonumber(ARGV[1]) then return kept end
redis.call('set', KEYS[1], ARGV[1])
return ARGV[1]
"""


class RedisRecords:
    """What SqliteRecords does, for many machines."""

    def __init__(self, url: str) -> None:
        self._db = redis.Redis.from_url(url, decode_responses=True, health_check_interval=30)
        self._add, self._swap, self._remove, self._now = map(self._db.register_script, (ADD, SWAP, REMOVE, NOW))
        self._mark: clock.Mark | None = None

    def now(self) -> float:
        """Each process goes on by its machine's monotonic clock, and none stays behind another. Redis' own, which is a
        clock on a wall, says where to begin. While nobody asks, time stands still.
        """
        mine = self._begin() if self._mark is None else clock.at(self._mark, clock.ticks())
        said = float(self._now(keys=[f"{ROOT}clock"], args=[repr(mine)]))
        if self._mark is None or said > mine:
            self._mark = clock.begun(said)  # read after the answer: earlier, each would push the others on
        return said

    def _begin(self) -> float:
        if self._db.exists(f"{ROOT}clock"):
            return 0.0
        told: Any = self._db.time()
        seconds, micros = told
        return float(seconds) + float(micros) / 1e6

    def add(self, record: Record) -> None:
        assert self._add(keys=_keys(record), args=_args(record)), "two records of one name"

    def get(self, kind: str, id: str) -> Record | None:
        return _record(kind, id, cast("dict[str, str]", self._db.hgetall(f"{ROOT}{kind}:{id}")))

    def swap(self, old: Record, new: Record) -> bool:
        keys = [*_keys(new), *_keys(old)[1:3]]
        args = [*_args(new)]
        args[6] = old.version
        return bool(self._swap(keys=keys, args=args))

    def remove(self, record: Record) -> bool:
        key, _, _, ends = _keys(record)
        args = [record.id, f"{ROOT}{record.kind}:in:", record.client]
        return bool(self._remove(keys=[key, ends], args=args))

    def listed(self, kind: str, state: str, limit: int = 1000) -> list[Record]:
        found = self._all(kind, self._db.zrange(f"{ROOT}{kind}:in:{state}", 0, limit - 1))
        return [record for record in found if record.state == state]  # not those that another changed meanwhile

    def expired(self, kind: str) -> list[Record]:
        return self._all(kind, self._db.zrangebyscore(f"{ROOT}{kind}:ends", 0, self.now(), start=0, num=1000))

    def _all(self, kind: str, ids: Any) -> list[Record]:
        pipe = self._db.pipeline(transaction=False)
        for id in ids:
            pipe.hgetall(f"{ROOT}{kind}:{id}")
        found = (_record(kind, id, values) for id, values in zip(ids, pipe.execute(), strict=True))
        return [record for record in found if record is not None]

    def count(self, kind: str, state: str, client: str = "") -> int:
        found: Any = self._db.zcard(f"{ROOT}{kind}:in:{state}" + (f":{client}" if client else ""))
        return int(found)

    def count_up(self, amounts: Mapping[str, float]) -> None:
        pipe = self._db.pipeline()
        for name, amount in amounts.items():
            pipe.hincrbyfloat(f"{ROOT}counters", name, amount)
        pipe.execute()

    def counters(self) -> dict[str, float]:
        found = cast("dict[str, str]", self._db.hgetall(f"{ROOT}counters"))
        return {name: float(found[name]) for name in sorted(found)}

    def close(self) -> None:
        self._db.close()


def _keys(record: Record) -> list[str]:
    """Of the record, of those in its state, of those of its client in its state, of all by their end."""
    base = f"{ROOT}{record.kind}:"
    return [f"{base}{record.id}", f"{base}in:{record.state}", f"{base}in:{record.state}:{record.client}", f"{base}ends"]


def _args(record: Record) -> list[Any]:
    return [
        record.id,
        record.state,
        record.client,
        repr(record.created),
        repr(record.expires),
        json.dumps(record.data),
        record.version,
    ]


def _record(kind: str, id: str, values: Mapping[str, str]) -> Record | None:
    if not values:
        return None
    return Record(
        kind,
        id,
        values["state"],
        values["client"],
        float(values["created"]),
        float(values["expires"]),
        json.loads(values["data"]),
        int(values["version"]),
    )
