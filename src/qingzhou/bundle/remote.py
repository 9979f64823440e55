"""The bundle's folder on a board, the new one beside it, and the old one that is kept: what is done there, and how."""

from __future__ import annotations

import hashlib
import json
import posixpath
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BoardError, say
from .ssh import Board

MANIFEST = "bundle.json"
MARK = ".installed"  # beside the bundle's files: the digest of what was installed
INSTALLED_BY = ("install.sh", "requirements.txt")
INSTALLED = {".venv", "packages"}  # what install.sh makes: carried along if it would make the same
NOT_SENT = {"__pycache__", "packages.new", "report.json", MARK, *INSTALLED}

Tell = Callable[[str], None]


class Place:
    """The bundle's folder on the board, the new one beside it, and the old one that is kept."""

    def __init__(self, board: Board, path: str, facts: Mapping[str, Any]) -> None:
        self.board, self.path, self.facts = board, path, facts
        self.new, self.old = f"{path}.new", f"{path}.old"

    def recover(self) -> None:
        """The power was cut between the two renames: the old bundle goes back to its place."""
        now, old = shlex.quote(self.path), shlex.quote(self.old)
        self._sh(f"mkdir -p {shlex.quote(posixpath.dirname(self.path))} && if [ ! -e {now} ] && [ -e {old} ]; "
                 f"then mv {old} {now}; fi")  # fmt: skip

    def fill(self, source: Path, files: Mapping[str, str], tell: Tell) -> tuple[int, int] | None:
        """The new folder with all files: copied on the board where it has them, sent where not.

        How many were sent, and their bytes; None if the old folder has them all, installed.
        """
        have, half = self._hashes(self.path), self._hashes(self.new)
        send = [name for name, digest in files.items() if digest not in (have.get(name), half.get(name))]
        if all(have.get(name) == digest for name, digest in files.items()) and self._mark(self.path) == _mark(files):
            return None
        self._room(sum((source / name).stat().st_size for name in files))
        self._sh(self._begin(files, have, half))
        self._sh(f"rm -f {shlex.quote(self.new)}/{MARK}")
        size = sum((source / name).stat().st_size for name in send)
        tell(say(f"sending {len(send)} of {len(files)} files, {size / 1e6:.1f} MB",
                 f"发送 {len(send)} / {len(files)} 个文件，{size / 1e6:.1f} MB"))  # fmt: skip
        progress = _Progress(size, tell)
        for name in send:
            self.board.send(source / name, f"{self.new}/{name}", progress)
        arrived = self._hashes(self.new)
        wrong = [name for name, digest in files.items() if arrived.get(name) != digest]
        if wrong:
            raise _damaged(wrong[0])
        return len(send), size

    def _begin(self, files: Mapping[str, str], have: Mapping[str, str], half: Mapping[str, str]) -> str:
        """A script: the new folder's folders, without what does not belong there, with what the board has already."""
        new, now = shlex.quote(self.new), shlex.quote(self.path)
        folders = sorted({posixpath.dirname(name) for name in files} - {""})
        lines = [f"mkdir -p {new}", *(f"mkdir -p {new}/{shlex.quote(name)}" for name in folders)]
        lines += [f"rm -f {new}/{shlex.quote(name)}" for name, digest in half.items() if files.get(name) != digest]
        copied = [name for name, digest in files.items() if have.get(name) == digest != half.get(name)]
        lines += [f"cp -p {now}/{shlex.quote(name)} {new}/{shlex.quote(name)}" for name in copied]
        return " && ".join(lines)

    def install(self, files: Mapping[str, str], tell: Tell) -> None:
        """Run install.sh in the new folder, where it was not run for the same lists; BoardError with its last lines."""
        new, mark = shlex.quote(self.new), _mark(files)
        same = self._mark(self.path) == mark
        carried = [f"cp -al {shlex.quote(f'{self.path}/{name}')} {new}/" for name in self._extras(files, same)]
        self._sh(" && ".join(["true", *carried]))
        if not same and "install.sh" in files:
            tell(say("installing", "安装中"))
            done = self.board.run(f"cd {new} && sh install.sh", tell)
            if done.status:
                raise _failed("install.sh", done.text)
        self._sh(f"echo {mark} > {new}/{MARK}")

    def _extras(self, files: Mapping[str, str], installed: bool) -> list[str]:
        """What is in the old folder but never was of the bundle comes along: photos, and the environment if it fits.

        As hard links: they cost nothing, and the old folder stays whole.
        """
        ours = {name.split("/")[0] for name in [*files, *self._were_ours()]} | (NOT_SENT - INSTALLED)
        if not installed:
            ours |= INSTALLED
        new = set(self.board.names(self.new))
        return [name for name in self.board.names(self.path) if name not in ours and name not in new]

    def _were_ours(self) -> list[str]:
        """The files that the old bundle's own list names; what a newer one leaves out is left behind."""
        files = facts_there(self.board, self.path).get("files")
        return list(files) if isinstance(files, dict) else texts(files)

    def _mark(self, folder: str) -> str:
        """For which lists the folder was installed; "" if for none."""
        return self.board.run(f"cat {shlex.quote(folder)}/{MARK} 2>/dev/null").text.strip()

    def test(self, tell: Tell, folder: str = "") -> str:
        """What selftest.py prints; BoardError if it fails, and the old bundle stays in its place."""
        tell(say("self-test", "自检"))
        done = self.board.run(_python(folder or self.new, "selftest.py", self.facts), tell)
        if done.status:
            raise _failed("selftest.py", done.text)
        return done.text

    def switch(self) -> None:
        """The new folder takes the old one's place: in one step where the system can exchange two names."""
        new, now, old = (shlex.quote(path) for path in (self.new, self.path, self.old))
        exchange = shlex.quote(EXCHANGE)
        self._sh(
            f"sync; rm -rf {old}; if [ ! -e {now} ]; then mv {new} {now}; "
            f"elif python3 -c {exchange} {now} {new} 2>/dev/null; then mv {new} {old}; "
            f"else mv {now} {old} && mv {new} {now}; fi && sync"
        )

    def measure(self, tell: Tell) -> Mapping[str, Any] | None:
        """The report that bench.py writes there; None if the bundle has no bench.py."""
        if self.board.run(f"[ -f {shlex.quote(self.path)}/bench.py ]").status:
            return None
        tell(say("measuring", "测量中"))
        self._sh(f"rm -f {shlex.quote(self.path)}/report.json")
        done = self.board.run(_python(self.path, "bench.py", self.facts), tell)
        if done.status:
            raise _failed("bench.py", done.text)
        try:
            report = json.loads(self.board.fetch(f"{self.path}/report.json"))
        except (ValueError, BoardError, RecursionError):
            raise _failed("bench.py", done.text) from None
        return report if isinstance(report, dict) else None

    def run(self, tell: Tell) -> int:
        """main.py until it ends or the connection does; its exit status. It shows itself on the board's own screen."""
        screen = "[ -S /tmp/.X11-unix/X0 ] && export DISPLAY=${DISPLAY:-:0}; "
        return self.board.run(screen + _python(self.path, "main.py", self.facts), tell, terminal=True).status

    def _hashes(self, folder: str) -> dict[str, str]:
        """The SHA-256 of every file in a folder of the board; {} where there is none."""
        script = (f"cd {shlex.quote(folder)} 2>/dev/null && find . -type f ! -path '*/.venv/*' "
                  "! -path './packages/*' ! -path '*/__pycache__/*' -exec sha256sum {} + || true")  # fmt: skip
        lines = (line.partition("  ") for line in self._sh(script).splitlines())
        return {name.removeprefix("./"): digest for digest, _, name in lines if len(digest) == 64}

    def _room(self, size: int) -> None:
        """BoardError if the disk cannot hold the new folder beside the old one."""
        words = self._sh(f"df -Pk {shlex.quote(posixpath.dirname(self.path))} | tail -1").split()
        free = int(words[3]) * 1024 if len(words) > 3 and words[3].isdigit() else None
        if free is not None and free < size + (8 << 20):
            raise BoardError(
                en=f"The board's disk has {free / 1e6:.0f} MB left; the bundle needs {size / 1e6:.0f} MB beside the "
                "old one. Delete something there. The old bundle still works.",
                zh=f"板子的磁盘只剩 {free / 1e6:.0f} MB，而新文件夹需要 {size / 1e6:.0f} MB。请先清理磁盘。"
                "原来的程序仍可使用。",
            )

    def _sh(self, script: str) -> str:
        done = self.board.run(script)
        if done.status:
            raise _failed(script.split()[0], done.text)
        return done.text


# Exchanges two names at once: renameat2(AT_FDCWD, …, RENAME_EXCHANGE), Linux 3.15 and glibc 2.28.
EXCHANGE = """import ctypes, os, sys
one, other = map(os.fsencode, sys.argv[1:])
sys.exit(ctypes.CDLL(None).renameat2(-100, one, -100, other, 2) != 0)"""


class _Progress:
    """Says every tenth of what has gone."""

    def __init__(self, total: int, tell: Tell) -> None:
        self.total, self.tell, self.gone, self.said = total, tell, 0, 0

    def __call__(self, more: int) -> None:
        self.gone += more
        tenth = 10 * self.gone // max(1, self.total)
        if tenth > self.said and self.total > 1 << 20:
            self.said = tenth
            self.tell(f"  {10 * tenth} %")


def facts_there(board: Board, folder: str) -> Mapping[str, Any]:
    """What the bundle.json of a folder on the board says; {} where there is none."""
    done = board.run(f"cat {shlex.quote(folder)}/{MANIFEST}")
    try:
        facts = json.loads(done.text)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


VERSION_OF = "import sys; print('%d.%d' % sys.version_info[:2])"


def _python(folder: str, program: str, facts: Mapping[str, Any]) -> str:
    """A script that runs a program of the bundle: by .venv's Python, or the first of those that bundle.json names.

    install.sh looks for it in the same order.
    """
    names = texts(facts.get("python"))
    right = "|".join(map(shlex.quote, names)) or "*"
    others = " ".join(shlex.quote(f"python{name}") for name in reversed(names))
    choose = (
        f"p=python3; for n in .venv/bin/python python3 {others}; do "
        f'case "$("$n" -c "{VERSION_OF}" 2>/dev/null || echo none)" in none) ;; {right}) p=$n; break;; esac; done; '
    )
    return f"cd {shlex.quote(folder)} && {choose}PYTHONIOENCODING=utf-8 PYTHONUNBUFFERED=1 exec $p {program}"


def _mark(files: Mapping[str, str]) -> str:
    """A digest of what decides what is installed."""
    return hashlib.sha256("".join(files.get(name, "-") for name in INSTALLED_BY).encode("ascii")).hexdigest()


def texts(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _failed(what: str, text: str) -> BoardError:
    last = " | ".join(line for line in text.splitlines() if line.strip())[-300:] or say("no output", "没有输出")
    return BoardError(
        en=f"{what} failed on the board: {last}. What ran there before still runs.",
        zh=f"板子上的 {what} 没有成功：{last}。原来的程序仍可使用。",
    )


def _damaged(name: str) -> BoardError:
    return BoardError(
        en=f"{name} arrived damaged. Push again; if that stays, the board's memory card may be at its end.",
        zh=f"{name} 传输后已损坏。请再次 push；如果一直这样，板子的存储卡可能坏了。",
    )
