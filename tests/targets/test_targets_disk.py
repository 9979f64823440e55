"""Places that are awkward: a disk that is full, names relative to where the user is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_chips import put

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.deploy.export import export_any
from qingzhou.errors import OutputError
from qingzhou.targets import ask

LENET, DATA = ORACLE / "trained" / "lenet_digits.pth", DIGITS / "test"


@contextlib.contextmanager
def no_file_larger_than(limit: int) -> Iterator[None]:
    """The system refuses to write more to one file, as where a disk is full."""
    resource = pytest.importorskip("resource")
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python leaves half a .pyc then, and does not read it again
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
        monkeypatch.undo()


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
@pytest.mark.parametrize("engine", ["litert", "mnn", "ncnn", "fake"])
def test_a_full_disk_is_a_message_and_leaves_nothing(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, tmp_path)
    model = qingzhou.convert(LENET, tmp_path / "数字.onnx").path
    chip, data = ("good", DATA) if engine == "fake" else ("", None)
    with no_file_larger_than(40_000), pytest.raises(OutputError) as caught:
        export_any(model, engine, chip, f"{tmp_path}/out/", data=data)
    assert "Cannot write" in caught.value.en and "无法写入" in caught.value.zh
    assert not (tmp_path / "out").exists()


def test_a_compiler_is_told_whole_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its working folder is beside the result, which people name from where they are; it works within that folder."""
    put(monkeypatch, tmp_path)
    told, real = [], ask.environment
    monkeypatch.setattr(ask, "environment", lambda folder: told.append(folder) or real(folder))
    model = qingzhou.convert(LENET, tmp_path / "数字.onnx").path
    monkeypatch.chdir(tmp_path)
    made = export_any(model.name, "fake", "good", "out/", data=DATA)
    assert made.path == Path("out/数字.good.fake") and told and all(folder.is_absolute() for folder in told)
