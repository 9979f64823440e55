"""The server as its clients see it: in this process, with jobs in their own."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from clients import DIGITS, PICTURES, SURE, finished, order, pictures, until, upload, zipped
from PIL import Image
from starlette.testclient import TestClient
from test_hostile_onnx import weights_in

from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.web.app import create_app
from qingzhou.web.settings import Settings
from qingzhou.web.uploads import kind_of, safe_name

Start = Callable[..., TestClient]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Servers with these settings; they end with the test."""
    running: list[TestClient] = []

    def one(**settings: Any) -> TestClient:
        app = create_app(Settings(tmp_path / "data", **{"lease": 5.0, "tick": 0.2, **settings}))
        client = TestClient(app, base_url="http://localhost:8000", client=("10.0.0.1", 50000))
        client.__enter__()
        running.append(client)
        return client

    yield one
    for client in running:
        client.__exit__(None, None, None)


def test_notes_come_in_the_language_of_the_page(start: Start) -> None:
    """The page says which it is; the file's look is answered in it."""
    client, said = start(), {}
    for lang in ("en", "zh"):
        sent = {"files": {"file": ("best.pth", DIGITS.read_bytes())}, "data": {"lang": lang}, "headers": SURE}
        said[lang] = client.post("/api/uploads", **sent).json()["info"]["notes"]
    assert said["zh"] and len(said["zh"]) == len(said["en"])
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in note) for note in said["zh"])
    assert not any("\u4e00" <= letter <= "\u9fff" for note in said["en"] for letter in note)


@pytest.mark.parametrize(("name", "others"), [("device", "unihiker"), ("scene", "camera")])
def test_what_there_is_no_such_of(name: str, others: str, start: Start) -> None:
    """Also people ask by curl and by qingzhou remote: the answer names what there is."""
    client = start(workers=0)
    chosen = {"device": "pi5", "scene": "basic", name: "fly"}
    told = order(client, upload(client).json()["upload"], **chosen)
    assert told.status_code == 422 and others in told.json()["error"]["en"] and others in told.json()["error"]["zh"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_notes_speak_of_the_page_and_once(lang: str, start: Start) -> None:
    """What was assumed can be set on the page: no command line is needed; a bundle for it does not say it again."""
    client = start()
    told = client.post(
        "/api/uploads", files={"file": ("best.pth", DIGITS.read_bytes())}, data={"lang": lang}, headers=SURE
    ).json()
    made = order(client, told["upload"], device="pc", scene="camera", actions=["speak"], lang=lang).json()
    result = finished(client, made["job"])["result"]
    where = {"en": "How pictures are prepared", "zh": "图片如何预处理"}[lang]
    everything = [*told["info"]["notes"], *result["convert"]["notes"], *result["bundle"]["notes"]]
    assert [note for note in told["info"]["notes"] if where in note] == result["convert"]["notes"]
    assert sum(where in note for note in everything) == 2 and not any("--" in note for note in everything)


def test_what_comes_back_is_what_a_local_conversion_makes(start: Start, tmp_path: Path) -> None:
    client = start()
    told = upload(client).json()
    assert told["kind"] == "model" and told["error"] is None and told["info"]["network"] == "LeNet-5"
    assert str(tmp_path) not in json.dumps(told)
    made = order(client, told["upload"], device="unihiker", scene="basic").json()
    done = finished(client, made["job"])
    assert done["state"] == "done", done["error"]
    files = {entry["name"]: entry for entry in done["result"]["files"]}
    assert set(files) == {"best-unihiker-basic.zip", "best.zip", "best.onnx", "best.py"}
    (tmp_path / "best.pth").write_bytes(DIGITS.read_bytes())
    local = run_conversion(tmp_path / "best.pth", tmp_path / "best.onnx")
    got = client.get(files["best.onnx"]["url"])
    assert got.content == local.model.path.read_bytes() and len(got.content) == files["best.onnx"]["size"]
    assert client.get(files["best.py"]["url"]).content == local.program.read_bytes()
    assert got.headers["content-disposition"].startswith("attachment") and got.headers["x-content-type-options"]
    inside = zipfile.ZipFile(io.BytesIO(client.get(files["best-unihiker-basic.zip"]["url"]).content)).namelist()
    assert any(name.endswith("main.py") for name in inside)
    assert done["result"]["try"]["card"]["labels"] == list("0123456789") and str(tmp_path) not in json.dumps(done)
    assert 'jobs_total{state="done"} 1' in client.get("/metrics").text
    assert client.delete(f"/api/jobs/{made['job']}", headers=SURE).status_code == 204
    assert client.get(files["best.onnx"]["url"]).status_code == 404


def test_int8_with_a_zip_of_pictures(start: Start) -> None:
    client = start()
    model = upload(client).json()["upload"]
    assert order(client, model, precision="int8").json()["error"]["code"] == "needs_data"
    data = upload(client, pictures(20), "照片.zip").json()
    assert data["kind"] == "data" and data["name"] == "照片.zip"
    board = {"device": "unihiker", "scene": "basic"}  # for a computer it may not be faster, and so not be written
    made = order(client, model, data=data["upload"], precision="int8", max_drop=5, **board).json()
    done = finished(client, made["job"])
    assert done["state"] == "done", done["error"]
    assert done["result"]["quantize"]["accuracy"]["labelled"]
    assert {"best.int8.onnx", "best.int8.html"} <= {entry["name"] for entry in done["result"]["files"]}
    assert done["result"]["try"]["model"].endswith("best.int8.onnx")


def test_pictures_as_people_pack_them(start: Start) -> None:
    """Saved by a browser as .jfif, beside an iPhone's that are left out, and that is said."""
    client = start()
    model = upload(client).json()["upload"]
    files = {}
    for folder in sorted(PICTURES.iterdir()):
        for path in sorted(folder.iterdir())[:15]:
            packed = io.BytesIO()
            Image.open(path).save(packed, "JPEG", quality=100)
            files[f"data/{folder.name}/{path.stem}.jfif"] = packed.getvalue()
    files |= {"data/0/a.heic": b"x", "data/0/Thumbs.db": b"x"}
    data = upload(client, zipped(files), "data.zip").json()["upload"]
    done = finished(client, order(client, model, data=data, precision="int8", max_drop=10).json()["job"])
    assert done["state"] == "done", done["error"]
    assert done["result"]["notes"] == ["Left out of the .zip, since they are no pictures: .heic 1"]
    assert upload(client, b"Rar!\x1a\x07\x01\x00", "data.zip").json()["error"]["code"] == "no_zip"
    told = upload(client, b"\xff\xd8\xff\xe0", "cat.bin").json()["error"]
    assert told["code"] == "wrong_kind"


MODELS = {  # what people call it -> what is made of it
    "model_best.pth.tar": "model_best",
    "best.ckpt": "best",
    "best.pth.1": "best",
    "best.pth(1)": "best",
    "best(1).pth": "best_1",
    "best": "best",
    "model.zip": "model",
    "模型.PTH": "模型",
    "v1.2.pt": "v1_2",
    "best.bin": "best_bin",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_one_whatever_it_is_called(name: str) -> None:
    content = DIGITS.read_bytes()
    assert kind_of(name, content[:512], len(content)) == ("model", ".pth") and safe_name(name) == MODELS[name]


def test_models_by_their_content(start: Start, tmp_path: Path) -> None:
    """Through the door: a chat's name, an ONNX model without an ending; what is no model is named."""
    client = start()
    told = upload(client, name="best.pth.1").json()
    done = finished(client, order(client, told["upload"]).json()["job"])
    assert {entry["name"] for entry in done["result"]["files"]} == {"best.zip", "best.onnx", "best.py"}
    model = run_conversion(DIGITS, tmp_path / "m.onnx").model.path
    told = upload(client, model.read_bytes(), "m").json()
    assert told["kind"] == "model" and told["info"]["network"] == "LeNet-5"
    told = upload(client, b"Rar!\x1a\x07\x01\x00" + bytes(99), "best.pth").json()
    assert told["kind"] == "model" and "rar" in told["error"]["en"]


NAMES = [
    "../../evil.pth",
    "..\\..\\evil.pth",
    "/etc/passwd.pth",
    "C:\\evil.pth",
    "<img src=x onerror=alert(1)>.pth",
    "a\x00b.pth",
    "con.pth",
    ".pth",
    "\u202egnp.pth",
    "x" * 5000 + ".pth",
    "模型 一.pth",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_from_users_never_become_paths(start: Start, tmp_path: Path, name: str) -> None:
    client = start(workers=0)
    told = upload(client, name=name)
    if told.status_code == 201:
        shown = told.json()["name"]
        assert "/" not in shown and "\\" not in shown and len(shown) <= 120 and shown.isprintable()
    else:
        assert told.json()["error"]["code"] in ("bad_request", "wrong_kind")
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and "files" in path.parts]
    assert {path.name for path in kept} <= {"file"} and not list(tmp_path.parent.glob("evil*"))


@pytest.mark.parametrize("place", ["../../../../etc/passwd", "/etc/passwd", "/proc/self/environ", "best.onnx"])
def test_a_model_that_names_another_file_is_refused(start: Start, tmp_path: Path, place: str) -> None:
    model = run_conversion(DIGITS, tmp_path / "m.onnx").model.proto
    weights_in(model, place)
    client = start()
    told = upload(client, model.SerializeToString(), "evil.onnx").json()
    done = finished(client, order(client, told["upload"]).json()["job"])
    assert done["state"] == "failed" and done["error"]["code"] == "NoCard"
    assert "another file" in done["error"]["en"] and str(tmp_path) not in json.dumps(done)


ZIPS = {
    "traversal": ("zip_names", lambda: zipped({"../../evil.jpg": b"x"})),
    "absolute": ("zip_names", lambda: zipped({"/evil.jpg": b"x"})),
    "windows": ("zip_names", lambda: zipped({"C:\\evil.jpg": b"x"})),
    "bomb": ("zip_large", lambda: zipped({"a.jpg": bytes(300 << 20)})),
    "no zip": ("zip_damaged", lambda: b"PK\3\4 nothing"),
}


@pytest.mark.parametrize("kind", ZIPS)
def test_zips_that_no_folder_of_pictures_makes(start: Start, tmp_path: Path, kind: str) -> None:
    client = start()
    code, make = ZIPS[kind]
    model, data = upload(client).json()["upload"], upload(client, make(), "a.zip").json()["upload"]
    done = finished(client, order(client, model, data=data, precision="int8").json()["job"])
    assert done["state"] == "failed" and done["error"]["code"] == code
    assert not list(tmp_path.rglob("evil*"))


REFUSED = [
    ({"host": "evil.example"}, 421),
    ({"host": "localhost.evil.example:8000"}, 421),
    ({**SURE, "origin": "http://evil.example"}, 403),
    ({**SURE, "origin": "null"}, 403),
    ({**SURE, "origin": "http://localhost:8001"}, 403),
    ({}, 403),
    ({**SURE, "content-length": "-1"}, 413),
]


@pytest.mark.parametrize(("headers", "status"), REFUSED)
def test_requests_of_other_pages(start: Start, headers: dict[str, str], status: int) -> None:
    answer = start(workers=0).post("/api/jobs", json={"upload": "x"}, headers=headers)
    assert answer.status_code == status and set(answer.json()["error"]) == {"code", "en", "zh"}


def test_every_answer_has_the_headers(start: Start) -> None:
    client = start(workers=0)
    for path in ("/docs", "/api/jobs/none", "/nowhere", "/static/nothing.js", "/openapi.json"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"] and headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"


def test_other_peoples_links(start: Start) -> None:
    client = start(workers=0)
    for path in ("/api/jobs/none", "/api/jobs/../none", "/api/jobs/none/files/..%2f..%2frecords.db"):
        assert client.get(path).status_code == 404, path
    job = order(client, upload(client).json()["upload"]).json()["job"]
    assert len(job) >= 22
    assert client.get(f"/api/jobs/{job}/files/..%2F..%2Frecords.db").status_code in (404, 409)


def test_limits_for_each_and_for_all(start: Start) -> None:
    client = start(
        workers=0,
        max_size=DIGITS.stat().st_size + 100,
        jobs_per_client=2,
        queue_length=4,
        uploads_per_client=2,
        uploads=4,
    )
    model = upload(client).json()["upload"]
    assert [order(client, model).status_code for _ in range(3)] == [201, 201, 429]
    assert upload(client, bytes(1 << 20)).status_code == 413
    assert upload(client).status_code == 201 and upload(client).status_code == 429
    assert client.post("/api/jobs", content=b"[" * (2 << 20), headers=SURE).status_code == 413
    assert client.post("/api/jobs", content=b"[" * 100_000, headers=SURE).status_code == 422


def test_a_disk_that_is_full(start: Start) -> None:
    answer = upload(start(workers=0, least_free=1 << 60))
    assert answer.status_code == 507 and answer.json()["error"]["code"] == "full"


def test_a_missing_extra_says_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["serve", "--lang", "en"])
    assert result.exit_code == 1 and 'pip install "qingzhou[web]"' in result.output


IMPOSSIBLE = [
    ["--queue", "amqp://:secret@x"],
    ["--queue", "redis://x"],
    ["--store", "files"],
    ["--store", "nowhere://x"],
    ["--queue", "redis://:secret@x:port/0", "--store", "file:///tmp"],
    ["--store", "file:///dev/null/x"],
    ["--queue", "redis://:secret@[::1/0", "--store", "file:///tmp"],
    ["--store", "s3://"],
]


@pytest.mark.parametrize("argv", IMPOSSIBLE, ids=lambda argv: argv[1])
def test_options_that_cannot_be(tmp_path: Path, argv: list[str]) -> None:
    """Refused in words, without a password that is in them."""
    for lang in ("en", "zh"):
        result = CliRunner().invoke(main, ["serve", "--folder", str(tmp_path), "--lang", lang, *argv])
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.exception
        assert argv[0] in result.output and "secret" not in result.output


def test_a_store_whose_package_is_missing(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["serve", "--folder", str(tmp_path), "--lang", "en", "--store", "gs://bucket/files"]
    )
    assert result.exit_code == 1 and "--store needs" in result.output and "gcsfs" in result.output


def test_the_class_code(start: Start) -> None:
    client = start(workers=0, code="boat 7")
    assert client.get("/api/devices").status_code == 401 and client.get("/healthz").status_code == 200
    assert client.get("/api/devices", headers={"X-Qingzhou-Code": "boat 7"}).status_code == 200
    assert client.post("/api/code", json={"code": "ship"}, headers=SURE).status_code == 401
    assert client.post("/api/code", json={"code": "boat 7"}, headers=SURE).status_code == 200
    assert client.get("/api/devices").status_code == 200  # by the cookie
    client.cookies.clear()
    tries = [client.post("/api/code", json={"code": str(n)}, headers=SURE).status_code for n in range(12)]
    assert tries[0] == 401 and tries[-1] == 429


def test_what_expires_is_gone(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    client = start(keep=600, workers=0)
    job = order(client, upload(client).json()["upload"]).json()["job"]
    jobs = client.app.state.worker.jobs  # type: ignore[attr-defined]
    assert client.get(f"/api/jobs/{job}").status_code == 200
    today = jobs.records.now
    monkeypatch.setattr(jobs.records, "now", lambda: today() + 601)
    assert client.get(f"/api/jobs/{job}").status_code == 404
    record = jobs.records.get("job", job)
    assert record is not None and jobs.sweep() >= 1 and jobs.records.get("job", job) is None


def test_a_restart_forgets_nothing_and_repeats_nothing(start: Start, tmp_path: Path) -> None:
    first = start()
    model = upload(first).json()["upload"]
    done = finished(first, order(first, model).json()["job"])
    first.app.state.worker.stop()  # type: ignore[attr-defined]
    waiting = start(workers=0)
    job = order(waiting, model).json()["job"]
    waiting.app.state.worker.stop()  # type: ignore[attr-defined]
    again = start()
    assert finished(again, job)["state"] == "done"
    assert again.get(f"/api/jobs/{done['job']}").json() == done


def test_a_job_that_needs_too_much(start: Start, tmp_path: Path) -> None:
    limits = Settings(tmp_path).limits
    hungry = start(limits=dataclasses.replace(limits, memory=40 << 20))
    if sys.platform == "linux":  # a look has all it needs already; 3.14 may wait for itself, until its time is over
        ended = finished(hungry, order(hungry, upload(hungry).json()["upload"]).json()["job"])
        assert ended["error"]["code"] in ("out_of_memory", "crashed", "killed", "timed_out")
    hungry.app.state.worker.stop()  # type: ignore[attr-defined]  # one folder: it would take the next one's job
    slow = start(limits=dataclasses.replace(limits, seconds=0.001))
    done = finished(slow, order(slow, upload(slow).json()["upload"]).json()["job"])
    assert done["state"] == "failed" and done["error"]["code"] == "timed_out"


def test_a_worker_that_dies_is_replaced_once(start: Start) -> None:
    client = start(workers=0, lease=0.3)
    jobs = client.app.state.worker.jobs  # type: ignore[attr-defined]
    job = order(client, upload(client).json()["upload"]).json()["job"]
    first = jobs.claim()
    assert first is not None and jobs.claim() is None
    second = until(jobs.claim)  # when the server finds the lease over
    assert second.data["attempt"] == 2
    assert not jobs.deliver(first, {"files": [], "try": None}, [DIGITS])  # too late
    assert jobs.beat(first, None) is None
    told = finished(client, job)
    assert told["state"] == "failed" and told["error"]["code"] == "worker_died"


def test_the_board_of_the_class(start: Start) -> None:
    client = start(workers=0)
    row = {"model": "best", "network": "LeNet", "device": "<b>unihiker</b>", "engine": "ort", "precision": "fp32",
           "size_bytes": 1, "accuracy": None, "latency_ms_p50": 5.0, "latency_ms_p95": 6.0, "fps": 200.0, "load_s": 0.1,
           "memory_mb": 50, "temperature_c": None, "throttled": None, "how": "", "date": "", "note": ""}  # fmt: skip
    report = {"format": "qingzhou.report", "version": 1, "source": "measured", "rows": [row]}
    assert client.post("/api/reports", json=report, headers=SURE).json()["rows"] == 1
    assert (
        client.post("/api/reports", json={**report, "rows": [{**row, "fps": 100.0}]}, headers=SURE).status_code == 201
    )
    assert client.post("/api/reports", json={"a": 1}, headers=SURE).status_code == 422
    (merged,) = client.get("/api/reports").json()["rows"]
    assert merged["boards"] == 2 and merged["fps"] == 150.0
