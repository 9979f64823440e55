"""Two runs that make the same bundle at once: the second ends in one sentence, and what is there stays whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from passengers import ORACLE
from qingzhou.bundle.build import build
from qingzhou.errors import OutputError
from qingzhou.runtime import whole
from qingzhou.whole_file import only_one

LENET = ORACLE / "trained" / "lenet_digits.pth"
HOLD = """
import sys
from pathlib import Path
from qingzhou.whole_file import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(place: Path) -> subprocess.Popen[str]:
    """Another run, in the middle."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(place)], text=True, **pipes)  # type: ignore[call-overload]
    assert process.stdout.readline() == "held\n"
    return process  # type: ignore[no-any-return]


def test_the_second_says_so(tmp_path: Path) -> None:
    place = tmp_path / "班级-pc"
    made = build(LENET, "pc", out=place)
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    with holding(place) as process:
        with pytest.raises(OutputError) as caught:
            build(LENET, "pc", out=place)
        assert "just now" in caught.value.en and "请等它完成" in caught.value.zh and str(place) in caught.value.en
        assert build(LENET, "pc", out=tmp_path / "other").path.is_dir()  # beside it there is room
        process.communicate("")
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    assert build(LENET, "pc", out=place).files == made.files
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([place.name, "other"])


def test_one_that_was_killed_keeps_nobody_out(tmp_path: Path) -> None:
    with holding(tmp_path / "a") as process:
        process.kill()
        process.wait()
    assert list(tmp_path.iterdir())
    with only_one(tmp_path / "a"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_of_somebodys_keeps_its_files(tmp_path: Path) -> None:
    with only_one(tmp_path / "a"):
        (folder,) = tmp_path.iterdir()
        (folder / "mine.txt").write_text("mine")
    assert os.listdir(folder) == ["mine.txt"]


def test_a_disk_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "lock", lambda handle: False)
    with only_one(tmp_path / "a"), only_one(tmp_path / "a"):
        pass
    assert not list(tmp_path.iterdir())
