"""A bundle that is made again in its place: what a pupil put there or changed is never lost, and is named."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_build import LENET, run

from qingzhou.bundle import renew as renewing
from qingzhou.bundle.build import build
from qingzhou.bundle.contents import FACTS, digests, is_sealed, write_facts
from qingzhou.bundle.order import Bundle
from qingzhou.bundle.place import bundle_place, take_place
from qingzhou.bundle.renew import Before, read_before
from qingzhou.cli import main
from qingzhou.errors import OutputError, use_language

OLD = {
    "main.py": "MODEL",
    "labels.txt": "cat",
    "sim/1.jpg": "p",
    "qingzhou_runtime/draw.py": "d",
    "install.bat": "i",
    "wheels/numpy.whl": "n",
}
NEW = {
    "main.py": "MODEL 2",
    "labels.txt": "dog",
    "sim/1.jpg": "q",
    "qingzhou_runtime/draw.py": "e",
    "model.onnx": "m",
}


def write(folder: Path, files: dict[str, str], **facts: object) -> Path:
    """A small bundle."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    write_facts(folder, {"format": "qingzhou.bundle", "version": 1, **facts})
    return folder


def texts(folder: Path) -> dict[str, str]:
    """Every file with its text, without bundle.json; a link is said to be one."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.name != FACTS}
    return {
        name: f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text("utf-8")
        for name, path in found.items()
        if path.is_symlink() or path.is_file()
    }


def before(place: Path) -> Before:
    found = read_before(place)
    assert found is not None
    return found


def again(place: Path, files: dict[str, str] = NEW) -> dict[str, str]:
    """Made again, with these files; where is what is somebody's own."""
    new = write(place.with_name("new"), files)
    kept = take_place(new, place, read_before(place), place.with_name("aside"))
    shutil.rmtree(place.with_name("new"), ignore_errors=True)
    shutil.rmtree(place.with_name("aside"), ignore_errors=True)
    return kept


def put(name: str, text: str) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, "utf-8")

    return change


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


# -- the whole of it ---------------------------------------------------------------------------------------------------


def made(place: Path, device: str = "pc", **more: object) -> Bundle:
    return build(LENET, device, out=place, lang="en", **{"engine": "onnxruntime", **more})  # type: ignore[arg-type]


def test_a_changed_program_stays_in_use(tmp_path: Path) -> None:
    """With the modules of the runtime that it needs, though the new scene has no use for them."""
    place = made(tmp_path / "b", scene="camera", actions=["print"]).path
    program = place / "main.py"
    mine = program.read_text("utf-8") + "# mine\n"
    program.write_text(mine, "utf-8")
    use_language("en")
    found = made(place)
    assert program.read_text("utf-8") == mine
    assert (found.program, dict(found.kept)) == ("main_run.py", {"main.py": "main.py"})
    assert any("main.py was changed" in note and "main_run.py" in note for note in found.notes)
    listed = json.loads((place / FACTS).read_text("utf-8"))["files"]
    assert "main_run.py" in listed and "main.py" not in listed
    for name, words in (("main.py", ["--sim"]), ("main_run.py", [])):
        done = run(place, name, *words)
        assert done.returncode == 0, done.stderr
    third = made(place)
    assert third.program == "main_run.py" and program.read_text("utf-8") == mine
    (place / "main_run.py").write_text("# mine too\n", "utf-8")
    assert made(place).program == "main_run2.py" and (place / "main_run.py").read_text("utf-8") == "# mine too\n"
    program.unlink()
    assert made(place).program == "main.py"


def test_a_program_that_names_another_model_is_told_of(tmp_path: Path) -> None:
    place = made(tmp_path / "b").path
    (place / "packages").mkdir()
    with (place / "main.py").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    use_language("en")
    told = " ".join(made(place, engine="ncnn").notes)
    assert 'MODEL = "model.ncnn.param"' in told and "install again" in told
    assert (place / "packages").is_dir()


def test_a_page_for_browsers(tmp_path: Path) -> None:
    place = made(tmp_path / "b", "browser", engine="").path
    (place / "style.css").write_text("body {}", "utf-8")
    (place / "notes.txt").write_text("mine", "utf-8")
    found = made(place, "browser", engine="")
    assert dict(found.kept) == {"style.css": "style.old.css"} and found.program == ""
    assert (place / "style.old.css").read_text("utf-8") == "body {}" and (place / "notes.txt").exists()
    assert len((place / "style.css").read_text("utf-8")) > 100


def test_another_kind_of_bundle_in_the_place(tmp_path: Path) -> None:
    """What only the one before had goes, unless somebody changed it."""
    place = made(tmp_path / "b").path
    (place / "requirements.txt").write_text("numpy\nmine\n", "utf-8")
    found = made(place, "browser", engine="")
    assert dict(found.kept) == {"requirements.txt": "requirements.txt"}
    assert not (place / "main.py").exists() and not (place / "qingzhou_runtime").exists()
    assert digests(place).keys() == {*found.files, "requirements.txt"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_named_in_both_languages(lang: str, tmp_path: Path) -> None:
    place = made(tmp_path / "b").path
    for name in ("labels.txt", "main.py", "install.bat"):
        (place / name).write_text("mine", "utf-8")
    words = ["bundle", str(LENET), "--device", "pi5", "--engine", "onnxruntime", "-o", str(place), "--lang", lang]
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    plain = "".join(shown.output.split())
    for name in ("labels.old.txt", "main_run.py", "install.bat"):
        assert name in plain
    told = json.loads(CliRunner().invoke(main, [*words, "--json"]).output)
    use_language(None)
    assert told["kept"] == {"install.bat": "install.bat", "main.py": "main.py"} or told["kept"] == {
        "main.py": "main.py"
    }
    assert told["program"] == "main_run.py"


def rezipped(place: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(place) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(place, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda files: None, False),
        (lambda files: files.update({"x/photo.jpg": b"photo"}), True),
        (lambda files: files.update({"x/main.py": b"# mine"}), True),
        (lambda files: files.update({"x/bundle.json": files["x/bundle.json"].replace(b"pc", b"PC")}), True),
        (lambda files: files.pop("x/main.py"), True),
    ],
)
def test_a_zip_that_somebody_changed_is_kept(
    change: Callable[[dict[str, bytes]], None], kept: bool, tmp_path: Path
) -> None:
    place = made(tmp_path / "x.zip").path
    first = place.read_bytes()
    rezipped(place, change)
    changed = place.read_bytes()
    found = made(place)
    assert place.read_bytes() == first
    assert dict(found.kept) == ({"x.zip": "x.old.zip"} if kept else {})
    assert sorted(path.name for path in tmp_path.iterdir()) == (["x.old.zip", "x.zip"] if kept else ["x.zip"])
    assert not kept or (tmp_path / "x.old.zip").read_bytes() == changed


def photos(place: Path) -> None:
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("photos/1.jpg", "photo")


@pytest.mark.parametrize("write_it", [photos, lambda place: place.write_text("notes"), lambda place: place.touch()])
def test_a_zip_that_is_no_bundle_is_refused(write_it: Callable[[Path], None], tmp_path: Path) -> None:
    place = tmp_path / "x.zip"
    write_it(place)
    before = place.read_bytes()
    with pytest.raises(OutputError, match="no bundle"):
        made(place)
    assert place.read_bytes() == before and [path.name for path in tmp_path.iterdir()] == ["x.zip"]


@pytest.mark.skipif(os.name == "nt", reason="links are for administrators there")
def test_a_place_that_is_a_link_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "real", OLD)
    (tmp_path / "link").symlink_to("real")
    assert bundle_place(LENET, tmp_path / "link", "name") == (tmp_path / "real").resolve()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError):
        bundle_place(LENET, tmp_path / "loop", "name")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="none there")
@pytest.mark.parametrize("name", ["pipe", "pipe.zip"])
def test_a_place_that_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(OutputError, match=r"no bundle|not a file"):
        bundle_place(LENET, tmp_path / name, "name")
