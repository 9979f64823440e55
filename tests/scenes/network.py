"""A small network of machines: cameras, boards and servers, some behind a password."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import re
from typing import ClassVar

from PIL import Image

SECRET = "s3cret"


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(buffer, "JPEG")
    return buffer.getvalue()


# -- a camera --------------------------------------------------------------------------------------------------------


class Network(http.server.BaseHTTPRequestHandler):
    """Answers by its path, as cameras of many kinds do."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Network.asked.append(self.headers.get("Authorization", ""))
        _, _, path = re.sub("^http://[^/]*", "", self.path).partition("/")
        kind = re.split(r"[/?]", path)[0]
        getattr(self, f"_{kind}", self._video)()

    do_POST = do_GET

    def _video(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg() + b"\r\n")

    def _basic(self) -> None:
        wanted = "Basic " + base64.b64encode(f"ad:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            self._video()
        else:
            self._error(401, {"WWW-Authenticate": 'Basic realm="cam"'})

    def _digest(self) -> None:
        given = dict(re.findall(r'(\w+)="?([^",]+)', self.headers.get("Authorization", "")))
        one, two = (hashlib.md5(text.encode()).hexdigest() for text in (f"ad:cam:{SECRET}", f"GET:{self.path}"))
        middle = ":".join(given.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        if given.get("response") == hashlib.md5(f"{one}:{middle}:{two}".encode()).hexdigest():
            self._video()
        else:
            self._error(401, {"WWW-Authenticate": 'Digest realm="cam", nonce="abc", qop="auth"'})

    def _either(self) -> None:
        """Both are offered, as Hikvision does."""
        if self.headers.get("Authorization", "").startswith("Basic"):
            self._basic()
        elif self.headers.get("Authorization"):
            self._digest()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Digest realm="cam", nonce="abc", qop="auth"')
            self.send_header("WWW-Authenticate", 'Basic realm="cam"')
            self.end_headers()

    def _odd(self) -> None:
        self._error(401, {"WWW-Authenticate": 'Digest realm="cam", nonce="abc", algorithm=SHA-999'})

    def _bearer(self) -> None:
        self._error(401, {"WWW-Authenticate": "Bearer"})

    def _unsaid(self) -> None:
        self._error(401, {})

    def _forbidden(self) -> None:
        self._error(403, {})

    def _missing(self) -> None:
        self._error(404, {})

    def _busy(self) -> None:
        self._error(503, {})

    def _moved(self) -> None:
        self._error(302, {"Location": "/video"})

    def _round(self) -> None:
        self._error(302, {"Location": "/round"})

    def _elsewhere(self) -> None:
        """To another host by its name, which the password is not for."""
        self._error(302, {"Location": f"http://localhost:{self.server.server_address[1]}/basic"})

    def _page(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<html>")

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(jpeg() + b"half")

    def _chunks(self) -> None:
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\nno number\r\n" % (len(jpeg()), jpeg()))
        self.close_connection = True

    def _noise(self) -> None:
        self.wfile.write(b"RTSP/1.0 400 Bad Request\r\n\r\n")

    def _error(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
