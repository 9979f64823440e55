"""Headers that speak for others: believed of a proxy that is trusted, and of nobody else."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
from clients import SURE, client_at, served_here

from qingzhou.web.guard import GUESSES
from qingzhou.web.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="clients have addresses of their own")
PROXY, STRANGER = "127.0.0.7", "127.0.0.8"
CODE = "boat 7"


def guesses(client: httpx.Client, **headers: str) -> list[int]:
    """The answers to wrong codes, more than one client may try, each with another address in these headers."""
    found = []
    for number in range(GUESSES + 2):
        named = {name.replace("_", "-"): value.format(number) for name, value in headers.items()}
        found.append(client.post("/api/code", json={"code": "ship"}, headers={**SURE, **named}).status_code)
    return found


def cookie(client: httpx.Client) -> str:
    """The one that is given for the code over what is said to be HTTPS."""
    answer = client.post("/api/code", json={"code": CODE}, headers={**SURE, "X-Forwarded-Proto": "https"})
    assert answer.status_code == 200
    return answer.headers["set-cookie"]


ALL, LIMITED = [401] * (GUESSES + 2), [401] * GUESSES + [429] * 2


@pytest.mark.parametrize(("behind", "address"), [(False, PROXY), (False, "127.0.0.1"), (True, STRANGER)])
def test_a_client_that_speaks_for_others_is_one_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind: bool, address: str
) -> None:
    """Who could choose an address could guess the code, and upload, without end."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", PROXY)
    settings = Settings(tmp_path / "data", workers=0, code=CODE, behind_proxy=behind)
    with served_here(settings) as server, client_at(server, address) as client:
        assert "secure" not in cookie(client).lower()
        assert guesses(client, X_Forwarded_For="10.0.0.{}", Forwarded="for=10.0.0.{}", X_Real_IP="10.0.0.{}") == LIMITED


def test_a_proxy_speaks_for_its_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By X-Forwarded-For and -Proto alone, and what a client has put in front of its own address does not count."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", PROXY)
    settings = Settings(tmp_path / "data", workers=0, code=CODE, behind_proxy=True)
    with served_here(settings) as server, client_at(server, PROXY) as proxy:
        assert "; secure" in cookie(proxy).lower()
        assert guesses(proxy, X_Forwarded_For="10.0.0.{}") == ALL
        assert guesses(proxy, X_Forwarded_For="10.0.1.{}, 10.0.2.1") == LIMITED
        assert guesses(proxy, Forwarded="for=10.0.3.{}", X_Real_IP="10.0.3.{}") == LIMITED


def test_of_127_0_0_1_if_nobody_else_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    settings = Settings(tmp_path / "data", workers=0, code=CODE, behind_proxy=True)
    with served_here(settings) as server, client_at(server, "127.0.0.1") as near, client_at(server, PROXY) as far:
        assert guesses(near, X_Forwarded_For="10.0.0.{}") == ALL
        assert guesses(far, X_Forwarded_For="10.0.0.{}") == LIMITED


@pytest.mark.parametrize("address", [PROXY, STRANGER])
def test_another_host_is_believed_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", PROXY)
    settings = Settings(tmp_path / "data", workers=0, behind_proxy=True)
    with served_here(settings) as server, client_at(server, address) as client:
        forged = {"X-Forwarded-Host": "localhost", "X-Forwarded-Server": "localhost", "Forwarded": "host=localhost"}
        assert client.get("/", headers={**forged, "Host": "evil.example"}).status_code == 421
        evil = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        for path in ("/", "/docs", "/board", "/openapi.json", "/static", "/nowhere/"):
            answer = client.get(path, headers=evil)
            assert "evil.example" not in answer.text and "evil.example" not in str(answer.headers), path
        origin = {**SURE, **evil, "Origin": "http://evil.example"}
        assert client.post("/api/jobs", json={"upload": "x"}, headers=origin).json()["error"]["code"] == "wrong_origin"
