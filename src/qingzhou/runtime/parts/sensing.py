"""What comes in beside pictures: buttons and touch pins, serial lines, MQTT messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Sequence, Tuple

from . import pins, wires

if TYPE_CHECKING:
    from ..typed import Pin


class Sensor(NamedTuple):
    """takes: its arguments, as an action's;  read: its newest value, None before there is one;  ready: opens it"""

    takes: Tuple[str, ...]
    read: Callable[..., Any]
    ready: Callable[..., Any]


def _button(pin: Pin) -> bool:
    return bool(pins.pins().read(_pin(pin)))


def _pin(pin: Pin) -> Any:
    """21, or on the Unihiker also "a" and "b"."""
    return int(pin) if str(pin).replace(".0", "").isdigit() else str(pin).lower()


SENSORS: Dict[str, Sensor] = {
    "button": Sensor(("any",), _button, lambda pin: pins.ready("button", _pin(pin))),
    "serial": Sensor(
        ("text?", "text?"),
        lambda name="", port="": wires.serial(port).value(name),
        lambda name="", port="": wires.serial(port),
    ),
    "mqtt": Sensor(
        ("text", "text?"),
        lambda topic, address="": wires.broker(address).value(topic),
        lambda topic, address="": wires.broker(address).value(topic),
    ),
}


def ready(name: str, given: Sequence[Any]) -> None:
    """Open it, so that a mistake is told when the program begins. DeviceError."""
    SENSORS[name].ready(*given)


def read(name: str, given: Sequence[Any]) -> Any:
    """Its newest value; None before there is one."""
    return SENSORS[name].read(*given)
