"""The camera: always the newest picture, lost and found again, and everything that can be one."""

from __future__ import annotations

import http.server
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qingzhou.errors import DeviceError, FileMissing, use_language
from qingzhou.runtime import camera as camera_module
from qingzhou.runtime.camera import Camera
from qingzhou.runtime.parts import jpeg, sources
from qingzhou.runtime.parts.sources import Source


def shade(value: int, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    return np.full((*size, 3), value, np.uint8)


def as_jpeg(value: int, thumbnail: bool = False) -> bytes:
    file = io.BytesIO()
    more = {"exif": b"Exif\0\0" + as_jpeg(0)} if thumbnail else {}
    Image.fromarray(shade(value)).save(file, "JPEG", quality=95, **more)
    return file.getvalue()


class Numbers(Source):
    """A camera whose every picture shows its number; with `pause` seconds between them."""

    name = "test"

    def __init__(self, frames: list[Any], pause: float = 0.0, live: bool = False) -> None:
        self.frames, self.pause, self.live, self.opened = iter(frames), pause, live, 0

    def read(self) -> Any:
        time.sleep(self.pause)
        frame = next(self.frames, None)
        if isinstance(frame, Exception):
            raise frame
        return None if frame is None else shade(frame)

    def reopen(self) -> None:
        self.opened += 1


def use(monkeypatch: pytest.MonkeyPatch, source: Source) -> Source:
    monkeypatch.setattr(camera_module, "open_source", lambda *_: source)
    monkeypatch.setattr(camera_module, "RETRY", 0.01)
    return source


def seen(pictures: Any) -> list[int]:
    return [int(picture[0, 0, 0]) for picture in pictures]


def test_a_slow_program_gets_the_newest_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the network's time: what it looks at is never older than the newest that the camera had taken."""
    taken: list[int] = []

    class Counted(Numbers):
        def read(self) -> Any:
            frame = super().read()
            if frame is not None:
                taken.append(int(frame[0, 0, 0]))
            return frame

    use(monkeypatch, Counted(list(range(60)), pause=0.005))
    with Camera() as camera:
        looked = []
        for picture in camera:
            looked.append(int(picture[0, 0, 0]))
            before = len(taken)
            while len(taken) < min(before + 4, 60):  # the slow network: four pictures pass by
                time.sleep(0.002)
    assert looked == sorted(set(looked)) and len(looked) <= 60 / 4 + 2
    assert looked[-1] >= 55, "the last pictures are not left over in a queue"


def test_every_picture_where_none_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Numbers(list(range(40))))
    with Camera(every=True) as camera:
        assert seen(camera) == list(range(40))


def test_a_lost_camera_comes_back_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_language("en")
    source = use(monkeypatch, Numbers([1, 2, None, OSError("cable"), None, 3, 4], pause=0.01, live=True))
    with Camera(every=True) as camera:
        found = seen(picture for _, picture in zip(range(4), camera, strict=False))
    said = capsys.readouterr().out
    assert found == [1, 2, 3, 4] and source.opened == 3  # type: ignore[attr-defined]
    first, back, _ = said.partition("The camera is back.")
    assert back and first.count("The camera test is lost") == 1


def test_a_window_ends_the_wait_for_a_lost_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Numbers([1], live=True))
    asked = iter([True, True, False])
    with Camera(idle=lambda: next(asked)) as camera:
        assert seen(camera) == [1]


def test_a_broken_picture_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Image.fromarray(shade(7)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    Image.fromarray(shade(9)).save(tmp_path / "c.png")
    with Camera(tmp_path) as camera:
        assert seen(camera) == [7, 9]


def test_an_error_of_ours_reaches_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Numbers([1, DeviceError("gone", "没了")]))
    with Camera(every=True) as camera, pytest.raises(DeviceError):
        list(camera)


def test_files_that_are_cameras(tmp_path: Path) -> None:
    frames = [Image.fromarray(shade(value)) for value in (10, 60, 110)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=20)
    frames[1].save(tmp_path / "b.png")
    (tmp_path / "c.mjpeg").write_bytes(b"".join(as_jpeg(value) for value in (10, 60, 110)))
    for name in ("a.gif", "c.mjpeg"):
        with Camera(str(tmp_path / name), every=True) as camera:
            assert seen(camera) == pytest.approx([10, 60, 110], abs=2)
    with Camera(tmp_path / "b.png") as camera:
        assert seen(camera) == [60]


@pytest.mark.parametrize(
    "source, error", [("no.mp4", FileMissing), ("", DeviceError), (None, DeviceError), (2.5, DeviceError)]
)
def test_what_is_no_camera(source: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Camera(source)


def test_no_camera_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_numbers", list)
    with pytest.raises(DeviceError, match="--sim"):
        Camera()


def test_the_simulator_is_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINGZHOU_SIM", "1")
    for source in ("auto", 0, "http://192.0.2.1/none"):
        with Camera(source) as camera:
            assert len(list(camera)) >= 5


# -- MJPEG --


@given(values=st.lists(st.integers(0, 255), max_size=5), cut=st.integers(1, 500), junk=st.binary(max_size=20))
def test_pictures_out_of_a_stream(values: list[int], cut: int, junk: bytes) -> None:
    """Whatever stands between them, in whatever pieces they come, also with a second picture inside."""
    whole = [as_jpeg(value, thumbnail=value % 2 == 0) for value in values]
    junk = junk.replace(b"\xff", b"")
    data = b"".join(junk + picture for picture in whole)

    class Pieces(io.BytesIO):
        def read1(self, _: int | None = -1) -> bytes:
            return self.read(cut)

    assert list(jpeg.pictures(Pieces(data))) == whole


@given(data=st.binary(max_size=400), begin=st.sampled_from([b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xda\x00\x02"]))
def test_noise_is_no_stream(data: bytes, begin: bytes) -> None:
    for picture in jpeg.pictures(io.BytesIO(begin + data)):
        assert picture[:2] == b"\xff\xd8" and picture[-2:] == b"\xff\xd9"


class Phone(http.server.BaseHTTPRequestHandler):
    """A phone's camera app: two pictures, then the connection breaks; after the third connection it answers no more."""

    asked = 0

    def do_GET(self) -> None:
        Phone.asked += 1
        if Phone.asked > 2:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=x")
        self.end_headers()
        for value in (40, 80):
            body = as_jpeg(value + Phone.asked)
            self.wfile.write(b"--x\r\nContent-Type: image/jpeg\r\n\r\n" + body + b"\r\n")
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def phone() -> Iterator[str]:
    Phone.asked = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Phone)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/video"
    server.shutdown()
    server.server_close()


def test_a_stream_from_the_network_reconnects(phone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "RETRY", 0.01)
    with Camera(phone, every=True) as camera:
        found = seen(picture for _, picture in zip(range(4), camera, strict=False))
    assert found == pytest.approx([41, 81, 42, 82], abs=2)


def test_a_stream_that_does_not_answer() -> None:
    with pytest.raises(DeviceError, match="does not answer"):
        Camera("http://127.0.0.1:9/video")
