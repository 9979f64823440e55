"""Where a camera's pictures come from: OpenCV, the Pi's camera, a stream from the network, files, the simulator."""

from __future__ import annotations

import glob
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Iterator, List, Tuple

import numpy as np

from .. import address
from ..errors import DeviceError, FileMissing, InputError, QingzhouError
from ..file import open_file
from ..model.image import read_image
from ..read import PICTURES, pictures_in
from . import jpeg, sim
from .optional import board, need, there

if TYPE_CHECKING:
    from ..typed import Array


SIZE = "640x480"  # what a camera is asked for; more costs time and is made smaller for the network anyway
Size = Tuple[int, int]  # width and height
PATIENCE = 5  # seconds without a byte after which a stream is lost


class Source:
    """One place that pictures come from.

    live   a camera, which can be lost and come back;  every  no picture may be left out
    hurry  a file is read as fast as it can be, not at the speed at which it was taken
    """

    name = ""
    live = True
    every = False
    hurry = False

    def read(self) -> Any:
        """The next frame, waited for; None when it is lost or at its end."""
        raise NotImplementedError

    def picture(self, frame: Any) -> Array:
        """A frame as (H, W, 3) uint8 RGB; done only for those that are looked at."""
        return read_image(frame, "RGB")

    def reopen(self) -> None:
        """Look for a lost camera; an error if it is not there."""

    def close(self) -> None:
        """Let it go."""


def open_source(source: Any, size: str = SIZE) -> Source:
    """The source that was meant; see Camera. DeviceError, FileMissing or InputError."""
    wanted = read_size(size)
    name = os.fspath(source) if isinstance(source, os.PathLike) else source
    if isinstance(name, int) or (isinstance(name, str) and name.isdigit()):
        return Pictures(sim.pictures(), sim.REPEATS) if sim.active() else OpenCV(int(name), wanted)
    if not isinstance(name, str) or not name:
        raise _unknown(source)
    if "://" in name or name in ("auto", "picamera2"):
        return _live(name.strip(), wanted)
    return _files(name)


def read_size(text: str) -> Size:
    """ "640x480" as width and height; InputError."""
    parts = str(text).lower().replace("×", "x").replace("*", "x").split("x")
    if len(parts) == 2 and all(part.strip().isdigit() and 16 <= int(part) <= 8192 for part in parts):
        return int(parts[0]), int(parts[1])
    raise InputError(
        en='%r is no size of a picture. Expected its width and height, such as SIZE = "640x480".' % (text,),
        zh='%r 不是画面大小，应为宽和高，例如 SIZE = "640x480"。' % (text,),
    )


def _live(name: str, size: Size) -> Source:
    if sim.active():
        return Pictures(sim.pictures(), sim.REPEATS)
    if name.lower().startswith(("http://", "https://")):
        return Stream(name)
    if name == "picamera2":
        return PiCamera(size)
    return _any_camera(size) if name == "auto" else OpenCV(address.quoted(name), size)


def _files(name: str) -> Source:
    path = name if os.path.exists(name) else sim.beside(name)  # also from another folder
    if os.path.isdir(path):
        return Pictures(list(pictures_in(path)), sim.REPEATS if sim.active() else 1)
    if not os.path.isfile(path):
        raise FileMissing(
            en='There is no video, picture or folder %s. Check the name, or write CAMERA = "auto" for a camera.'
            % address.shown(name),
            zh='没有视频、图片或文件夹 %s。请检查名字；要用摄像头，请写 CAMERA = "auto"。' % address.shown(name),
        )
    kind = os.path.splitext(path)[1].lower()
    if kind in (".mjpeg", ".mjpg"):
        return JpegFile(path)
    if kind in PICTURES and kind != ".gif":
        return Pictures([path], sim.REPEATS if sim.active() else 1)
    return Animation(path) if kind == ".gif" else Video(path)


def _any_camera(size: Size) -> Source:
    """The first that opens: the Pi's own camera, then USB cameras by their numbers."""
    tried: List[str] = []
    if board() == "pi" and there("picamera2") is not None:
        try:
            return PiCamera(size)
        except QingzhouError:
            tried.append("picamera2")
    for number in _numbers():
        try:
            return OpenCV(number, size)
        except DeviceError:
            tried.append(str(number))
    raise DeviceError(
        en="No camera was found (tried: %s). Plug one in, or name another source: CAMERA = 1, an address such as "
        '"http://192.168.1.5:8080/video", a video file or a folder of pictures. Without a camera: main.py --sim'
        % (", ".join(tried) or "/dev/video*"),
        zh="没有找到摄像头（试过：%s）。请插上摄像头，或换一个来源：CAMERA = 1、网络地址（如 "
        '"http://192.168.1.5:8080/video"）、视频文件或图片文件夹。没有摄像头时可运行：main.py --sim'
        % ("、".join(tried) or "/dev/video*"),
    )


def _numbers() -> List[int]:
    """Of the cameras that may be there. Linux lists them; a Pi lists its decoders as well, from 10 on."""
    if not sys.platform.startswith("linux"):
        return [0, 1]
    found = [os.path.basename(path)[5:] for path in glob.glob("/dev/video*")]
    return sorted(int(number) for number in found if number.isdigit() and int(number) < 10)


def opencv() -> Any:
    """OpenCV, without its own words about cameras that are not there: version 4 prints an address with its password."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "FATAL")
    os.environ.setdefault("OPENCV_VIDEOIO_DEBUG", "0")
    return need("cv2", "A USB camera or a video", "USB 摄像头和视频")


class OpenCV(Source):
    """A camera by its number, or a stream by its address, through OpenCV."""

    def __init__(self, source: Any, size: Size) -> None:
        self.name, self._size = address.shown(str(source)), size
        self._cv2, self._from, self._capture = opencv(), source, None
        self.reopen()

    def reopen(self) -> None:
        cv2 = self._cv2
        self.close()
        api = cv2.CAP_V4L2 if isinstance(self._from, int) and sys.platform.startswith("linux") else cv2.CAP_ANY
        capture = cv2.VideoCapture(self._from, api)
        if not capture.isOpened():
            capture.release()
            if "://" in self.name:
                raise _no_stream(self.name)
            raise DeviceError(
                en="The camera %s cannot be opened: it is not there, or another program uses it. Check the cable, and "
                "close other programs." % self.name,
                zh="无法打开摄像头 %s：没有连接，或正被其他程序使用。请检查连线，并关闭其他程序。" % self.name,
            )
        if isinstance(self._from, int):
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # not all drivers listen; the thread empties their queue
        self._capture = capture

    def read(self) -> Any:
        good, frame = self._capture.read() if self._capture is not None else (False, None)
        return frame if good else None

    def picture(self, frame: Any) -> Array:
        """OpenCV turns its B, G, R round itself: a hundredth of the instructions that numpy takes."""
        if frame.ndim == 3 and frame.shape[2] == 3:
            frame = self._cv2.cvtColor(frame, self._cv2.COLOR_BGR2RGB)
        return read_image(frame, "RGB")

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
        self._capture = None


class Video(OpenCV):
    """A video file, at the speed at which it was taken; it ends."""

    live = False

    def __init__(self, path: str) -> None:
        super().__init__(path, read_size(SIZE))
        self.name = path
        rate = self._capture.get(self._cv2.CAP_PROP_FPS) if self._capture is not None else 0
        self._pause = 1 / rate if 1 <= rate <= 240 else 1 / 25
        self._next = 0.0

    def read(self) -> Any:
        if not self.hurry:
            self._next = wait_until(self._next, self._pause)
        return super().read()


class Animation(Source):
    """An animated GIF, read by Pillow: a video for machines without OpenCV."""

    live = False

    def __init__(self, path: str) -> None:
        from PIL import Image

        self.name = path
        read_image(path, "RGB")  # says in plain words what is wrong with a file that is none
        self._frames = _frames(Image.open(open_file(path)))
        self._next = 0.0

    def read(self) -> Any:
        if not self.hurry:
            self._next = wait_until(self._next, 0.1)
        return next(self._frames, None)


def _frames(image: Any) -> Iterator[Any]:
    from PIL import ImageSequence

    for frame in ImageSequence.Iterator(image):
        yield np.array(frame.convert("RGB"))


class PiCamera(Source):
    """The camera at a Raspberry Pi's ribbon cable."""

    name = "picamera2"

    def __init__(self, size: Size) -> None:
        self._size, self._package = size, need("picamera2", "The Pi's own camera", "树莓派摄像头")
        self._camera: Any = None
        self.reopen()

    def reopen(self) -> None:
        self.close()
        try:
            self._camera = self._package.Picamera2()
            # libcamera's "BGR888" lies in memory as R, G, B: the manual of picamera2, appendix A
            config = self._camera.create_video_configuration(main={"size": self._size, "format": "BGR888"})
            self._camera.configure(config)
            self._camera.start()
        except Exception as err:  # IndexError without a camera, RuntimeError when it is used
            raise DeviceError(
                en="The Pi's camera cannot be opened (%s). Check the ribbon cable; rpicam-hello shows whether the "
                "system sees it." % str(err)[:100],
                zh="无法打开树莓派摄像头（%s）。请检查排线；用 rpicam-hello 可以查看系统能否识别它。" % str(err)[:100],
            ) from None

    def read(self) -> Any:
        return self._camera.capture_array()

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()
        self._camera = None


class Stream(Source):
    """MJPEG from the network, as phones and other boards send it; no OpenCV is needed."""

    def __init__(self, source: str) -> None:
        self.name, self._from = address.shown(source), source
        self._answer: Any = None
        self._pictures: Iterator[bytes] = iter(())
        self.reopen()

    def reopen(self) -> None:
        self.close()
        try:
            self._answer = address.ask(self._from, PATIENCE)
        except Exception as err:  # OSError, ValueError, and what http.client raises, which is neither
            raise self._no_camera(err) from None
        if self._answer.headers.get_content_type() == "text/html":
            self.close()
            raise _a_page(self.name)
        self._pictures = jpeg.pictures(self._answer)

    def read(self) -> Any:
        try:
            return next(self._pictures, None)
        except Exception:  # lost in the middle: a timeout, or http.client's IncompleteRead
            return None

    def _no_camera(self, err: Exception) -> DeviceError:
        return address.failure(err, self._from).error(
            "The camera at %s" % self.name,
            "地址 %s 的摄像头" % self.name,
            "Check the address, and that both are on the same network.",
            "请检查地址，并确认两台设备在同一个网络里。",
        )

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()
        self._answer = None


class JpegFile(Source):
    """A file of JPEG pictures one after another."""

    live = False

    def __init__(self, path: str) -> None:
        self.name = path
        self._file = open_file(path)
        self._pictures = jpeg.pictures(self._file)
        self._next = 0.0

    def read(self) -> Any:
        if not self.hurry:
            self._next = wait_until(self._next, 1 / 25)
        return next(self._pictures, None)

    def close(self) -> None:
        self._file.close()


class Pictures(Source):
    """Picture files, each given so many times; none is left out."""

    live = False
    every = True

    def __init__(self, sources: List[Any], repeats: int) -> None:
        self.name = str(len(sources))
        self._left = (one for one in sources for _ in range(repeats))

    def read(self) -> Any:
        return next(self._left, None)


def wait_until(when: float, pause: float) -> float:
    """Waits until `when` by the monotonic clock, and says when the next frame is due."""
    now = time.monotonic()
    if when > now:
        time.sleep(when - now)
    return max(when, now) + pause


def _no_stream(name: str) -> DeviceError:
    return DeviceError(
        en="The stream %s cannot be opened: nobody answers there, its path is another, or it does not accept the name "
        "and password in the address. Try the address in VLC." % name,
        zh="无法打开视频流 %s：那里没有回应，路径不对，或者不接受地址里的用户名和密码。请先用 VLC 试试这个地址。"
        % name,
    )


def _a_page(name: str) -> DeviceError:
    return DeviceError(
        en="%s is a web page and no stream of pictures. Look there for the address of the video itself, often /video, "
        "/stream or /mjpeg." % name,
        zh="%s 是网页，不是视频流。请在这个网页上找到视频本身的地址，常见的有 /video、/stream、/mjpeg。" % name,
    )


def _unknown(source: Any) -> DeviceError:
    return DeviceError(
        en='%r is no camera. Expected "auto", a number, an address, a video file or a folder of pictures.' % (source,),
        zh='%r 不是摄像头，应为 "auto"、数字、网络地址、视频文件或图片文件夹。' % (source,),
    )
