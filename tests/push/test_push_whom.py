"""Push: whom to believe, and the command line."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from bundles import write_bundle
from pushes import USER, place, quiet
from server import Server, new_key, start

import qingzhou
from qingzhou.bundle.push import push, run_main
from qingzhou.bundle.ssh import UNIHIKER, UNIHIKER_PASSWORD, Board, Login, Target
from qingzhou.errors import BoardError, HostKeyError

pytestmark = pytest.mark.ssh


# -- whom to believe --------------------------------------------------------------------------------------------------


def connect(server: Server, login: Login) -> None:
    Board(Target(USER, "127.0.0.1", server.port), login).__exit__(None, None, None)


def test_an_unknown_board_is_never_taken_silently(server: Server, tmp_path: Path) -> None:
    known = tmp_path / "known"
    with pytest.raises(HostKeyError, match=server.fingerprint.replace("+", r"\+")):
        connect(server, Login(key=server.key, known_hosts=known))
    with pytest.raises(HostKeyError, match="SHA256:wrong"):
        connect(server, Login(key=server.key, accept="SHA256:wrong", known_hosts=known))
    asked: list[tuple[str, str]] = []

    def no(kind: str, found: str) -> bool:
        asked.append((kind, found))
        return False

    with pytest.raises(HostKeyError):
        connect(server, Login(key=server.key, ask=no, known_hosts=known))
    assert asked == [("ED25519", server.fingerprint)] and not known.exists()
    connect(server, Login(key=server.key, ask=lambda kind, found: True, known_hosts=known))
    line = known.read_text("utf-8")
    assert line.startswith(f"[127.0.0.1]:{server.port} ssh-ed25519 ")
    connect(server, Login(key=server.key, known_hosts=known))  # known now, by ssh as well:
    told = subprocess.run(
        ["ssh-keygen", "-F", f"[127.0.0.1]:{server.port}", "-f", str(known)], capture_output=True, text=True
    )
    assert told.returncode == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_changed_key_is_refused_whatever_is_accepted(kind: str, server: Server, login: Login) -> None:
    """Also where the new key is of another kind, for which known_hosts has no line."""
    connect(server, login)
    server.stop()
    new_key(server.folder / "host", kind)
    again = start(server.folder, server.port)
    try:
        for accepted in ("", again.fingerprint):
            with pytest.raises(HostKeyError, match="ssh-keygen -R"):
                connect(again, Login(login.password, login.key, accepted, lambda *_: True, login.known_hosts))
    finally:
        again.stop()


def test_refused_logins_say_what_to_do(server: Server, login: Login, tmp_path: Path) -> None:
    new_key(tmp_path / "stranger")
    for wrong in (
        Login(key=tmp_path / "stranger", accept=login.accept, known_hosts=login.known_hosts),
        Login(password="wrong", accept=login.accept, known_hosts=login.known_hosts),
    ):
        with pytest.raises(BoardError, match="--unihiker-default"):
            connect(server, wrong)
    new_key(tmp_path / "locked", passphrase="secret")
    with pytest.raises(BoardError, match="ssh-add"):
        connect(server, Login(key=tmp_path / "locked", known_hosts=login.known_hosts))
    server.stop()
    with pytest.raises(BoardError, match="cannot be reached"):
        connect(server, login)


# -- the command line -------------------------------------------------------------------------------------------------


def cli(*arguments: object, home: Path, status: int = 0) -> str:
    env = {
        **os.environ,
        "HOME": str(home),
        "QINGZHOU_LANG": "en",
        "PYTHONPATH": str(Path(qingzhou.__file__).parents[1]),
    }
    command = [sys.executable, "-c", "from qingzhou.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + (done.stderr if status else "")


def test_from_the_command_line(server: Server, bundle: Path, tmp_path: Path) -> None:
    where = [bundle, f"{USER}@127.0.0.1", "--port", server.port, "--key", server.key]
    refused = cli("push", *where, home=tmp_path, status=1)
    assert server.fingerprint in refused and "--accept-host-key" in refused
    shown = cli("push", *where, "--accept-host-key", server.fingerprint, "--run", home=tmp_path)
    assert "self-test passed" in shown and "main runs" in shown
    found: Any = json.loads(cli("push", *where, "--json", home=tmp_path))
    assert found["sent"] == 0 and found["report"]["format"] == "qingzhou.report"
    report = json.loads(Path(found["report_file"]).read_text("utf-8"))
    assert (
        report["rows"][0]["model"] == "cats"
        and Path(found["report_file"]).name == f"cats 猫-127.0.0.1-{server.port}.report.json"
    )


def test_what_qingzhou_bundle_makes(server: Server, tmp_path: Path) -> None:
    """The real thing: converted, bundled, pushed, installed from the package index, tested, measured, run, reported."""
    shutil.copyfile(Path(qingzhou.__file__).parent / "demo/lenet_digits.pth", tmp_path / "digits.pth")
    made = ["--device", "pc", "--scene", "basic", "-o", tmp_path / "digits"]
    cli("bundle", tmp_path / "digits.pth", *made, home=tmp_path)
    where = [tmp_path / "digits", f"{USER}@127.0.0.1", "--port", server.port, "--key", server.key]
    shown = cli("push", *where, "--accept-host-key", server.fingerprint, "--run", home=tmp_path)
    assert "Result:" in shown
    assert json.loads(cli("push", *where, "--no-bench", "--json", home=tmp_path))["sent"] == 0
    (report,) = tmp_path.glob("*.report.json")
    (row,) = json.loads(cli("report", report, "--json", home=tmp_path))["rows"]
    assert (row["model"], row["network"], row["device"]) == ("digits", "LeNet-5", "pc") and row["fps"] > 10


@pytest.mark.parametrize("answer", ["n", "y"])
def test_a_person_is_asked(answer: str, server: Server, bundle: Path, tmp_path: Path) -> None:
    """On a terminal the fingerprint is shown; without a yes nothing is sent, and Enter alone is no yes."""
    import pty  # not on Windows

    code = "from qingzhou.cli import main; main()"
    where = [str(bundle), f"{USER}@127.0.0.1", "--port", str(server.port), "--key", str(server.key), "--no-bench"]
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "QINGZHOU_LANG": "zh",
        "PYTHONPATH": str(Path(qingzhou.__file__).parents[1]),
    }
    parent, child = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code, "push", *where], env=env, stdin=child, stdout=child, stderr=child
    ) as process:
        os.close(child)
        seen = b""
        while b"[y/N]" not in seen:
            seen += os.read(parent, 4096)
        os.write(parent, b"\n" if answer == "n" else b"y\n")
        with contextlib.suppress(OSError):  # the other end is closed: the program is done
            while part := os.read(parent, 4096):
                seen += part
    text = seen.decode("utf-8", "replace")
    assert server.fingerprint in text and "可以信任吗" in text
    assert (process.returncode == 0) is (answer == "y") is place(server).exists()


def test_passwords(tmp_path: Path, server: Server) -> None:
    """sshd would want a user with a password on this machine; paramiko's own server stands in for the login alone."""
    import paramiko  # here, so that the other tests can be collected where it is not installed

    class Gate(paramiko.ServerInterface):
        """A board that lets one user in by one password."""

        def check_auth_password(self, username: str, password: str) -> int:
            right = (username, password) == (UNIHIKER.user, UNIHIKER_PASSWORD)
            return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

        def get_allowed_auths(self, username: str) -> str:
            return "password"

    listener = socket.create_server(("127.0.0.1", 0))
    key = paramiko.Ed25519Key.from_private_key_file(str(server.folder / "host"))
    seen: list[bool] = []

    def answer() -> None:
        for _ in range(2):
            transport = paramiko.Transport(listener.accept()[0])
            transport.add_server_key(key)
            transport.start_server(server=Gate())
            transport.accept(5)
            seen.append(transport.is_authenticated())
            transport.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    target = Target(UNIHIKER.user, "127.0.0.1", listener.getsockname()[1])
    for password in ("wrong", UNIHIKER_PASSWORD):
        with pytest.raises(BoardError) as caught:  # also the right one: this server has no files
            Board(target, Login(password=password, accept=server.fingerprint, known_hosts=tmp_path / "known"))
        assert ("--unihiker-default" in str(caught.value)) is (password == "wrong")
    thread.join(20)
    assert seen == [False, True]


def test_scan_finds_the_server_and_asks_nobody_else(server: Server, tmp_path: Path) -> None:
    found = json.loads(
        cli("push", "--scan", "--network", "127.0.0.1/32", "--port", server.port, "--json", home=tmp_path)
    )
    assert [one["address"] for one in found["boards"]] == ["127.0.0.1"]
    assert found["boards"][0]["banner"].startswith("SSH-2.0-OpenSSH")
    assert "8.8.8.0/24" in cli("push", "--scan", "--network", "8.8.8.0/24", home=tmp_path, status=1)


def test_run_ends_with_the_connection(server: Server, board: Board, bundle: Path, login: Login) -> None:
    """main.py that would run for ever ends when the one who looks at it goes."""
    write_bundle(
        bundle,
        main_py="import os, time\nopen('pid', 'w').write(str(os.getpid()))\n"
        "while True:\n    print('tick')\n    time.sleep(0.05)\n",
    )
    done = push(bundle, board, tell=quiet, measure=False)

    class Enough(Exception):
        pass

    def enough(line: str) -> None:
        raise Enough

    with pytest.raises(Enough):
        run_main(board, done.folder, enough)
    pid = int((place(server) / "pid").read_text("utf-8"))
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("main.py goes on alone")
