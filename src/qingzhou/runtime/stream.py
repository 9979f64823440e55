"""The board on the network: a page with the live picture, and an address that answers pictures sent to it."""

from __future__ import annotations

import base64
import json
import queue
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional, Tuple

from .draw import caption, draw
from .errors import DeviceError, InputError, QingzhouError, language, say
from .model.image import open_picture
from .parts import sim
from .parts.optional import tell
from .parts.pages import API_PAGE, LIVE_PAGE
from .parts.plain import as_plain
from .remote import LARGEST, PATIENCE, Remote, as_jpeg
from .text import escaped

if TYPE_CHECKING:
    from .model.answers import Answer

VIEWERS = 12  # that may watch at once
CONNECTIONS = 100  # open at once; a browser has a few
WAITING = 8  # pictures that may wait for the network; whoever comes later is told to come again


class Handler(BaseHTTPRequestHandler):
    """Answers one request; `server.site` knows what."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: Server

    def do_GET(self) -> None:
        self.server.site.get(self)

    def do_POST(self) -> None:
        self.server.site.post(self)

    def give(self, body: bytes, kind: str, status: int = 200) -> None:
        """A whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def give_json(self, found: Any, status: int = 200) -> None:
        self.give(
            escaped(json.dumps(found, ensure_ascii=False)).encode("utf-8"), "application/json; charset=utf-8", status
        )

    def give_page(self, page: str) -> None:
        self.give(page.encode("utf-8"), "text/html; charset=utf-8")

    def not_here(self) -> None:
        self.drain()
        self.give_json({"error": "NotFound", "message": say("There is no such page.", "没有这个页面。")}, 404)

    def drain(self) -> None:
        """Reads and forgets what was sent: to close at once would take the answer away with it."""
        self.close_connection = True
        length = self.headers.get("Content-Length", "")
        left = min(int(length), LARGEST) if length.isdigit() else 0
        while left > 0:
            piece = self.rfile.read(min(left, 1 << 16))
            left -= len(piece) or left

    def log_message(self, *_: object) -> None:
        """A line for every request would hide what the program says."""


class Server(ThreadingHTTPServer):
    """A thread for each connection, but no more than CONNECTIONS: whoever comes then is turned away."""

    daemon_threads = True
    request_queue_size = CONNECTIONS  # that may wait to be let in: of more than the usual 5 at once some were cut off
    site: Any

    def __init__(self, *given: Any) -> None:
        self._room = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(*given)

    def process_request(self, request: Any, address: object) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, address: object) -> None:
        try:
            super().process_request_thread(request, address)
        finally:
            self._room.release()

    def handle_error(self, *_: object) -> None:
        """Somebody went away in the middle; that is no error of ours."""


class Site:
    """Listens on a port in a thread of its own. Port 0 takes a free one."""

    def __init__(self, port: int) -> None:
        try:
            self._server = Server(("", port), Handler)
        except (OSError, OverflowError) as err:
            raise DeviceError(
                en="The port %s cannot be used (%s). Close the other program that uses it, or change PORT."
                % (port, err),
                zh="无法使用端口 %s（%s）。请关闭占用它的程序，或修改 PORT。" % (port, err),
            ) from None
        self._server.site = self
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="web", daemon=True).start()

    def get(self, request: Handler) -> None:
        request.not_here()

    def post(self, request: Handler) -> None:
        request.not_here()

    def tell(self, en: str, zh: str) -> None:
        """Where to find it."""
        where = "http://%s:%d" % (own_address(), self.port)
        tell(en % where, zh % where)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def own_address() -> str:
    """This machine's address in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737); UDP sends nothing on connect
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


class Page(Site):
    """A page with the live picture and the answer, for every phone and computer in the network.

    >>> with Page(8080) as page:
    ...     for picture in camera:
    ...         page.show(picture, model.predict(picture))
    """

    def __init__(self, port: int = 8080) -> None:
        self._new = threading.Condition()
        self._count = 0
        self._shown: Tuple[Any, Any] = (None, None)
        self._jpeg: Tuple[int, bytes] = (0, b"")
        self._viewers = threading.BoundedSemaphore(VIEWERS)
        self._open = True
        super().__init__(port)
        self.tell("Open %s in a browser.", "请在浏览器中打开 %s")

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        with self._new:
            self._new.notify_all()
        self.close()

    def show(self, picture: object, answer: Optional[Answer]) -> None:
        """The newest; it is drawn only if somebody looks, and in their thread."""
        with self._new:
            self._shown = picture, answer
            self._count += 1
            self._new.notify_all()

    def get(self, request: Handler) -> None:
        path = request.path.partition("?")[0]
        if path == "/":
            request.give_page(LIVE_PAGE[language()])
        elif path == "/answer":
            answer = self._shown[1]
            request.give_json({} if answer is None else {**as_plain(answer), "text": _text(answer)})
        elif path == "/picture.jpg":
            request.give(self._newest(0)[1], "image/jpeg")
        elif path == "/stream":
            self._stream(request)
        else:
            request.not_here()

    def _stream(self, request: Handler) -> None:
        """Picture after picture until the viewer goes (MJPEG)."""
        if not self._viewers.acquire(blocking=False):
            request.give_json({"error": "Busy", "message": say("Too many are watching.", "观看的人太多了。")}, 503)
            return
        try:
            request.close_connection = True
            request.send_response(200)
            request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            request.end_headers()
            seen = 0
            while self._open:
                seen, data = self._newest(seen)
                if data:
                    head = "--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
                    request.wfile.write(head.encode("ascii") + data + b"\r\n")
        finally:
            self._viewers.release()

    def _newest(self, seen: int) -> Tuple[int, bytes]:
        """The newest picture after number `seen`, waited for, as a JPEG; empty where none comes."""
        with self._new:
            self._new.wait_for(lambda: self._count > seen or not self._open, PATIENCE)
            count, (picture, answer) = self._count, self._shown
            if picture is None or count == seen:
                return seen, b""
            if self._jpeg[0] == count:
                return self._jpeg
        made = count, as_jpeg(draw(picture, answer) if answer is not None else picture)
        with self._new:
            self._jpeg = max(self._jpeg, made)
        return made


class Api(Site):
    """Answers pictures: POST /predict with a JPEG or PNG (or {"image": base64}) gives JSON; GET / is a page to try it.

    >>> for picture, answer in Api(model, 8000):  # everything that was asked, so that rules can act on it
    ...     rules.check(answer)

    In the simulator it asks itself for each of the simulator's pictures, and ends.
    """

    def __init__(self, model: Any, port: int = 8000) -> None:
        self.model = model
        self._one = threading.Lock()  # the network uses all cores already
        self._room = threading.BoundedSemaphore(WAITING)
        self._done: queue.Queue[Any] = queue.Queue(WAITING)
        super().__init__(port)
        self.tell(
            "Send pictures to %s/predict, or open it in a browser.",
            "请把图片发送到 %s/predict，或在浏览器中打开这个地址。",
        )
        if sim.active():
            threading.Thread(target=self._ask_yourself, daemon=True).start()

    def __iter__(self) -> Iterator[Tuple[Any, Any]]:
        while True:
            try:
                done = self._done.get(timeout=0.5)  # in pieces, so that Ctrl+C is heard on Windows
            except queue.Empty:
                continue
            if done is None:
                self.close()
                return
            yield done

    def get(self, request: Handler) -> None:
        if request.path == "/model":
            card = self.model.card
            request.give_json({"labels": self.model.labels, "task": card.task, "network": card.network})
        elif request.path == "/":
            request.give_page(API_PAGE[language()])
        else:
            request.not_here()

    def post(self, request: Handler) -> None:
        if request.path.partition("?")[0] != "/predict":
            request.not_here()
        elif not self._room.acquire(blocking=False):
            request.drain()
            request.give_json(
                {"error": "Busy", "message": say("Too many pictures at once.", "同时发来的图片太多。")}, 503
            )
        else:
            try:
                request.give_json(*self._answer(request))
            finally:
                self._room.release()

    def _answer(self, request: Handler) -> Tuple[Dict[str, Any], int]:
        """The JSON for one picture and its status; 400 for what is none."""
        try:
            picture = open_picture(_body(request))
            with self._one:
                answer = self.model.predict(picture)
        except QingzhouError as err:
            request.close_connection = True
            return {"error": type(err).__name__, "message": str(err)}, 400
        if self._done.full():
            self._drop()
        self._done.put((picture, answer))
        return as_plain(answer), 200

    def _drop(self) -> None:
        try:
            self._done.get_nowait()
        except queue.Empty:
            return

    def _ask_yourself(self) -> None:
        remote = Remote("http://127.0.0.1:%d" % self.port)
        try:
            for picture in sim.pictures():
                self._ask_for(remote, picture)
        finally:
            self._done.put(None)

    def _ask_for(self, remote: Remote, picture: object) -> None:
        try:
            open_picture(picture)
        except QingzhouError as err:  # one that cannot be read; the next may be whole
            tell(err.en, err.zh)
        else:
            sim.tell("asked: %s" % _text(remote.predict(picture)))


def _body(request: Handler) -> bytes:
    """The picture of a request, at most LARGEST bytes; InputError."""
    length = request.headers.get("Content-Length", "")
    if not length.isdigit() or not 0 < int(length) <= LARGEST:
        raise InputError(
            en="Got %s bytes; expected one picture of at most %d MB." % (length or "no", LARGEST >> 20),
            zh="收到 %s 字节，应为一张不超过 %d MB 的图片。" % (length or "0", LARGEST >> 20),
        )
    body = request.rfile.read(int(length))
    if body[:1] != b"{":
        return body
    try:
        return base64.b64decode(json.loads(body.decode("utf-8"))["image"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            en='The JSON holds no picture; expected {"image": "<the file in base64>"}.',
            zh='JSON 里没有图片，应为 {"image": "<文件的 base64 编码>"}。',
        ) from None


def _text(answer: Optional[Answer]) -> str:
    """The answer in a line."""
    if answer is None:
        return "?"
    return ", ".join(map(caption, answer)) if isinstance(answer, list) else caption(answer)
