"""Files in an object store: a server of its own kind, whose answers come from moto's S3."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from clients import DIGITS, finished, free_port, order, serving, upload

from qingzhou.convert import run_conversion

pytestmark = pytest.mark.web


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket."""
    url = f"http://127.0.0.1:{free_port()}"
    for name, value in {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": url,
                        "AWS_DEFAULT_REGION": "us-east-1"}.items():  # fmt: skip
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
