"""Files in an object store, which moto's S3 is; done by the server itself, and by a worker that shares nothing else."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from clients import DIGITS, SURE, Running, finished, free_port, order, pictures, serving, upload

from qingzhou.conversion import run_conversion

pytestmark = [pytest.mark.web, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket."""
    url = f"http://127.0.0.1:{free_port()}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    code = "from moto.server import main; main()"
    server = subprocess.Popen([sys.executable, "-c", code, "-p", url.rpartition(":")[2]], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                assert httpx.put(f"{url}/models").status_code == 200
                break
            except httpx.ConnectError:
                assert time.monotonic() < end
                time.sleep(0.1)
        yield "s3://models/files"
    finally:
        server.kill()
        server.wait()


def test_a_job_whose_files_are_objects(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "best.pth").write_bytes(DIGITS.read_bytes())
    expected = run_conversion(tmp_path / "best.pth", tmp_path / "best.onnx").model.path.read_bytes()
    with serving(tmp_path / "data", "--store", bucket) as (client, _):
        told = finished(client, order(client, upload(client).json()["upload"]).json()["job"])
        assert told["state"] == "done", told["error"]
        found = {entry["name"]: client.get(entry["url"]).content for entry in told["result"]["files"]}
        assert found["best.onnx"] == expected and found["best.zip"][:2] == b"PK"


PASSWORD = secrets.token_hex(8)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis that wants a password, which is in the address."""
    assert shutil.which("redis-server"), "apt install redis-server"
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--save", "", "--requirepass", PASSWORD, "--dir", str(tmp_path)]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.1)
        yield f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    finally:
        server.kill()
        server.wait()


def keys() -> set[str]:
    """The objects that there are."""
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True)
    store.invalidate_cache()
    return {key.removeprefix("models/files/") for key in store.find("models")}


def test_a_worker_elsewhere(bucket: str, queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From upload to bundle and INT8: through Redis and S3 alone, whose addresses no list of processes shows."""
    monkeypatch.setenv("QINGZHOU_QUEUE", queue)
    monkeypatch.setenv("QINGZHOU_STORE", bucket)
    (tmp_path / "best.pth").write_bytes(DIGITS.read_bytes())
    expected = run_conversion(tmp_path / "best.pth", tmp_path / "best.onnx").model.path.read_bytes()
    log = tmp_path / "worker.log"
    with serving(tmp_path / "server", "--workers", "0") as (client, server):
        model, data = (upload(client, *given).json()["upload"] for given in ((), (pictures(20), "a.zip")))
        first = order(client, model).json()["job"]
        options = {"precision": "int8", "max_drop": 5, "device": "unihiker", "scene": "basic"}
        second = order(client, model, data=data, **options).json()["job"]
        assert client.get(f"/api/jobs/{first}").json()["state"] == "queued"
        worker = Running("worker", "--workers", "1", folder=tmp_path / "elsewhere", log=log)
        try:
            told = [finished(client, job) for job in (first, second)]
            assert [one["state"] for one in told] == ["done", "done"], [one["error"] for one in told]
            found = [
                {entry["name"]: client.get(entry["url"]).content for entry in one["result"]["files"]} for one in told
            ]
            assert found[0]["best.onnx"] == expected and found[0]["best.zip"][:2] == b"PK"
            assert {"best.int8.onnx", "best-unihiker-basic.zip"} <= set(found[1])
            for process in (server.process, worker.process):
                assert PASSWORD not in Path(f"/proc/{process.pid}/cmdline").read_text()
        finally:
            worker.stop()
        assert {f"uploads/{model}/file", f"uploads/{data}/file", f"jobs/{first}/1/0"} <= keys()
        assert all(client.delete(f"/api/jobs/{job}", headers=SURE).status_code == 204 for job in (first, second))
        assert keys() == {f"uploads/{model}/file", f"uploads/{data}/file"}
    kept = [path for place in ("server", "elsewhere") for path in (tmp_path / place).rglob("*") if path.is_file()]
    assert kept == []
    logs = log.read_text() + (tmp_path / "server.log").read_text()
    assert logs.count('"event": "job ended"') == 2 and '"job ended"' not in (tmp_path / "server.log").read_text()
    assert PASSWORD not in logs and "error" not in log.read_text()
