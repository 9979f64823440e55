"""The other end: a file to a server and its results back, with the standard library alone."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from ..devices import load
from ..errors import FileMissing, OptionError, QingzhouError
from ..runtime.address import parts as address_parts
from ..runtime.address import shown
from ..runtime.read import open_file
from ..whole_file import replacing

PATIENCE = 0.7  # seconds between questions
TIMEOUT = 120.0  # also a look at an upload has its turn


class RemoteError(QingzhouError):
    """A server cannot be reached, or it refused, or the job failed there; its own words."""


@dataclass(frozen=True)
class Remote:
    """What came back: the job as the API tells it, and the files as they lie here."""

    job: Mapping[str, Any]
    files: tuple[Path, ...]


def convert(
    file: Path, server: str, out: Path | None = None, *, device: str | None = None, scene: str | None = None,
    actions: Sequence[str] = (), data: Path | None = None, precision: str = "fp32", max_drop: float = 0.5,
    code: str = "", lang: str = "en", preprocess: str | None = None, input_size: Sequence[int] | None = None,
) -> Remote:  # fmt: skip
    """Upload, wait, download into a folder; FileMissing, OptionError, RemoteError, OutputError."""
    place = _Server(server, code)
    folder = file.parent if out is None else out
    if device is not None and not device.isascii():
        device = load(device).name  # the server knows devices by one name each
    order = {
        "upload": place.upload(file), "data": None if data is None else place.upload(data), "device": device,
        "scene": scene, "actions": list(actions), "precision": precision, "max_drop": max_drop, "lang": lang,
        "preprocess": preprocess,
        "input_size": None if input_size is None else [input_size[0], input_size[-1]],
    }  # fmt: skip
    job = place.ask("POST", "/api/jobs", order)["job"]
    while (told := place.ask("GET", f"/api/jobs/{job}"))["state"] in ("queued", "running"):
        time.sleep(PATIENCE)
    if told["error"]:
        raise RemoteError(en=told["error"]["en"], zh=told["error"]["zh"])
    folder.mkdir(parents=True, exist_ok=True)
    return Remote(
        told, tuple(place.fetch(entry["url"], folder / _plain(entry["name"])) for entry in told["result"]["files"])
    )


class _Server:
    def __init__(self, url: str, code: str) -> None:
        url = url.strip() if "://" in url else f"http://{url.strip()}"
        self._url = shown(url)
        bare, user, password = address_parts(url)
        try:
            self._parts = urlsplit(bare)
            self._port = self._parts.port
        except ValueError:  # a port that is no number, brackets that do not close
            raise self._no_address() from None
        if self._parts.scheme not in ("http", "https") or not self._parts.hostname:
            raise self._no_address()
        self._headers = {"X-Qingzhou": "1", **({"X-Qingzhou-Code": code} if code else {})}
        if user is not None:  # of a proxy in front of the server
            self._headers["Authorization"] = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"

    def _no_address(self) -> OptionError:
        return OptionError(
            en=f"--server is {self._url}; expected an address such as http://192.168.1.10:8000",
            zh=f"--server 的值是 {self._url}，应为地址，例如 http://192.168.1.10:8000",
        )

    @contextlib.contextmanager
    def _answer(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        assert self._parts.hostname is not None
        connection = None
        try:
            connection = kind(self._parts.hostname, self._port, timeout=TIMEOUT)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has answered before it read all
                connection.request(method, path, body, {**self._headers, **headers})
            yield connection.getresponse()
        except (OSError, ValueError, http.client.HTTPException) as err:  # ValueError: a name that no host can have
            raise RemoteError(
                en=f"No answer from {self._url}: {err}. Is qingzhou serve running there, and in this network?",
                zh=f"{self._url} 没有回应：{err}。那里是否正在运行 qingzhou serve？是否在同一个网络？",
            ) from None
        finally:
            if connection is not None:
                connection.close()

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """JSON for JSON; RemoteError in the server's words."""
        content = None if body is None else json.dumps(body).encode()
        with self._answer(method, path, content, {"Content-Type": "application/json"}) as answer:
            return _read(answer)

    def upload(self, file: Path) -> str:
        """A file; its token."""
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
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}",
                   "Content-Length": str(len(head) + size + len(tail))}  # fmt: skip
        with stream, self._answer("POST", "/api/uploads", _pieces(head, stream, tail), headers) as answer:
            told = _read(answer)
        if told["error"]:
            raise RemoteError(en=told["error"]["en"], zh=told["error"]["zh"])
        return str(told["upload"])

    def fetch(self, path: str, target: Path) -> Path:
        """A file, whole or not at all."""
        with self._answer("GET", path, None, {}) as answer:
            if answer.status != 200:
                _read(answer)
            with replacing(target) as part, part.open("wb") as file:
                shutil.copyfileobj(answer, file)
                if answer.length:
                    raise http.client.IncompleteRead(b"", answer.length)
        return target


def _pieces(head: bytes, stream: BinaryIO, tail: bytes) -> Iterator[bytes]:
    yield head
    while piece := stream.read(1 << 16):
        yield piece
    yield tail


def _read(answer: http.client.HTTPResponse) -> dict[str, Any]:
    try:
        told = json.loads(answer.read(64 << 20))
    except ValueError:
        told = None
    if answer.status == 401 and not isinstance(told, dict):
        raise RemoteError(
            en="The server asks for a name and a password, or refuses these (401). Write them into its address: "
            "http://name:password@192.168.1.10:8000",
            zh="服务器需要用户名和密码，或不接受现在的（401）。请写在地址里：http://用户名:密码@192.168.1.10:8000",
        )
    if not isinstance(told, dict) or (answer.status >= 400 and not isinstance(told.get("error"), dict)):
        raise RemoteError(
            en=f"The server answered with something else (status {answer.status}). Is it qingzhou serve?",
            zh=f"服务器的回答不对（状态 {answer.status}）。它是 qingzhou serve 吗？",
        )
    if answer.status >= 400:
        raise RemoteError(en=str(told["error"].get("en", "")), zh=str(told["error"].get("zh", "")))
    return told


def _plain(name: str) -> str:
    """A name from a server leads nowhere but into the folder."""
    return name.replace("\\", "/").rpartition("/")[2].lstrip(".").replace(":", "_") or "result"
