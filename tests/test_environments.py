"""The environments of other people's tools: made once, made again when their recipe changes, never left half made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import environments
from environments import ENVIRONMENTS, Environment, python_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="they are made on Linux and macOS")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been run for an environment called "small"; a package called "broken" cannot be installed."""
    made: list[list[str]] = []

    def call(*argv: str | Path) -> None:
        words = list(map(str, argv))
        made.append(words)
        if words[1:3] == ["-m", "venv"]:
            Path(words[3]).mkdir()
        if "broken" in words:
            raise RuntimeError("no such package")

    monkeypatch.setattr(environments, "_call", call)
    monkeypatch.setenv("QINGZHOU_SMALL_HOME", str(tmp_path))
    return made


def recipe(monkeypatch: pytest.MonkeyPatch, environment: Environment) -> None:
    monkeypatch.setitem(ENVIRONMENTS, "small", environment)


def test_made_once(calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recipe(monkeypatch, Environment(("one==1", "two"), bare=("three",)))
    assert python_of("small") == python_of("small") == tmp_path / "env/bin/python"
    venv, packages, bare = calls
    assert venv[0] == sys.executable
    assert packages[-2:] == ["one==1", "two"]
    assert bare[-2:] == ["--no-deps", "three"]


def test_made_again_for_another_recipe(calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recipe(monkeypatch, Environment(("one==1",)))
    python_of("small")
    (tmp_path / "env/old").touch()
    recipe(monkeypatch, Environment(("one==2",)))
    python_of("small")
    assert not (tmp_path / "env/old").exists()
    assert [words[-1] for words in calls if "pip" in words] == ["one==1", "one==2"]


def test_half_of_one_is_made_again(calls: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    recipe(monkeypatch, Environment(("one==1",)))
    python_of("small")
    recipe(monkeypatch, Environment(("broken",)))
    with pytest.raises(RuntimeError, match="no such package"):
        python_of("small")
    recipe(monkeypatch, Environment(("one==1",)))
    python_of("small")
    assert [words[-1] for words in calls if "pip" in words] == ["one==1", "broken", "one==1"]


def test_a_python_that_is_not_here(calls: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    recipe(monkeypatch, Environment((), pythons=("2.0",)))
    with pytest.raises(RuntimeError, match=r"small needs Python 2\.0"):
        python_of("small")
    assert calls == []


def test_in_the_order_of_the_alphabet() -> None:
    assert list(ENVIRONMENTS) == sorted(ENVIRONMENTS)
