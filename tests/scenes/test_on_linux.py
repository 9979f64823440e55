"""The real things, as far as a machine without hardware has them: windows, a voice, pins, ports and a broker.

`scripts/test -m scene`; .ci/run installs what it needs: xvfb, xdotool, espeak-ng, alsa-utils, mosquitto,
a Chinese font, and `pip install -e ".[test,scene]"`.
"""

from __future__ import annotations

import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageGrab

from programs import PYTHON, environment
from qingzhou.errors import DeviceError, OutputError, use_language
from qingzhou.runtime import act, listen
from qingzhou.runtime.parts import optional, pins, voice, wires, worker
from qingzhou.runtime.rules import Rules

pytestmark = pytest.mark.scene
Write = Callable[..., Path]
SOON = 30.0  # seconds for something to happen on a busy machine


def wait_for(what: Callable[[], Any], seconds: float = SOON) -> Any:
    """What it gives once that is true; it fails after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    use_language("en")
    worker._told.clear()
    yield
    act.close()


# -- a window --


@pytest.fixture
def display(request: pytest.FixtureRequest) -> Iterator[str]:
    """An X server without a monitor, as large as the Unihiker's screen unless the test says otherwise."""
    size = getattr(request, "param", "640x480")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as number:
        yield ":" + number.readline().strip()
    server.terminate()
    server.wait()


def film(path: Path, pictures: list[Path], seconds: float = 60) -> None:
    """A video of the pictures, each for ten frames, again and again."""
    import cv2  # noqa: TID251  # the tests make what OpenCV reads

    frames = [np.asarray(Image.open(one).convert("RGB").resize((320, 240)))[..., ::-1] for one in pictures]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (320, 240))
    for number in range(int(seconds * 10)):
        video.write(np.ascontiguousarray(frames[number // 10 % len(frames)]))
    video.release()


WINDOWS = [
    ("auto", "640x480", 0, False),
    ("cv2", "640x480", 0, False),
    ("auto", "240x320", 90, True),
    ("auto", "800x480", 270, True),
]


@pytest.mark.parametrize("window, display, turn, full", WINDOWS, indirect=["display"])
def test_the_camera_scene_with_a_video_as_the_camera(
    window: str, display: str, turn: int, full: bool, write: Write, models: Path, tmp_path: Path
) -> None:
    """A real window: the picture, the box and its label are on the screen; q ends the program."""
    from passengers import ORACLE

    film(tmp_path / "film.avi", [ORACLE / "trained_ssd" / "pictures" / "07.jpg"])
    main = write("camera", "shapes", CAMERA=str(tmp_path / "film.avi"), ROTATE=turn, FULL_SCREEN=full)
    text = main.read_text("utf-8").replace("Screen(FULL_SCREEN, ROTATE)", f"Screen(FULL_SCREEN, ROTATE, {window!r})")
    main.write_text(text, "utf-8")
    program = subprocess.Popen([PYTHON, str(main)], env=environment(DISPLAY=display, QINGZHOU_LANG="en"))
    try:
        shown = wait_for(lambda: painted(display))
        time.sleep(1)
        shown = ImageGrab.grab(xdisplay=display)
        kept = Path(os.environ.get("QINGZHOU_SCREENSHOTS", tmp_path))
        shown.save(kept / f"{window}-{shown.width}x{shown.height}.png")
        colors = np.asarray(shown).reshape(-1, 3).astype(int)
        box = (np.abs(colors - (230, 25, 75)).sum(axis=1) < 60).sum()  # the colour of the first class's box
        assert box > 100
        if full:
            share = min(shown.width / 240, shown.height / 320) ** 2 * 240 * 320 / (shown.width * shown.height)
            assert (colors.sum(axis=1) > 60).mean() > 0.9 * share, "the picture fills the screen"
        key(display, "q")
        assert program.wait(SOON) == 0
    finally:
        program.kill()
        program.wait()


def painted(display: str) -> bool:
    """Whether something colourful is on the screen."""
    colors = np.asarray(ImageGrab.grab(xdisplay=display)).astype(int)
    return bool((colors.max(axis=2) - colors.min(axis=2) > 100).sum() > 100)


def key(display: str, name: str) -> None:
    """Presses a key in the window below the pointer; without a window manager nothing else has the focus."""
    more = {**os.environ, "DISPLAY": display}
    subprocess.run(["xdotool", "mousemove", "100", "100"], env=more, check=True)
    subprocess.run(["xdotool", "key", "--clearmodifiers", name], env=more, check=True)


def test_a_key_is_pressed(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a rule, into another program's window."""
    listener = (
        "import tkinter; root = tkinter.Tk(); root.focus_force(); print('ready', flush=True);"
        "root.bind('<Key>', lambda event: (print(event.keysym, flush=True), root.destroy())); root.mainloop()"
    )
    other = subprocess.Popen([sys.executable, "-c", listener], env=environment(DISPLAY=display), stdout=subprocess.PIPE)
    rule = "from qingzhou.runtime import act; act.do('key', 'space')"
    try:
        assert other.stdout is not None and other.stdout.readline() == b"ready\n"
        time.sleep(1)
        subprocess.run(["xdotool", "mousemove", "50", "50"], env={**os.environ, "DISPLAY": display}, check=True)
        subprocess.run([sys.executable, "-c", rule], env=environment(DISPLAY=display), check=True, timeout=SOON)
        assert other.stdout.readline() == b"space\n"
    finally:
        other.kill()
        other.wait()


def test_a_display_that_is_gone(write: Write) -> None:
    """A window that cannot open is no reason to stop: the answers come as lines."""
    main = write("camera", "shapes", CAMERA="sim")
    done = subprocess.run(
        [PYTHON, str(main)],
        capture_output=True,
        env=environment(DISPLAY=":4321", QINGZHOU_LANG="en"),
        timeout=60,
    )
    assert b"triangle" in done.stdout or b"circle" in done.stdout, done.stderr


# -- voice and sound --


def test_a_voice_speaks_chinese_and_english(tmp_path: Path) -> None:
    """Each text is a sound of its own, as long as it takes to say it; options in a text are text."""
    sounds = {}
    for name, text in (("cat", "cat"), ("long", "I see a big black cat"), ("zh", "小猫来了"), ("option", "--voices")):
        voice.save(text, str(tmp_path / f"{name}.wav"))
        with wave.open(str(tmp_path / f"{name}.wav"), "rb") as file:
            data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float) / 32768
            sounds[name] = len(data) / file.getframerate(), float(np.sqrt(np.mean(data**2)))
    assert all(0.2 < seconds < 5 and loud > 0.01 for seconds, loud in sounds.values()), sounds
    assert sounds["long"][0] > 1.5 * sounds["cat"][0]


def test_a_disk_that_is_full() -> None:
    """/dev/full takes no byte; as the place of a result it is refused before that."""
    with pytest.raises(DeviceError, match="could not write"):
        voice._espeak("hello", "/dev/full")
    with pytest.raises(OutputError, match="is a device"):
        voice.save("hello", "/dev/full")


@pytest.mark.skipif(Path("/dev/snd").exists(), reason="this machine has a sound card")
def test_no_speaker_and_no_microphone(capsys: pytest.CaptureFixture[str]) -> None:
    """The real aplay and arecord on a machine without sound: one message, and the program goes on or ends in peace."""
    for _ in range(3):
        act.do("speak", "hello")
    act._workers["voice"].finish(SOON)
    assert capsys.readouterr().out.count("No sound came out") == 1
    with listen.Microphone() as microphone:
        assert list(microphone) == []
    assert "No sound comes from the microphone" in capsys.readouterr().out


# -- pins --


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """gpiozero's own pretended pins."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    from gpiozero import Device
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    before, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    yield Device.pin_factory
    pins.close()
    Device.pin_factory.reset()
    Device.pin_factory = before


def test_pins_of_a_raspberry_pi(board: Any) -> None:
    from test_rules import things

    rules = Rules(
        ['when "cat": pin(24, on), servo(18, 90)', 'when no "cat": pin(24, off)', "when button(21): pin(25, on, 0.05)"],
        ["cat", "dog", "小猫"],
    )
    rules.check(things("cat"))
    assert board.pin(24).state == 1 and pins.pins().ready("servo", 18).angle == pytest.approx(90)
    assert board.pin(18).state == pytest.approx(0.0015 / 0.02, abs=1e-3), "the middle of a servo's pulse: 1.5 of 20 ms"
    rules.check([])
    assert board.pin(24).state == 0
    board.pin(21).drive_low()  # a button pulls to ground
    rules.check([])
    assert board.pin(25).state == 1
    wait_for(lambda: board.pin(25).state == 0)
    act.close()
    assert board.pin(24).state != 1


def test_a_pin_in_use(board: Any) -> None:
    from gpiozero import LED

    with LED(24), pytest.raises(DeviceError, match="in use"):
        Rules(['when "cat": pin(24, on)'], ["cat"])
    with pytest.raises(DeviceError, match="99"):
        Rules(['when "cat": pin(99, on)'], ["cat"])


# -- a serial port --


def test_a_serial_port(capsys: pytest.CaptureFixture[str]) -> None:
    """A pair of terminals is the cable: the rule writes a line, the micro:bit's values come in, the cable is pulled."""
    board, port = pty.openpty()
    name = os.ttyname(port)
    rules = Rules([f'when serial("light", "{name}") above 100: serial("bright", "{name}")'], [])
    os.write(board, b"noise\xff\xfe\r\nlight:50\r\n")
    wait_for(lambda: wires.serial(name).value("light") == "50")
    assert rules.check(None) == []
    os.write(board, b"light=150\ntemperature:2")
    wait_for(lambda: wires.serial(name).value("light") == "150")
    assert len(rules.check(None)) == 1
    act._workers["serial"].finish(SOON)
    assert os.read(board, 100).replace(b"\r\n", b"\n") == b"bright\n"
    os.close(board)
    os.close(port)
    wait_for(lambda: "cannot be used" in capsys.readouterr().out)
    assert wires.serial(name).value("light") is None, "old values no longer count"


def test_a_cable_that_is_plugged_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link stands for the port's name, which stays the same while the device behind it changes."""
    monkeypatch.setattr(wires, "RETRY", 0.1)
    name, ends = str(tmp_path / "ttyACM0"), pty.openpty()
    os.symlink(os.ttyname(ends[1]), name)
    port = wires.serial(name)
    for end in ends:
        os.close(end)
    wait_for(lambda: "cannot be used" in capsys.readouterr().out)
    ends = pty.openpty()
    os.unlink(name)
    os.symlink(os.ttyname(ends[1]), name)
    wait_for(lambda: "is back" in capsys.readouterr().out)
    os.write(ends[0], b"light:7\n")
    wait_for(lambda: port.value("light") == "7")
    act.close()
    for end in ends:
        os.close(end)


def test_a_port_that_is_closed_is_no_problem(capsys: pytest.CaptureFixture[str]) -> None:
    board, port = pty.openpty()
    name = os.ttyname(port)
    wires.serial(name).write("hello")
    act.close()
    time.sleep(1)  # longer than the port waits for a line
    os.close(board)
    os.close(port)
    assert capsys.readouterr().out == ""


def test_no_serial_port() -> None:
    with pytest.raises(DeviceError, match=r"micro:bit|cannot be used"):
        Rules(["when any: serial(label)"], [])
    with pytest.raises(DeviceError, match="/dev/ttyNO"):
        Rules(['when any: serial(label, "/dev/ttyNO")'], [])


# -- a broker --


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """The real broker, on loopback, with SIoT's user."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "users").write_text("siot:dfrobot\n")
        subprocess.run(["mosquitto_passwd", "-U", str(folder / "users")], check=True)
        os.chmod(folder / "users", 0o644)
        text = f"listener {self.port} 127.0.0.1\npassword_file {folder}/users\nallow_anonymous false\nuser root\n"
        (folder / "mosquitto.conf").write_text(text)
        self.start()

    def start(self) -> None:
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen(
            [str(program), "-c", str(self.folder / "mosquitto.conf")], stderr=subprocess.DEVNULL
        )
        wait_for(self.answers)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    server = Mosquitto(tmp_path)
    yield server
    act.close()
    server.stop()


def test_messages_to_and_from_a_broker(mosquitto: Mosquitto, capsys: pytest.CaptureFixture[str]) -> None:
    """With SIoT's user; the broker goes, which is said once, and comes back."""
    from test_rules import things

    where = f"127.0.0.1:{mosquitto.port}"
    rules = Rules(
        [
            f'when "cat": mqtt("siot/seen", label, "{where}")',
            f'when mqtt("siot/seen", "{where}") is "cat": print("heard")',
        ],
        ["cat", "dog", "小猫"],
    )
    wait_for(lambda: wires.broker(where)._client.is_connected())
    time.sleep(0.5)  # the subscription
    rules.check(things("cat"))
    wait_for(lambda: wires.broker(where).value("siot/seen") == "cat")
    rules.check(things("cat"))
    assert "heard" in capsys.readouterr().out
    mosquitto.stop()
    said = []
    wait_for(lambda: said.append(capsys.readouterr().out) or "is gone" in "".join(said))
    act.do("mqtt", "siot/seen", "lost", where)
    act._workers["network"].finish(SOON)
    assert "does not answer" in capsys.readouterr().out
    mosquitto.start()
    wait_for(lambda: said.append(capsys.readouterr().out) or "is back" in "".join(said))
    act.do("mqtt", "siot/seen", "dog", where)
    wait_for(lambda: wires.broker(where).value("siot/seen") == "dog")
    assert "".join(said).count("is gone") == 1


def test_a_broker_that_refuses(mosquitto: Mosquitto, capsys: pytest.CaptureFixture[str]) -> None:
    act.do("mqtt", "siot/x", "1", f"me:wrong@127.0.0.1:{mosquitto.port}")
    said: list[str] = []
    wait_for(lambda: said.append(capsys.readouterr().out) or "refuses this user" in "".join(said))


# -- a camera --


@pytest.mark.skipif(Path("/dev/video0").exists(), reason="this machine has a camera")
def test_no_camera(write: Write) -> None:
    for source in ("auto", 0):
        main = write("camera", "shapes", CAMERA=source)
        done = subprocess.run([PYTHON, str(main)], capture_output=True, env=environment(QINGZHOU_LANG="en"))
        said = done.stderr.decode()
        assert done.returncode == 1 and said.startswith("Problem: ") and said.count("\n") == 1, said
        assert ("No camera was found" if source == "auto" else "cannot be opened") in said


def test_a_video_is_looked_through(write: Write, tmp_path: Path) -> None:
    """The video scene leaves no picture out, however slow the network is."""
    from passengers import ORACLE

    film(tmp_path / "film.avi", sorted((ORACLE / "trained_ssd" / "pictures").glob("*.jpg"))[:2], seconds=4)
    main = write("video", "shapes")
    command = [PYTHON, str(main), str(tmp_path / "film.avi")]
    done = subprocess.run(command, capture_output=True, env=environment(QINGZHOU_LANG="en"), timeout=120)
    assert done.returncode == 0, done.stderr
    rows = (main.parent / "result.csv").read_text("utf-8-sig").splitlines()[1:]
    assert {int(row.partition(",")[0]) for row in rows} == set(range(1, 41))


def test_what_is_said_of_this_machine() -> None:
    """A computer is no board."""
    assert optional.board() == "pc"
