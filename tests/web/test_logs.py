"""Logs and /metrics say how much and how long: whose file it was, what is in it and where it is, they do not."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from clients import SURE, client_at, finished, order, serving, upload, zipped

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="clients have addresses of their own")
PUPIL, LABEL, PICTURE, CODE, GUESS, DEVICE = (
    "小明的秘密",
    "Kaninchen",
    "Ferienfoto",
    "boat-7-code",
    "ship-8",
    "Lisas Brett",
)
ADDRESS = "127.0.0.77"
ROW = {"model": PUPIL, "network": "LeNet", "device": DEVICE, "engine": "ort", "precision": "fp32", "size_bytes": 1,
       "accuracy": None, "latency_ms_p50": 5.0, "latency_ms_p95": 6.0, "fps": 200.0, "load_s": 0.1, "memory_mb": 50,
       "temperature_c": None, "throttled": None, "how": "", "date": "", "note": ""}  # fmt: skip


def written(text: str) -> set[str]:
    """As it can stand in a log."""
    return {text, quote(text), quote(text, safe=""), json.dumps(text)[1:-1], repr(text.encode())[2:-1]}


def use(client: httpx.Client) -> list[str]:
    """Everything that can be asked for, well and badly; the tokens that came of it."""
    model, broken, data = (
        upload(client, content, f"{PUPIL}.{suffix}").json()["upload"]
        for content, suffix in (
            (None, "pth"),
            (b"PK\3\4" + PUPIL.encode(), "pth"),
            (zipped({f"{PICTURE}.jpg": b"no picture", f"../{PICTURE}.jpg": b""}), "zip"),
        )
    )
    assert upload(client, b"x", f"{PUPIL}.exe").status_code == 422
    labels = [LABEL, *"123456789"]
    orders = [
        {"labels": labels},
        {"labels": [LABEL]},
        {"device": "unihiker", "scene": "basic", "actions": [LABEL]},
        {"data": data, "precision": "int8"},
    ]
    answers = [order(client, model, **options) for options in orders] + [order(client, broken)]
    jobs = [answer.json()["job"] for answer in answers if answer.status_code == 201]
    ends = [finished(client, job) for job in jobs]
    assert {end["state"] for end in ends} == {"done", "failed"}
    for entry in ends[0]["result"]["files"]:
        assert client.get(entry["url"]).status_code == 200
    for path in (
        f"/j/{jobs[0]}",
        f"/api/jobs/{jobs[0]}/files/{LABEL}",
        f"/{PUPIL}/{jobs[0]}?{LABEL}={model}",
        f"/api/jobs/{jobs[0]}{LABEL}",
        f"/static/../{jobs[0]}",
        f"/static/{LABEL}.js",
    ):
        client.get(path)
    report = {"format": "qingzhou.report", "version": 1, "source": "measured", "rows": [ROW]}
    assert client.post("/api/reports", json=report, headers=SURE).status_code == 201
    client.post("/api/reports", json={**report, "rows": [{**ROW, "fps": LABEL}]}, headers=SURE)
    client.post("/api/code", json={"code": GUESS}, headers=SURE)
    client.post("/api/jobs", content=f'{{"upload": "{model}", {LABEL}'.encode(), headers=SURE)
    client.request(LABEL.upper(), f"/api/jobs/{jobs[0]}", headers=SURE)
    client.get("/", headers={"Host": f"{LABEL}.example", "Referer": f"http://{LABEL}.example/{jobs[0]}"})
    assert client.delete(f"/api/jobs/{jobs[1]}", headers=SURE).status_code == 204
    return [model, broken, data, *jobs]


def raw(address: str, content: bytes) -> None:
    """What is no HTTP, or breaks off."""
    host, _, port = address.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(content)


def test_nothing_of_users_is_in_logs_or_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINGZHOU_CODE", CODE)
    log = tmp_path / "server.log"
    with serving(tmp_path / "data", "--workers", "2") as (near, _):
        address = str(near.base_url).rstrip("/")
        with client_at(address, ADDRESS) as client:
            client.headers["X-Qingzhou-Code"] = CODE
            tokens = use(client)
            head = f"POST /api/uploads HTTP/1.1\r\nHost: {LABEL}\r\nX-Qingzhou: 1\r\nContent-Length: 999\r\n\r\n{PUPIL}"
            raw(address, head.encode())
            raw(address, f"{LABEL} {tokens[0]}\r\n\r\n".encode())
            shutil.rmtree(tmp_path / "data" / "files")
            (tmp_path / "data" / "files").write_text("")  # from now on the server fails, by errors that name the place
            assert upload(client, name=f"{PUPIL}.pth").status_code == 500
            left = next(job for job in tokens[3:] if client.get(f"/api/jobs/{job}").json()["state"] == "done")
            for entry in client.get(f"/api/jobs/{left}").json()["result"]["files"]:
                assert client.get(entry["url"]).status_code >= 400
            again = order(client, tokens[0]).json()["job"]
            assert finished(client, again)["state"] == "failed"
            metrics = client.get("/metrics").text
    assert 'qingzhou_failures_total{kind="zip_names"} 1' in metrics
    lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
    events = [json.loads(line) for line in lines]
    happened = {event["event"] for event in events}
    assert len(events) > 40 and {"request", "upload", "job accepted", "job ended", "request failed"} <= happened
    said = log.read_text() + metrics
    secret = [PUPIL, LABEL, LABEL.upper()[:7], PICTURE, CODE, GUESS, DEVICE, ADDRESS, str(tmp_path)]
    secret += [token[:7] for token in (*tokens, again)]
    assert [text for text in secret if any(form in said for form in written(text))] == []
    assert "Traceback" not in said
