"""Environments of vendors' compilers: asked for, made whole or not at all, removed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from fake_chips import FAKE, put

from qingzhou.cli import main
from qingzhou.errors import EngineError, ExtraMissing, FileMissing, OutputError
from qingzhou.targets import Recipe, Target, install
from qingzhou.targets.home import needed, place_of
from qingzhou.targets.install import remove


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """One whose compiler is not installed; its worker needs nothing but Python."""
    worker = tmp_path / "for_nothing.py"
    worker.write_text("import sys\ndef versions():\n    return {'inside': str(sys.prefix != sys.base_prefix)}\n")
    found = put(monkeypatch, tmp_path, worker=worker)
    monkeypatch.delenv("QINGZHOU_TARGET_FAKE")
    return found


def made_of(target: Target, **changes: object) -> Target:
    from dataclasses import replace

    return replace(target, recipe=replace(target.recipe, **changes))  # type: ignore[arg-type]


def verb(*words: str, lang: str = "en", given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["targets", *words, "--lang", lang], input=given)


def test_made_used_and_removed(target: Target, tmp_path: Path) -> None:
    assert place_of(target).python is None
    versions = install.install(target)
    python = needed(target)
    assert python.is_relative_to(tmp_path / "targets" / "fake") and python.exists()
    assert versions == {"inside": "True"}  # it was tried inside
    assert [one.name for one in (tmp_path / "targets").iterdir()] == ["fake"]
    other = made_of(target, packages=("other==2",))
    assert place_of(other).stale
    with pytest.raises(ExtraMissing, match="other versions"):
        needed(other)
    assert remove(target) and not remove(target)
    assert place_of(target).python is None and list((tmp_path / "targets").iterdir()) == []


def test_half_of_one_leaves_nothing(target: Target, tmp_path: Path) -> None:
    """pip fails, or what it installed does not run."""
    with pytest.raises(EngineError, match="nothing was left of it") as caught:
        install.install(made_of(target, packages=(f"x @ file://{tmp_path}/nowhere.whl",)))
    assert "没有留下任何内容" in caught.value.zh
    target.worker.write_text("def versions():\n    import nothing_of_that_name\n")
    with pytest.raises(EngineError, match="nothing_of_that_name"):
        install.install(target)
    assert [one.name for one in (tmp_path / "targets").iterdir() if one.suffix != ".log"] == []


def test_a_wrong_python_and_what_to_do(target: Target, tmp_path: Path) -> None:
    old = made_of(target, pythons=("3.1", "3.2"))
    with pytest.raises(EngineError, match=r"needs Python 3\.1, 3\.2; found: .*--python PATH") as caught:
        install.install(old)
    assert "python3.1" in caught.value.zh
    with pytest.raises(EngineError, match="does not run"):
        install.install(target, python=str(tmp_path / "nothing"))


def test_another_system(target: Target) -> None:
    with pytest.raises(EngineError, match="runs on plan9-vax only, and this is"):
        install.install(made_of(target, systems=("plan9-vax",)))


def test_a_disk_without_room(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(free=1_000_000))
    with pytest.raises(OutputError, match=r"takes 48 MB, and .* has 1 MB left"):
        install.install(target)


def test_an_environment_of_ones_own_is_named(target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QINGZHOU_TARGET_FAKE", sys.executable)
    assert needed(target) == Path(sys.executable)
    monkeypatch.setenv("QINGZHOU_TARGET_FAKE", str(tmp_path / "gone"))
    with pytest.raises(FileMissing, match="QINGZHOU_TARGET_FAKE names"):
        needed(target)


# -- the verbs ---------------------------------------------------------------------------------------------------------


def test_the_list(target: Target) -> None:
    shown = verb().output
    assert "rk3588" in shown and "qingzhou targets install fake" in shown
    told = {one["name"]: one for one in json.loads(verb("--json").output)["targets"]}
    assert told["fake"]["installed"] is False and told["rknn"]["megabytes"] > 100
    assert "芯片" in verb(lang="zh").output


def test_nothing_is_fetched_unasked(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what it brings and how large; no, and nobody to ask, are both no."""
    monkeypatch.setattr(install, "install", lambda *_: pytest.fail("it was made"))
    done = verb("install", "fake")
    assert done.exit_code == 1 and "--yes" in done.output and "Fake NPU  F" in done.output and "0.0 GB" in done.output
    monkeypatch.setattr("qingzhou.cli_boards._asks", lambda: True)
    assert verb("install", "fake", given="n\n").exit_code != 0


def test_yes(target: Target) -> None:
    done = verb("install", "fake", "--yes", lang="zh")
    assert done.exit_code == 0 and "✓ fake" in done.output
    assert "已删除" in verb("remove", "fake", lang="zh").output
    assert "was not there" in verb("remove", "fake").output


def test_no_such_target() -> None:
    done = verb("install", "tpu", "--yes")
    assert done.exit_code == 1 and "There is no target tpu; there are rknn" in done.output


def test_recipes_are_exact() -> None:
    """But for setuptools, of which only a ceiling matters, and the fake."""
    from qingzhou.targets import TARGETS

    for target in TARGETS.values():
        for package in (*target.recipe.packages, *target.recipe.bare):
            assert "==" in package or package.startswith("setuptools<"), package
        assert target.worker.is_file() and isinstance(target.recipe, Recipe) and target.name != FAKE.name
