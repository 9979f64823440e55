"""Addresses with a name and a password in them: both are sent to whoever asks, and never shown to anybody."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from network import SECRET, Network

from qingzhou.errors import DeviceError, QingzhouError, use_language
from qingzhou.runtime.address import hidden, parts, quoted, shown
from qingzhou.runtime.camera import Camera
from qingzhou.runtime.parts import sources
from qingzhou.runtime.parts.sources import open_source


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


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
