"""What every request passes on its way to a route: host, origin, code, size, pace; and what every answer carries."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import ipaddress
import json
import socket
import time
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from .log import log, log_bug
from .problems import Problem, body
from .records import outage
from .settings import Settings
from .turns import admit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' blob: data:; "
    "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self)",
}
SAFE = ("GET", "HEAD", "OPTIONS")
METHODS = (*SAFE, "POST", "PUT", "PATCH", "DELETE")  # others are words of whoever asks, and not for logs
OPEN = ("/", "/board", "/healthz", "/api/code", "/docs", "/openapi.json")  # without the class code
COOKIE = "qingzhou_code"
GUESSES, WITHIN = 10, 60.0  # wrong codes of a client, in so many seconds
JSON_BYTES = 1 << 20  # of a body that is no upload
DRAINED = 8 << 20  # bytes of a refused body that are read, so that the client gets to read why


def cookie_of(code: str) -> str:
    """What a browser keeps instead of the code."""
    return hmac.new(code.encode(), b"qingzhou class code", hashlib.sha256).hexdigest()


class ClassCode:
    """The code of a class, "" for none, and how often who has guessed."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._guesses: defaultdict[str, deque[float]] = defaultdict(deque)

    def lets(self, path: str, headers: dict[str, str], client: str) -> bool:
        """Whether this request may go on: the code is not needed, remembered by a cookie, or in the header."""
        if not self._code or path in OPEN or path.startswith(("/static/", "/j/")):
            return True
        kept = _cookie(headers.get("cookie", ""))
        if kept and hmac.compare_digest(kept.encode(), cookie_of(self._code).encode()):
            return True
        given = headers.get("x-qingzhou-code")
        return given is not None and self.right(given, client)

    def right(self, given: str, client: str) -> bool:
        """Whether this is the code; Problem for a client that guesses."""
        guesses, now = self._guesses[client], time.monotonic()
        while guesses and guesses[0] < now - WITHIN:
            guesses.popleft()
        if len(guesses) >= GUESSES:
            raise Problem("too_many")
        right = hmac.compare_digest(given.encode("utf-8", "replace"), self._code.encode())
        if not right:
            guesses.append(now)
        return right


class Guard:
    """ASGI middleware; the outermost."""

    def __init__(self, app: App, settings: Settings, code: ClassCode) -> None:
        self._app, self._settings, self._code = app, settings, code
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", *(name.lower() for name in settings.names)}
        self._uploading: Counter[str] = Counter()
        self._busy: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await (
                self._app(scope, receive, send) if scope["type"] == "lifespan" else send({"type": "websocket.close"})
            )
            return
        start, answer = time.monotonic(), _Answer(send)
        body_in = _Body(receive, self._settings, scope)
        client = scope["client"][0] if scope.get("client") else ""
        scope.setdefault("state", {})["client"] = client
        uploads = scope["path"] == "/api/uploads" and scope["method"] == "POST"
        try:
            self._check(scope, client)
            with self._at_once(client, uploads):
                await self._app(scope, body_in, answer)
        except Problem as err:
            if not answer.status:
                await body_in.drain()
                await refuse(err, answer)
        except Exception as err:
            log_bug("request failed", err, route=_route(scope["path"]))
            if not answer.status:
                await refuse(Problem(outage(err) or "internal"), answer)
        method = scope["method"] if scope["method"] in METHODS else "*"
        log(
            "request",
            method=method,
            route=_route(scope["path"]),
            status=answer.status,
            bytes=body_in.taken,
            ms=round(1000 * (time.monotonic() - start), 1),
        )

    def _check(self, scope: Scope, client: str) -> None:
        headers = _headers(scope)
        if "transfer-encoding" in headers and ("content-length" in headers or scope["http_version"] == "1.0"):
            raise Problem("bad_framing")  # which of them a proxy went by, nobody knows: RFC 9112, 6.1
        host = headers.get("host", "")
        if not self._own(host):
            raise Problem("wrong_host")
        if scope["method"] not in SAFE:
            origin = headers.get("origin")
            if origin is not None and origin.partition("://")[2] != host:
                raise Problem("wrong_origin")
            if headers.get("x-qingzhou") != "1":
                raise Problem("no_header")
        most = self._settings.max_size + 65536 if scope["path"] == "/api/uploads" else JSON_BYTES
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 15 or int(length) > most:
            raise Problem("too_large")
        if not self._code.lets(scope["path"], headers, client):
            raise Problem("code_needed")

    def _own(self, host: str) -> bool:
        """Whether a Host header is this server's: a name of its own, or any address, which no foreign page can fake."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and "]" not in host[-1:] else host
        name = name.lower().rstrip(".")
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    # -- how much at once -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _at_once(self, client: str, uploads: bool) -> Iterator[None]:
        """While a request is answered; Problem if this client has too many, or all together too many uploads."""
        settings, counts = self._settings, [self._busy, *([self._uploading] if uploads else [])]
        if self._busy[client] >= settings.requests_per_client:
            raise Problem("too_many")
        if uploads:
            own, all = self._uploading[client], self._uploading.total()
            admit(own, all, settings.uploading_per_client, settings.uploading)
        for count in counts:
            count[client] += 1
        try:
            yield
        finally:
            for count in counts:
                count[client] -= 1
                if not count[client]:
                    del count[client]


class _Body:
    """The bytes of a request: counted, and in time."""

    def __init__(self, receive: Receive, settings: Settings, scope: Scope) -> None:
        self._receive, self._settings = receive, settings
        self._most = settings.max_size + 65536 if scope["path"] == "/api/uploads" else JSON_BYTES
        self._start = time.monotonic()
        self.taken, self._over = 0, False

    async def __call__(self) -> Message:
        """The next piece; Problem."""
        if self._over:  # what comes after the body is only the news that the client has gone
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._settings.idle)
        except asyncio.TimeoutError:
            raise Problem("too_slow") from None
        if message["type"] == "http.disconnect":
            raise Problem("cut_off")
        self.taken += len(message.get("body", b""))
        self._over = not message.get("more_body", False)
        if self.taken > self._most:
            raise Problem("too_large")
        allowed = self._settings.idle + self.taken / self._settings.slowest
        if not self._over and time.monotonic() - self._start > allowed:
            raise Problem("too_slow")
        return message

    async def drain(self) -> None:
        """Read on for a moment: a connection that is closed on a client that still sends shows it no answer."""
        end, most = time.monotonic() + 2.0, self.taken + DRAINED
        while not self._over and self.taken < most and (left := end - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left)
            except asyncio.TimeoutError:
                return
            self.taken += len(message.get("body", b""))
            self._over = message["type"] == "http.disconnect" or not message.get("more_body", False)


class _Answer:
    """Adds the headers that every answer has, and remembers the status."""

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 0

    async def __call__(self, message: Message) -> None:
        """Send on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            there = {name.lower() for name, _ in message.get("headers", [])}
            added = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in there]
            if b"cache-control" not in there:
                added.append((b"cache-control", b"no-store"))
            message["headers"] = [*message.get("headers", []), *added]
        await self._send(message)


async def refuse(problem: Problem, send: Send) -> None:
    """Answer with an error."""
    content = json.dumps(body(problem.as_dict()), ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"%d" % len(content))]
    if problem.code == "bad_framing":  # nothing that comes after it is a request
        headers.append((b"connection", b"close"))
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _headers(scope: Scope) -> dict[str, str]:
    """By name; Problem where one comes twice that must not."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name in found and name in ("host", "origin", "content-length", "x-qingzhou", "x-qingzhou-code"):
            raise Problem("bad_request")
        found[name] = value.decode("latin-1")
    return found


def _cookie(text: str) -> str:
    try:
        morsel = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _route(path: str) -> str:
    """For logs: what was asked for, without the token or name in it."""
    parts = path.split("/")
    known = ("api", "uploads", "jobs", "files", "static", "board", "healthz", "metrics", "j", "docs", "openapi.json",
             "devices", "scenes", "reports", "code", "")  # fmt: skip
    return "/".join(part if part in known else "*" for part in parts[:6])
