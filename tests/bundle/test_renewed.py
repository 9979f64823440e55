"""A bundle that is made again in its place: what a pupil put there or changed is never lost, and is named."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from renewals import NEW, OLD, again, put, texts, write

from qingzhou.bundle import renew as renewing
from qingzhou.bundle.contents import FACTS, is_sealed
from qingzhou.bundle.renew import read_before
from qingzhou.errors import OutputError


def as_folder(name: str) -> Callable[[Path], None]:
    """A folder of somebody's where a file of ours was."""

    def change(place: Path) -> None:
        (place / name).unlink(missing_ok=True)
        put(f"{name}/mine.txt", "mine")(place)

    return change


def as_link(name: str, to: str) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        path = place / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.symlink_to(to)

    return change


# what was done to it: the files that are more than the new bundle's, and what is named
CHANGES: dict[str, tuple[Callable[[Path], None], dict[str, str], dict[str, str]]] = {
    "nothing": (lambda place: None, {}, {}),
    "photos": (put("photos/1.jpg", "photo"), {"photos/1.jpg": "photo"}, {}),
    "a photo beside ours": (put("sim/mine.jpg", "photo"), {"sim/mine.jpg": "photo"}, {}),
    "a module": (put("motor.py", "x = 1"), {"motor.py": "x = 1"}, {}),
    "a report": (put("report.json", "{}"), {"report.json": "{}"}, {}),
    "labels": (put("labels.txt", "my cat"), {"labels.old.txt": "my cat"}, {"labels.txt": "labels.old.txt"}),
    "labels twice": (
        lambda place: [put("labels.old.txt", "a")(place), put("labels.txt", "b")(place)][0],
        {"labels.old.txt": "a", "labels.old2.txt": "b"},
        {"labels.txt": "labels.old2.txt"},
    ),
    "the runtime": (
        put("qingzhou_runtime/draw.py", "mine"),
        {"qingzhou_runtime/draw.old.py": "mine"},
        {"qingzhou_runtime/draw.py": "qingzhou_runtime/draw.old.py"},
    ),
    "as the new one": (put("labels.txt", "dog"), {}, {}),
    "what the new one lacks": (put("install.bat", "mine"), {"install.bat": "mine"}, {"install.bat": "install.bat"}),
    "its own of a new name": (put("model.onnx", "mine"), {"model.old.onnx": "mine"}, {"model.onnx": "model.old.onnx"}),
    "a folder for a file": (
        as_folder("labels.txt"),
        {"labels.old.txt/mine.txt": "mine"},
        {"labels.txt": "labels.old.txt"},
    ),
    "a file for a folder": (
        lambda place: [shutil.rmtree(place / "sim"), put("sim", "mine")(place)][1],
        {"sim.old": "mine"},
        {"sim": "sim.old"},
    ),
    "gone": (lambda place: (place / "labels.txt").unlink(), {}, {}),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_somebodys_own_stays(case: str, tmp_path: Path) -> None:
    change, more, named = CHANGES[case]
    place = write(tmp_path / "b", OLD)
    change(place)
    assert again(place) == named
    assert texts(place) == {**NEW, **more}
    assert not (place / "wheels").exists(), "an empty folder of ours goes"


@pytest.mark.skipif(os.name == "nt", reason="links are for administrators there")
@pytest.mark.parametrize("name", ["labels.txt", "model.onnx", "qingzhou_runtime", "sim", "main.py"])
@pytest.mark.parametrize("to", ["outside", "nowhere"])
def test_nothing_is_written_through_a_link(name: str, to: str, tmp_path: Path) -> None:
    """Not even where it leads to just what we wrote: a link is somebody's own. It stays, under another name."""
    outside = tmp_path / "outside"
    if "." in name:
        outside.write_text(OLD.get(name, ""), "utf-8")
    else:
        outside.mkdir()
        (outside / "draw.py").write_text("d", "utf-8")
        (outside / "1.jpg").write_text("p", "utf-8")
    seen = outside.read_bytes() if outside.is_file() else sorted(path.read_bytes() for path in outside.iterdir())
    place = write(tmp_path / "b", OLD)
    as_link(name, f"../{to}")(place)
    (now,) = again(place).values()
    assert texts(place)[now] == f"-> ../{to}" and {**texts(place), **NEW} == texts(place)
    assert seen == (
        outside.read_bytes() if outside.is_file() else sorted(path.read_bytes() for path in outside.iterdir())
    )


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "sim/../../outside.txt", "..\\outside.txt", ""])
def test_a_list_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    """bundle.json may come from anywhere: what it calls ours is looked for in the folder only."""
    outside = tmp_path / "outside.txt"
    outside.write_text("theirs", "utf-8")
    place = write(tmp_path / "b", OLD)
    facts = json.loads((place / FACTS).read_text("utf-8"))
    where = f"{tmp_path}/outside.txt" if name.startswith("/") else name
    facts["files"][where] = hashlib.sha256(b"theirs").hexdigest()
    (place / FACTS).write_text(json.dumps(facts), "utf-8")
    again(place)
    assert outside.read_text("utf-8") == "theirs" and {**texts(place), **NEW} == texts(place)


def test_a_list_without_digests_proves_nothing(tmp_path: Path) -> None:
    """As if it came from another version: all that is not what comes now is kept; so is a changed bundle.json."""
    place = write(tmp_path / "b", {**OLD, "same.txt": "same"})
    facts = {"format": "qingzhou.bundle", "files": list(OLD), "note": "mine"}
    (place / FACTS).write_text(json.dumps(facts), "utf-8")
    named = again(place, {**NEW, "same.txt": "same"})
    assert named == {
        "labels.txt": "labels.old.txt",
        "main.py": "main.old.py",
        "sim/1.jpg": "sim/1.old.jpg",
        "qingzhou_runtime/draw.py": "qingzhou_runtime/draw.old.py",
    }
    assert {**texts(place), **NEW, "install.bat": "i", "wheels/numpy.whl": "n"} == texts(place)
    assert json.loads((place / "bundle.old.json").read_text("utf-8")) == facts
    assert is_sealed(json.loads((place / FACTS).read_text("utf-8")))


KILL = """
import os, sys
from pathlib import Path
from qingzhou.bundle.place import take_place
from qingzhou.bundle.renew import read_before
place, new, aside, steps = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
rename, left = os.replace, [steps]
def dying(*names):
    if not left[0]:
        os._exit(9)
    left[0] -= 1
    rename(*names)
os.replace = dying
take_place(new, place, read_before(place), aside)
"""


@pytest.mark.parametrize("steps", range(0, 13, 3))
def test_killed_in_the_middle(steps: int, tmp_path: Path) -> None:
    """After any step: nothing of somebody's is gone, and the next run makes it whole, with nothing else kept."""
    place = write(tmp_path / "b", OLD)
    for name, text in (("labels.txt", "my cat"), ("photos/1.jpg", "photo"), ("install.bat", "mine")):
        put(name, text)(place)
    new = write(tmp_path / "new", NEW)
    words = [sys.executable, "-c", KILL, *map(str, (place, new, tmp_path / "aside", steps))]
    done = subprocess.run(words, check=False)
    assert done.returncode == (9 if steps < 12 else 0)
    assert {"my cat", "photo", "mine"} <= set(texts(place).values())
    assert read_before(place) is not None
    shutil.rmtree(tmp_path / "new", ignore_errors=True)
    shutil.rmtree(tmp_path / "aside", ignore_errors=True)
    again(place)
    assert texts(place) == {**NEW, "labels.old.txt": "my cat", "photos/1.jpg": "photo", "install.bat": "mine"}
    assert renewing.UNFINISHED not in (place / FACTS).read_text("utf-8")


@pytest.mark.parametrize("steps", [0, 4, 8, 12])
def test_what_fails_is_undone(steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where a program has a file open."""
    place = write(tmp_path / "b", OLD)
    put("labels.txt", "my cat")(place)
    was, facts = texts(place), (place / FACTS).read_bytes()
    rename, left = os.replace, [steps]

    def failing(source: Path, target: Path) -> None:
        if str(target).endswith((".part", FACTS)) or ".part" in str(source):
            return rename(source, target)
        left[0] -= 1
        if left[0] == -1:
            raise PermissionError(13, "in use")
        rename(source, target)

    monkeypatch.setattr(renewing.os, "replace", failing)
    if steps < 11:
        with pytest.raises(OutputError, match="still there"):
            again(place)
        assert texts(place) == was and (place / FACTS).read_bytes() == facts
