"""Pins: gpiozero on a Raspberry Pi, pinpong on the Unihiker, printed lines in the simulator."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, Dict, List

from ..bundle.place import read_bundle
from ..errors import DeviceError
from . import sim
from .optional import board, need

if TYPE_CHECKING:
    from ..typed import Pin


class SimPins:
    """Says what happens; a button's state comes from sim/button.txt."""

    def write(self, pin: int, on: bool) -> None:
        sim.tell("pin %d %s" % (pin, "on" if on else "off"))

    def turn(self, pin: int, angle: float) -> None:
        sim.tell("servo %d to %g degrees" % (pin, angle))

    def read(self, pin: Pin) -> bool:
        return sim.line("button.txt") == "1"

    def ready(self, kind: str, pin: Pin) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to let go."""


class PiPins:
    """By gpiozero; numbers are those of the chip (BCM), as printed on most pictures of the pins."""

    def __init__(self) -> None:
        self._package = need("gpiozero", "Pins", "引脚")
        self._open: Dict[Any, Any] = {}

    def write(self, pin: int, on: bool) -> None:
        device = self.ready("pin", pin)
        device.on() if on else device.off()

    def turn(self, pin: int, angle: float) -> None:
        self.ready("servo", pin).angle = min(max(angle, 0), 180)

    def read(self, pin: Pin) -> bool:
        return bool(self.ready("button", pin).is_pressed)

    def ready(self, kind: str, pin: Pin) -> Any:
        """The open pin; DeviceError if it is in use, or is none."""
        if (kind, pin) not in self._open:
            try:
                self._open[kind, pin] = self._device(kind, pin)
            except Exception as err:  # gpiozero's own, and those of three libraries below it
                raise refused(pin, err) from None
        return self._open[kind, pin]

    def _device(self, kind: str, pin: Pin) -> Any:
        if kind == "pin":
            return self._package.OutputDevice(pin)
        if kind == "button":
            return self._package.Button(pin)
        return self._package.AngularServo(  # the pulses of common servos; gpiozero's default gives half of the way
            pin, initial_angle=None, min_angle=0, max_angle=180, min_pulse_width=0.0005, max_pulse_width=0.0025
        )

    def close(self) -> None:
        for device in self._open.values():
            device.close()
        self._open.clear()


class UnihikerPins:
    """By pinpong, on the Unihiker's own connector; its buttons are "a" and "b"."""

    def __init__(self) -> None:
        self._package = need("pinpong.board", "Pins", "引脚")
        self._open: Dict[Any, Any] = {}
        try:
            self._package.Board().begin()
        except (Exception, SystemExit) as err:  # pinpong ends the program where it finds no board
            raise refused("Unihiker", err) from None

    def write(self, pin: int, on: bool) -> None:
        self.ready("pin", pin).write_digital(int(on))

    def turn(self, pin: int, angle: float) -> None:
        self.ready("servo", pin).write_angle(int(min(max(angle, 0), 180)))

    def read(self, pin: Pin) -> bool:
        device = self.ready("button", pin)
        return bool(device.is_pressed() if pin in ("a", "b") else device.read_digital())

    def ready(self, kind: str, pin: Pin) -> Any:
        """The open pin; DeviceError."""
        if (kind, pin) not in self._open:
            try:
                self._open[kind, pin] = self._device(kind, pin)
            except (Exception, SystemExit) as err:
                raise refused(pin, err) from None
        return self._open[kind, pin]

    def _device(self, kind: str, pin: Pin) -> Any:
        Pin = self._package.Pin
        if pin in ("a", "b"):
            return getattr(need("pinpong.extension.unihiker", "Buttons", "按钮"), "button_" + pin)
        if kind == "servo":
            return self._package.Servo(Pin(pin))
        return Pin(pin, Pin.OUT if kind == "pin" else Pin.IN)

    def close(self) -> None:
        self._open.clear()


def ready(kind: str, pin: Pin) -> None:
    """Open a pin as "pin", "servo" or "button", also in the simulator only one that the board has. DeviceError."""
    check(kind, pin, (read_bundle() or {}).get("pins") or {})
    pins().ready(kind, pin)


def check(kind: str, pin: Pin, there: Dict[str, Any]) -> None:
    """DeviceError, which names those there are, for a pin that is not among a board's: kind -> numbers.

    Nothing is said of boards that we know nothing of, nor of buttons with names.
    """
    numbers = there.get(kind)
    if not numbers or not isinstance(pin, int) or pin in numbers:
        return
    en, zh = KINDS[kind]
    raise DeviceError(
        en="There is no pin %d %s here; there are %s. Name one of these." % (pin, en, spans(numbers)),
        zh="这里没有%s引脚 %d，可用的有：%s。请从中选择。" % (zh, pin, spans(numbers)),
    )


KINDS = {
    "pin": ("to switch", "可以开关的"),
    "servo": ("for a servo", "能接舵机的"),
    "button": ("for a button", "能接按钮的"),
}


def spans(numbers: Any) -> str:
    """[0, 1, 2, 4] -> "0-2, 4"."""
    ends: List[List[int]] = []
    for number in sorted(numbers):
        if ends and number == ends[-1][1] + 1:
            ends[-1][1] = number
        else:
            ends.append([number, number])
    return ", ".join("%d-%d" % (a, b) if b > a else str(a) for a, b in ends)


@functools.lru_cache(maxsize=None)
def pins() -> Any:
    """The pins of this board, opened once; DeviceError where there are none."""
    if sim.active():
        return SimPins()
    if board() == "unihiker":
        return UnihikerPins()
    if board() == "pi" or os.environ.get("GPIOZERO_PIN_FACTORY"):
        return PiPins()
    raise DeviceError(
        en="This machine has no pins that we know. Run the program on a Raspberry Pi or Unihiker, or here with --sim.",
        zh="这台机器没有轻舟认识的引脚。请在树莓派或行空板上运行，或者在这里加 --sim 运行。",
    )


def close() -> None:
    """Let all pins go."""
    if pins.cache_info().currsize:
        pins().close()
        pins.cache_clear()


def refused(pin: Pin, err: BaseException) -> DeviceError:
    text = "%s: %s" % (type(err).__name__, str(err)[:100])
    if "use" in text.lower() or "busy" in text.lower():
        return DeviceError(
            en="The pin %s is in use (%s). Close the other program that uses it, or name another pin." % (pin, text),
            zh="引脚 %s 正被占用（%s）。请关闭使用它的其他程序，或换一个引脚。" % (pin, text),
        )
    return DeviceError(
        en="The pin %s does not work (%s). Check its number, and that your user may use pins." % (pin, text),
        zh="引脚 %s 无法使用（%s）。请检查编号，以及当前用户是否有权使用引脚。" % (pin, text),
    )
