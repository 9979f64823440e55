"""Pins, a serial port and a broker as Linux has them."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waits import SOON, wait_for

from qingzhou.errors import DeviceError, use_language
from qingzhou.runtime import act
from qingzhou.runtime.parts import pins, wires, worker
from qingzhou.runtime.rules import Rules

pytestmark = pytest.mark.scene


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    use_language("en")
    worker._told.clear()
    yield
    act.close()


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
