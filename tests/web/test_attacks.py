"""Hostile files through the server's door. Nothing in them runs, nothing of the server shows, others are served.

What a file makes a process do is seen by a hook in that process (witness.py) and by what lies in its folder afterwards;
a control shows that both see it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import witness
from bombs import BOMBS, bomb
from clients import DIGITS, SURE, client_at, finished, memory, order, served_here, upload
from files import hostile_files
from hostile import CALLS, CANARY

from qingzhou.conversion import run_conversion
from qingzhou.web import process, sandbox
from qingzhou.web.settings import Limits, Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="clients have addresses of their own")
CLIENTS = 4
OURS = ("Traceback", 'File "', "site-packages", "/usr/", "root:", "qingzhou/web", ".py:", str(Path.home()))
CONVERTED = 20  # of so many checkpoints one is also converted, which reads it again by the same reader
EVIL = """
from qingzhou.web import task
import pickle
task._info = lambda order, tell: pickle.load(open(order["model"], "rb"))
"""


class Seen:
    """The files and notes that all jobs have left."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.notes: set[str] = set()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Looks into every working folder before it vanishes."""
    found, folder_of = Seen(), sandbox.working_folder

    @contextlib.contextmanager
    def watched(work: Path) -> Iterator[Path]:
        with folder_of(work) as folder:
            yield folder
            found.files |= {path.name for path in folder.rglob("*")}
            found.notes |= set((folder / witness.NOTES).read_text().split())

    monkeypatch.setattr(sandbox, "working_folder", watched)
    with started_with(monkeypatch, "import witness; witness.install()"):
        yield found


@contextlib.contextmanager
def started_with(monkeypatch: pytest.MonkeyPatch, code: str) -> Iterator[None]:
    """Jobs come from processes that do this first."""
    with monkeypatch.context() as patch:
        for name in ("START", "START_FORKS"):
            before, main, after = getattr(process, name).rpartition("main(")
            patch.setattr(process, name, f"{before.rstrip('; ')}\n{code}\n{main}{after}")
        forks = process.ForkServer()
        patch.setattr(process, "FORKS", forks)
        yield
        forks.close()


def test_the_witness_sees(seen: Seen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The control: the same files, opened as torch.load would."""
    limits = Settings(tmp_path).limits
    with started_with(monkeypatch, EVIL):
        for attack in ("os.system", "eval", "urlopen"):
            with sandbox.working_folder(tmp_path) as folder:
                (folder / "x.pth").write_bytes(CALLS[attack])
                told = {"what": "info", "model": str(folder / "x.pth"), "data": None, "lang": "en"}
                sandbox.run(told, folder, limits, 20, lambda stage: True)
    assert {"os.system", "pickle.find_class", "open"} <= seen.notes
    assert CANARY in seen.files  # eval's: the shell of os.system is not even started


@pytest.fixture
def files(tmp_path: Path) -> dict[str, tuple[str, bytes]]:
    """The whole suite of the reader."""
    model = run_conversion(DIGITS, tmp_path / "good.onnx").model.proto
    return hostile_files(tmp_path, model)


def leaks(text: str, tmp_path: Path) -> list[str]:
    """What an answer shows of the server that is nobody's business."""
    return [word for word in (str(tmp_path), *OURS) if word in text]


def attacked(client: httpx.Client, name: str, data: bytes, convert: bool) -> str:
    """All that is said about a file."""
    answer = upload(client, data, name)
    said = answer.text
    assert answer.status_code in (201, 422), said
    if convert and answer.status_code == 201:
        job = order(client, answer.json()["upload"]).json()["job"]
        said += json.dumps(finished(client, job))
        client.delete(f"/api/jobs/{job}", headers=SURE)
    return said


@pytest.mark.parametrize("step", [40, pytest.param(1, marks=pytest.mark.web)], ids=["some", "all"])
def test_the_whole_suite_of_the_reader(
    step: int, seen: Seen, files: dict[str, tuple[str, bytes]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is uploaded (about 570); every .onnx and some checkpoints are converted. A good file goes in between."""
    settings = Settings(tmp_path / "data", uploads_per_client=1000, least_free=0, uploading_per_client=CLIENTS)
    chosen = list(files.items())[::step]
    assert step > 1 or len(chosen) > 550
    faults: dict[str, Any] = {}

    def attack(place: int) -> None:
        with client_at(server, f"127.0.0.{place + 2}") as client:
            for number, (what, (name, data)) in enumerate(chosen[place::CLIENTS]):
                said = attacked(client, name, data, convert=name.endswith(".onnx") or number % CONVERTED == 0)
                bad = [word for word in ('"internal"', '"crashed"', '"killed"', '"timed_out"') if word in said]
                if bad or leaks(said, tmp_path):
                    faults[what] = bad, leaks(said, tmp_path), said[:600]
                if number % 20 == 0:
                    assert upload(client).json()["info"]["network"] == "LeNet-5"

    with served_here(settings) as server, ThreadPoolExecutor(CLIENTS) as crowd:
        for done in [crowd.submit(attack, place) for place in range(CLIENTS)]:
            done.result()
        assert upload(client_at(server, "127.0.0.9")).json()["info"]["network"] == "LeNet-5"
    assert not faults
    assert not seen.notes and CANARY not in seen.files
    assert not list(tmp_path.rglob(CANARY)) and not Path(CANARY).exists()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


ENDLESS = ("a Loop without end", "a Loop without end that works hard", "functions that double")
GREEDY = ("ConstantOfShape", "Expand", "Range", "Pad", "RandomNormal", "a Loop that doubles")
REFUSED = {"ModelError", "InputError", "out_of_memory"}


@pytest.mark.web
def test_models_that_want_everything(tmp_path: Path) -> None:
    """Each job ends with the reason, in words; meanwhile somebody else's jobs are done, and the server is well."""
    good = run_conversion(DIGITS, tmp_path / "good.onnx").model.proto
    limits = Limits(memory=1 << 30, seconds=5.0, info=5.0)
    settings = Settings(tmp_path / "data", workers=2, uploads_per_client=1000, limits=limits)
    ends: dict[str, str] = {}

    def attack(place: int) -> None:
        with client_at(server, f"127.0.0.{place + 2}") as client:
            for what in list(BOMBS)[place::2]:
                told = upload(client, bomb(good, what), "best.onnx").json()
                assert told["error"] is None, what
                done = finished(client, order(client, told["upload"]).json()["job"])
                assert done["error"] and not leaks(json.dumps(done), tmp_path), (what, done)
                ends[what] = done["error"]["code"]

    with served_here(settings) as server, ThreadPoolExecutor(2) as crowd, client_at(server, "127.0.0.9") as other:
        before, attacks = memory(), [crowd.submit(attack, place) for place in range(2)]
        while not all(one.done() for one in attacks):
            model = upload(other).json()["upload"]
            assert finished(other, order(other, model).json()["job"])["state"] == "done"
            assert other.get("/healthz").status_code == 200
        for done in attacks:
            done.result()
    assert {what: ends[what] for what in ENDLESS} == dict.fromkeys(ENDLESS, "timed_out")
    assert {what: ends[what] for what in GREEDY} == dict.fromkeys(GREEDY, "out_of_memory")
    assert set(ends) == set(BOMBS) and {end for what, end in ends.items() if what not in ENDLESS} <= REFUSED
    assert memory() - before < 300 << 20  # of this process, which is the server
