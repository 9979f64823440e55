"""The camera: pictures come in a thread of their own, and the program always gets the newest.

A program that reads, thinks and reads again gets old pictures from the camera's queue, and waits for each of them;
here the camera runs on while the network thinks.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional

from .errors import ImageError, QingzhouError
from .parts.optional import tell
from .parts.sources import SIZE, Source, open_source
from .parts.worker import tell_once

if TYPE_CHECKING:
    from .typed import Array


RETRY = 1.0  # seconds between two attempts to find a lost camera
STEP = 0.1  # seconds after which a waiting program looks whether it shall end


class Camera:
    """Pictures, (height, width, 3) uint8 in RGB, one after another.

    >>> with Camera() as camera:
    ...     for picture in camera:
    ...         print(model.predict(picture).label)

    source  "auto": the board's camera, whichever is there; a number: of a USB camera; "picamera2"; the address of a
            stream (http://…, rtsp://…); a video file; a picture or a folder of pictures
    every   True: no picture is left out, as for a video file that is looked through; always so for pictures
    size    what a camera is asked for, width and height: it may give another that it has. Files keep theirs
    idle    asked about ten times a second while no picture comes; False ends it. For a window that shall stay alive
    A live camera that is lost is looked for until it is back; a file ends. DeviceError, FileMissing, InputError.
    """

    def __init__(
        self,
        source: Any = "auto",
        every: bool = False,
        idle: Optional[Callable[[], Any]] = None,
        size: str = SIZE,
    ) -> None:
        self._source: Source = open_source(source, size)
        self._every = every or self._source.every
        self._source.hurry = every
        self._idle = idle
        self._new = threading.Condition()
        self._picture: Any = None  # the newest that was not taken yet
        self._ended = False
        self._error: Optional[BaseException] = None
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Array]:
        while True:
            picture = self.read()
            if picture is None:
                return
            yield picture

    def read(self) -> Optional[Array]:
        """The newest picture that was not given yet, waited for; None when there are no more."""
        while True:
            frame = self._take()
            if frame is None:
                return None
            try:
                return self._source.picture(frame)
            except ImageError as err:  # one that was cut off on its way; the next may be whole
                tell_once(err.en, err.zh)

    def _take(self) -> Any:
        """The newest frame, as the source gives it; None at the end. The thread's error, if it had one."""
        with self._new:
            while self._picture is None and not self._ended:
                self._new.wait(STEP)
                if self._picture is None and self._idle is not None and self._idle() is False:
                    self._ended = True
            picture, self._picture = self._picture, None
            self._new.notify_all()
        if picture is None and self._error is not None:
            raise self._error
        return picture

    def close(self) -> None:
        """Let the camera go."""
        with self._new:
            self._ended = True
            self._new.notify_all()
        self._thread.join(2)
        self._source.close()

    # -- in the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._ended:
                frame = self._frame()
                if frame is not None:
                    self._put(frame)
                elif self._source.live:
                    self._find_again()
                else:
                    break
        except BaseException as err:  # it belongs to the thread that reads
            self._error = err
        with self._new:
            self._ended = True
            self._new.notify_all()

    def _frame(self) -> Any:
        try:
            return self._source.read()
        except QingzhouError:
            raise
        except Exception:  # drivers raise anything when a cable is pulled
            return None

    def _put(self, frame: Any) -> None:
        with self._new:
            while self._every and self._picture is not None and not self._ended:
                self._new.wait(STEP)
            self._picture = frame
            self._new.notify_all()

    def _find_again(self) -> None:
        """Waits until the camera is back; a stop in between ends it."""
        tell(
            "The camera %s is lost. Looking for it … (check the cable)" % self._source.name,
            "摄像头 %s 断开了，正在重新连接……（请检查连线）" % self._source.name,
        )
        while not self._ended:
            with self._new:
                self._new.wait(RETRY)
            if not self._ended and self._reopened():
                tell("The camera is back.", "摄像头恢复了。")
                return

    def _reopened(self) -> bool:
        try:
            self._source.reopen()
            frame = self._source.read()
        except Exception:  # not there yet; every driver says so in its own way
            return False
        if frame is not None:
            self._put(frame)
        return frame is not None
