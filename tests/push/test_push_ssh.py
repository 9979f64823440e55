"""push against a real sshd: what is sent, what is refused, and what is left when everything ends in the middle."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bundles import FILES, write_bundle
from server import Server, new_key, start

import qingzhou
from qingzhou.bundle.push import push, run_main
from qingzhou.bundle.ssh import UNIHIKER, UNIHIKER_PASSWORD, Board, Login, Target
from qingzhou.errors import BoardError, HostKeyError

pytestmark = pytest.mark.ssh

USER = getpass.getuser()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "board").mkdir()
    running = start(tmp_path / "board")
    yield running
    running.stop()


@pytest.fixture
def login(server: Server, tmp_path: Path) -> Login:
    return Login(key=server.key, accept=server.fingerprint, known_hosts=tmp_path / "ssh" / "known_hosts")


@pytest.fixture
def board(server: Server, login: Login) -> Iterator[Board]:
    with Board(Target(USER, "127.0.0.1", server.port), login) as one:
        yield one


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "cats 猫")


def quiet(_line: str) -> None:
    pass


def place(server: Server) -> Path:
    return server.home / "qingzhou" / "cats 猫"


# -- the whole way ----------------------------------------------------------------------------------------------------


def test_everything_then_only_what_changed(server: Server, board: Board, bundle: Path) -> None:
    told: list[str] = []
    first = push(bundle, board, tell=told.append)
    assert first.sent == 9 and first.selftest == "self-test passed" and "installing" in told
    assert first.report and first.report["rows"][0]["fps"] == 105.0
    assert {path.name for path in place(server).parent.iterdir()} == {"cats 猫"}
    (bundle / "main.py").write_text('print("changed")\n', "utf-8")  # a pupil's change; bundle.json knows nothing of it
    second = push(bundle, board, tell=quiet)
    assert (second.sent, second.bytes, second.kept) == (1, len('print("changed")\n'), 8)
    assert (place(server) / "main.py").read_text("utf-8") == 'print("changed")\n'
    third = push(bundle, board, tell=told.append, measure=False)
    assert third.sent == 0 and third.report is None and "nothing has changed" in told
    assert (server.home / "installed.log").read_text("utf-8") == "once\n", "installed once for the same lists"


def test_what_is_installed_and_made_there_comes_along(server: Server, board: Board, bundle: Path) -> None:
    """Photos stay, the environment stays for the same lists, a file that the bundle no longer has goes."""
    write_bundle(bundle, old_py="1")
    push(bundle, board, tell=quiet, measure=False)
    (place(server) / "photos").mkdir()
    (place(server) / "photos" / "1.jpg").write_text("photo", "utf-8")
    (bundle / "old.py").unlink()
    write_bundle(bundle, main_py="print(2)\n")
    push(bundle, board, tell=quiet, measure=False)
    assert (place(server) / "photos" / "1.jpg").read_text("utf-8") == "photo"
    assert (place(server) / ".venv" / "lib").is_file() and not (place(server) / "old.py").exists()
    write_bundle(bundle, install_sh="exit 0\n")
    push(bundle, board, tell=quiet, measure=False)
    assert not (place(server) / ".venv").exists() and (place(server) / "photos").is_dir()


def tree(folder: Path) -> dict[str, str]:
    """The files there that are none of the bundle's, with their texts; a link with where it leads."""
    left = {".pushed", ".installed", "bundle.json", ".venv/lib", *FILES}
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {
        name: f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text("utf-8")
        for name, path in found.items()
        if name not in left and (path.is_symlink() or path.is_file())
    }


def made_there(folder: Path) -> None:
    """What a pupil does on the board: photos, also in a folder of ours, logs, a report, links, changes of our files."""
    texts = {
        "photos/1.jpg": "photo",
        "qingzhou_runtime/mine.txt": "notes",
        "log.txt": "log",
        "report.json": "{}",
        "odd\\name\n.txt": "odd",
        "main.py": "print('tuned')\n",
        "labels.txt": "mine",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (folder / "requirements.txt").unlink()
    (folder / "requirements.txt").symlink_to("nowhere")
    (folder / "empty").mkdir()


def test_what_a_pupil_does_on_the_board_survives(server: Server, board: Board, bundle: Path) -> None:
    """Every push after it; what was sent runs, and what was changed there is beside it and named, once."""
    push(bundle, board, tell=quiet, measure=False)
    made_there(place(server))
    kept = {
        "photos/1.jpg": "photo",
        "qingzhou_runtime/mine.txt": "notes",
        "log.txt": "log",
        "report.json": "{}",
        "odd\\name\n.txt": "odd",
        "main.old.py": "print('tuned')\n",
        "labels.old.txt": "mine",
        "requirements.old.txt": "-> nowhere",
    }
    named = {"main.py": "main.old.py", "labels.txt": "labels.old.txt", "requirements.txt": "requirements.old.txt"}
    for turn in range(3):
        done = push(bundle, board, tell=quiet, measure=False)
        assert done.changed == ({} if turn else named)
        assert tree(place(server)) == kept and (place(server) / "empty").is_dir()
        assert (place(server) / "labels.txt").read_text("utf-8") == FILES["labels.txt"]
        write_bundle(bundle, bench_py=f"# {turn}\n")


def test_a_push_that_failed_loses_nothing_of_the_next(server: Server, board: Board, bundle: Path) -> None:
    push(bundle, board, tell=quiet, measure=False)
    made_there(place(server))
    (place(server) / "main.py").write_text(FILES["main.py"], "utf-8")
    before = {name: text for name, text in tree(place(server)).items() if name != "log.txt"}
    write_bundle(bundle, selftest_py="raise SystemExit('no')\n")
    with pytest.raises(BoardError):
        push(bundle, board, tell=quiet)
    (place(server) / "photos" / "2.jpg").write_text("another", "utf-8")
    (place(server) / "log.txt").unlink()
    for text in ("a", "b"):
        write_bundle(bundle, bench_py=f"# {text}\n")
        push(bundle, board, tell=quiet, measure=False)
        found = tree(place(server))
        assert found["photos/2.jpg"] == "another" and "log.txt" not in found
        assert before.items() <= found.items()


def test_what_is_written_while_a_push_goes_on(server: Server, board: Board, bundle: Path) -> None:
    """By a program that runs there: before the switch, and after it, when its folder is the old one."""
    push(bundle, board, tell=quiet, measure=False)
    photo = f"{place(server)}/during.jpg"
    write_bundle(bundle, selftest_py=f"open({photo!r}, 'w').write('photo')\n")
    push(bundle, board, tell=quiet, measure=False)
    late = place(server).with_name("cats 猫.old") / "late" / "1.jpg"
    late.parent.mkdir()
    late.write_text("late", "utf-8")
    for text in ("a", "b"):
        write_bundle(bundle, bench_py=f"# {text}\n")
        push(bundle, board, tell=quiet, measure=False)
        assert tree(place(server)) == {"during.jpg": "photo", "late/1.jpg": "late"}


def test_a_report_of_the_pupils_gives_way_to_the_new_one(server: Server, board: Board, bundle: Path) -> None:
    """One that a push has measured does not."""
    push(bundle, board, tell=quiet)
    assert set(tree(place(server))) == {"report.json"}
    push(bundle, board, tell=quiet)
    assert set(tree(place(server))) == {"report.json"}
    (place(server) / "report.json").write_text("mine", "utf-8")
    for text in ("a", "b"):
        write_bundle(bundle, main_py=f"# {text}\n")
        assert push(bundle, board, tell=quiet).report
        assert tree(place(server))["report.old.json"] == "mine" and len(tree(place(server))) == 2


@pytest.mark.parametrize("ending", ["new", "old"])
def test_a_folder_of_such_a_name_is_the_pupils(ending: str, server: Server, board: Board, bundle: Path) -> None:
    mine = place(server).with_name(f"cats 猫.{ending}")
    mine.mkdir(parents=True)
    (mine / "backup.py").write_text("mine", "utf-8")
    for text in ("a", "b", "c"):
        write_bundle(bundle, bench_py=f"# {text}\n")
        push(bundle, board, tell=quiet, measure=False)
    (folder,) = [path for path in place(server).parent.iterdir() if (path / "backup.py").is_file()]
    assert (folder / "backup.py").read_text("utf-8") == "mine"


def test_more_names_than_a_command_can_hold(server: Server, board: Board, bundle: Path) -> None:
    """Photos in a folder of ours."""
    many = [f"{number} {'a name that says all that is seen ' * 7}" for number in range(200)]
    push(bundle, board, tell=quiet, measure=False)
    for name in many:
        (place(server) / "qingzhou_runtime" / name).touch()
    write_bundle(bundle, bench_py="# a\n")
    push(bundle, board, tell=quiet, measure=False)
    assert len(list((place(server) / "qingzhou_runtime").iterdir())) == 201


def test_a_zip_and_another_folder(server: Server, board: Board, bundle: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "cats"), "zip", bundle.parent, bundle.name))
    done = push(archive, board, "apps/my cats", tell=quiet)
    assert Path(done.folder) == server.home / "apps/my cats" and (server.home / "apps/my cats/main.py").is_file()
    told: list[str] = []
    assert run_main(board, done.folder, told.append) == 0
    assert told == ["main runs my cats"]


def test_the_python_that_the_bundle_names(server: Server, board: Board, bundle: Path) -> None:
    """Not the board's python3 if that is another version; a bundle for another machine is not sent at all."""
    facts = json.loads((bundle / "bundle.json").read_text("utf-8"))
    (server.home / "bin").mkdir()
    enter = server.folder / "enter"
    enter.write_text(enter.read_text("utf-8").replace("&& export", "&& export PATH=$PWD/bin:$PATH && export"), "utf-8")
    other = server.home / "bin" / "python3.77"
    other.write_text('#!/bin/sh\n[ "$1" = -c ] && echo 3.77 || echo "by 3.77: $1"\n', "utf-8")
    other.chmod(0o755)
    machine = {"machine": platform.machine(), "python": ["3.6", "3.77"]}
    (bundle / "bundle.json").write_text(json.dumps({**facts, **machine}), "utf-8")
    assert push(bundle, board, tell=quiet, measure=False).selftest == "by 3.77: selftest.py"
    (bundle / "bundle.json").write_text(json.dumps({**facts, "machine": "riscv64"}), "utf-8")
    with pytest.raises(BoardError, match="riscv64"):
        push(bundle, board, tell=quiet, measure=False)


# -- what fails leaves the old bundle -------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["install_sh", "selftest_py"])
def test_the_old_bundle_stays_if_the_new_one_fails(broken: str, server: Server, board: Board, bundle: Path) -> None:
    push(bundle, board, tell=quiet, measure=False)
    bad = {
        "install_sh": "echo no wheel for this Python >&2; exit 3\n",
        "selftest_py": 'raise SystemExit("no wheel for this Python")\n',
    }
    write_bundle(bundle, main_py="print('new')\n", **{broken: bad[broken]})
    with pytest.raises(BoardError, match="no wheel for this Python"):
        push(bundle, board, tell=quiet)
    assert "main runs" in (place(server) / "main.py").read_text("utf-8")
    write_bundle(bundle, main_py="print('mended')\n")
    push(bundle, board, tell=quiet)
    assert "mended" in (place(server) / "main.py").read_text("utf-8")


PROGRAM = """
import sys
from pathlib import Path
from qingzhou.bundle import push as module
from qingzhou.bundle.ssh import Board, Login, Target
port, key, fingerprint, known, bundle = sys.argv[1:]
with Board(Target(sys.argv[0], "127.0.0.1", int(port)), Login(key=Path(key), accept=fingerprint,
           known_hosts=Path(known))) as board:
    module.push(Path(bundle), board, tell=lambda line: print(line, flush=True))
"""


def test_killed_in_the_middle(server: Server, login: Login, board: Board, bundle: Path) -> None:
    """Ours is killed while it sends; then the board loses its power. The old bundle works all along."""
    push(bundle, board, tell=quiet, measure=False)
    write_bundle(bundle, main_py="print('new')\n", model_onnx="")
    with (bundle / "model.onnx").open("wb") as file:
        for i in range(150):
            file.write(bytes([i]) * 1_000_000)
    code = PROGRAM.replace("sys.argv[0]", repr(USER))
    arguments = [str(server.port), str(login.key), login.accept, str(login.known_hosts), str(bundle)]
    command = [sys.executable, "-c", code, *arguments]
    for signal_ in (signal.SIGKILL, None):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
            assert child.stdout is not None
            seen = next(line for line in child.stdout if "20 %" in line or "rror" in line)
            assert "20 %" in seen, seen
            if signal_ is not None:
                child.send_signal(signal_)
            else:
                server.cut()
            child.communicate(timeout=60)
            assert child.returncode != 0
        assert "main runs" in (place(server) / "main.py").read_text("utf-8")
        half = place(server).with_name("cats 猫.new") / "model.onnx"
        assert half.is_file()
        if signal_ is None:
            again = start(server.folder, server.port)
    try:
        with Board(Target(USER, "127.0.0.1", server.port), login) as anew:
            done = push(bundle, anew, tell=quiet, measure=False)
        assert done.sent <= 3 and "new" in (place(server) / "main.py").read_text("utf-8")
        assert (place(server) / "model.onnx").stat().st_size == 150_000_000
    finally:
        again.stop()


def test_power_cut_between_the_two_renames(server: Server, board: Board, bundle: Path) -> None:
    """Where names cannot be exchanged there is a moment without the folder: the next push finds the old one."""
    push(bundle, board, tell=quiet, measure=False)
    place(server).rename(place(server).with_name("cats 猫.old"))
    done = push(bundle, board, tell=quiet, measure=False)
    assert done.sent == 0 and (place(server) / "main.py").is_file()


def test_a_full_disk_is_said_before_anything_is_sent(
    server: Server, board: Board, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(bundle, board, tell=quiet, measure=False)
    write_bundle(bundle, main_py="print(3)\n")
    (server.home / "bin").mkdir()
    (server.folder / "enter").write_text(
        (server.folder / "enter").read_text("utf-8").replace("&& export", "&& export PATH=$PWD/bin:$PATH && export"),
        "utf-8",
    )
    df = server.home / "bin" / "df"
    df.write_text(
        "#!/bin/sh\necho Filesystem 1024-blocks Used Available\necho /dev/mmc 100000 99000 1000 99% /\n", "utf-8"
    )
    df.chmod(0o755)
    with pytest.raises(BoardError, match="1 MB left"):
        push(bundle, board, tell=quiet, measure=False)
    assert "main runs" in (place(server) / "main.py").read_text("utf-8")


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
