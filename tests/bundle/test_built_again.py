"""A bundle that is built again in its place: what is a person's own stays."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from renewals import OLD, write
from test_build import LENET, run

from qingzhou.bundle.build import build
from qingzhou.bundle.contents import FACTS, digests
from qingzhou.bundle.order import Bundle
from qingzhou.bundle.place import bundle_place
from qingzhou.cli import main
from qingzhou.errors import OutputError, use_language

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
