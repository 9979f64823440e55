"""Jobs that are forked: confined and alone as fresh ones are, and none harms the process they come from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import DIGITS, finished, order, serving, until_up, upload

from passengers import basenn
from qingzhou.web import process, sandbox
from qingzhou.web.settings import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every job is a fresh process")
Forks = process.ForkServer


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forks]:
    """A fork server of our own, whose jobs tell what they see."""
    start = process.START_FORKS.replace("; main(", "; import probe; probe.install(); main(")
    found = process.ForkServer()
    monkeypatch.setattr(process, "START_FORKS", start)
    monkeypatch.setattr(process, "START", process.START.replace("; main(", "; import probe; probe.install(); main("))
    monkeypatch.setattr(process, "FORKS", found)
    monkeypatch.setenv("SECRET", "password")
    yield found
    found.close()


def asked(
    work: Path, what: str = "all", seconds: float = 30, beat: Callable[..., bool] = lambda stage: True
) -> dict[str, Any]:
    """What a job tells."""
    with sandbox.working_folder(work) as folder:
        said = sandbox.run({"what": "info", "model": f"{what}.pth", "lang": "en"}, folder, Limits(), seconds, beat)
        found: dict[str, Any] = said.get("result", said)
        return found


def told(stage: Any, seen: list[int]) -> bool:
    """Whether a job told a pid that is new."""
    if not stage or stage.get("pid", seen[-1:]) in (*seen, seen[-1:]):
        return False
    seen.append(stage["pid"])
    return True


def pid(forks: Forks) -> int:
    """Of the fork server."""
    return forks._processes[-1].pid


def handles(pid: int) -> int:
    """How many it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether a process ends in time."""
    end = time.monotonic() + seconds
    while True:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)


def test_a_forked_job_is_as_alone_and_confined_as_a_fresh_one(
    forks: Forks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forked = asked(tmp_path)
    monkeypatch.setattr(forks, "fork", lambda: None)
    fresh = asked(tmp_path)
    assert (forked["parent"], fresh["parent"]) == (pid(forks), os.getpid())
    for said in (forked, fresh):
        assert said["folder"] == said["home"] == ""  # its own, whose name is never told
        assert said["secret"] is None
        assert said["group"] == said["session"] == said["pid"] and said["threads"] == 1
    assert forked["held"] == fresh["held"] and {"cpu", "memory", "dies with its parent", "hook"} <= set(fresh["held"])
    own = [[name for name in said["handles"].values() if "libffi" not in name] for said in (forked, fresh)]
    assert sorted(own[0]) == sorted(own[1])  # nothing inherited; libffi holds itself open where ctypes came late
    assert not {"socket", "anon_inode"} & set(forked["handles"].values())
    assert forked["oom"] == "500"
    for said in (forked, fresh):
        assert said["capabilities"] == "0000000000000000"
        if "sockets" in said["held"]:
            refused = ("kill its parent", "trace its parent", "fork", "socket", "unix socket")
            assert {said[name] for name in refused} == {"EPERM"}
        if "files" in said["held"]:
            assert said["write outside"] == "EACCES"
            assert said["memory of its parent"] == said["its environment"] == "PermissionError"


def test_jobs_at_once_and_nothing_of_them_stays(forks: Forks, tmp_path: Path) -> None:
    asked(tmp_path)
    before, parent, found = handles(pid(forks)), pid(forks), []
    threads = [threading.Thread(target=lambda: found.append(asked(tmp_path))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({said["pid"] for said in found}) == 12 and {said["parent"] for said in found} == {parent}
    assert len({tuple(sorted(said["handles"].values())) for said in found}) == 1
    assert handles(parent) == before
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_is_given_up_or_late_ends_at_once(forks: Forks, tmp_path: Path) -> None:
    seen: list[int] = []

    def beat(stage: Any) -> bool:
        return not told(stage, seen)

    assert "given up" in asked(tmp_path, "sleep", beat=beat)
    assert gone(seen[0], 0)
    said = asked(tmp_path, "sleep", seconds=2.0, beat=lambda stage: told(stage, seen) or True)
    assert said["error"]["code"] == "timed_out" and gone(seen[-1], 0)


def test_after_a_crash_the_next_is_forked_from_another(forks: Forks, tmp_path: Path) -> None:
    """All that are forked from one process have its addresses: a crash tells something about those of the next."""
    first = asked(tmp_path)["parent"]
    assert asked(tmp_path, "crash")["error"]["code"] == "crashed"
    assert asked(tmp_path)["parent"] != first
    assert gone(first)


def test_a_job_that_talks_without_end(forks: Forks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "LAST_MOMENTS", 0.5)
    said = asked(tmp_path, "chatter")
    assert said["error"]["code"] == "crashed"


def test_when_the_fork_server_is_killed(forks: Forks, tmp_path: Path) -> None:
    """What it had forked goes with it and is tried again from another; the next do not notice."""
    seen: list[int] = []

    def beat(stage: Any) -> bool:
        if told(stage, seen) and len(seen) == 1:
            os.kill(pid(forks), signal.SIGKILL)
        return len(seen) < 2

    assert "given up" in asked(tmp_path, "sleep", beat=beat)
    assert len(seen) == 2 and gone(seen[0]) and gone(seen[1])
    os.kill(pid(forks), signal.SIGKILL)
    assert asked(tmp_path)["parent"] == pid(forks)


def test_it_ends_with_its_server_and_jobs_with_it(forks: Forks, tmp_path: Path) -> None:
    seen: list[int] = []
    found = asked(tmp_path)["parent"]
    forks.retire()
    assert gone(found)
    thread = threading.Thread(
        target=asked, args=(tmp_path, "sleep", 4), kwargs={"beat": lambda stage: told(stage, seen) or True}
    )
    thread.start()
    while not seen:
        time.sleep(0.02)
    parent = pid(forks)
    forks.retire()  # it stays for the job that runs
    assert not gone(parent, 0.3)
    os.kill(parent, signal.SIGTERM)  # as a service is stopped: the server decides
    assert not gone(parent, 0.3)
    os.kill(parent, signal.SIGKILL)
    thread.join()
    assert gone(seen[0])


def test_with_a_second_thread_it_serves_nobody(forks: Forks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork of a process with threads can hang: then every job is a fresh process, as everywhere else."""
    thread = (
        "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); import probe"
    )
    monkeypatch.setattr(process, "START_FORKS", process.START_FORKS.replace("import probe", thread))
    assert asked(tmp_path)["parent"] == os.getpid()
    assert gone(pid(forks))


@pytest.mark.web
def test_a_service_is_stopped_by_a_signal_to_all_its_processes(tmp_path: Path) -> None:
    """As systemd does: the jobs that run are given back, and run after the restart."""
    with serving(tmp_path / "data", "--workers", "1") as (client, server):
        model = upload(client).json()["upload"]
        jobs = [order(client, model).json()["job"] for _ in range(3)]
        time.sleep(0.1)
        for found in family(server.process.pid):
            os.kill(found, signal.SIGTERM)
        server.process.wait(20)
        server.start()
        until_up(client)
        for job in jobs:
            assert finished(client, job)["state"] == "done"


def family(root: int) -> list[int]:
    """A process and all below it."""
    found = [root]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == root:
            found += family(int(path.parent.name))
    return found


EVERYTHING = """
import sys
from pathlib import Path
from qingzhou.web import forkserver
forkserver._import_all()
before = set(sys.modules)
from qingzhou.conversion import run_conversion
from qingzhou.info import read_info
for checkpoint in sys.argv[2:]:
    read_info(checkpoint)
    run_conversion(checkpoint, Path(sys.argv[1], Path(checkpoint).stem + ".onnx"))
print(*sorted(name for name in set(sys.modules) - before if name.startswith("qingzhou")))
"""


def test_a_job_imports_nothing_that_could_have_been_there(tmp_path: Path) -> None:
    """Else every job does so anew, which took longer than the conversion itself."""
    checkpoints = [str(DIGITS), str(basenn("img_rgb"))]
    said = subprocess.run([sys.executable, "-c", EVERYTHING, str(tmp_path), *checkpoints], stdout=subprocess.PIPE)
    assert said.returncode == 0 and said.stdout.split() == []
