"""Asking a server with the standard library alone: nothing that it sends takes longer or more room than it may."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import io
import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from ..errors import FileMissing, ModelError, OptionError, QingzhouError, say
from ..runtime.address import parts as address_parts
from ..runtime.address import shown
from ..runtime.errors import line
from ..runtime.file import open_file
from ..runtime.model.fields import parse_json

SILENCE = 120.0  # seconds without a byte: a look at an upload has its turn
ANSWER = 240.0  # seconds for a whole answer, besides what its bytes may take
SLOWEST = 32 << 10  # bytes a second of a transfer
LARGEST_ANSWER = 32 << 20  # bytes of JSON: a card, and pictures of a report
PIECE = 1 << 16


class RemoteError(QingzhouError):
    """A server cannot be reached, or it refused, or the job failed there; its own words, without control characters."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en=line(en), zh=line(zh))


@dataclass(frozen=True)
class Clock:
    """What waiting is counted by; tests have their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class _Bounded(io.RawIOBase):
    """What comes from a connection, up to a moment: a byte a minute would else keep each single wait alive."""

    def __init__(self, stream: Any, sock: socket.socket, left: Callable[[], float]) -> None:
        self._stream, self._sock, self._left = stream, sock, left

    def readable(self) -> bool:
        """For io.BufferedReader."""
        return True

    def readinto(self, room: Any) -> int:
        """Some bytes; TimeoutError once the moment has come."""
        self._sock.settimeout(self._left())
        return int(self._stream.raw.readinto(room) or 0)

    def close(self) -> None:
        """The stream as well, which keeps the connection open."""
        self._stream.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """An answer whose headers and body are read through _Bounded."""

    def __init__(self, sock: Any, *args: Any, left: Callable[[], float], **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp = io.BufferedReader(_Bounded(self.fp, sock, left))


class Server:
    """One server, by its address; `code` is the class code. OptionError for what is no address."""

    def __init__(self, url: str, code: str = "", clock: Clock | None = None) -> None:
        url = url.strip() if "://" in url else f"http://{url.strip()}"
        self.shown, self.clock = shown(url), clock or Clock()
        bare, user, password = address_parts(url)
        try:
            self._parts = urlsplit(bare)
            self._port = self._parts.port
        except ValueError:  # a port that is no number, brackets that do not close
            raise self._no_address() from None
        if self._parts.scheme not in ("http", "https") or not self._parts.hostname:
            raise self._no_address()
        self._headers = {
            "X-Qingzhou": "1",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **({"X-Qingzhou-Code": code} if code else {}),
        }
        if user is not None:  # of a proxy in front of the server
            self._headers["Authorization"] = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """JSON for JSON; RemoteError in the server's words."""
        content = None if body is None else json.dumps(body).encode()
        with self._answer(method, path, content, {"Content-Type": "application/json"}) as answer:
            return self._told(answer)

    def upload(self, file: Path) -> dict[str, Any]:
        """A file, and what is said of it; FileMissing."""
        try:
            stream = open_file(file)
            size = os.fstat(stream.fileno()).st_size
        except OSError:
            raise FileMissing(
                en=f"There is no file {file}. Check the name and folder.",
                zh=f"文件 {file} 不存在。请检查文件名和文件夹。",
            ) from None
        mark = secrets.token_hex(16)
        name = file.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")  # as browsers do
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode(
            "utf-8", "replace"
        )
        tail = f"\r\n--{mark}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        with stream, self._answer("POST", "/api/uploads", _pieces(head, stream, tail), headers, size) as answer:
            return self._told(answer)

    def fetch(self, path: str, target: Path, size: int) -> None:
        """A file of just so many bytes into `target`; RemoteError for any other, OSError where it cannot be written."""
        with target.open("wb") as file, self._answer("GET", path, None, {}, size) as answer:
            if answer.status != 200:
                self._told(answer)
                raise self.odd("status", answer.status)
            self._check_plain(answer)
            got = 0
            while piece := answer.read(PIECE):
                got += len(piece)
                if got > size:
                    raise self.odd("size", f"> {size}")
                with _of_disk():
                    file.write(piece)
            if got != size:
                raise self.odd("size", got)

    def odd(self, field: str, found: object) -> RemoteError:
        """What to raise for an answer in which something is not as the API has it."""
        what = ascii(found)[:60]
        return RemoteError(
            en=f"{self.shown} answered otherwise than qingzhou serve does: {field} is {what}. Nothing was written. Is "
            "it qingzhou serve, of this version?",
            zh=f"{self.shown} 的回答与 qingzhou serve 不同：{field} 是 {what}。没有写入任何文件。"
            "它是 qingzhou serve 吗？版本相同吗？",
        )

    @contextlib.contextmanager
    def _answer(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None, headers: Mapping[str, str], size: int = 0
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request, with a body of `size` bytes on one of the two ways."""
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        assert self._parts.hostname is not None
        end = self.clock.now() + ANSWER + size / SLOWEST
        connection = None
        try:
            connection = kind(self._parts.hostname, self._port, timeout=SILENCE)
            connection.response_class = functools.partial(Answer, left=lambda: self._left(end))  # type: ignore[assignment]
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has answered before it read all
                connection.request(method, path, self._in_time(body, end), {**self._headers, **headers})
            yield connection.getresponse()
        except _DiskError as err:
            raise err.reason from None
        except (OSError, ValueError, http.client.HTTPException) as err:  # ValueError: a name that no host can have
            why = str(err)[:200]
            raise RemoteError(
                en=f"No answer from {self.shown}: {why}. Is qingzhou serve running there, and in this network?",
                zh=f"{self.shown} 没有回应：{why}。那里是否正在运行 qingzhou serve？是否在同一个网络？",
            ) from None
        finally:
            if connection is not None:
                connection.close()

    def _left(self, end: float) -> float:
        """Seconds for the next byte; TimeoutError at the end."""
        left = end - self.clock.now()
        if left <= 0:
            raise TimeoutError(say("too slow, given up", "太慢，已放弃"))
        return min(SILENCE, left)

    def _in_time(self, body: bytes | Iterable[bytes] | None, end: float) -> bytes | Iterable[bytes] | None:
        """A body in pieces, as long as there is time."""
        return body if body is None or isinstance(body, bytes) else (piece for piece in body if self._left(end))

    def _check_plain(self, answer: http.client.HTTPResponse) -> None:
        """RemoteError for what is packed: it was not asked for, and nobody knows how much it unpacks to."""
        coding = answer.getheader("Content-Encoding", "identity")
        if coding.strip().lower() not in ("", "identity"):
            raise self.odd("Content-Encoding", coding)

    def _told(self, answer: http.client.HTTPResponse) -> dict[str, Any]:
        self._check_plain(answer)
        status = answer.status
        data = answer.read(LARGEST_ANSWER + 1)
        if len(data) > LARGEST_ANSWER:
            raise self.odd("size", f"> {LARGEST_ANSWER}")
        try:
            told = parse_json(data.decode("utf-8"), LARGEST_ANSWER)
        except (ValueError, ModelError):
            told = None
        error = told.get("error") if isinstance(told, dict) else None
        if status == 401 and not isinstance(told, dict):
            raise _needs_login()
        if 300 <= status < 400:
            raise _sent_on(self.shown)
        if not isinstance(told, dict) or (status >= 400 and not isinstance(error, dict)):
            raise RemoteError(
                en=f"The server answered with something else (status {status}). Is it qingzhou serve?",
                zh=f"服务器的回答不对（状态 {status}）。它是 qingzhou serve 吗？",
            )
        if error:
            raise self._refused(error)
        return told

    def _refused(self, error: object) -> RemoteError:
        """The server's own words, in both languages."""
        texts = [error.get(lang) for lang in ("en", "zh")] if isinstance(error, dict) else []
        if not texts or not all(isinstance(text, str) and text for text in texts):
            return self.odd("error", error)
        return RemoteError(en=str(texts[0])[:4000], zh=str(texts[1])[:4000])

    def _no_address(self) -> OptionError:
        return OptionError(
            en=f"--server is {self.shown}; expected an address such as http://192.168.1.10:8000",
            zh=f"--server 的值是 {self.shown}，应为地址，例如 http://192.168.1.10:8000",
        )


class _DiskError(Exception):
    """An OSError of our own disk, past where those of the network are caught."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@contextlib.contextmanager
def _of_disk() -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise _DiskError(err) from None


def _pieces(head: bytes, stream: BinaryIO, tail: bytes) -> Iterator[bytes]:
    yield head
    while piece := stream.read(PIECE):
        yield piece
    yield tail


def _needs_login() -> RemoteError:
    return RemoteError(
        en="The server asks for a name and a password, or refuses these (401). Write them into its address: "
        "http://name:password@192.168.1.10:8000",
        zh="服务器需要用户名和密码，或不接受现在的（401）。请写在地址里：http://用户名:密码@192.168.1.10:8000",
    )


def _sent_on(address: str) -> RemoteError:
    return RemoteError(
        en=f"{address} sends us on to another address. Write the one that a browser ends at, often with https://",
        zh=f"{address} 要求转到另一个地址。请写浏览器最后打开的地址，常常是 https:// 开头。",
    )
