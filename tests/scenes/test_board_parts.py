"""The parts that only boards have, against stand-ins that are called as the packages' own documentation says."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from qingzhou.errors import DeviceError, InputError, use_language
from qingzhou.runtime import act, camera
from qingzhou.runtime.camera import Camera
from qingzhou.runtime.model.detect import Detection
from qingzhou.runtime.parts import pins, sources
from qingzhou.runtime.rules import Rules

CAT = [Detection("cat", 0, 0.9, (0.0, 0.0, 1.0, 1.0))]
BLUE = np.zeros((4, 4, 3), np.uint8) + np.array([255, 0, 0], np.uint8)  # as B, G, R


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    use_language("en")
    yield
    act.close()


# -- the Unihiker: pinpong 0.6.2, board.py and extension/unihiker.py --


@pytest.fixture
def unihiker(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A board that writes down what it is told."""
    done: list[tuple[Any, ...]] = []

    class Pin:
        IN, OUT = 0, 1

        def __init__(self, pin: int, mode: int | None = None) -> None:
            if pin == 9:
                raise ValueError("Pin 9 is in use")
            self.pin = pin
            done.append(("open", pin, mode))

        def write_digital(self, value: int) -> None:
            done.append(("write", self.pin, value))

        def read_digital(self) -> int:
            return 1

    class Servo:
        def __init__(self, pin: Pin) -> None:
            self.pin = pin.pin

        def write_angle(self, value: int) -> None:
            done.append(("angle", self.pin, value))

    board = types.ModuleType("pinpong.board")
    vars(board).update(Pin=Pin, Servo=Servo, Board=lambda: types.SimpleNamespace(begin=lambda: done.append(("begin",))))
    extension = types.ModuleType("pinpong.extension.unihiker")
    vars(extension)["button_a"] = types.SimpleNamespace(is_pressed=lambda: True)
    empty = types.ModuleType("pinpong")
    modules = {"": empty, ".board": board, ".extension": empty, ".extension.unihiker": extension}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, "pinpong" + name, module)
    monkeypatch.setattr(pins, "board", lambda: "unihiker")
    return done


def test_pins_of_a_unihiker(unihiker: list[tuple[Any, ...]]) -> None:
    rules = Rules(['when "cat": pin(24, on), servo(22, 200)', 'when button("a") and button(21): pin(23, off)'], ["cat"])
    assert unihiker == [("begin",), ("open", 24, 1), ("open", 22, None), ("open", 21, 0), ("open", 23, 1)]
    rules.check(CAT)
    assert unihiker[5:] == [("write", 24, 1), ("angle", 22, 180), ("write", 23, 0)]
    with pytest.raises(DeviceError, match="in use"):
        Rules(['when "cat": pin(9, on)'], ["cat"])


def test_pinpong_that_ends_the_program(unihiker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It calls exit() where it finds no board."""
    monkeypatch.setattr(sys.modules["pinpong.board"], "Board", lambda: sys.exit(1))
    with pytest.raises(DeviceError):
        Rules(['when "cat": pin(24, on)'], ["cat"])


# -- the Raspberry Pi's own camera: the manual of picamera2, chapters 4 and 6 --


class Picamera2:
    """A camera that can be pulled out."""

    there = True
    closed = 0

    def __init__(self) -> None:
        if not Picamera2.there:
            raise IndexError("list index out of range")

    def create_video_configuration(self, main: dict[str, Any]) -> dict[str, Any]:
        assert main == {"format": "BGR888", "size": (640, 480)}  # R, G, B in memory
        return main

    def configure(self, config: dict[str, Any]) -> None:
        self.size = config["size"]

    def start(self) -> None:
        pass

    def capture_array(self) -> Any:
        return BLUE[..., ::-1]

    def close(self) -> None:
        Picamera2.closed += 1


@pytest.fixture
def pi(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("picamera2")
    vars(module)["Picamera2"] = Picamera2
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setattr(sources, "board", lambda: "pi")
    Picamera2.there = True


@pytest.mark.parametrize("source", ["auto", "picamera2"])
def test_the_camera_of_a_pi(source: str, pi: None) -> None:
    before = Picamera2.closed
    with Camera(source) as one:
        assert one.read()[0, 0].tolist() == [0, 0, 255]  # type: ignore[index]
    assert Picamera2.closed == before + 1


def test_a_pi_without_a_camera(pi: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Picamera2.there = False
    monkeypatch.setattr(sources, "_numbers", list)
    with pytest.raises(DeviceError, match="ribbon cable"):
        Camera("picamera2")
    with pytest.raises(DeviceError, match="tried: picamera2"):
        Camera()


# -- a USB camera: OpenCV's VideoCapture --


PROPERTIES = ("CAP_PROP_FRAME_WIDTH", "CAP_PROP_FRAME_HEIGHT")


class Capture:
    """Opens by its number; `frames` says what read() gives, one after another."""

    frames: ClassVar[list[bool]] = []
    asked: ClassVar[dict[str, float]] = {}
    opened = 0
    there = True

    def __init__(self, number: int, api: str) -> None:
        Capture.opened += Capture.there

    def isOpened(self) -> bool:
        return Capture.there

    def set(self, name: str, value: float) -> bool:
        Capture.asked[name] = value
        return True

    def read(self) -> tuple[bool, Any]:
        good = Capture.frames.pop(0) if Capture.frames else True
        return good, BLUE if good else None

    def release(self) -> None:
        pass


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("CAP_V4L2", "CAP_ANY", *PROPERTIES, "CAP_PROP_BUFFERSIZE", "COLOR_BGR2RGB")
    fake = types.SimpleNamespace(VideoCapture=Capture, **{name: name for name in names})
    fake.cvtColor = lambda frame, code: {"COLOR_BGR2RGB": frame[..., ::-1]}[code]
    monkeypatch.setattr(sources, "opencv", lambda: fake)
    monkeypatch.setattr(sources, "_numbers", lambda: [0, 2])
    monkeypatch.setattr(camera, "RETRY", 0.01)
    Capture.opened, Capture.there, Capture.frames = 0, True, []


def test_a_usb_camera_that_is_pulled_out(usb: None, capsys: pytest.CaptureFixture[str]) -> None:
    Capture.frames = [True, False, False, True]
    with Camera("auto", every=True) as one:
        assert [one.read()[0, 0].tolist() for _ in range(3)] == [[0, 0, 255]] * 3  # type: ignore[index]
    said = capsys.readouterr().out
    assert "The camera 0 is lost" in said and "is back" in said and Capture.opened == 3


@pytest.mark.parametrize("size", ["320x240", "320 X 240", "320×240", "320*240"])
def test_the_size_that_a_camera_is_asked_for(size: str, usb: None) -> None:
    with Camera(0, size=size) as one:
        assert one.read() is not None
    assert [Capture.asked[name] for name in PROPERTIES] == [320, 240]


@pytest.mark.parametrize("size", ["", "320", "large", "320x", "0x240", "320x240x3", "99999x240", "-320x240", None])
def test_a_size_that_is_none(size: tuple[int, int], usb: None) -> None:
    with pytest.raises(InputError, match="640x480"):
        Camera(0, size=size)


def test_a_usb_camera_in_use(usb: None) -> None:
    Capture.there = False
    with pytest.raises(DeviceError, match="another program uses it"):
        Camera(1)
    with pytest.raises(DeviceError, match="tried: 0, 2"):
        Camera("auto")
