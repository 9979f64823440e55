"""A board at the other end of SSH: by paramiko, and never with a host key that nobody has looked at."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import BoardError, ExtraMissing, HostKeyError, say

CONNECT = 15  # seconds to wait for a board that answers at all
LARGEST = 16 << 20  # bytes of a file that comes from a board
SILENT = 900  # seconds that an installation may be silent
NAMES = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA"}  # as ssh-keygen -l names kinds of keys; the rest is ECDSA


@dataclass(frozen=True)
class Target:
    """Who and where: user@host, and its port."""

    user: str
    host: str
    port: int = 22

    @property
    def entry(self) -> str:
        """As known_hosts names it."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + ("" if self.port == 22 else f":{self.port}")


UNIHIKER = Target("root", "10.1.2.3")  # over USB; both are printed in the board's own documentation
UNIHIKER_PASSWORD = "dfrobot"


@dataclass(frozen=True)
class Login:
    """How to prove who one is, and whom to believe.

    password, key  neither: the agent, and the keys in ~/.ssh
    accept         a fingerprint, "SHA256:…", that an unknown board may have
    ask            whether an unknown board (its kind of key, its fingerprint) is the right one; None: nobody to ask
    known_hosts    where the keys of known boards are, and accepted ones go
    """

    password: str | None = None
    key: Path | None = None
    accept: str = ""
    ask: Callable[[str, str], bool] | None = None
    known_hosts: Path = field(default_factory=lambda: Path.home() / ".ssh" / "known_hosts")


@dataclass(frozen=True)
class Done:
    """What a command on the board left: its exit status and what it printed."""

    status: int
    text: str


class Board:
    """An open connection. Paths there are absolute or relative to the home folder, with "/" between their parts."""

    def __init__(self, target: Target, login: Login) -> None:
        """Connect and log in; BoardError, HostKeyError, ExtraMissing."""
        self.target = target
        self.client = _connected(target, login)
        with _lost(target):
            self.files = self.client.open_sftp()

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    @property
    def home(self) -> str:
        """The folder in which a login begins."""
        with _lost(self.target):
            return str(self.files.normalize("."))

    def run(self, script: str, tell: Callable[[str], None] | None = None, terminal: bool = False) -> Done:
        """Run a script of the board's sh; each line that it prints goes to `tell` at once. BoardError if it is lost.

        terminal  what runs there ends with the connection, and prints as to a person
        """
        with _lost(self.target):
            channel = self.client.get_transport().open_session()
            channel.settimeout(None if terminal else SILENT)
            if terminal:
                channel.get_pty(width=100)
            channel.set_combine_stderr(True)
            channel.exec_command("sh -c " + shlex.quote(script))
            kept = []
            try:
                for line in _lines(channel):
                    kept.append(line)
                    if tell is not None:
                        tell(line)
                return Done(channel.recv_exit_status(), "\n".join(kept))
            finally:
                channel.close()

    def send(self, data: Path, place: str, tell: Callable[[int], None]) -> None:
        """A file to the board; `tell` hears how many bytes have gone. BoardError."""
        last = 0

        def told(sent: int, total: int) -> None:
            nonlocal last
            tell(sent - last)
            last = sent

        with _lost(self.target):
            self.files.put(str(data), place, callback=told, confirm=True)

    def names(self, folder: str) -> list[str]:
        """What is in a folder; [] if there is none."""
        with _lost(self.target):
            try:
                return sorted(str(name) for name in self.files.listdir(folder))
            except FileNotFoundError:
                return []

    def fetch(self, place: str) -> bytes:
        """The first LARGEST bytes of a small file from the board; BoardError if it is not there."""
        with _lost(self.target), self.files.open(place, "rb") as file:
            data: bytes = file.read(LARGEST)
            return data


def _lines(channel: Any) -> Iterator[str]:
    """What comes, line by line."""
    rest = b""
    while part := channel.recv(1 << 14):
        *whole, rest = (rest + part).replace(b"\r\n", b"\n").split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in whole)
    if rest:
        yield rest.decode("utf-8", "replace")


# -- connecting -------------------------------------------------------------------------------------------------------


def paramiko_package() -> Any:
    """paramiko, imported now, and its log kept out of the terminal; ExtraMissing if it is not there."""
    logger = logging.getLogger("paramiko")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    try:
        return import_module("paramiko")
    except ImportError as err:
        raise ExtraMissing(
            en=f'Boards are reached by paramiko, which is not there ({err}). Install it: pip install "qingzhou[push]"',
            zh=f'连接板子需要 paramiko，这里没有安装（{err}）。请安装：pip install "qingzhou[push]"',
        ) from None


def _connected(target: Target, login: Login) -> Any:
    """A client that has logged in."""
    ssh = paramiko_package()
    client = ssh.SSHClient()
    with contextlib.suppress(OSError):  # no such file: no board is known
        client.load_host_keys(str(login.known_hosts))
    client.set_missing_host_key_policy(_policy(ssh, client, target, login))
    own = login.password is None and login.key is None
    with _lost(target, login):
        client.connect(
            target.host,
            target.port,
            target.user,
            password=login.password,
            key_filename=str(login.key) if login.key else None,
            timeout=CONNECT,
            banner_timeout=CONNECT,
            auth_timeout=CONNECT,
            allow_agent=own,
            look_for_keys=own,
        )
        client.get_transport().set_keepalive(15)
    return client


def _policy(ssh: Any, client: Any, target: Target, login: Login) -> Any:
    """What paramiko asks about a board whose key it does not find."""

    class Policy(ssh.MissingHostKeyPolicy):  # type: ignore[misc]
        def missing_host_key(self, _client: Any, _name: str, key: Any) -> None:
            """A board that is known by another kind of key has changed; an unknown one is asked about."""
            known = client.get_host_keys().lookup(target.entry)
            if known:
                raise _changed(target, key, login)
            print_ = fingerprint(key)
            if login.accept:
                if _bare(login.accept) != _bare(print_):
                    raise _other_key(target, login.accept, print_)
            elif login.ask is None or not login.ask(_kind(key), print_):
                raise _unknown(target, _kind(key), print_)
            _remember(login.known_hosts, target, key)

    return Policy()


def fingerprint(key: Any) -> str:
    """As `ssh-keygen -l` prints it: SHA256:…"""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode("ascii").rstrip("=")


def _bare(text: str) -> str:
    return text.strip().removeprefix("SHA256:").rstrip("=")


def _kind(key: Any) -> str:
    return NAMES.get(key.get_name(), "ECDSA")


def _remember(file: Path, target: Target, key: Any) -> None:
    """One more line in known_hosts, which ssh reads as well; the others stay as they are."""
    line = f"{target.entry} {key.get_name()} {key.get_base64()}\n"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = file.read_bytes() if file.exists() else b""
        with file.open("ab") as out:
            out.write((b"\n" if before and not before.endswith(b"\n") else b"") + line.encode("ascii"))
    except OSError as err:
        raise BoardError(
            en=f"The board's key cannot be written into {file}: {err.strerror}. Make the file writable.",
            zh=f"无法把板子的密钥写入 {file}：{err.strerror}。请允许写入这个文件。",
        ) from None


@contextlib.contextmanager
def _lost(target: Target, login: Login | None = None) -> Iterator[None]:
    """Everything that can go wrong with a connection, in words."""
    ssh = paramiko_package()
    try:
        yield
    except ssh.BadHostKeyException as err:
        raise _changed(target, err.key, login) from None
    except ssh.PasswordRequiredException:
        raise _locked_key(login) from None
    except ssh.AuthenticationException:
        raise _refused(target, login) from None
    except (ssh.SSHException, EOFError, OSError, ValueError) as err:
        raise _unreachable(target, err) from None


# -- what can be wrong ------------------------------------------------------------------------------------------------


def _changed(target: Target, key: Any, login: Login | None) -> HostKeyError:
    place = f' -f "{login.known_hosts}"' if login else ""
    line = f'ssh-keygen -R "{target.entry}"{place}'
    return HostKeyError(
        en=f"{target.host} has another host key than before ({_kind(key)} {fingerprint(key)}): it was set up anew, or "
        f"another machine answers in its place. Nothing was sent. If you know that it was set up anew: {line}",
        zh=f"{target.host} 的主机密钥变了（{_kind(key)} {fingerprint(key)}）：板子重装过系统，或者有别的机器在冒充它。"
        f"没有发送任何内容。如果确定是重装过系统：{line}",
    )


def _unknown(target: Target, kind: str, found: str) -> HostKeyError:
    return HostKeyError(
        en=f"{target.host} is not known yet; its host key: {kind} {found}. Compare it with what the board itself says "
        f"(ssh-keygen -lf /etc/ssh/ssh_host_{kind.lower()}_key.pub); if it is the same: --accept-host-key {found}",
        zh=f"还不认识 {target.host}；它的主机密钥是 {kind} {found}。请与板子自己显示的比较"
        f"（ssh-keygen -lf /etc/ssh/ssh_host_{kind.lower()}_key.pub）；一致的话请加：--accept-host-key {found}",
    )


def _other_key(target: Target, wanted: str, found: str) -> HostKeyError:
    return HostKeyError(
        en=f"{target.host} has the host key {found}, not {wanted}. Nothing was sent. Check which board answers there.",
        zh=f"{target.host} 的主机密钥是 {found}，不是 {wanted}。没有发送任何内容。请检查那里是哪一块板子。",
    )


def _locked_key(login: Login | None) -> BoardError:
    name = str(login.key) if login and login.key else say("the key in ~/.ssh", "~/.ssh 里的密钥")
    return BoardError(
        en=f"{name} is locked by a passphrase. Unlock it for the session first: ssh-add {name}; or use --password.",
        zh=f"{name} 有口令保护。请先解锁：ssh-add {name}；或者用 --password。",
    )


def _refused(target: Target, login: Login | None) -> BoardError:
    way = say("password", "密码") if login and login.password is not None else say("key", "密钥")
    return BoardError(
        en=f"{target} refused the {way}. Check the user's name; log in with --password, with --key FILE, or, a new "
        "Unihiker, with --unihiker-default.",
        zh=f"{target} 拒绝了{way}登录。请检查用户名；可以用 --password、--key 文件登录；"
        "新的行空板可用 --unihiker-default。",
    )


def _unreachable(target: Target, err: Exception) -> BoardError:
    reason = getattr(err, "strerror", None) or str(err) or say("the connection was lost", "连接中断")
    return BoardError(
        en=f"{target} cannot be reached, or the connection was lost: {str(reason)[:200]}. Check that the board is on, "
        "in the same network, and that SSH is enabled there; then push again: what was sent already is kept.",
        zh=f"无法连接 {target}，或连接中断：{str(reason)[:200]}。请检查板子是否开机、是否在同一网络、"
        "是否启用了 SSH；然后再次 push，已经发送的部分会保留。",
    )
