"""push against a real sshd: what is sent, what is refused, and what is left when everything ends in the middle."""

from __future__ import annotations

import json
import os
import platform
import shutil
from pathlib import Path

import pytest
from bundles import FILES, write_bundle
from pushes import place, quiet
from server import Server

from qingzhou.bundle.push import push, run_main
from qingzhou.bundle.ssh import Board
from qingzhou.errors import BoardError

pytestmark = pytest.mark.ssh


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
