"""Actions: slow ones never hold up the camera, and what goes wrong is said once while the program goes on."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.errors import DeviceError, ExtraMissing, FileMissing, use_language
from qingzhou.runtime import act
from qingzhou.runtime.parts import optional, pins, sim, voice, wires, worker
from qingzhou.runtime.parts.worker import Worker
from qingzhou.runtime.rules import Rules


@pytest.fixture(autouse=True)
def quiet_board() -> Iterator[None]:
    """English, nothing told before, and all let go afterwards."""
    use_language("en")
    worker._told.clear()
    yield
    act.close()


def test_a_slow_voice_does_not_hold_up_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it speaks, the newest few wait and older ones are dropped: nobody wants to hear what was long ago."""
    said: list[str] = []
    go, began = threading.Event(), threading.Event()

    def speak(text: str) -> None:
        began.set()
        go.wait(10)
        said.append(text)

    monkeypatch.setattr(voice, "speak", speak)
    act.do("speak", "first")
    assert began.wait(10)
    for number in range(100):
        act.do("speak", str(number))
    assert said == []
    go.set()
    act._workers["voice"].finish(10)
    assert said == ["first", "97", "98", "99"]


def test_what_goes_wrong_is_said_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object) -> None:
        raise DeviceError("no speaker here", "没有扬声器")

    monkeypatch.setattr(voice, "speak", broken)
    monkeypatch.setattr(act.ACTIONS["show"], "do", lambda text: 1 / 0)
    for _ in range(5):
        act.do("speak", "x")
        act.do("show", "x")
    act._workers["voice"].finish(10)
    said = capsys.readouterr().out
    assert said.count("no speaker here") == 1 and said.count("ZeroDivisionError") == 1


def test_the_program_waits_for_the_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(voice, "speak", lambda text: (time.sleep(0.05), said.append(text)))
    with Rules(["when any: speak(label)"], ["cat"]):
        act.do("speak", "bye")
    assert said == ["bye"]


def test_a_pin_that_was_on_for_a_while_is_off_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[tuple[int, bool]] = []
    monkeypatch.setattr(pins.SimPins, "write", lambda self, pin, on: states.append((pin, on)))
    monkeypatch.setenv("QINGZHOU_SIM", "1")
    act.do("pin", 24, True, 60)
    act.do("pin", 25, True, 0.01)
    end = time.monotonic() + 30
    while len(states) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert states == [(24, True), (25, True), (25, False)]
    act.close()
    assert states[3:] == [(24, False)]


def test_jobs_that_fail_do_not_end_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    done: list[int] = []
    one = Worker("test")
    one.put(lambda: done.append(1 // 0))
    one.put(lambda: done.append(2))
    one.finish(10)
    assert done == [2]


# -- voice --


def test_no_voice_and_no_player(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(voice, "there", lambda name: None)
    with pytest.raises(DeviceError, match=r"espeak-ng|pyttsx3"):
        voice.speak("hello")
    if sys.platform.startswith("linux"):
        with pytest.raises(DeviceError, match="alsa-utils"):
            voice.play("beep")
    with pytest.raises(FileMissing):
        voice.play("no.wav")


@pytest.mark.skipif(sys.platform == "win32", reason="no shell")
def test_no_speaker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A player that finds no sound card, as aplay says it."""
    player = tmp_path / "aplay"
    player.write_text("#!/bin/sh\necho 'ALSA lib: cannot find card 0' >&2\nexit 1\n")
    player.chmod(0o755)
    monkeypatch.setattr(voice, "PLAYERS", ([str(player), "-q"],))
    with pytest.raises(DeviceError, match="cannot find card 0"):
        voice.play("beep")


@pytest.mark.skipif(sys.platform == "win32", reason="no shell")
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A voice that cannot write its sound."""
    speaker = tmp_path / "espeak-ng"
    speaker.write_text("#!/bin/sh\necho 'No space left on device' >&2\nexit 0\n")
    speaker.chmod(0o755)
    monkeypatch.setattr(voice, "SPEAKERS", (str(speaker),))
    with pytest.raises(DeviceError, match="No space left"):
        voice.speak("hello")


def test_a_recorded_word_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    played: list[str] = []
    monkeypatch.setattr(sim, "beside", lambda name: str(tmp_path / name))
    monkeypatch.setattr(voice, "play", played.append)
    (tmp_path / "voice").mkdir()
    (tmp_path / "voice" / "小猫.wav").write_bytes(b"RIFF")
    voice.speak(" 小猫\n")
    assert played == [str(tmp_path / "voice" / "小猫.wav")]


def test_spoken_texts_do_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_espeak", lambda text, path: Path(path).write_bytes(b"x"))
    paths = {voice._synthesised(str(number)) for number in range(200)}
    assert sum(Path(path).exists() for path in paths) <= voice.MOST_KEPT + 1
    voice.forget()
    assert not any(Path(path).exists() for path in paths)


# -- what is not there --


def test_no_pins_on_a_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    with pytest.raises(DeviceError, match="--sim"):
        Rules(['when "cat": pin(24, on)'], ["cat"])


LINES = [
    ("pi", "cv2", "sudo apt install python3-opencv"),
    ("unihiker", "cv2", "pip install opencv-python"),
    ("pi", "picamera2", "sudo apt install python3-picamera2"),
    ("unihiker", "pinpong", "pip install pinpong"),
    ("pc", "serial", "pip install pyserial"),
    ("pi", "paho", "sudo apt install python3-paho-mqtt"),
]


@pytest.mark.parametrize("board, module, line", LINES)
def test_a_missing_package_says_how_this_board_installs_it(
    board: str, module: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optional, "board", lambda: board)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraMissing) as caught:
        optional.need(module, "This", "这")
    assert caught.value.en.endswith(line) and caught.value.zh.endswith(line)


ADDRESSES = [
    ("", ("127.0.0.1", 1883, "siot", "dfrobot")),
    ("192.168.1.5", ("192.168.1.5", 1883, "siot", "dfrobot")),
    ("me:it@host:99", ("host", 99, "me", "it")),
    ("a@b", ("b", 1883, "a", "dfrobot")),
]


@pytest.mark.parametrize("text, wanted", ADDRESSES)
def test_addresses_of_brokers(text: str, wanted: Any) -> None:
    assert wires.parse_address(text) == wanted


def test_nobody_takes_the_message() -> None:
    with pytest.raises(DeviceError, match="does not take"):
        wires.post("http://127.0.0.1:9/x", "hello")
    with pytest.raises(DeviceError):
        wires.post("not an address", "hello")


def test_a_full_disk_does_not_end_the_simulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The last picture cannot be kept; the program has done its work."""
    from qingzhou.runtime.screen import Screen

    monkeypatch.setenv("QINGZHOU_SIM", "1")
    monkeypatch.setattr(sim, "beside", lambda name: str(tmp_path / "no folder" / name))
    with Screen(window="none") as screen:
        assert screen.show(np.zeros((40, 40, 3), np.uint8), [])
