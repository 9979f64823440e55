"""The simulator: no camera, pins, voice, serial port or broker, but files and printed lines; the same code beside.

Switched on by QINGZHOU_SIM=1 or `main.py --sim`. The folder `sim` beside the program may hold what comes in:

    *.png, *.jpg …   what the camera sees, by name; without any, the pictures beside the program, or a drawn one
    sound.wav        what the microphone hears; without it, three tones
    serial.txt       what the serial port receives, a line each time it is asked: temperature:25
    mqtt.txt         what the broker sends, a line each time: siot/temperature 25
    button.txt       whether a button is pressed, a line each time: 0 or 1
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Dict, List, Optional

import numpy as np

from ..errors import line as one_line

if TYPE_CHECKING:
    from ..typed import Array

SWITCH = "QINGZHOU_SIM"
REPEATS = 5  # frames that the camera gives of each picture, so that "for 3 frames" comes true
_read: Dict[str, int] = {}  # how many times a line of a file was asked for
given = [0]  # how many lines were given, of all files


def active() -> bool:
    """Whether the simulator is on."""
    return os.environ.get(SWITCH, "").strip().lower() not in ("", "0", "no", "off", "false")


def tell(text: str) -> None:
    """What a real device would do now."""
    put("[sim] " + text)


def put(text: str) -> None:
    """Prints a line in one piece, so that those of two threads never mix."""
    print(one_line(text) + "\n", end="", flush=True)


def beside(name: str) -> str:
    """The path of a file beside the program that runs."""
    main: Any = sys.modules.get("__main__")
    program = getattr(main, "__file__", None) or os.path.join(os.getcwd(), "program")
    return os.path.join(os.path.dirname(os.path.abspath(program)), name)


def pictures() -> List[Any]:
    """What the camera sees: paths, or one array of a drawn picture."""
    from ..errors import InputError
    from ..model.sample import sample_picture
    from ..read import pictures_in

    for folder in (beside("sim"), beside("")):
        try:
            return list(pictures_in(folder))
        except (OSError, InputError):
            continue
    return [sample_picture((64, 64), "RGB")]


def line(name: str) -> Optional[str]:
    """The next line of a file in the folder `sim`; None after the last, or where there is no such file."""
    from ..file import open_file

    try:
        with open_file(os.path.join(beside("sim"), name)) as file:
            lines = [text.strip() for text in file.read().decode("utf-8-sig").splitlines() if text.strip()]
    except OSError:
        return None
    place = _read.get(name, 0)
    _read[name] = place + 1
    if place >= len(lines):
        return None
    given[0] += 1
    return lines[place]


def tones(rate: int) -> Array:
    """Three seconds of float32 samples: a low, a middle and a high tone."""
    time = np.arange(rate) / rate
    return np.concatenate([0.4 * np.sin(2 * np.pi * pitch * time) for pitch in (220, 880, 3520)]).astype(np.float32)
