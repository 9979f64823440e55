"""The page of `qingzhou serve` beside pages of others: what they send is not accepted, what it has they cannot see.

The victim has given the class code in this browser. The others stand at another port of the same host, whose requests
carry its cookies, and at another host, which may also begin to mean the server (DNS rebinding).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import served
from converter import DESKTOP, TEXTS, Visit, serving

from passengers import ORACLE

pytestmark = pytest.mark.browser
CODE = "boat 7"
CHECKPOINT = ORACLE / "trained/lenet_digits.pth"
REPORT = {"format": "qingzhou.report", "version": 1, "source": "measured", "rows": []}

FETCHES = """async ({server, job, upload, report}) => {
  const said = {};
  const attempt = async (name, path, options = {}) => {
    try {
      const answer = await fetch(server + path, {credentials: "include", ...options});
      said[name] = answer.type === "opaque" ? "opaque" : `${answer.status} ${await answer.text()}`;
    } catch {
      said[name] = "refused";
    }
  };
  const file = () => {
    const form = new FormData();
    form.append("file", new Blob(["x"]), "evil.pth");
    return form;
  };
  const order = JSON.stringify({upload}), sure = {"X-Qingzhou": "1"}, json = {"Content-Type": "application/json"};
  const quiet = {method: "POST", mode: "no-cors"};
  await attempt("upload", "/api/uploads", {...quiet, body: file()});
  await attempt("upload, asked", "/api/uploads", {method: "POST", body: file()});
  await attempt("upload, with the header", "/api/uploads", {method: "POST", body: file(), headers: sure});
  await attempt("upload, with the header unasked", "/api/uploads", {...quiet, body: file(), headers: sure});
  await attempt("order", "/api/jobs", {...quiet, body: order});
  await attempt("order as JSON", "/api/jobs", {method: "POST", body: order, headers: json});
  await attempt("order with the header", "/api/jobs", {method: "POST", body: order, headers: {...sure, ...json}});
  await attempt("code", "/api/code", {...quiet, body: JSON.stringify({code: "ship"})});
  await attempt("report", "/api/reports", {...quiet, body: JSON.stringify(report)});
  await attempt("delete", `/api/jobs/${job}`, {method: "DELETE"});
  await attempt("delete with the header", `/api/jobs/${job}`, {method: "DELETE", headers: sure});
  for (const path of [`/api/jobs/${job}`, "/api/devices", "/metrics", "/healthz", "/"]) {
    await attempt(`read ${path}`, path);
    await attempt(`take ${path}`, path, {mode: "no-cors"});
  }
  said.beacon = navigator.sendBeacon(server + "/api/reports", JSON.stringify(report)) ? "opaque" : "refused";
  return said;
}"""
FORMS = """async ({server, upload, report}) => {
  const send = async (path, enctype, fields) => {
    const frame = Object.assign(document.createElement("iframe"), {name: `f${Math.random()}`});
    const form = Object.assign(document.createElement("form"), {method: "post", action: server + path, enctype});
    form.target = frame.name;
    for (const [name, value] of Object.entries(fields)) {
      const input = Object.assign(document.createElement("input"), {name});
      input.type = value instanceof File ? "file" : "hidden";
      if (value instanceof File) {
        const given = new DataTransfer();
        given.items.add(value);
        input.files = given.files;
      } else input.value = value;
      form.append(input);
    }
    document.body.append(frame, form);
    form.submit();
    await new Promise((resolve) => setTimeout(resolve, 500));
  };
  const model = new File(["x"], "evil.pth");
  await send("/api/uploads", "multipart/form-data", {file: model});
  await send("/api/uploads", "multipart/form-data", {file: model, "X-Qingzhou": "1"});
  await send("/api/jobs", "application/x-www-form-urlencoded", {upload});
  await send("/api/jobs", "text/plain", {[`{"upload": "${upload}", "lang": "en", "labels": ["`]: `"]}`});
  await send("/api/reports", "text/plain", {[JSON.stringify(report).slice(0, -1) + ', "a": "']: '"}'});
  await send("/api/code", "text/plain", {'{"code": "': '"}'});
}"""
OWN = """async () => {
  const form = new FormData();
  form.append("file", new Blob(["x"]), "own.pth");
  return (await fetch("/api/uploads", {method: "POST", body: form, headers: {"X-Qingzhou": "1"}})).status;
}"""
REBOUND = """async ({job}) => {
  const found = [];
  for (const [method, path] of [["GET", `/api/jobs/${job}`], ["DELETE", `/api/jobs/${job}`], ["POST", "/api/uploads"]])
    found.push((await fetch(path, {method, headers: {"X-Qingzhou": "1"}})).status);
  return found;
}"""


@pytest.fixture
def victim(chromium: Any, tmp_path: Path) -> Iterator[Visit]:
    """Somebody with the class code, and a job that is done."""
    with serving(tmp_path, "--code", CODE) as server, contextlib.ExitStack() as stack:
        guest = Visit(chromium, server, DESKTOP)
        stack.callback(guest.context.close)
        guest.open("/?lang=en")
        status = guest.page.evaluate(
            """async (code) => (await fetch("/api/code", {method: "POST", body: JSON.stringify({code}),
               headers: {"X-Qingzhou": "1", "Content-Type": "application/json"}})).status""",
            CODE,
        )
        assert status == 200
        guest.open("/?lang=en")
        guest.give(CHECKPOINT)
        guest.convert()
        yield guest


@pytest.fixture
def others(tmp_path: Path) -> Iterator[str]:
    """The port of somebody else's server."""
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Free stickers</title><body>", encoding="utf-8")
    with served(folder) as url:
        yield url.rstrip("/").rpartition(":")[2]


def asked(server: str, path: str) -> str:
    """What the server says to one who knows the code."""
    request = urllib.request.Request(server + path, headers={"X-Qingzhou-Code": CODE})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


def state(server: str, job: str) -> list[str]:
    """All that could have been changed."""
    return [asked(server, path) for path in ("/metrics", "/api/reports", f"/api/jobs/{job}")]


def answers(log: Path, since: int) -> dict[str, set[int]]:
    """The statuses that requests which change something have had."""
    found = defaultdict(set)
    for line in log.read_text(encoding="utf-8")[since:].splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("event") == "request" and told["method"] not in ("GET", "HEAD", "OPTIONS"):
            found[f"{told['method']} {told['route']}"].add(told["status"])
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_what_other_pages_send_is_not_accepted(victim: Visit, others: str, host: str, tmp_path: Path) -> None:
    job = next(iter(kept(tmp_path, "job")))
    upload = next(iter(kept(tmp_path, "upload")))
    told = {"server": victim.server, "job": job, "upload": upload, "report": REPORT}
    before, since = state(victim.server, job), len((tmp_path / "log.txt").read_text(encoding="utf-8"))
    page = victim.context.new_page()
    page.goto(f"http://{host}:{others}/")
    said = page.evaluate(FETCHES, told)
    assert set(said.values()) <= {"refused", "opaque"}, said
    assert {said[name] for name in said if name.startswith(("read", "take"))} == {"refused"}, said
    page.evaluate(FORMS, told)
    page.wait_for_timeout(1000)
    found = answers(tmp_path / "log.txt", since)
    assert {"POST /api/uploads", "POST /api/jobs", "POST /api/reports", "POST /api/code"} <= set(found)
    assert set().union(*found.values()) == {403}, found
    assert state(victim.server, job) == before
    assert victim.page.evaluate(OWN) == 201  # the control: the page itself may, in the same browser


def test_other_pages_cannot_hold_it(victim: Visit, others: str) -> None:
    """Neither in a frame, to lay something over it, nor as a window that they steer."""
    page = victim.context.new_page()
    page.goto(f"http://127.0.0.1:{others}/")
    page.evaluate(
        "(url) => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))", victim.server
    )
    page.wait_for_timeout(1500)
    (frame,) = (frame for frame in page.frames if frame is not page.main_frame)
    assert frame.url.startswith("chrome-error:") and frame.locator("#files").count() == 0
    with page.expect_popup() as opened:
        page.evaluate("(url) => { window.held = open(url); }", f"{victim.server}/?lang=en")
    opened.value.wait_for_selector("body[data-state]")
    assert opened.value.evaluate("() => window.opener") is None
    assert page.evaluate("() => held.closed")  # as far as they can see


def test_a_name_that_begins_to_mean_the_server(victim: Visit, tmp_path: Path) -> None:
    """To the browser the page and the server are then one origin; the server knows better."""
    job = next(iter(kept(tmp_path, "job")))
    page = victim.context.new_page()
    answer = page.goto(victim.server.replace("127.0.0.1", "evil.example") + "/")
    assert answer.status == 421 and page.locator("#files").count() == 0
    assert page.evaluate(REBOUND, {"job": job}) == [421, 421, 421]
    assert json.loads(asked(victim.server, f"/api/jobs/{job}"))["state"] == "done"


def kept(folder: Path, kind: str) -> list[str]:
    """What the server has of a kind."""
    with contextlib.closing(sqlite3.connect(folder / "data/records.db", timeout=20)) as records:
        return [row[0] for row in records.execute("select id from records where kind = ?", (kind,))]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_link_that_has_expired(victim: Visit, tmp_path: Path, language: str) -> None:
    """Its page says so and offers nothing; a file that was to be had is not, also in a page that is open."""
    job = next(iter(kept(tmp_path, "job")))
    says = {"en": "It is no longer on the server", "zh": "它已不在服务器上"}[language]
    page = victim.context.new_page()
    page.goto(f"{victim.server}/j/{job}?lang={language}")
    page.wait_for_selector(".job[data-state=done]")
    link = page.get_attribute(".files a.main", "href")
    assert says not in page.inner_text("body")
    with contextlib.closing(sqlite3.connect(tmp_path / "data/records.db", timeout=20)) as records:
        records.execute("update records set expires = ?", (time.time() - 1,))
        records.commit()
    assert page.evaluate("async (url) => (await fetch(url)).status", link) == 404
    page.reload()
    page.wait_for_selector(f"text={says}")
    assert page.locator(".files a").count() == 0 and page.locator(".trial").count() == 0
    assert TEXTS[language]["done"] not in page.inner_text(".job")
