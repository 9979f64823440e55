"""What already stands where a result should go: followed, replaced or refused as docs/en/security.md says."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from writing_verbs import VERBS, source, words

from qingzhou.cli import main
from qingzhou.runtime.whole import DEVICES

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files, and links only for administrators")
PRECIOUS = b"precious"
_terminal: tuple[int, int] | None = None


def cli(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def said(result: Result) -> str:
    """What a person reads; never a traceback."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return " ".join(result.output.split())


def seen(folder: Path) -> dict[str, object]:
    """All that is there: folders, links and what they say, files and their bytes."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
    return found


def to_nothing(path: Path) -> None:
    path.symlink_to("../elsewhere/nothing")


def to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def to_a_pipe(path: Path) -> None:
    os.mkfifo("elsewhere/pipe")
    path.symlink_to("../elsewhere/pipe")


def to_a_device(path: Path) -> None:
    """A terminal of our own: a test that fails as root must not replace /dev/null."""
    global _terminal
    _terminal = _terminal or os.openpty()
    path.symlink_to(os.ttyname(_terminal[1]))


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


def protected(path: Path) -> None:
    path.write_bytes(PRECIOUS)
    path.chmod(0o444)


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "link-to-nothing": (to_nothing, "leads nowhere"),
    "link-to-itself": (to_itself, "Cannot"),
    "link-to-a-pipe": (to_a_pipe, "named pipe"),
    "link-to-a-device": (to_a_device, "is a device"),
    "pipe": (os.mkfifo, "named pipe"),  # type: ignore[dict-item]
    "socket": (a_socket, "is a socket"),
    "protected": (protected, "write-protected"),
}


@posix
@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("verb", VERBS)
def test_refused(verb: str, kind: str, desk: Path) -> None:
    """And nothing there is another than before, nor was anything waited for."""
    place = Path("out") / f"a.{VERBS[verb][1]}"
    REFUSED[kind][0](place)
    before = seen(desk)
    result = cli(*words(verb, place), "--lang", "en")
    assert result.exit_code == 1 and REFUSED[kind][1] in said(result), said(result)
    assert seen(desk) == before
    assert kind != "protected" or place.read_bytes() == PRECIOUS


@posix
@pytest.mark.parametrize("verb", VERBS)
def test_what_is_no_file_gets_no_ending(verb: str, desk: Path) -> None:
    """A pipe or device is refused by its own name: -o /dev/null is not /dev/null.onnx."""
    os.mkfifo("out/pipe")
    result = cli(*words(verb, "out/pipe"), "--lang", "en")
    assert result.exit_code == 1 and ("named pipe" in said(result) or "no bundle" in said(result))
    assert os.listdir("out") == ["pipe"]


@posix
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "bundle"])  # which replaces its own only
def test_a_link_is_followed(verb: str, desk: Path) -> None:
    """What it names is replaced whole, the link stays; another name of the old file keeps what it had."""
    place, real = Path("out") / f"a.{VERBS[verb][1]}", desk / "elsewhere" / "real"
    real.write_bytes(PRECIOUS)
    os.link(real, "elsewhere/other-name")
    place.symlink_to("../elsewhere/real")
    result = cli(*words(verb, place))
    assert result.exit_code in (0, 1), said(result)
    assert os.readlink(place) == "../elsewhere/real" and real.read_bytes() not in (PRECIOUS, b"")
    assert (desk / "elsewhere" / "other-name").read_bytes() == PRECIOUS
    assert sorted(os.listdir("elsewhere")) == ["other-name", "real"]


@posix
@pytest.mark.parametrize("how", ["link", "hard link"])
@pytest.mark.parametrize("verb", VERBS)
def test_the_source_behind_a_link_stays(verb: str, how: str, desk: Path) -> None:
    place, first = Path("out") / f"a.{VERBS[verb][1]}", Path(source(verb))
    content = first.read_bytes()
    if how == "link":
        place.symlink_to(f"../{first}")
    else:
        os.link(first, place)
    result = cli(*words(verb, place), "--lang", "en")
    assert result.exit_code == 1 and "would be written over" in said(result)
    assert first.read_bytes() == content == place.read_bytes() and first.stat().st_nlink == 1 + (how != "link")


@posix
@pytest.mark.parametrize("verb", VERBS)
def test_folders_above_may_be_links(verb: str, desk: Path) -> None:
    Path("way").symlink_to("elsewhere")
    assert cli(*words(verb, f"way/a.{VERBS[verb][1]}")).exit_code in (0, 1)
    assert Path("elsewhere", f"a.{VERBS[verb][1]}").is_file() and Path("way").is_symlink()


# -- names that we choose --------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("what", ["qingzhou_runtime", "qingzhou_runtime/model/card.py", "qingzhou_runtime/errors.py"])
def test_the_runtime_is_not_written_through_a_link(what: str, desk: Path) -> None:
    """Neither the folder nor a file in it; and then none of the others is written."""
    place = Path("out") / what
    place.parent.mkdir(parents=True, exist_ok=True)
    if what.endswith(".py"):
        Path("elsewhere/mine.py").write_bytes(PRECIOUS)
        place.symlink_to(Path("elsewhere/mine.py").resolve())
    else:
        place.symlink_to("../elsewhere")
    before = seen(desk)
    result = cli("convert", "best.pth", "-o", "out/a.onnx", "--lang", "en")
    assert result.exit_code == 1 and "is a link" in said(result)
    assert seen(desk) == before


@posix
def test_a_runtime_that_is_as_it_should_be_may_be_a_link(desk: Path) -> None:
    cli("convert", "best.pth", "-o", "elsewhere/a.onnx")
    Path("out/qingzhou_runtime").symlink_to("../elsewhere/qingzhou_runtime")
    assert cli("convert", "best.pth", "-o", "out/a.onnx").exit_code == 0


@posix
@pytest.mark.parametrize("kind", [kind for kind in REFUSED if kind not in ("protected", "link-to-a-pipe")])
def test_a_runtime_file_that_is_none(kind: str, desk: Path) -> None:
    """It is not waited for."""
    Path("out/qingzhou_runtime/model").mkdir(parents=True)
    REFUSED[kind][0](Path("out/qingzhou_runtime/model/card.py"))
    before = seen(desk)
    assert cli("convert", "best.pth", "-o", "out/a.onnx").exit_code == 1 and seen(desk) == before


@posix
@pytest.mark.parametrize("kind", ["link", *(kind for kind in REFUSED if kind != "protected")])
def test_a_program_beside_the_model(kind: str, desk: Path) -> None:
    """What is no file of ours is somebody's, and stays; ours takes the next name."""
    place = Path("out/a.py")
    if kind == "link":
        place.symlink_to("../elsewhere/mine.py")
        Path("elsewhere/mine.py").write_bytes(PRECIOUS)
    else:
        REFUSED[kind][0](place)
    before = seen(desk / "elsewhere")
    assert cli("convert", "best.pth", "-o", "out/a.onnx").exit_code == 0
    assert Path("out/a_run.py").is_file() and os.path.lexists(place) and seen(desk / "elsewhere") == before


@posix
@pytest.mark.parametrize("verb", ["export"])
def test_the_other_files_of_an_engine_are_guarded_as_well(verb: str, desk: Path) -> None:
    """Of .param and .bin the second leads to the model itself."""
    before = Path("ready.onnx").read_bytes()
    Path("out/a.bin").symlink_to("../ready.onnx")
    result = cli("export", "ready.onnx", "--engine", "ncnn", "-o", "out/a.param", "--lang", "en")
    assert result.exit_code == 1 and "would be written over" in said(result)
    assert Path("ready.onnx").read_bytes() == before and os.listdir("out") == ["a.bin"]


@posix
@pytest.mark.parametrize("kind", ["link", *(kind for kind in REFUSED if kind != "protected")])
def test_pictures_with_answers(kind: str, desk: Path) -> None:
    """--save names a folder: what lies in it under a picture's name, and is none of ours, is not written through."""
    place = Path("out/photo_result.png")
    if kind == "link":
        Path("elsewhere/other.png").write_bytes(PRECIOUS)
        place.symlink_to("../elsewhere/other.png")
    else:
        REFUSED[kind][0](place)
    before = seen(desk / "elsewhere")
    assert cli("run", "ready.onnx", "photo.png", "--save", "out").exit_code == 0
    assert Path("out/photo_result_2.png").is_file() and os.path.lexists(place) and seen(desk / "elsewhere") == before


@posix
def test_a_bundle_behind_a_link(desk: Path) -> None:
    """The link stays, and what it names is the new bundle; what is no folder is refused."""
    order = ["bundle", "ready.onnx", "--device", "pc", "--lang", "en", "-o"]
    assert cli(*order, "elsewhere/b").exit_code == 0
    Path("elsewhere/b/README.md").write_text("old")
    Path("out/b").symlink_to("../elsewhere/b")
    assert cli(*order, "out/b").exit_code == 0
    assert os.readlink("out/b") == "../elsewhere/b" and Path("elsewhere/b/README.md").read_text("utf-8") != "old"
    assert cli(*order, "elsewhere/b.zip").exit_code == 0
    Path("out/b.zip").symlink_to("../elsewhere/b.zip")
    assert cli(*order, "out/b.zip").exit_code == 0 and os.readlink("out/b.zip") == "../elsewhere/b.zip"
    for target in ("../elsewhere/nothing", "../photo.png"):
        shutil.rmtree("out")
        Path("out").mkdir()
        Path("out/b").symlink_to(target)
        assert cli(*order, "out/b").exit_code == 1 and os.readlink("out/b") == target


@pytest.mark.parametrize("name", ["models", "old", "second", "made"])
def test_a_bundle_may_have_any_name(name: str, desk: Path) -> None:
    """Also that of a folder in which we work."""
    for _ in range(2):
        assert cli("bundle", "ready.onnx", "--device", "pc", "-o", f"out/{name}").exit_code == 0
    assert os.listdir("out") == [name] and Path("out", name, "main.py").is_file()


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("NUL", 1),
        ("nul.onnx", 1),
        ("com1.txt", 1),
        ("COM\u00b9", 1),
        ("CONIN$", 1),
        ("nullable.onnx", 0),
        ("best.con", 0),
        ("com10", 0),
    ],
)
def test_names_of_devices_in_windows(name: str, device: int) -> None:
    assert bool(DEVICES.fullmatch(name)) == bool(device)
