"""The screen: a window by tkinter or OpenCV, whichever is there; without a display, lines in the terminal."""

from __future__ import annotations

import collections
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, List, Optional, Tuple

import numpy as np
from PIL import Image

from .draw import caption, draw, write_below
from .errors import InputError, OutputError, line, say
from .parts import sim
from .parts.optional import board, there
from .read import SCREEN
from .whole import replacing

if TYPE_CHECKING:
    from .model.answers import Answer
    from .typed import Array

SECONDS = 3.0  # for which a message stays
READABLE = (320, 240)  # on which the simulator shows small pictures where the board has no screen of its own
_message: List[Any] = ["", 0.0]  # what show() wrote, and until when it stays


def write(text: str) -> None:
    """A message on the screen for some seconds; without a window, in the terminal."""
    _message[:] = [line(text), time.monotonic() + SECONDS]
    if sim.active():
        sim.tell("show: " + text)
    elif not has_display():
        sim.put(text)


def has_display() -> bool:
    """Whether there is a display that a window could open on."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


class Screen:
    """Shows pictures with what the model says of them.

    >>> with Screen(full_screen=True, rotate=90) as screen:
    ...     if not screen.show(picture, answer):  # q, Esc or the board's button was pressed
    ...         break

    rotate  0, 90, 180 or 270 degrees clockwise: the Unihiker's screen is 240 x 320, its camera lies across
    window  "auto", "tk", "cv2" or "none"
    """

    def __init__(self, full_screen: bool = False, rotate: int = 0, window: str = "auto") -> None:
        if rotate % 90:
            raise InputError(
                en="ROTATE is %s; expected 0, 90, 180 or 270." % rotate,
                zh="ROTATE 是 %s，应为 0、90、180 或 270。" % rotate,
            )
        self._turn = rotate % 360
        self._times: Deque[float] = collections.deque(maxlen=30)
        self._said = ""
        self._last: Any = None
        own = own_screen()
        self._window = _open_window(window, full_screen and not (sim.active() and own))
        self._size = getattr(self._window, "size", None) or own

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def fps(self) -> float:
        """Pictures a second, over the last 30."""
        if len(self._times) < 2 or self._times[-1] == self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def show(self, picture: Array, answer: Optional[Answer]) -> bool:
        """A picture (H, W, 3) RGB with its answer; False once somebody wants to leave."""
        self._times.append(time.monotonic())
        self._last = (picture, answer) if sim.active() else None
        if self._window is None:
            self._say(answer)
            return True
        self._window.put(self.drawn(picture, answer))
        return bool(self._window.alive())

    def alive(self) -> bool:
        """Keeps the window alive while there is nothing to show; False once somebody wants to leave."""
        return self._window is None or bool(self._window.alive())

    def drawn(self, picture: Array, answer: Optional[Answer]) -> Image.Image:
        """What show() puts on the screen: small and turned as the screen is, with the fps."""
        picture, answer = _fitted(picture, answer, self._size, self._turn)
        shown = draw(picture, answer) if answer is not None else Image.fromarray(picture)
        write_below(shown, _message[0] if time.monotonic() < _message[1] else "%.1f fps" % self.fps)
        turn = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
        return shown.transpose(turn[self._turn]) if self._turn else shown

    def close(self) -> None:
        if self._window is not None:
            self._window.close()
        if self._last is not None:
            self._keep()

    def _keep(self) -> None:
        """In the simulator, the last picture as a file; the program has done its work if it cannot be written."""
        path = sim.beside(SCREEN)
        if self._size is None and min(self._last[0].shape[:2]) < READABLE[1]:
            self._size = READABLE
        try:
            with replacing(path, follow=False) as part:
                _on_black(self.drawn(*self._last), self._size).save(part)
        except OutputError as err:
            sim.tell(say("the last picture could not be written: %s", "无法保存最后的画面：%s") % err)
        else:
            sim.tell("screen: " + os.path.basename(path))

    def _say(self, answer: Optional[Answer]) -> None:
        """A line when what is seen changes."""
        things = answer if isinstance(answer, list) else getattr(answer, "named", None)
        seen = getattr(answer, "label", None) if things is None else [one.label for one in things]
        if str(seen) != self._said or seen == "":
            self._said = str(seen)
            shown = ", ".join(map(caption, answer)) if isinstance(answer, list) else caption(answer) if answer else "?"
            sim.put((shown or say("nothing", "没有目标")) + ("   %.1f fps" % self.fps if self.fps else ""))


def own_screen() -> Optional[Tuple[int, int]]:
    """Width and height of the screen of the board that a bundle is for; None without a bundle, or a screen."""
    try:
        from .bundle.place import read_bundle
    except ImportError:  # it comes with bundles only
        return None
    found = (read_bundle() or {}).get("screen")
    if isinstance(found, list) and len(found) == 2 and all(type(n) is int and 0 < n < 10_000 for n in found):
        return found[0], found[1]
    return None


def _on_black(shown: Image.Image, size: Optional[Tuple[int, int]]) -> Image.Image:
    """A picture in the middle of a screen of its own size."""
    if size is None or shown.size == size:
        return shown
    screen = Image.new("RGB", size)
    screen.paste(shown, ((size[0] - shown.width) // 2, (size[1] - shown.height) // 2))
    return screen


def _fitted(
    picture: Array, answer: Optional[Answer], size: Optional[Tuple[int, int]], turn: int
) -> Tuple[Array, Optional[Answer]]:
    """The picture and its boxes as large as the screen, before anything is drawn: letters stay sharp."""
    if size is None:
        return picture, answer
    wide, high = size if turn % 180 == 0 else size[::-1]
    times = min(wide / picture.shape[1], high / picture.shape[0])
    if times == 1:
        return picture, answer
    new = round(picture.shape[1] * times), round(picture.shape[0] * times)
    small = np.asarray(Image.fromarray(picture).resize(new, Image.Resampling.BILINEAR))
    if isinstance(answer, list):
        answer = [one.scaled(times) for one in answer]
    return small, answer


# -- windows --------------------------------------------------------------------------------------------------------


def _open_window(kind: str, full_screen: bool) -> Any:
    """The first that opens; None without a display."""
    if kind == "none" or (kind == "auto" and not has_display()):
        return None
    for name in ("tk", "cv2") if kind == "auto" else (kind,):
        try:
            return WINDOWS[name](full_screen)
        except Exception:  # Python without tkinter, OpenCV without windows, a display that refuses: try the next
            continue
    return None


def _display_answers() -> bool:
    """Whether the X server of this machine is there. OpenCV's windows end the whole program where it is not."""
    name = os.environ.get("DISPLAY", "")
    if not name.startswith(":"):
        return True
    path = "/tmp/.X11-unix/X" + name[1:].partition(".")[0]
    for address in (path, "\0" + path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(address) == 0:
                return True
    return False


def leaves(key: str) -> bool:
    """Whether a key ends the program: q, Esc, and the Unihiker's buttons, which are the keys a and b."""
    return key.lower() in ("q", "\x1b", "escape", "esc") or (board() == "unihiker" and key in ("a", "b"))


class OpenCVWindow:
    def __init__(self, full_screen: bool) -> None:
        if not _display_answers():
            raise OSError("no display")
        self._cv2, self._name = there("cv2"), "Qingzhou"
        cv2 = self._cv2
        kind = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO if full_screen else cv2.WINDOW_AUTOSIZE
        cv2.namedWindow(self._name, kind | cv2.WINDOW_GUI_NORMAL)
        if full_screen:
            cv2.setWindowProperty(self._name, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_FULLSCREEN)
        self._shown = False

    def put(self, picture: Image.Image) -> None:
        self._cv2.imshow(self._name, np.ascontiguousarray(np.asarray(picture)[..., ::-1]))
        self._shown = True

    def alive(self) -> bool:
        code = self._cv2.waitKey(1)
        if code >= 0 and leaves(chr(code & 0xFF)):
            return False
        return not self._shown or self._cv2.getWindowProperty(self._name, self._cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        self._cv2.destroyAllWindows()


class TkWindow:
    def __init__(self, full_screen: bool) -> None:
        import tkinter

        self._tk, self._alive = tkinter, True
        self._root = tkinter.Tk()
        self._root.title("Qingzhou")
        self.size = (self._root.winfo_screenwidth(), self._root.winfo_screenheight()) if full_screen else None
        self._root.configure(background="black", cursor="none" if full_screen else "")
        if self.size is not None:
            self._root.geometry("%dx%d+0+0" % self.size)  # for boards whose screen has no window manager
            self._root.attributes("-fullscreen", True)
        self._root.protocol("WM_DELETE_WINDOW", self._leave)
        self._root.bind("<Key>", lambda event: self._leave() if leaves(event.keysym) else None)
        self._label = tkinter.Label(self._root, borderwidth=0, background="black")
        self._label.pack(expand=True)

    def _leave(self) -> None:
        self._alive = False

    def put(self, picture: Image.Image) -> None:
        head = b"P6 %d %d 255 " % picture.size  # tkinter reads PPM itself; Pillow's ImageTk is a package of its own
        self._picture = self._tk.PhotoImage(data=head + picture.tobytes())  # kept: tkinter does not
        self._label.configure(image=self._picture)

    def alive(self) -> bool:
        if self._alive:
            self._root.update()
        return self._alive

    def close(self) -> None:
        self._root.destroy()


WINDOWS: Dict[str, Callable[[bool], Any]] = {"cv2": OpenCVWindow, "tk": TkWindow}
