"""The converter as a page and an HTTP API for a school: many users, one small machine.

app.py       routes; guard.py what every request must pass; protocol.py slow and idle connections
jobs.py      uploads and jobs: accepted, claimed, delivered, expired, each step by compare-and-set
turns.py     who is next, of clients who want the same; looks.py: looks at uploads, of which long ones give way
records.py   where that is written down: SQLite; records_redis.py: Redis; clock.py: the time that both go by
queue.py     which worker is told of a job (Huey); worker.py runs it
sandbox.py   a job's own process, watched; process.py starts it, on Linux as a fork of forkserver.py;
             confine.py, task.py, unzip.py run in it
store.py     files, by fsspec
remote.py    the other end, of qingzhou remote; asking.py: within counted time and room
"""
