"""Messages, other boards and servers: a password in their address is shown nowhere."""

from __future__ import annotations

import base64
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from network import SECRET, Network

from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.errors import DeviceError, OptionError, QingzhouError, use_language
from qingzhou.runtime import address
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.parts import sim, wires
from qingzhou.runtime.parts.rule_text import parse
from qingzhou.runtime.parts.sources import open_source
from qingzhou.runtime.stream import Remote
from qingzhou.scenes.actions import rules_for, whom
from qingzhou.web.asking import RemoteError, Server


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Network)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


# -- messages, other boards, servers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["unsaid", "missing", "moved", "noise", "my path", "busy"])
def test_a_message(host: str, path: str) -> None:
    """A redirect is no place for one: it would arrive empty."""
    with pytest.raises(DeviceError) as caught:
        wires.post(f"http://ad:{SECRET}@{host}/{path}", "cat")
    assert SECRET not in caught.value.en + caught.value.zh
    wires.post(f"http://ad:{SECRET}@{host}/basic", "cat")


def test_a_message_in_the_simulator(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sim, "active", lambda: True)
    wires.post(f"http://ad:{SECRET}@h/x", "cat")
    assert "http://…@h/x cat" in capsys.readouterr().out


@pytest.mark.parametrize("path", ["", "basic/x", "unsaid/x", "missing/x", "noise/x", "my path"])
def test_another_board(host: str, path: str) -> None:
    with pytest.raises(DeviceError) as caught:
        Remote(f"http://ad:{SECRET}@{host}/{path}")
    assert SECRET not in caught.value.en + caught.value.zh


@pytest.mark.parametrize("path", ["127.0.0.1:9", "[::1", "127.0.0.1:port", "a b", "", "HOST", "h" * 70])
@pytest.mark.parametrize("scheme", ["http://", "", "ftp://"])
def test_a_server(host: str, path: str, scheme: str) -> None:
    with pytest.raises((RemoteError, OptionError)) as caught:
        Server(f"{scheme}ad:{SECRET}@{path.replace('HOST', host)}", "").ask("GET", "/api/jobs/1")
    assert SECRET not in caught.value.en + caught.value.zh


def test_a_server_behind_a_password(host: str) -> None:
    Network.asked.clear()
    with pytest.raises(RemoteError, match="something else"):
        Server(f"ad:{SECRET}@{host}", "").ask("GET", "/api")
    assert Network.asked == ["Basic " + base64.b64encode(f"ad:{SECRET}".encode()).decode()]
    with pytest.raises(RemoteError, match="name and a password"):
        Server(host, "").ask("GET", "/basic")


def test_a_board_by_ssh(tmp_path: Path) -> None:
    for target in (f"root:{SECRET}@10.1.2.3", f"ssh://root:{SECRET}@10.1.2.3", f"root:{SECRET}@"):
        done = CliRunner().invoke(main, ["push", str(tmp_path), target, "--lang", "en"])
        assert done.exit_code == 1 and SECRET not in done.output and "root@" in done.output


@pytest.mark.parametrize(
    "line",
    [
        f'when any: http("http://ad:{SECRET}@h/x", label',
        f'当 "猫"：mqtt("a", label, "ad:{SECRET}@h"，1)',
        f'when any: https("http://ad:{SECRET}@h/x")',
        f'when "http://ad:{SECRET}@h": speak("x")',
    ],
)
def test_a_rule_that_is_wrong(line: str) -> None:
    from qingzhou.runtime.act import ACTIONS

    with pytest.raises(QingzhouError) as caught:
        parse(line, 1, ["猫"], ACTIONS)
    assert SECRET not in caught.value.en + caught.value.zh and "^" in caught.value.en


def test_an_action_is_told_without_it() -> None:
    """Where it is wrong, and where it names no class."""
    card = Card(
        "classification", "LeNet", "MMEdu", Input("x", "image", [1, 1, 8, 8]), Output("y", "logits"), ["cat", "bird"]
    )
    for action in (f"https:http://ad:{SECRET}@h", f'http:http://ad:{SECRET}@h"', f"dog=http:http://ad:{SECRET}@h"):
        with pytest.raises(OptionError) as caught:
            rules_for([action], card)
        assert SECRET not in caught.value.en + caught.value.zh
    (note,) = whom([f"http:http://ad:{SECRET}@h"], card)
    assert "http:http://…@h" in note and SECRET not in note


def test_a_bundle_tells_nobody(tmp_path: Path) -> None:
    """Its program has the address; what is shown of it, and its README, have none of the password."""
    model = run_conversion(
        Path(__file__).parents[1] / "oracle" / "digits" / "basenn.pth", tmp_path / "m.onnx"
    ).model.path
    action = f"http:http://ad:{SECRET}@192.168.1.5/x"
    made = build(
        model, "pi5", "camera", actions=[action], constants={"CAMERA": f"rtsp://ad:{SECRET}@h"}, lang="en", force=True
    )
    holding = [
        path.name for path in made.path.rglob("*") if path.is_file() and SECRET in path.read_text("utf-8", "replace")
    ]
    assert holding == ["main.py"] and SECRET not in str(made.as_dict()) + str(made.notes)
    assert "http://…@192.168.1.5/x" in (made.path / "README.md").read_text("utf-8")


@pytest.mark.parametrize("given", ["mqtt://ad:s3@cret@h:1884", "ad:s3@cret@h:1884", "h:1884", "mqtt://h:1884"])
def test_a_broker(given: str) -> None:
    who = ("ad", "s3@cret") if "ad" in given else (wires.USER, wires.PASSWORD)
    assert wires.parse_address(given) == ("h", 1884, *who)


def test_a_proxy_that_wants_a_name(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://ad:{SECRET}@{host}")
    with pytest.raises(DeviceError, match="404"):
        open_source("http://192.0.2.1/missing")
    monkeypatch.setenv("http_proxy", f"http:ad:{SECRET}@{host}")  # not how a proxy is written
    with pytest.raises(DeviceError) as caught:
        open_source("http://192.0.2.1/missing")
    assert SECRET not in caught.value.en + caught.value.zh


def test_reading_goes_on_without_a_name_being_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that no server knows is told as such."""

    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DeviceError, match="Name or service not known"):
        open_source(f"http://ad:{SECRET}@camera/v")
    assert isinstance(address.failure(OSError("x"), "http://h"), address.Failure)
