"""A class at once: 40 clients upload MobileNet checkpoints and download the models; nothing is lost or doubled.

    python benchmarks/web.py [CLIENTS] [--redis WORKERS | --scaling]

Prints the time from upload to download (p50, p95), the server's largest memory, the processor time that a pupil costs
the server (Linux; under PYTHONPATH=SRC that of another commit's), and the throughput against what the
cores could do if each did nothing but single conversions, one fresh `qingzhou convert` after another, which are timed
on the same machine before and after. --redis: with a redis-server and so many worker processes of one job each.

--scaling: 24 such jobs on 1, 2 and 4 worker processes, in turns. Everything is uploaded and ordered before, with the
workers held; the time goes from their release to the end of the last job, so that nothing but the jobs is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
sys.path[:0] = [
    str(HERE),
    str(HERE.parent / "tests"),
    str(HERE.parent / "tests/web"),
    str(HERE.parent / "tests/oracle"),
]

from clients import Running, free_port, serving, until_up  # noqa: E402
from measure import once  # noqa: E402

from passengers import mmedu  # noqa: E402
from qingzhou.web.records_redis import RedisRecords  # noqa: E402

CONVERT = ("-c", "import sys; from qingzhou.cli import main; main()", "convert")
SURE = {"X-Qingzhou": "1"}


def single(file: Path, folder: Path) -> float:
    """Seconds of one `qingzhou convert` in a fresh process, alone; the best of three."""
    return min(once([*CONVERT, file, "-o", folder / "single.onnx"])[0] for _ in range(3))


async def pupil(number: int, url: str, data: bytes) -> tuple[float, str, str]:
    """Seconds from upload to download, the job and the SHA-256 of the model; each from an address of its own."""
    transport = httpx.AsyncHTTPTransport(local_address=f"127.0.1.{number % 250 + 1}")
    async with httpx.AsyncClient(base_url=url, timeout=600, transport=transport, headers=SURE) as client:
        start = time.perf_counter()
        told = (await client.post("/api/uploads", files={"file": ("mobilenet.pth", data)})).raise_for_status().json()
        job = (await client.post("/api/jobs", json={"upload": told["upload"]})).raise_for_status().json()["job"]
        while (state := (await client.get(f"/api/jobs/{job}")).json())["state"] in ("queued", "running"):
            await asyncio.sleep(0.5)
        assert state["state"] == "done", state["error"]
        url = next(entry["url"] for entry in state["result"]["files"] if entry["kind"] == "model")
        model = (await client.get(url)).raise_for_status().content
        return time.perf_counter() - start, job, hashlib.sha256(model).hexdigest()


async def watched(pid: int, work: asyncio.Task[list[tuple[float, str, str]]]) -> float:
    """The largest resident memory of the server meanwhile, in MB."""
    largest = 0.0
    while not work.done():
        status = Path(f"/proc/{pid}/status").read_text()
        largest = max(largest, int(status.partition("VmRSS:")[2].split()[0]) / 1e3)
        await asyncio.sleep(0.2)
    return largest


async def lesson(clients: int, url: str, pid: int, data: bytes) -> tuple[list[tuple[float, str, str]], float, float]:
    """All at once: what each got, the server's memory, the whole time."""
    start = time.perf_counter()
    work = asyncio.ensure_future(asyncio.gather(*(pupil(n, url, data) for n in range(clients))))
    memory = await watched(pid, work)  # type: ignore[arg-type]
    return list(await work), memory, time.perf_counter() - start


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clients", type=int, nargs="?", default=40)
    parser.add_argument("--redis", type=int, default=0, metavar="WORKERS")
    parser.add_argument("--scaling", action="store_true")
    chosen = parser.parse_args()
    if chosen.scaling:
        scaling()
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = mmedu("MobileNet", folder)
        before = single(file, folder)
        helpers, options = helping(chosen.redis, folder) if chosen.redis else ([], [])
        try:
            with serving(folder / "data", *options) as (client, server):
                until_up(client)
                url = str(client.base_url)
                asyncio.run(lesson(1, url, server.process.pid, file.read_bytes()))  # all is imported
                before_it = cpu_of(server.process.pid)
                got, memory, seconds = asyncio.run(lesson(chosen.clients, url, server.process.pid, file.read_bytes()))
                cost = cpu_of(server.process.pid, before_it)
        finally:
            for helper in helpers:
                helper.stop()
        report(chosen.clients, got, memory, seconds, (before, single(file, folder)))
        each = [one / chosen.clients for one in cost]
        print(f"CPU for each       {each[0]:.3f} s in the server, {each[1]:.3f} s in its other processes")


def cpu_of(pid: int, before: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
    """CPU seconds of a process, and of those that it started, with theirs that have ended; since an earlier look."""
    own, others, left = 0.0, 0.0, [pid]
    while left:
        process = Path(f"/proc/{left.pop()}")
        times = [
            int(n) / os.sysconf("SC_CLK_TCK") for n in (process / "stat").read_text().rpartition(")")[2].split()[11:15]
        ]
        own, others = (sum(times[:2]), others) if process.name == str(pid) else (own, others + sum(times))
        for thread in (process / "task").iterdir():
            left += map(int, (thread / "children").read_text().split())
    return own - before[0], others - before[1]


def helping(workers: int, folder: Path) -> tuple[list[Running], list[str]]:
    """A Redis and workers, and the server's options for them."""
    assert shutil.which("redis-server"), "apt install redis-server"
    port, store = str(free_port()), (folder / "files").as_uri()

    class Redis(Running):
        def start(self) -> None:
            argv = ["redis-server", "--port", port, "--appendonly", "yes", "--save", "", "--dir", str(folder)]
            self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)

    redis = Redis(folder=folder, log=folder / "redis.log")
    time.sleep(1)
    there = ["--queue", f"redis://127.0.0.1:{port}/0", "--store", store]
    found = [
        Running("worker", *there, "--workers", "1", folder=folder / f"w{n}", log=folder / f"w{n}.log")
        for n in range(workers)
    ]
    return [*found, redis], [*there, "--workers", "0"]


# -- how it grows with workers ----------------------------------------------------------------------------------------

JOBS, WORKERS, TURNS = 24, (1, 2, 4), 5


def scaling() -> None:
    """A line for each number of workers."""
    took: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = mmedu("MobileNet", folder).read_bytes()
        for turn in range(TURNS):
            for workers in WORKERS:
                place = folder / f"{turn}-{workers}"
                place.mkdir()
                took[workers].append(released(workers, data, place))
    print(f"{JOBS} jobs, {os.cpu_count()} cores, the best of {TURNS}")  # others of this machine only make it slower
    for workers, times in took.items():
        best, cores = min(times), min(workers, os.cpu_count() or 1)
        gain = min(took[1]) / best
        print(
            f"{workers} workers  {best:.2f} s (up to {max(times):.2f}), {JOBS / best:.1f} a second, {gain:.2f} x one "
            f"worker, {gain / cores:.2f} for each core"
        )


def released(workers: int, data: bytes, folder: Path) -> float:
    """Seconds from the moment that the workers are let go to the end of the last job."""
    helpers, options = helping(workers, folder)
    try:
        with serving(folder / "data", *options) as (client, _):
            pupils = [at(n, str(client.base_url)) for n in range(JOBS)]
            for pupil in pupils[: 2 * workers]:  # every worker has imported what it needs, and rests
                ordered(pupil, uploaded(pupil, data))
            records = RedisRecords(options[1])
            until_done(records, 2 * workers)
            time.sleep(3.0)  # a worker that has had no job yet imports since its start
            uploads = [uploaded(pupil, data) for pupil in pupils]
            for helper in helpers[:-1]:
                helper.process.send_signal(signal.SIGSTOP)
            jobs = [ordered(pupil, upload) for pupil, upload in zip(pupils, uploads, strict=True)]
            start = records.now()
            for helper in helpers[:-1]:
                helper.process.send_signal(signal.SIGCONT)
            until_done(records, 2 * workers + JOBS)
            found = [record for job in jobs if (record := records.get("job", job)) is not None]
            assert len(set(jobs)) == JOBS == sum(record.state == "done" for record in found)
            assert len({digest(client, record.id) for record in found}) == 1
            return max(record.data["finished"] for record in found) - start
    finally:
        for helper in helpers:
            helper.stop()


def at(number: int, url: str) -> httpx.Client:
    """A pupil with an address."""
    transport = httpx.HTTPTransport(local_address=f"127.0.1.{number + 1}")
    return httpx.Client(base_url=url, timeout=120, transport=transport, headers=SURE)


def uploaded(client: httpx.Client, data: bytes) -> str:
    """The number of an upload."""
    return str(client.post("/api/uploads", files={"file": ("mobilenet.pth", data)}).raise_for_status().json()["upload"])


def ordered(client: httpx.Client, upload: str) -> str:
    """The number of a job."""
    return str(client.post("/api/jobs", json={"upload": upload}).raise_for_status().json()["job"])


def until_done(records: RedisRecords, jobs: int) -> None:
    """Asks Redis alone, and seldom."""
    while records.count("job", "done") < jobs:
        assert records.count("job", "failed") == 0
        time.sleep(0.2)


def digest(client: httpx.Client, job: str) -> str:
    """Of the model that was made."""
    told = client.get(f"/api/jobs/{job}").json()
    url = next(entry["url"] for entry in told["result"]["files"] if entry["kind"] == "model")
    return hashlib.sha256(client.get(url).raise_for_status().content).hexdigest()


def report(
    clients: int, got: list[tuple[float, str, str]], memory: float, seconds: float, alone: tuple[float, float]
) -> None:
    """A line for each figure."""
    times = sorted(took for took, _, _ in got)
    cores, one = os.cpu_count() or 1, statistics.mean(alone)
    possible = cores / one
    print(f"clients            {clients}, all finished: {len(got) == clients}")
    print(f"jobs, models       {len({job for _, job, _ in got})} jobs, {len({digest for *_, digest in got})} model")
    print(f"upload to download p50 {statistics.median(times):.1f} s, p95 {times[int(0.95 * (len(times) - 1))]:.1f} s")
    print(f"whole lesson       {seconds:.1f} s, {clients / seconds:.2f} conversions a second")
    print(f"single conversion  {alone[0]:.2f} s before, {alone[1]:.2f} s after; {cores} cores: {possible:.2f} a second")
    print(f"throughput         {clients / seconds / possible:.2f} of that")
    print(f"server memory      {memory:.0f} MB at most")


if __name__ == "__main__":
    main()
