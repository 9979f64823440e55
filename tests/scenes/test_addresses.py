"""Addresses with a name and a password in them: both are sent to whoever asks, and never shown to anybody."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner
from PIL import Image

from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.errors import DeviceError, OptionError, QingzhouError, use_language
from qingzhou.runtime import address
from qingzhou.runtime.address import hidden, parts, quoted, shown
from qingzhou.runtime.camera import Camera
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.parts import sim, sources, wires
from qingzhou.runtime.parts.rule_text import parse
from qingzhou.runtime.parts.sources import open_source
from qingzhou.runtime.stream import Remote
from qingzhou.scenes.actions import rules_for, whom
from qingzhou.web.asking import RemoteError, Server

SECRET = "s3cret"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(buffer, "JPEG")
    return buffer.getvalue()


# -- what an address is, and how it is shown -------------------------------------------------------------------------

PARTS = {  # address -> what is asked, the name, the password; and what people see
    "http://h:80/v": ("http://h:80/v", None, "", "http://h:80/v"),
    "http://ad:s3cret@h:80/v": ("http://h:80/v", "ad", SECRET, "http://…@h:80/v"),
    "http://ad@h/v": ("http://h/v", "ad", "", "http://…@h/v"),
    "http://ad:s3%40%23cret@h/v": ("http://h/v", "ad", "s3@#cret", "http://…@h/v"),
    "http://ad:s3@cret@h/v": ("http://h/v", "ad", "s3@cret", "http://…@h/v"),
    "http://ad:s3/c#r?t@h/v": ("http://h/v", "ad", "s3/c#r?t", "http://…@h/v"),
    "http://ad:s3 cret@h/v": ("http://h/v", "ad", "s3 cret", "http://…@h/v"),
    "http://用户:密码@h/v": ("http://h/v", "用户", "密码", "http://…@h/v"),
    "HTTP://ad:s3cret@h": ("HTTP://h", "ad", SECRET, "HTTP://…@h"),
    "rtsp://ad:s3cret@h:554/s": ("rtsp://h:554/s", "ad", SECRET, "rtsp://…@h:554/s"),
    "http://ad:s3cret@[fe80::1]:80/v": ("http://[fe80::1]:80/v", "ad", SECRET, "http://…@[fe80::1]:80/v"),
    "http://[fe80::1]:80/v": ("http://[fe80::1]:80/v", None, "", "http://[fe80::1]:80/v"),
    "http://h:80/v?user=ad&pwd=s3cret": ("http://h:80/v?user=ad&pwd=s3cret", None, "", "http://h:80/v?user=…&pwd=…"),
    "rtsp://h/user=ad_password=s3cret_channel=1": (
        "rtsp://h/user=ad_password=s3cret_channel=1",
        None,
        "",
        "rtsp://h/user=…",
    ),
    "http://h:80/v?mail=a@b": ("http://h:80/v?mail=a@b", None, "", "http://…@b"),
}


@pytest.mark.parametrize("given", PARTS)
def test_parts(given: str) -> None:
    assert (*parts(given), shown(given)) == PARTS[given]
    assert parts(quoted(given)) == parts(given)


SHOWN = {
    "ad:s3cret@192.168.1.5/video": "…@192.168.1.5/video",
    "cat=http:http://ad:s3cret@h": "cat=http:http://…@h",
    "C:\\Users\\a@b.mp4": "C:\\Users\\a@b.mp4",
    "a@b.jpg": "a@b.jpg",
    "photos/a=1.jpg": "photos/a=1.jpg",
}
HIDDEN = {
    'when any: http("http://ad:s3cret@h/x", label), pin(24, on)': 'when any: http("http://…@h/x", label), pin(24, on)',
    '当 "猫"：mqtt(“siot/猫”, score, “ad:s3cret@h:1883”)': '当 "猫"：mqtt(“siot/猫”, score, “…@h:1883”)',
    'speak("12:30")': 'speak("12:30")',
    "proxy URL with no authority: 'http://ad:s3cret@h'": "proxy URL with no authority: 'http://…@h'",
}


@pytest.mark.parametrize(
    ("show", "given", "wanted"),
    [
        *((shown, *pair) for pair in SHOWN.items()),
        *((hidden, *pair) for pair in HIDDEN.items()),
    ],
)
def test_shown(show: Callable[[str], str], given: str, wanted: str) -> None:
    assert show(given) == wanted


# -- a camera --------------------------------------------------------------------------------------------------------


class Network(http.server.BaseHTTPRequestHandler):
    """Answers by its path, as cameras of many kinds do."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Network.asked.append(self.headers.get("Authorization", ""))
        _, _, path = re.sub("^http://[^/]*", "", self.path).partition("/")
        kind = re.split(r"[/?]", path)[0]
        getattr(self, f"_{kind}", self._video)()

    do_POST = do_GET

    def _video(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg() + b"\r\n")

    def _basic(self) -> None:
        wanted = "Basic " + base64.b64encode(f"ad:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            self._video()
        else:
            self._error(401, {"WWW-Authenticate": 'Basic realm="cam"'})

    def _digest(self) -> None:
        given = dict(re.findall(r'(\w+)="?([^",]+)', self.headers.get("Authorization", "")))
        one, two = (hashlib.md5(text.encode()).hexdigest() for text in (f"ad:cam:{SECRET}", f"GET:{self.path}"))
        middle = ":".join(given.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        if given.get("response") == hashlib.md5(f"{one}:{middle}:{two}".encode()).hexdigest():
            self._video()
        else:
            self._error(401, {"WWW-Authenticate": 'Digest realm="cam", nonce="abc", qop="auth"'})

    def _either(self) -> None:
        """Both are offered, as Hikvision does."""
        if self.headers.get("Authorization", "").startswith("Basic"):
            self._basic()
        elif self.headers.get("Authorization"):
            self._digest()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Digest realm="cam", nonce="abc", qop="auth"')
            self.send_header("WWW-Authenticate", 'Basic realm="cam"')
            self.end_headers()

    def _odd(self) -> None:
        self._error(401, {"WWW-Authenticate": 'Digest realm="cam", nonce="abc", algorithm=SHA-999'})

    def _bearer(self) -> None:
        self._error(401, {"WWW-Authenticate": "Bearer"})

    def _unsaid(self) -> None:
        self._error(401, {})

    def _forbidden(self) -> None:
        self._error(403, {})

    def _missing(self) -> None:
        self._error(404, {})

    def _busy(self) -> None:
        self._error(503, {})

    def _moved(self) -> None:
        self._error(302, {"Location": "/video"})

    def _round(self) -> None:
        self._error(302, {"Location": "/round"})

    def _elsewhere(self) -> None:
        """To another host by its name, which the password is not for."""
        self._error(302, {"Location": f"http://localhost:{self.server.server_address[1]}/basic"})

    def _page(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<html>")

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(jpeg() + b"half")

    def _chunks(self) -> None:
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\nno number\r\n" % (len(jpeg()), jpeg()))
        self.close_connection = True

    def _noise(self) -> None:
        self.wfile.write(b"RTSP/1.0 400 Bad Request\r\n\r\n")

    def _error(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Network)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["video", "basic", "digest", "either", "moved", "basic?a=1", "digest/x?a=1"])
@pytest.mark.parametrize("who", [f"ad:{SECRET}@", f"ad:{SECRET.replace('3', '%33')}@", " ad"])
def test_seen(host: str, path: str, who: str) -> None:
    """With its name and password, as they are or percent-encoded; a space before the address is no harm."""
    text = f" http://ad:{SECRET}@{host}/{path} " if who == " ad" else f"http://{who}{host}/{path}"
    source = open_source(text)
    assert source.picture(source.read()).shape == (48, 64, 3) and source.read() is None
    assert SECRET not in source.name
    source.close()


WRONG = {  # what follows http:// -> what is said
    "HOST/basic": "asks for a name and a password", "ad@HOST/basic": "refuses this name or password",
    "ad:s3cret0@HOST/basic": "refuses", "ad:s3cret0@HOST/digest": "refuses", "ad:s3cret@HOST/unsaid": "refuses",
    "HOST/unsaid": "asks for a name", "HOST/forbidden": "403", "HOST/missing": "404", "HOST/busy": "status 503",
    "HOST/round": "sends us on", "ad:s3cret@HOST/elsewhere": "refuses", "ad:s3cret@HOST/odd": "in a way",
    "ad:s3cret@HOST/bearer": "in a way",
    "ad:s3cret@HOST/page": "web page", "HOST/noise": "not as HTTP does", "HOST/my video": "without spaces",
    "ad:s3cret@HOST/my video": "without spaces", "ad:s3cret@127.0.0.1:9/v": "does not answer",
    "ad:s3cret@127.0.0.1/v": ".", "ad:s3cret@127.0.0.1:/v": ".", "ad:s3cret@127.0.0.1:port/v": ".", "ad:s3cret@": ".",
    "ad:s3cret@/v": ".", "ad:s3cret": ".", "ad:s3cret@[::1/v": ".", "": ".", "ad:s3cret@" + "h" * 70 + "/v": ".",
    "ad:s3cret\n@HOST/missing": "404", "HOST/missing?pwd=s3cret": "404",
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["http://", "HTTP://"])
@pytest.mark.parametrize("given", WRONG)
def test_said(host: str, given: str, scheme: str) -> None:
    with pytest.raises(DeviceError, match=WRONG[given]) as caught:
        open_source(scheme + given.replace("HOST", host))
    for text in (caught.value.en, caught.value.zh):
        assert SECRET not in text and "None" not in text
    assert caught.value.__context__ is None or caught.value.__suppress_context__  # of which a traceback would tell


@pytest.mark.parametrize("given", ["ad:s3cret@192.168.1.5/video", "http:/ad:s3cret@192.168.1.5/video"])
def test_an_address_that_is_half_there(given: str) -> None:
    with pytest.raises(QingzhouError) as caught:
        open_source(given)
    assert SECRET not in caught.value.en + caught.value.zh


@pytest.mark.parametrize("path", ["cut", "chunks"])
def test_a_stream_that_breaks_off(host: str, path: str) -> None:
    """http.client says so with errors of its own; the camera looks for it again."""
    source = open_source(f"http://{host}/{path}")
    assert source.read() is not None and source.read() is None
    source.close()


def test_a_password_is_for_its_host_alone(host: str) -> None:
    Network.asked.clear()
    with pytest.raises(DeviceError):
        open_source(f"http://ad:{SECRET}@{host}/elsewhere")
    assert Network.asked == ["", ""]


def test_a_lost_camera_is_named_without_it(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qingzhou.runtime.camera.RETRY", 0.01)
    with Camera(f"http://ad:{SECRET}@{host}/basic", every=True) as camera:
        assert len([picture for _, picture in zip(range(2), camera, strict=False)]) == 2
    said = capsys.readouterr().out
    assert "…@" in said and "is lost" in said and SECRET not in said


class FakeCv2:
    """OpenCV, which opens nothing."""

    CAP_V4L2, CAP_ANY = 200, 0
    opened: ClassVar[list[Any]] = []

    class VideoCapture:
        def __init__(self, source: Any, api: int) -> None:
            FakeCv2.opened.append(source)

        def isOpened(self) -> bool:
            return False

        def release(self) -> None:
            pass


@pytest.mark.parametrize("scheme", ["rtsp", "RTSP", "rtmp", "rtsps", "udp"])
def test_streams_for_opencv(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the name and the password, as the standard wants them."""
    monkeypatch.setattr(sources, "opencv", lambda: FakeCv2)
    FakeCv2.opened.clear()
    with pytest.raises(DeviceError, match="name and password") as caught:
        open_source(f"{scheme}://ad:{SECRET}@#@192.0.2.1:554/s?pwd={SECRET}")
    assert SECRET not in caught.value.en + caught.value.zh
    assert FakeCv2.opened == [f"{scheme}://ad:{SECRET}%40%23@192.0.2.1:554/s?pwd={SECRET}"]


def test_opencv_keeps_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the level ERROR OpenCV 4 prints the whole address of a stream that it cannot open."""
    monkeypatch.delenv("OPENCV_LOG_LEVEL", raising=False)
    monkeypatch.setattr(sources, "need", lambda *_: FakeCv2)
    assert sources.opencv() is FakeCv2 and os.environ.pop("OPENCV_LOG_LEVEL") == "FATAL"


# -- messages, other boards, servers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["unsaid", "missing", "moved", "noise", "my path", "busy"])
def test_a_message(host: str, path: str) -> None:
    """A redirect is no place for one: it would arrive empty."""
    with pytest.raises(DeviceError) as caught:
        wires.post(f"http://ad:{SECRET}@{host}/{path}", "cat")
    assert SECRET not in caught.value.en + caught.value.zh
    wires.post(f"http://ad:{SECRET}@{host}/basic", "cat")


def test_a_message_in_the_simulator(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sim, "active", lambda: True)
    wires.post(f"http://ad:{SECRET}@h/x", "cat")
    assert "http://…@h/x cat" in capsys.readouterr().out


@pytest.mark.parametrize("path", ["", "basic/x", "unsaid/x", "missing/x", "noise/x", "my path"])
def test_another_board(host: str, path: str) -> None:
    with pytest.raises(DeviceError) as caught:
        Remote(f"http://ad:{SECRET}@{host}/{path}")
    assert SECRET not in caught.value.en + caught.value.zh


@pytest.mark.parametrize("path", ["127.0.0.1:9", "[::1", "127.0.0.1:port", "a b", "", "HOST", "h" * 70])
@pytest.mark.parametrize("scheme", ["http://", "", "ftp://"])
def test_a_server(host: str, path: str, scheme: str) -> None:
    with pytest.raises((RemoteError, OptionError)) as caught:
        Server(f"{scheme}ad:{SECRET}@{path.replace('HOST', host)}", "").ask("GET", "/api/jobs/1")
    assert SECRET not in caught.value.en + caught.value.zh


def test_a_server_behind_a_password(host: str) -> None:
    Network.asked.clear()
    with pytest.raises(RemoteError, match="something else"):
        Server(f"ad:{SECRET}@{host}", "").ask("GET", "/api")
    assert Network.asked == ["Basic " + base64.b64encode(f"ad:{SECRET}".encode()).decode()]
    with pytest.raises(RemoteError, match="name and a password"):
        Server(host, "").ask("GET", "/basic")


def test_a_board_by_ssh(tmp_path: Path) -> None:
    for target in (f"root:{SECRET}@10.1.2.3", f"ssh://root:{SECRET}@10.1.2.3", f"root:{SECRET}@"):
        done = CliRunner().invoke(main, ["push", str(tmp_path), target, "--lang", "en"])
        assert done.exit_code == 1 and SECRET not in done.output and "root@" in done.output


@pytest.mark.parametrize(
    "line",
    [
        f'when any: http("http://ad:{SECRET}@h/x", label',
        f'当 "猫"：mqtt("a", label, "ad:{SECRET}@h"，1)',
        f'when any: https("http://ad:{SECRET}@h/x")',
        f'when "http://ad:{SECRET}@h": speak("x")',
    ],
)
def test_a_rule_that_is_wrong(line: str) -> None:
    from qingzhou.runtime.act import ACTIONS

    with pytest.raises(QingzhouError) as caught:
        parse(line, 1, ["猫"], ACTIONS)
    assert SECRET not in caught.value.en + caught.value.zh and "^" in caught.value.en


def test_an_action_is_told_without_it() -> None:
    """Where it is wrong, and where it names no class."""
    card = Card(
        "classification", "LeNet", "MMEdu", Input("x", "image", [1, 1, 8, 8]), Output("y", "logits"), ["cat", "bird"]
    )
    for action in (f"https:http://ad:{SECRET}@h", f'http:http://ad:{SECRET}@h"', f"dog=http:http://ad:{SECRET}@h"):
        with pytest.raises(OptionError) as caught:
            rules_for([action], card)
        assert SECRET not in caught.value.en + caught.value.zh
    (note,) = whom([f"http:http://ad:{SECRET}@h"], card)
    assert "http:http://…@h" in note and SECRET not in note


def test_a_bundle_tells_nobody(tmp_path: Path) -> None:
    """Its program has the address; what is shown of it, and its README, have none of the password."""
    model = run_conversion(
        Path(__file__).parents[1] / "oracle" / "digits" / "basenn.pth", tmp_path / "m.onnx"
    ).model.path
    action = f"http:http://ad:{SECRET}@192.168.1.5/x"
    made = build(
        model, "pi5", "camera", actions=[action], constants={"CAMERA": f"rtsp://ad:{SECRET}@h"}, lang="en", force=True
    )
    holding = [
        path.name for path in made.path.rglob("*") if path.is_file() and SECRET in path.read_text("utf-8", "replace")
    ]
    assert holding == ["main.py"] and SECRET not in str(made.as_dict()) + str(made.notes)
    assert "http://…@192.168.1.5/x" in (made.path / "README.md").read_text("utf-8")


@pytest.mark.parametrize("given", ["mqtt://ad:s3@cret@h:1884", "ad:s3@cret@h:1884", "h:1884", "mqtt://h:1884"])
def test_a_broker(given: str) -> None:
    who = ("ad", "s3@cret") if "ad" in given else (wires.USER, wires.PASSWORD)
    assert wires.parse_address(given) == ("h", 1884, *who)


def test_a_proxy_that_wants_a_name(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://ad:{SECRET}@{host}")
    with pytest.raises(DeviceError, match="404"):
        open_source("http://192.0.2.1/missing")
    monkeypatch.setenv("http_proxy", f"http:ad:{SECRET}@{host}")  # not how a proxy is written
    with pytest.raises(DeviceError) as caught:
        open_source("http://192.0.2.1/missing")
    assert SECRET not in caught.value.en + caught.value.zh


def test_reading_goes_on_without_a_name_being_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that no server knows is told as such."""

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DeviceError, match="Name or service not known"):
        open_source(f"http://ad:{SECRET}@camera/v")
    assert isinstance(address.failure(OSError("x"), "http://h"), address.Failure)
