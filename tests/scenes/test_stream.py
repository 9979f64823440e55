"""The board on the network: the page with the live picture, the answers to pictures, and asking another board."""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import http.client
import io
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from passengers import ORACLE, digits
from qingzhou.errors import DeviceError, InputError, use_language
from qingzhou.runtime import load, stream
from qingzhou.runtime.parts import jpeg
from qingzhou.runtime.parts.plain import as_plain, from_plain
from qingzhou.runtime.predict import Prediction, Predictor
from qingzhou.runtime.stream import Api, Page, Remote

PICTURE = ORACLE / "trained_ssd" / "pictures" / "07.jpg"


def get(address: str, body: bytes | None = None) -> tuple[int, Any]:
    """The status of an answer, and what it holds."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body), timeout=20) as answer:
            data = answer.read()
            return answer.status, json.loads(data) if "json" in answer.headers["Content-Type"] else data
    except urllib.error.HTTPError as err:
        return err.code, json.loads(err.read() or b"{}")


@pytest.fixture(scope="module")
def shapes(models: Path) -> Predictor:
    return load(models / "shapes.onnx")


@pytest.fixture
def api(shapes: Predictor) -> Iterator[str]:
    site = Api(shapes, 0)
    yield f"http://127.0.0.1:{site.port}"
    site.close()


@pytest.fixture
def page() -> Iterator[Page]:
    with Page(0) as page:
        yield page


def test_the_answer_is_what_the_model_says(api: str, shapes: Predictor) -> None:
    data = PICTURE.read_bytes()
    wanted = json.loads(json.dumps(as_plain(shapes.predict(data))))
    assert wanted["detections"][0]["label"] == "square"
    assert get(f"{api}/predict", data) == (200, wanted)
    assert get(f"{api}/predict?x=1", json.dumps({"image": base64.b64encode(data).decode()}).encode()) == (200, wanted)
    assert get(f"{api}/model")[1]["labels"] == shapes.labels


MISTAKES = [b"no picture", b"", b"{}", b'{"image": "%%"}', b'{"image": 3}', b"{" * 50_000, b"[1]", b"\xff\xd8\xff\xe0"]


@pytest.mark.parametrize("body", MISTAKES, ids=[str(one[:12]) for one in MISTAKES])
def test_what_is_no_picture(body: bytes, api: str) -> None:
    status, found = get(f"{api}/predict", body)
    assert status == 400 and found["message"] and found["error"].endswith("Error")
    assert get(f"{api}/predict", PICTURE.read_bytes())[0] == 200, "and the next one is answered"


def test_too_much_and_the_wrong_place(api: str) -> None:
    host, _, port = api.removeprefix("http://").partition(":")
    for length in ("99999999999", "-1", "x", str(stream.LARGEST + 1)):
        one = http.client.HTTPConnection(host, int(port), timeout=10)
        one.putrequest("POST", "/predict")
        one.putheader("Content-Length", length)
        one.endheaders()
        assert one.getresponse().status == 400
        one.close()
    for path in ("/../main.py", "/predict/x", "/etc/passwd", "/%2e%2e/main.py"):
        assert get(api + path)[0] == 404 and get(api + path, b"x")[0] == 404


def test_a_whole_class_at_once(api: str) -> None:
    """Whoever finds no room is told so; all others have their answers."""
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda _: get(f"{api}/predict", PICTURE.read_bytes()), range(48)))
    assert {status for status, _ in found} <= {200, 503} and sum(status == 200 for status, _ in found) >= stream.WAITING


def test_connections_that_say_nothing(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are bounded, and when they end there is room again."""
    host, _, port = api.removeprefix("http://").partition(":")
    silent = [socket.create_connection((host, int(port)), 5) for _ in range(stream.CONNECTIONS + 20)]
    assert threading.active_count() <= stream.CONNECTIONS + 20
    for one in silent:
        one.close()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            assert get(f"{api}/model")[0] == 200
            return
        time.sleep(0.1)
    raise AssertionError("no room again")


def test_the_program_sees_what_was_asked(shapes: Predictor) -> None:
    site = Api(shapes, 0)
    assert get(f"http://127.0.0.1:{site.port}/predict", PICTURE.read_bytes())[0] == 200
    picture, answer = next(iter(site))
    assert answer[0].label == "square" and picture.size == Image.open(PICTURE).size
    site.close()


def test_another_board_is_asked_as_a_model_is(api: str, shapes: Predictor, capsys: pytest.CaptureFixture[str]) -> None:
    use_language("en")
    remote = Remote(api)
    assert remote.labels == shapes.labels
    here, there = shapes.predict(PICTURE.read_bytes()), remote.predict(PICTURE.read_bytes())
    assert [one.label for one in here] == [one.label for one in there]
    assert np.allclose([one.box for one in here], [one.box for one in there], atol=0.01)
    seen = remote.predict(np.asarray(Image.open(PICTURE).convert("RGB")))
    assert seen[0].label == "square"


def test_the_other_board_goes_away(shapes: Predictor, capsys: pytest.CaptureFixture[str]) -> None:
    use_language("en")
    site = Api(shapes, 0)
    remote = Remote(f"http://127.0.0.1:{site.port}/")
    site.close()
    assert remote.predict(PICTURE.read_bytes()) is None and remote.predict(PICTURE.read_bytes()) is None
    assert capsys.readouterr().out.count("does not answer") == 1
    with pytest.raises(DeviceError, match="does not answer"):
        Remote(f"http://127.0.0.1:{site.port}")


def test_a_classifier_there_and_back(models: Path) -> None:
    picture = next(path for path, shown in digits() if shown == "3")
    answer = load(models / "digits.onnx").predict(str(picture))
    back = from_plain(json.loads(json.dumps(as_plain(answer))))
    assert back[:3] == pytest.approx(answer[:3]) and np.allclose(back.scores, answer.scores, atol=1e-5)
    numbers = Prediction("", 0, float("nan"), np.array([1.5, 2], np.float32))
    assert from_plain(as_plain(numbers)).scores.tolist() == [1.5, 2]


@pytest.mark.parametrize("found", [None, 3, [], {}, {"detections": [1]}, {"values": "x"}, {"label": "a"}])
def test_an_answer_that_is_none_of_ours(found: Any) -> None:
    with pytest.raises(InputError):
        from_plain(found)


def test_the_page_shows_the_newest(page: Page, shapes: Predictor) -> None:
    address = f"http://127.0.0.1:{page.port}"
    assert b"/stream" in get(address + "/")[1] and get(address + "/answer") == (200, {})
    picture = np.asarray(Image.open(PICTURE).convert("RGB"))
    answer = shapes.predict(picture)
    page.show(picture, answer)
    assert get(address + "/answer")[1]["text"].startswith("square 9")
    shown = Image.open(io.BytesIO(get(address + "/picture.jpg")[1]))
    assert shown.size == picture.shape[1::-1]
    assert get(address + "/main.py")[0] == 404


def test_the_stream_is_one_that_our_camera_reads(page: Page) -> None:
    """Pictures that pass while nobody has time are left out; the stream ends with the page."""
    found: list[bytes] = []

    def watch() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{page.port}/stream", timeout=10) as answer:
            found.extend(jpeg.pictures(answer))

    viewer = threading.Thread(target=watch)
    viewer.start()
    while not found:
        page.show(np.full((40, 60, 3), 200, np.uint8), None)
        time.sleep(0.02)
    page.__exit__()
    viewer.join(10)
    assert not viewer.is_alive()
    assert abs(int(np.asarray(Image.open(io.BytesIO(found[0]))).mean()) - 200) <= 1


def test_nothing_is_drawn_while_nobody_looks(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(stream, "as_jpeg", lambda *given: drawn.append(given) or b"")
    for _ in range(20):
        page.show(np.zeros((8, 8, 3), np.uint8), None)
    assert not drawn


def test_a_port_in_use(page: Page) -> None:
    for port in (page.port, 99999999):
        with pytest.raises(DeviceError, match=re.escape(str(port))):
            Page(port)


def test_labels_are_put_in_as_text() -> None:
    """No label can become a part of the page."""
    for html in (*stream.LIVE_PAGE.values(), *stream.API_PAGE.values()):
        assert "innerHTML" not in html and "document.write" not in html
