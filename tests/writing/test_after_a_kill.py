"""What a killed run left is found and removed by the next; of the living, of others and of the user nothing is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_endings import files, waiting
from writing_verbs import VERBS, words

from qingzhou import whole_file
from qingzhou.cli import main
from qingzhou.runtime import whole

posix = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals and owners")
HOLDS = """import sys, qingzhou.runtime.whole as w
with w.working_folder(sys.argv[1], "a") as folder:
    open(folder + "/part", "w").close(); print(folder, flush=True); sys.stdin.read()"""


@pytest.fixture(autouse=True)
def a_new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process looks once into each folder."""
    monkeypatch.setattr(whole, "_swept", set())


def left(folder: Path) -> list[str]:
    return [name for name in files(folder) if whole.OURS.fullmatch(name.rpartition("/")[2])]


def killed(folder: Path) -> Path:
    """The working folder of a process that was killed."""
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        process.kill()
    assert (path / "part").is_file()
    return path


@posix
@pytest.mark.parametrize("verb", VERBS)
def test_the_next_run_removes_it(verb: str, desk: Path) -> None:
    """Another verb than the killed one as well; its temporary files, too."""
    with waiting(*words(verb, f"out/a.{VERBS[verb][1]}")) as process:
        process.kill()
        process.wait()
    assert left(desk)
    other = "convert" if verb != "convert" else "quantize"
    assert CliRunner().invoke(main, words(other, f"out/b.{VERBS[other][1]}")).exit_code in (0, 3)
    assert not left(desk / "out")


@posix
def test_temporary_folders_too(desk: Path) -> None:
    """bench works where the system keeps temporary files."""
    with waiting("bench", "ready.onnx", "--engines", "onnxruntime") as process:
        process.kill()
        process.wait()
    assert left(desk / "tmp")
    with whole_file.scratch() as folder:
        assert left(desk / "tmp") == [folder.name]


@posix
def test_two_runs_side_by_side(desk: Path) -> None:
    """One waits with all it made; the other writes in the same folder; then the first goes on to its end."""
    with waiting("convert", "best.pth", "-o", "out/a.onnx") as process:
        before = left(desk / "out")
        assert before and CliRunner().invoke(main, ["convert", "best.pth", "-o", "out/b.onnx"]).exit_code == 0
        assert left(desk / "out") == before
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert not left(desk / "out") and Path("out/b.onnx").is_file()


def test_a_living_one_is_left_a_killed_one_is_not(tmp_path: Path) -> None:
    dead = killed(tmp_path)
    with whole.working_folder(str(tmp_path), "b") as mine:
        whole._swept.clear()
        with whole.working_folder(str(tmp_path), "c"):
            assert not dead.exists() and os.path.isdir(mine)


def browser(path: Path) -> None:
    path.with_name("film.mp4.part").write_bytes(b"mine")
    path.with_name(".best.onnx.k3j2x9ab.part").write_bytes(b"mine")


def same_name(path: Path) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("mine")


def with_another_lock(path: Path) -> None:
    same_name(path)
    (path / whole.LOCK).write_text("mine")


def with_an_empty_lock(path: Path) -> None:
    """As on a disk that has no locks, and in the moment before a lock is held."""
    same_name(path)
    (path / whole.LOCK).touch()


def a_file(path: Path) -> None:
    path.write_text("mine")


def a_link(path: Path) -> None:
    """To a killed one's folder, elsewhere."""
    (path.parent / "far").mkdir()
    os.rename(killed(path.parent / "far"), path.parent / "far" / "off")
    path.symlink_to("far/off")


def a_lock_that_is_a_link(path: Path) -> None:
    same_name(path)
    (path.parent / "lock").write_text(whole.SAYS + whole.computer())
    (path / whole.LOCK).symlink_to("../lock")


def a_lock_that_is_a_pipe(path: Path) -> None:
    same_name(path)
    os.mkfifo(path / whole.LOCK)


def of_another_computer(path: Path) -> None:
    same_name(path)
    (path / whole.LOCK).write_text(whole.SAYS + "another")


def of_somebody_else(path: Path) -> None:
    os.rename(killed(path.parent), path)
    os.chown(path, 12345, 12345)


LOOK_ALIKE: list[Callable[[Path], None]] = [
    browser,
    same_name,
    with_another_lock,
    with_an_empty_lock,
    a_file,
    a_link,
    a_lock_that_is_a_link,
    a_lock_that_is_a_pipe,
    of_another_computer,
    of_somebody_else,
]


@posix
@pytest.mark.parametrize("made", LOOK_ALIKE, ids=lambda made: str(made.__name__))
def test_what_only_looks_alike_stays(made: Callable[[Path], None], tmp_path: Path) -> None:
    if made is of_somebody_else and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    made(tmp_path / ".best.onnx.k3j2x9ab.qingzhou")
    before = files(tmp_path)
    whole.sweep(str(tmp_path))
    assert files(tmp_path) == before


@posix
def test_of_another_computer_after_a_day(tmp_path: Path) -> None:
    place = tmp_path / ".best.onnx.k3j2x9ab.qingzhou"
    of_another_computer(place)
    os.utime(place / whole.LOCK, times=(time.time() - 2 * whole.DAY,) * 2)
    whole.sweep(str(tmp_path))
    assert not place.exists()


def test_on_a_disk_without_locks_nobody_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "lock", lambda handle: False)
    with whole.working_folder(str(tmp_path), "a") as first:
        monkeypatch.undo()
        whole._swept.clear()
        with whole.working_folder(str(tmp_path), "b"):
            assert os.path.isdir(first)
    assert not files(tmp_path)


@posix
def test_what_cannot_be_removed_is_left_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is left of it stays marked, for who can."""
    dead, unlink = killed(tmp_path), os.unlink

    def refuse(path: str) -> None:
        if str(path).endswith("part"):
            raise PermissionError(13, "Permission denied")
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse)
    whole.sweep(str(tmp_path))
    assert (dead / "part").is_file() and (dead / whole.LOCK).is_file()
    monkeypatch.undo()
    whole._swept.clear()
    whole.sweep(str(tmp_path))
    assert not dead.exists()


def test_a_large_folder_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand pictures with answers do not look at a thousand names a thousand times."""
    looked: list[str] = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: looked.append(str(path)) or listdir(path))
    for number in range(20):
        whole_file.write_text(tmp_path / f"{number}.txt", "")
    assert looked.count(os.path.realpath(tmp_path)) == 1


def test_files_have_the_rights_that_others_have(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    whole_file.write_text(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_result_may_be_called_as_the_lock(tmp_path: Path) -> None:
    whole_file.write_text(tmp_path / whole.LOCK, "mine")
    assert (tmp_path / whole.LOCK).read_text() == "mine" and files(tmp_path) == [whole.LOCK]
