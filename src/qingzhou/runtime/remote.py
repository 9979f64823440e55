"""Asking a model on another machine."""

from __future__ import annotations

import io
import json
import os
from typing import Any, Optional

from .address import ask, failure, shown
from .errors import DeviceError
from .file import open_file
from .model.image import open_picture
from .parts.plain import from_plain
from .parts.worker import tell_once

LARGEST = 16 << 20  # bytes of a picture that is sent
PATIENCE = 10  # seconds for an answer
QUALITY = 80  # of the JPEGs that are shown


class Remote:
    """A model on another machine, where a program of the scene "api" runs; it is asked as a model here is.

    >>> model = Remote("http://192.168.1.5:8000")
    >>> model.predict(picture)
    Prediction(label='cat', index=0, confidence=0.98, ...)

    DeviceError if nobody answers when it is opened. Later the answer is None while the other machine is away.
    """

    def __init__(self, address: str) -> None:
        self.address, self._asked = shown(address.rstrip("/")), address.rstrip("/")
        try:
            self.labels = [str(label) for label in self._ask("/model")["labels"]]
        except (KeyError, TypeError):
            raise self._another() from None

    def predict(self, picture: object) -> Any:
        """The answer for one picture (path, bytes, PIL image or RGB array); None if none came."""
        try:
            return from_plain(self._ask("/predict", _sent(picture)))
        except DeviceError as away:
            tell_once(away.en, away.zh)
            return None

    def _ask(self, path: str, body: Optional[bytes] = None) -> Any:
        try:
            with ask(self._asked + path, PATIENCE, body, {"Content-Type": "application/octet-stream"}) as answer:
                data = answer.read(LARGEST)
        except Exception as err:  # OSError, ValueError, and what http.client raises, which is neither
            raise failure(err, self._asked).error(
                self.address,
                self.address + " ",
                'Is the program of the scene "api" running there, in this network?',
                "那台设备上运行 api 场景的程序了吗？在同一个网络里吗？",
            ) from None
        try:
            return json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            raise self._another() from None

    def _another(self) -> DeviceError:
        return DeviceError(
            en='%s is not the program of the scene "api". Write the address that it prints.' % self.address,
            zh="%s 有回应，但不是 api 场景的程序。请写那个程序显示的地址。" % self.address,
        )


def _sent(picture: object) -> bytes:
    """The bytes of a picture: a file as it is, anything else as a JPEG of high quality."""
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, str) and os.path.isfile(picture):
        with open_file(picture) as file:
            return file.read(LARGEST)
    return as_jpeg(picture, 95)  # which says what is wrong with a path


def as_jpeg(picture: object, quality: int = QUALITY) -> bytes:
    """A PIL image or RGB array as the bytes of a JPEG."""
    file = io.BytesIO()
    open_picture(picture).save(file, "JPEG", quality=quality)
    return file.getvalue()
