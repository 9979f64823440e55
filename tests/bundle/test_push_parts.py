"""The parts of push that need no board: which folder, what is a bundle, whom to ask, who answers."""

from __future__ import annotations

import json
import socket
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from qingzhou.bundle import scan as scanning
from qingzhou.bundle.push import Pushed, folder_of, local_files, opened
from qingzhou.bundle.scan import scan
from qingzhou.bundle.ssh import Target
from qingzhou.cli import main
from qingzhou.errors import FileMissing, ModelError, OptionError, QingzhouError
from qingzhou.present.boards import _keep


def bundle(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("main.py", "bundle.json", "__pycache__/x.pyc", ".venv/lib", "report.json", "sub/data"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}", "utf-8")
    return folder


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("", "qingzhou/cats"), ("apps/x", "apps/x"), ("apps//x/", "apps/x"), ("/opt/cats", "/opt/cats"), ("a b", "a b")],
)
def test_folder_on_the_board(wanted: str, expected: str) -> None:
    assert folder_of(Path("out/cats"), wanted) == expected
    assert folder_of(Path("out/cats.zip"), "") == "qingzhou/cats"


@pytest.mark.parametrize("wanted", [".", "..", "/", "/etc", "../x", "-rf", "~/x", "a\nb", "x/../.."])
def test_folders_that_are_refused(wanted: str) -> None:
    with pytest.raises(OptionError, match="folder on the board"):
        folder_of(Path("cats"), wanted)


def test_what_is_sent(tmp_path: Path) -> None:
    assert list(local_files(bundle(tmp_path / "b"))) == ["bundle.json", "main.py", "sub/data"]


def test_what_is_no_bundle(tmp_path: Path) -> None:
    for name, text in (("empty", None), ("half", "main.py"), ("file.zip", "text")):
        path = tmp_path / name
        if name.endswith(".zip"):
            path.write_text("no zip", "utf-8")
        else:
            path.mkdir()
            if text:
                (path / text).touch()
        with pytest.raises(ModelError, match="no bundle"), opened(path):
            pass
    with pytest.raises(FileMissing, match="qingzhou bundle"), opened(tmp_path / "none"):
        pass
    page = bundle(tmp_path / "page")
    (page / "bundle.json").write_text('{"device": "browser"}', "utf-8")
    with pytest.raises(ModelError, match=r"serve\.py"), opened(page):
        pass
    damaged = bundle(tmp_path / "damaged")
    (damaged / "bundle.json").write_text("[" * 100_000, "utf-8")
    with pytest.raises(ModelError, match="no bundle"), opened(damaged):
        pass


def test_a_zip_does_not_leave_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name in ("main.py", "bundle.json", "../escaped.txt"):
            archive.writestr(name, "{}")
    with opened(tmp_path / "b.zip") as folder:
        inside = sorted(local_files(folder))
    assert inside == ["bundle.json", "escaped.txt", "main.py"] and not (tmp_path / "escaped.txt").exists()


def push(*arguments: object, lang: str = "en", status: int = 1) -> str:
    done = CliRunner().invoke(main, ["push", *map(str, arguments), "--lang", lang])
    assert done.exit_code == status, done.output
    return str(done.output)


def test_what_the_command_line_refuses(tmp_path: Path) -> None:
    here = bundle(tmp_path / "b")
    assert "--scan" in push() and "发送" in push(lang="zh")
    for name in ("host", "@host", "me@", "me@-oProxyCommand=x", "me@a b", "me@a/b"):
        assert "user@host" in push(here, name)
    assert "one of" in push(here, "me@host", "--password", "--unihiker-default")
    assert "no key file" in push(here, "me@host", "--key", tmp_path / "none")
    assert "QINGZHOU_PASSWORD" in push(here, "me@host", "--password")
    assert json.loads(push(here, "host", "--json"))["error"] == "BoardError"


def test_without_paramiko_the_line_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paramiko", None)
    assert 'pip install "qingzhou[push]"' in push(bundle(tmp_path / "b"), "me@127.0.0.1")


# -- looking for boards -----------------------------------------------------------------------------------------------


def server(banner: bytes) -> int:
    """A thread that says this to the first caller; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listener, listener.accept()[0] as line:
            line.sendall(banner)

    threading.Thread(target=answer, daemon=True).start()
    return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("banner", "guess"),
    [(b"SSH-2.0-OpenSSH_8.4p1 Raspbian-5+deb11u1\r\n", "Raspberry Pi"), (b"SSH-2.0-Open\x1b[31m\r\n", "")],
)
def test_who_answers(banner: bytes, guess: str) -> None:
    (found,) = scan("127.0.0.1/32", server(banner))
    assert (found.address, found.guess) == ("127.0.0.1", guess) and found.banner.isprintable()


def test_what_does_not_speak_ssh_is_none() -> None:
    assert scan("127.0.0.1/32", server(b"HTTP/1.0 200 OK\r\n")) == []
    assert scan("127.0.0.1/32", server(b"")) == []


def test_maker_of_the_network_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "_cards", lambda: {"127.0.0.1": "dc:a6:32"})
    (found,) = scan("127.0.0.1/32", server(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert found.guess == "Raspberry Pi"


@pytest.mark.parametrize("network", ["8.8.8.0/24", "10.0.0.0/8", "nonsense", "192.168.1.0/33", "::1/128", "1.2.3.4"])
def test_networks_that_are_not_asked(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object) -> str:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(scanning, "_banner", nobody)
    with pytest.raises(QingzhouError, match="local IPv4 network"):
        scan(network)


def test_where_reports_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bundle's and each board's its own; over reports only, and a bundle may be called "."."""
    report = {"format": "qingzhou.report", "version": 1, "source": "measured", "rows": []}
    done = Pushed("there", 0, 0, 0, "", report, ())
    places = [("cats.v1", "10.1.2.3", 22), ("cats.v2", "10.1.2.3", 22), ("cats.v2", "10.1.2.3", 2222)]
    for name in ("cats.v1", "cats.v2", "cats.zip", "dogs"):
        (tmp_path / name).mkdir()
    for _ in range(2):
        found = [_keep(done, tmp_path / name, Target("pi", host, port), None) for name, host, port in places]
        names = [path.name.replace(".report.json", "") for path in found if path]
        assert names == ["cats.v1-10.1.2.3", "cats.v2-10.1.2.3", "cats.v2-10.1.2.3-2222"]
    mine = tmp_path / "cats-pi.report.json"
    mine.write_text("mine", "utf-8")
    other = _keep(done, tmp_path / "cats.zip", Target("pi", "pi", 22), None)
    assert other == tmp_path / "cats-pi.report_run.json" and mine.read_text("utf-8") == "mine"
    monkeypatch.chdir(tmp_path / "dogs")
    assert _keep(done, Path("."), Target("pi", "pi", 22), None) == tmp_path / "dogs-pi.report.json"
