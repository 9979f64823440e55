"""What has expired is gone for everybody at once, and its files a moment later; what has not, stays."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clients import DIGITS, SURE, finished, order, upload
from starlette.testclient import TestClient

from qingzhou.web import worker
from qingzhou.web.app import create_app
from qingzhou.web.jobs import Jobs
from qingzhou.web.record import Record
from qingzhou.web.settings import Settings


def started(tmp_path: Path, **settings: Any) -> tuple[TestClient, Jobs]:
    """A server in this process, to be entered, and what it knows."""
    app = create_app(Settings(tmp_path / "data", tick=0.2, **settings))
    return TestClient(app, base_url="http://localhost:8000"), app.state.worker.jobs


def changed(jobs: Jobs, kind: str, id: str, **facts: Any) -> Record:
    """A record, after its change."""
    record = jobs.records.get(kind, id)
    assert record
    new = replace(record, **facts)
    assert jobs.records.swap(record, new)
    return replace(new, version=new.version + 1)


def expire(jobs: Jobs, kind: str, id: str) -> None:
    """As if its time were over."""
    changed(jobs, kind, id, expires=jobs.records.now() - 1)


def kept(tmp_path: Path, token: str) -> list[Path]:
    """The files of an upload or a job."""
    return [path for path in (tmp_path / "data/files").rglob("*") if path.is_file() and token in path.parts]


def test_what_expires_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SWEEP", 0.2)
    client, jobs = started(tmp_path)
    with client:
        model, other = (upload(client).json()["upload"] for _ in range(2))
        gone, stays = (finished(client, order(client, one).json()["job"]) for one in (model, other))
        address = f"/api/jobs/{gone['job']}"
        urls = [entry["url"] for entry in gone["result"]["files"]]
        assert {client.get(url).status_code for url in urls} == {200} and len(kept(tmp_path, gone["job"])) == len(urls)
        expire(jobs, "job", gone["job"])
        expire(jobs, "upload", model)
        refused = [*map(client.get, (address, *urls)), order(client, model), client.delete(address, headers=SURE)]
        said = {(answer.status_code, answer.json()["error"]["code"]) for answer in refused}
        assert said == {(404, "not_found")}
        page = client.get(f"/j/{gone['job']}").text  # the same for every link
        assert page.replace(gone["job"], "x") == client.get("/j/x").text
        end = time.monotonic() + 20
        while kept(tmp_path, gone["job"]) or kept(tmp_path, model):
            assert time.monotonic() < end
            time.sleep(0.1)
        assert jobs.records.get("job", gone["job"]) is None and jobs.records.get("upload", model) is None
        assert kept(tmp_path, other) and client.get(f"/api/jobs/{stays['job']}").json() == stays
        assert {client.get(entry["url"]).status_code for entry in stays["result"]["files"]} == {200}


def test_a_job_that_expires_while_it_runs(tmp_path: Path) -> None:
    """Nothing of what it then delivers stays."""
    client, jobs = started(tmp_path, workers=0)
    with client:
        job = order(client, upload(client).json()["upload"]).json()["job"]
        facts = jobs.job(job).data
        held = changed(jobs, "job", job, state="running", data={**facts, "attempt": 1, "lease": time.time() + 60})
        expire(jobs, "job", job)
        assert jobs.sweep() == 1
        assert not jobs.deliver(held, {"files": [], "try": None}, [DIGITS])
        assert client.get(f"/api/jobs/{job}").status_code == 404 and not kept(tmp_path, job)
