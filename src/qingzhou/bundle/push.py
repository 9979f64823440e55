"""Bring a bundle to a board: what changed is copied, installed and tested beside the old one, then takes its place.

The old bundle runs until the last moment, and is kept as FOLDER.old; a push that was cut off goes on where it ended.
What somebody put into the folder there comes along; what was changed there gives way, and is kept as main.old.py.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import shlex
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import BoardError, FileMissing, ModelError, OptionError, say
from ..runtime.file import open_file
from ..runtime.text import line
from ..whole_file import scratch
from .contents import LARGEST, sha256_of
from .remote import MANIFEST, NOT_SENT, Place, Tell, facts_there, texts
from .ssh import Board


@dataclass(frozen=True)
class Pushed:
    """What a push did: files and bytes sent, files that were there already, the folder, what the tests printed.

    changed  what somebody had changed there and gave way to what was sent: its name, and the one that it has now
    """

    folder: str
    sent: int
    bytes: int
    kept: int
    selftest: str
    report: Mapping[str, Any] | None
    changed: Mapping[str, str]


@contextlib.contextmanager
def opened(bundle: Path) -> Iterator[Path]:
    """A bundle's folder; a zip is unpacked for the while. FileMissing, ModelError if it is no bundle."""
    if not bundle.exists():
        raise FileMissing(
            en=f"There is no bundle {bundle}. Make one: qingzhou bundle best.pth --device unihiker",
            zh=f"没有找到 {bundle}。请先生成：qingzhou bundle best.pth --device unihiker",
        )
    if bundle.is_dir():
        yield _checked(bundle, bundle)
        return
    with scratch() as work:
        folder = work / "bundle"
        try:
            with open_file(bundle) as file, zipfile.ZipFile(file) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                    raise _no_bundle(bundle)
                archive.extractall(folder)  # which lets no name lead out of the folder
        except (zipfile.BadZipFile, OSError, EOFError):
            raise _no_bundle(bundle) from None
        inside = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
        yield _checked(next((path for path in inside if (path / MANIFEST).is_file()), inside[0]), bundle)


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """bundle.json, or ModelError if it is none."""
    try:
        with open_file(folder / MANIFEST) as file:
            facts = json.loads(file.read())
    except (FileMissing, OSError, ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise _no_bundle(folder)
    return facts


def folder_of(bundle: Path, wanted: str) -> str:
    """Where a bundle goes on the board: as wanted, or ~/qingzhou/NAME; OptionError for what is no folder of its own."""
    folder = posixpath.normpath(wanted or f"qingzhou/{bundle.stem if bundle.suffix == '.zip' else bundle.name}")
    bad = folder in (".", "..", "/") or folder.startswith(("../", "-", "~")) or folder != line(folder)
    if bad or (folder.startswith("/") and len(PurePosixPath(folder).parts) < 3):
        raise OptionError(
            en=f"{wanted!r} cannot be the folder on the board. Give a name such as apps/cats, below the home folder.",
            zh=f"{wanted!r} 不能作为板子上的文件夹。请给出主目录下的名字，例如 apps/cats。",
        )
    return folder


def push(bundle: Path, board: Board, folder: str = "", tell: Tell = print, measure: bool = True) -> Pushed:
    """Send a bundle's folder (or zip), install it, test it, switch to it, and measure it; BoardError.

    tell  hears what is going on, line by line
    """
    place = folder_of(bundle, folder)
    with opened(bundle) as source:
        files = local_files(source)
        facts = read_manifest(source)
        check_device(board, facts)
        there = Place(board, posixpath.join(board.home, place), facts)
        there.recover()
        renamed: Mapping[str, str] = {}
        sent = there.fill(source, files, tell)
        if sent is None:
            tell(say("nothing has changed", "没有变化"))
            selftest = there.test(tell, there.path)
        else:
            there.install(files, tell)
            selftest = there.test(tell)
            renamed = there.carry(files)  # photos may have been taken meanwhile
            there.switch(tell)
    report = there.measure(tell) if measure else None
    gone, size = sent or (0, 0)
    return Pushed(there.path, gone, size, len(files) - gone, selftest, report, renamed)


MACHINE = "import platform, struct; print(platform.machine(), 8 * struct.calcsize('P'))"
NARROW = {"aarch64": "armv7l", "x86_64": "i686"}  # of a 32-bit system on a 64-bit kernel, as Raspberry Pi OS has it


def check_device(board: Board, facts: Mapping[str, Any]) -> None:
    """BoardError if the board has no Python 3, or is another machine than the bundle was made for; nothing is sent."""
    done = board.run(f"python3 -c {shlex.quote(MACHINE)}")
    words = done.text.split()
    pythons = " / ".join(str(name) for name in texts(facts.get("python"))) or "3"
    if done.status or len(words) != 2:
        raise BoardError(
            en=f"The board has no Python 3; the bundle needs Python {pythons}. There: sudo apt install python3",
            zh=f"板子上没有 Python 3，这个包需要 Python {pythons}。请在板子上安装：sudo apt install python3",
        )
    here = NARROW.get(words[0], words[0]) if words[1] == "32" else words[0]
    wanted = facts.get("machine")
    if isinstance(wanted, str) and wanted not in ("", here):
        raise BoardError(
            en=f"The bundle was made for {facts.get('device')} ({wanted}), but this board is {here}. Nothing was sent. "
            "Make one for it: qingzhou bundle … --device; qingzhou devices lists them.",
            zh=f"这个包是为 {facts.get('device')}（{wanted}）做的，而这块板子是 {here}。没有发送任何内容。"
            "请为它重新生成：qingzhou bundle … --device；qingzhou devices 列出所有设备。",
        )


def local_files(folder: Path) -> Mapping[str, str]:
    """Every file of a bundle, as it is now, with its SHA-256: a pupil may have changed main.py since it was made."""
    found = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not path.is_symlink() and not NOT_SENT & set(parts):
            found["/".join(parts)] = sha256_of(path)
    return found


def run_main(board: Board, folder: str, tell: Tell) -> int:
    """Start main.py of a bundle that was pushed, and tell what it prints; its exit status."""
    return Place(board, folder, facts_there(board, folder)).run(tell)


def _checked(folder: Path, named: Path) -> Path:
    """The folder, if a bundle is in it that can run on a board."""
    if not (folder / MANIFEST).is_file():
        raise _no_bundle(named)
    if read_manifest(folder).get("device") == "browser":
        raise _a_page(named)
    if not (folder / "main.py").is_file():
        raise _no_bundle(named)
    return folder


def _a_page(path: Path) -> ModelError:
    return ModelError(
        en=f"{path} is a page for browsers, which needs no board. Show it: python serve.py in its folder.",
        zh=f"{path} 是浏览器里运行的网页，不需要板子。在它的文件夹里运行 python serve.py 即可打开。",
    )


def _no_bundle(path: Path) -> ModelError:
    return ModelError(
        en=f"{path} is no bundle that runs on a board: it has no bundle.json with a main.py beside it. Make one: "
        "qingzhou bundle best.pth --device unihiker",
        zh=f"{path} 不是能在板子上运行的文件夹：里面没有 bundle.json 和 main.py。请先生成："
        "qingzhou bundle best.pth --device unihiker",
    )
