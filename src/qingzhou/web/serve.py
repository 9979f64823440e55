"""The verbs `serve` and `worker`: a process that runs until it is told to stop."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import segno
import uvicorn

from ..errors import ExtraMissing, OptionError, say
from ..runtime.address import hidden, shown
from .app import create_app
from .log import log, start_logging
from .problems import Problem
from .protocol import limited
from .settings import Settings
from .store import Store
from .worker import Worker

LOOPBACK = ("127.0.0.1", "::1", "localhost")
BACKLOG = 1024
OTHER_FILES = 1000  # open at once besides connections: uploads on their way, records, the pipes of jobs


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; OptionError where the port is taken."""
    check_settings(settings)
    _prepare(settings)
    listener = _listener(settings)
    with _opening(settings):
        server = server_of(settings)
    welcome(settings, listener.getsockname()[1])
    server.run(sockets=[listener])


def server_of(settings: Settings) -> uvicorn.Server:
    """The application, and how it is served; X-Forwarded-For is believed of FORWARDED_ALLOW_IPS or 127.0.0.1."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            http=limited(_room(settings.connections)),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=10,
            backlog=BACKLOG,
            proxy_headers=settings.behind_proxy,
            h11_max_incomplete_event_size=32 << 10,
        )
    )


def work(settings: Settings) -> None:
    """Take jobs from the queue until SIGINT or SIGTERM."""
    check_settings(settings)
    _prepare(settings)
    done = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: done.set())
    with _opening(settings):
        worker = Worker(settings)
    worker.start()
    log("worker started", workers=settings.workers)
    while not done.wait(1.0):
        pass
    worker.stop()


def check_settings(settings: Settings) -> None:
    """OptionError for a queue or store that is none."""
    if settings.queue and not _is_redis(settings.queue):
        raise OptionError(
            en=f"--queue is {shown(settings.queue)}; expected redis://host:6379/0. Leave it out for one machine.",
            zh=f"--queue 的值是 {shown(settings.queue)}，应为 redis://主机:6379/0。只有一台机器时不用写。",
        )
    if settings.queue and not settings.store:
        raise OptionError(
            en="--queue needs --store: workers elsewhere must reach the files. A shared folder (file:///mnt/files) or "
            "s3://bucket/folder.",
            zh="使用 --queue 时还需要 --store，让其他机器上的进程能取到文件：共享文件夹（file:///mnt/files）"
            "或 s3://bucket/folder。",
        )
    if settings.store and "://" not in settings.store:
        raise OptionError(
            en=f"--store is {shown(settings.store)}; expected file:///folder or s3://bucket/folder.",
            zh=f"--store 的值是 {shown(settings.store)}，应为 file:///文件夹 或 s3://bucket/文件夹。",
        )


def _is_redis(url: str) -> bool:
    """Whether it is an address of a Redis, reached or not."""
    from redis import ConnectionPool

    try:
        ConnectionPool.from_url(url)
    except ValueError:
        return False
    return True


def _reach(settings: Settings) -> None:
    """OptionError for a store that cannot be reached, which fsspec says with errors of all kinds."""
    try:
        Store(settings.store_place)
    except ImportError as err:
        raise ExtraMissing(
            en=f"--store needs a package that is not installed here; for s3:// it is: pip install s3fs. fsspec: {err}",
            zh=f"--store 需要的包没有安装；s3:// 需要：pip install s3fs。fsspec：{err}",
        ) from None
    except Exception as err:
        place, why = shown(settings.store_place), hidden(f"{type(err).__name__} {err}".strip())
        raise OptionError(
            en=f"--store is {place} and cannot be used: {why}. See that the place is there, and the keys are right.",
            zh=f"--store 的值是 {place}，无法使用：{why}。请检查这个位置是否存在、密钥是否正确。",
        ) from None


@contextlib.contextmanager
def _opening(settings: Settings) -> Iterator[None]:
    """OptionError for records or a queue in the folder that cannot be opened."""
    try:
        yield
    except (sqlite3.Error, Problem) as err:
        why = str(err.__cause__ or err)
        raise OptionError(
            en=f"The records in {settings.folder} cannot be opened: {why}. See that no other program holds them, a "
            "backup say, and that the disk has room and can be written; or take another --folder.",
            zh=f"无法打开 {settings.folder} 中的记录：{why}。请检查是否有其他程序（例如备份）正在占用、"
            "磁盘是否有空间且可写，或用 --folder 换一个文件夹。",
        ) from None


def _prepare(settings: Settings) -> None:
    start_logging()
    os.umask(0o077)  # what a class uploads is nobody else's on this machine
    _reach(settings)
    settings.work.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(settings.work)  # large uploads wait there, not in a /tmp that is memory


def _room(connections: int) -> int:
    """How many connections there can be: this system may allow fewer open files, even when asked for more."""
    if os.name != "posix":
        return min(connections, 400)  # select() on Windows takes 512
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else min(connections, max(soft - OTHER_FILES, soft // 2))


def _listener(settings: Settings) -> socket.socket:
    """Bound before anything is said, so that what is printed is true."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio lets small packets go at once (TCP_NODELAY) only where the protocol is named: else answers take 40 ms more
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as err:
        listener.close()
        raise OptionError(
            en=f"Cannot listen on {settings.host}:{settings.port}: {err.strerror}. Choose another with --port, or see "
            "which program has it.",
            zh=f"无法监听 {settings.host}:{settings.port}：{err.strerror}。请用 --port 换一个端口，"
            "或查看哪个程序占用了它。",
        ) from None
    listener.set_inheritable(True)
    return listener


def welcome(settings: Settings, port: int) -> None:
    """The address, for a class as a QR code, and what an open server means."""
    open_to_all = settings.host not in LOOPBACK
    host = outward() if settings.host in ("0.0.0.0", "::") else settings.host
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    print(say(f"Qingzhou is at {address}", f"轻舟网页地址：{address}"))
    if open_to_all:
        print(_qr(address))
        print(
            say(
                "Everybody in this network can now upload files and use this machine's processor. Files are read in "
                "confined processes and never executed. Do not forward the port to the internet; "
                + ("the class code is asked for." if settings.code else "--code asks for a class code."),
                "这个网络里的所有人现在都能上传文件、使用这台机器的处理器。文件只在受限的进程里读取，从不执行。"
                "不要把端口转发到互联网；" + ("已设置班级口令。" if settings.code else "可以用 --code 设置班级口令。"),
            )
        )
    else:
        print(
            say(
                "Only this machine can open it; for a class: --host 0.0.0.0",
                "只有这台机器能打开；给全班用请加 --host 0.0.0.0",
            )
        )
    print(say("Ctrl+C ends it.", "按 Ctrl+C 结束。"))
    sys.stdout.flush()


def _qr(address: str) -> str:
    text = io.StringIO()
    segno.make(address, error="l").terminal(text, compact=True)
    encoding = sys.stdout.encoding or "utf-8"
    return text.getvalue().encode(encoding, "replace").decode(encoding)


def outward() -> str:
    """The address of this machine in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def default_folder() -> Path:
    """Where everything embedded is kept, by the system's custom."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "qingzhou" / "serve"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "qingzhou" / "serve"
