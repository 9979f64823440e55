"""What one pupil costs a school's server: upload, look, job and files, by the CPU time of all its processes."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ..desk import Desk, Figure, NotHere, beside, elsewhere, turns
from ..goals import Goal
from ..machine import Machine

SECONDS, JOBS = 25, 4
WHAT = "one pupil at qingzhou serve: upload, look, convert MobileNetV2, download; the server and its jobs"


def goals(machine: Machine) -> tuple[Goal, ...]:
    """Beside the older checkout."""
    return (Goal("pupil, one job", "s CPU", WHAT, "then", pupil, most=0.8),)


def pupil(desk: Desk) -> Figure:
    """CPU seconds."""
    return beside(pupils(desk), "then")


@functools.cache
def pupils(desk: Desk) -> list[dict[str, float]]:
    """Each a fresh server of a checkout."""
    if not Path("/proc/self/stat").exists():
        raise NotHere("a /proc, which tells the CPU time of a server's processes")
    file = desk.file("MobileNet")
    works = {way: partial(elsewhere, jobs, file, place / "src") for way, place in desk.checkouts.items()}
    return turns(works, SECONDS, warm=False)


def jobs(file: str, source: str) -> float:
    """CPU seconds of a job at a server of this package, after two that have it import everything."""
    from clients import serving

    os.environ["PYTHONPATH"] = source
    data = Path(file).read_bytes()
    with TemporaryDirectory() as folder, serving(Path(folder) / "data", "--workers", "1") as (client, server):
        for _ in range(2):
            lesson(client, data)
        before = spent(server.process.pid)
        for _ in range(JOBS):
            lesson(client, data)
        return (spent(server.process.pid) - before) / JOBS


def lesson(client: object, data: bytes) -> None:
    """From the upload to the last file."""
    import httpx
    from clients import order, upload

    assert isinstance(client, httpx.Client)
    job = order(client, upload(client, data, "mobilenet.pth").json()["upload"]).json()["job"]
    while (told := client.get(f"/api/jobs/{job}").json())["state"] in ("queued", "running"):
        time.sleep(0.5)
    for file in told["result"]["files"]:
        client.get(file["url"]).raise_for_status()


def spent(pid: int) -> float:
    """CPU seconds of a process and of those below it, the ended ones included. Linux."""
    ticks = sum(sum(map(int, fields[11:15])) for fields in below(str(pid)))
    return ticks / os.sysconf("SC_CLK_TCK")


def below(pid: str) -> Iterator[list[str]]:
    """What /proc says of a process and of all below it, after its name: proc(5)."""
    every = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            every[place.name] = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
    wanted = {pid}
    while more := {one for one, fields in every.items() if fields[1] in wanted} - wanted:
        wanted |= more
    return iter(every[one] for one in wanted if one in every)
