"""Actions: what a rule can do. Each is a class with one method, do(); the table at the end names them."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from . import screen
from .errors import DeviceError
from .parts import pins, sim, voice, wires
from .parts.optional import need, tell
from .parts.worker import Worker, attempt

GRACE = 10.0  # seconds that slow actions may still take when the program ends


class Action:
    """One action.

    takes  what its arguments are, in their order: "text", "number", "whole", "state" (on or off); "?" if it can be
           left out
    slow   the thread in which it waits for its turn; "" if it is done at once
    """

    takes: Tuple[str, ...] = ()
    slow = ""

    def ready(self, *given: Any) -> None:
        """Called when the rules are read: opens what it needs, so that a mistake is told at once. DeviceError."""

    def do(self, *given: Any) -> None:
        """Do it."""
        raise NotImplementedError


class Speak(Action):
    """speak("小猫"): say it."""

    takes, slow = ("text",), "voice"

    def do(self, text: str) -> None:
        voice.speak(text)


class Sound(Action):
    """sound("ding.wav"): play a file; sound("beep"): a tone."""

    takes, slow = ("text",), "voice"

    def do(self, path: str) -> None:
        voice.play(path)


class Pin(Action):
    """pin(24, on): switch a pin on; pin(24, on, 2): for two seconds."""

    takes = ("whole", "state", "number?")

    def ready(self, pin: int, on: bool, seconds: float = 0) -> None:
        pins.ready("pin", pin)

    def do(self, pin: int, on: bool, seconds: float = 0) -> None:
        board = pins.pins()
        board.write(pin, on)
        if seconds:
            timer(seconds, lambda: board.write(pin, not on))


class Servo(Action):
    """servo(18, 90): turn to so many degrees, 0 to 180."""

    takes = ("whole", "number")

    def ready(self, pin: int, angle: float) -> None:
        pins.ready("servo", pin)

    def do(self, pin: int, angle: float) -> None:
        pins.pins().turn(pin, float(angle))


class Show(Action):
    """show("Hello!"): large on the screen, for some seconds."""

    takes = ("text",)

    def do(self, text: str) -> None:
        screen.write(text)


class Print(Action):
    """print(label): a line in the terminal."""

    takes = ("text",)

    def do(self, text: str) -> None:
        tell(text, text)


class Serial(Action):
    """serial(label): a line to the micro:bit or Arduino; serial(label, "/dev/ttyUSB0") at this port."""

    takes, slow = ("text", "text?"), "serial"

    def ready(self, text: str, port: str = "") -> None:
        wires.serial(port)

    def do(self, text: str, port: str = "") -> None:
        wires.serial(port).write(text)


class Mqtt(Action):
    """mqtt("siot/cat", score): a message to SIoT on this board; a third text names another broker."""

    takes, slow = ("text", "text", "text?"), "network"

    def ready(self, topic: str, text: str, address: str = "") -> None:
        wires.broker(address)

    def do(self, topic: str, text: str, address: str = "") -> None:
        wires.broker(address).publish(topic, text)


class Http(Action):
    """http("http://192.168.1.5:8000/cat", label): a text by POST."""

    takes, slow = ("text", "text?"), "network"

    def do(self, address: str, text: str = "") -> None:
        wires.post(address, text)


class Key(Action):
    """key("space"): press a key of the keyboard, such as a, space, enter, left or page_down."""

    takes = ("text",)

    def ready(self, name: str) -> None:
        if not sim.active():
            keyboard()

    def do(self, name: str) -> None:
        if sim.active():
            sim.tell("key: " + name)
            return
        package = keyboard()
        board = package.Controller()
        board.tap(name if len(name) == 1 else package.Key[name])


class Click(Action):
    """click(): press the mouse where it is; click(300, 200): there, in pixels from the screen's corner."""

    takes = ("number?", "number?")

    def do(self, x: float = -1, y: float = -1) -> None:
        if sim.active():
            sim.tell("click" + ("" if x < 0 else " at %g, %g" % (x, y)))
            return
        package = need("pynput.mouse", "The mouse", "鼠标")
        mouse = package.Controller()
        if x >= 0:
            mouse.position = (int(x), int(y))
        mouse.click(package.Button.left)


def keyboard() -> Any:
    return need("pynput.keyboard", "The keyboard", "键盘")


ACTIONS: Dict[str, Action] = {
    "speak": Speak(),
    "sound": Sound(),
    "pin": Pin(),
    "servo": Servo(),
    "show": Show(),
    "print": Print(),
    "serial": Serial(),
    "mqtt": Mqtt(),
    "http": Http(),
    "key": Key(),
    "click": Click(),
}
_workers: Dict[str, Worker] = {}


def do(name: str, *given: Any) -> None:
    """An action by its name: at once, or in the thread of its kind. What goes wrong is said once; nothing is raised.

    In the simulator nothing is slow, and nothing is left out for being late.

    >>> do("speak", "小猫")
    """
    action = ACTIONS[name]
    if not action.slow or sim.active():
        attempt(lambda: action.do(*given))
        return
    if action.slow not in _workers:
        _workers[action.slow] = Worker(action.slow)
    _workers[action.slow].put(lambda: action.do(*given))


def timer(seconds: float, job: Any) -> None:
    """Does a job after so many seconds, in a thread that never keeps the program open."""
    import threading

    later = threading.Timer(seconds, lambda: attempt(job))
    later.daemon = True
    _timers.append(later)
    later.start()


_timers: list = []  # type: ignore[type-arg]


def close() -> None:
    """Waits for what is still being said or sent, then lets go of pins and connections."""
    for one in _workers.values():
        one.finish(GRACE)
    for later in _timers:  # a pin that was on for two seconds goes off now
        if later.is_alive():
            later.cancel()
            later.function()
    _timers.clear()
    for part in (pins, wires):
        try:
            part.close()
        except (DeviceError, OSError):
            continue
    voice.forget()
