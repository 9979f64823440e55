"""The bundle's folder on a board, the new one beside it, and the old one that is kept: what is done there, and how."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BoardError, say
from ..own_files import kept_there
from ..whole_file import scratch
from .carry import Found, carried
from .contents import written
from .ssh import Board

MANIFEST, REPORT = "bundle.json", "report.json"
MARK = ".installed"  # beside the bundle's files: the digest of what was installed
RECORD = ".pushed"  # and the digests of what was sent, as bundle.json has them: what is another is somebody's own
INSTALLED_BY = ("install.sh", "requirements.txt")
INSTALLED = {".venv", "packages"}  # what install.sh makes: carried along if it would make the same
NOT_KEPT = {"__pycache__", "packages.new", MARK, RECORD}
NOT_SENT = {*NOT_KEPT, REPORT, *INSTALLED}
LONGEST = 60_000  # characters of a script; Linux takes 131,072 as one word

Tell = Callable[[str], None]


class Place:
    """The bundle's folder on the board, the new one beside it, and the old one that is kept."""

    def __init__(self, board: Board, path: str, facts: Mapping[str, Any]) -> None:
        self.board, self.path, self.facts = board, path, facts
        self.new, self.old = f"{path}.new", f"{path}.old"

    def recover(self) -> None:
        """The power was cut between the two renames: the old bundle goes back to its place."""
        now, old = shlex.quote(self.path), shlex.quote(self.old)
        self._sh(
            f"mkdir -p {shlex.quote(posixpath.dirname(self.path))} && if [ ! -e {now} ] && "
            f"[ -e {old}/{MANIFEST} ]; then mv {old} {now}; fi"
        )

    def fill(self, source: Path, files: Mapping[str, str], tell: Tell) -> tuple[int, int] | None:
        """The new folder with all files: copied on the board where it has them, sent where not.

        How many were sent, and their bytes; None if the old folder has them all, installed.
        """
        have, half = self._hashes(self.path), self._hashes(self.new)
        send = [name for name, digest in files.items() if digest not in (have.get(name), half.get(name))]
        if all(have.get(name) == digest for name, digest in files.items()) and self._mark(self.path) == _mark(files):
            return None
        self._room(sum((source / name).stat().st_size for name in files))
        if half and not self.board.names(self.new).count(RECORD):
            self._set_aside(self.new, tell)
            send, half = [name for name, digest in files.items() if digest != have.get(name)], {}
        self._each(self._begin(files, have, half))
        self._note(self.new, files)
        size = sum((source / name).stat().st_size for name in send)
        tell(
            say(
                f"sending {len(send)} of {len(files)} files, {size / 1e6:.1f} MB",
                f"发送 {len(send)} / {len(files)} 个文件，{size / 1e6:.1f} MB",
            )
        )
        progress = _Progress(size, tell)
        for name in send:
            self.board.send(source / name, f"{self.new}/{name}", progress)
        arrived = self._hashes(self.new)
        wrong = [name for name, digest in files.items() if arrived.get(name) != digest]
        if wrong:
            raise _damaged(wrong[0])
        return len(send), size

    def _begin(self, files: Mapping[str, str], have: Mapping[str, str], half: Mapping[str, str]) -> list[str]:
        """Scripts: the new folder's folders, without what does not belong there, with what the board has already."""
        new, now = shlex.quote(self.new), shlex.quote(self.path)
        folders = sorted({posixpath.dirname(name) for name in files} - {""})
        tops = {name.split("/")[0] for name in files}
        foreign = [name for name in self.board.names(self.new) if name not in tops]
        lines = [f"rm -rf {new}/{shlex.quote(name)}" for name in foreign]
        wrong = [name for name, digest in half.items() if files.get(name) != digest and name.split("/")[0] in tops]
        lines += [f"rm -f {new}/{shlex.quote(name)}" for name in wrong]
        lines += [f"mkdir -p {new}", *(f"mkdir -p {new}/{shlex.quote(name)}" for name in folders)]
        copied = [name for name, digest in files.items() if have.get(name) == digest != half.get(name)]
        return lines + [f"cp -p {now}/{shlex.quote(name)} {new}/{shlex.quote(name)}" for name in copied]

    def install(self, files: Mapping[str, str], tell: Tell) -> None:
        """Run install.sh in the new folder, where it was not run for the same lists; BoardError with its last lines."""
        new, mark = shlex.quote(self.new), _mark(files)
        same = self._mark(self.path) == mark
        self.carry(files)
        if same:
            self._each(_linked(f"{self.path}/{name}", f"{self.new}/{name}") for name in sorted(INSTALLED))
        if not same and "install.sh" in files:
            tell(say("installing", "安装中"))
            done = self.board.run(f"cd {new} && sh install.sh", tell)
            if done.status:
                raise _failed("install.sh", done.text)
        self._sh(f"echo {mark} > {new}/{MARK}")

    def carry(self, files: Mapping[str, str]) -> dict[str, str]:
        """What is somebody's own in the old folder comes along; the names of what gives way to ours, and those now.

        As hard links: they cost nothing, and the old folder stays whole.
        """
        found = Found(self._found(self.path), self.board.names(self.path), self._written())
        own = carried(found, files, NOT_KEPT | INSTALLED)
        folders = sorted({posixpath.dirname(name) for name in own.single.values()} - {""})
        self._each(f"mkdir -p {shlex.quote(f'{self.new}/{name}')}" for name in folders)
        names = {**{name: name for name in own.whole}, **own.single}
        self._each(_linked(f"{self.path}/{name}", f"{self.new}/{now}") for name, now in names.items())
        self._carry_late({*found.files, *files}, found.written)
        return own.renamed

    def _carry_late(self, there: Iterable[str], ours: Mapping[str, Iterable[str]]) -> None:
        """What a program that went on running wrote into the folder of the time before, after the switch."""
        script = f"cd {shlex.quote(self.old)} 2>/dev/null && find . -type f -newer {shlex.quote(self.path)}/{MARK}"
        done = self.board.run(script)
        names = [name.removeprefix("./") for name in done.text.splitlines()] if done.status == 0 else []
        known, made = {*there, *ours}, {*NOT_KEPT, *INSTALLED}
        for name in (name for name in names if name not in known and not made & {*name.split("/")}):
            self._each(
                [
                    f"mkdir -p {shlex.quote(posixpath.dirname(f'{self.new}/{name}'))}",
                    _linked(f"{self.old}/{name}", f"{self.new}/{name}"),
                ]
            )

    def _written(self) -> dict[str, set[str]]:
        """The digests of what we wrote into the folder, by name: as recorded by the push, and by bundle.json."""
        found: dict[str, set[str]] = {}
        for source in (RECORD, MANIFEST):
            for name, digest in written(facts_there(self.board, self.path, source)).items():
                found.setdefault(name, set()).add(digest)
        return found

    def _note(self, folder: str, files: Mapping[str, str]) -> None:
        """Write down what was sent."""
        with scratch() as here:
            path = here / RECORD
            path.write_text(json.dumps({"files": dict(files)}, ensure_ascii=True), "ascii")
            self.board.send(path, f"{folder}/{RECORD}", lambda more: None)

    def _set_aside(self, folder: str, tell: Tell) -> None:
        """A folder whose name we need, and which no push has made, gets another."""
        where, name = posixpath.split(folder)
        now = posixpath.join(where, kept_there(name, self.board.names(where)))
        self._sh(f"mv {shlex.quote(folder)} {shlex.quote(now)}")
        tell(
            say(
                f"{folder} on the board is not of a push: it is {now} now",
                f"板子上的 {folder} 不是 push 建立的，已改名为 {now}",
            )
        )

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

    def switch(self, tell: Tell) -> None:
        """The new folder takes the old one's place: in one step where the system can exchange two names."""
        there = self.board.names(self.old)
        if there and not {MARK, RECORD} & set(there):
            self._set_aside(self.old, tell)
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
        self._free_report(tell)
        done = self.board.run(_python(self.path, "bench.py", self.facts), tell)
        if done.status:
            raise _failed("bench.py", done.text)
        try:
            text = self.board.fetch(f"{self.path}/{REPORT}")
            report = json.loads(text)
        except (ValueError, BoardError, RecursionError):
            raise _failed("bench.py", done.text) from None
        sent = written(facts_there(self.board, self.path, RECORD))
        self._note(self.path, {**sent, REPORT: hashlib.sha256(text).hexdigest()})
        return report if isinstance(report, dict) else None

    def _free_report(self, tell: Tell) -> None:
        """Only a report that a push has measured is replaced; another one gets another name."""
        report = f"{self.path}/{REPORT}"
        digest = self.board.run(f"sha256sum {shlex.quote(report)} 2>/dev/null").text[:64]
        if len(digest) == 64 and digest not in self._written().get(REPORT, ()):
            now = kept_there(REPORT, self.board.names(self.path))
            self._sh(f"mv {shlex.quote(report)} {shlex.quote(f'{self.path}/{now}')}")
            tell(say(f"the report that was there is {now} now", f"原来的报告已改名为 {now}"))
        self._sh(f"rm -f {shlex.quote(report)}")

    def run(self, tell: Tell) -> int:
        """main.py until it ends or the connection does; its exit status. It shows itself on the board's own screen."""
        screen = "[ -S /tmp/.X11-unix/X0 ] && export DISPLAY=${DISPLAY:-:0}; "
        return self.board.run(screen + _python(self.path, "main.py", self.facts), tell, terminal=True).status

    def _hashes(self, folder: str) -> dict[str, str]:
        """The SHA-256 of every file in a folder of the board; {} where there is none."""
        found = {}
        for line in self._find(folder, "-type f", "-exec sha256sum {} +"):
            digest, _, name = line.removeprefix("\\").partition("  ")
            if len(digest) == 64:  # with \ before it, the name is written as sha256sum writes odd ones
                found[_plain(name) if line.startswith("\\") else name] = digest
        return {name.removeprefix("./"): digest for name, digest in found.items()}

    def _found(self, folder: str) -> dict[str, str]:
        """The same, with links and what else is no file; those without a digest."""
        others = {name.removeprefix("./"): "" for name in self._find(folder, "! -type f ! -type d", "-print")}
        return {**others, **self._hashes(folder)}

    def _find(self, folder: str, which: str, then: str) -> list[str]:
        """Lines about what is in a folder, apart from what install.sh makes."""
        script = (
            f"cd {shlex.quote(folder)} 2>/dev/null && find . {which} ! -path '*/.venv/*' "
            f"! -path './packages/*' ! -path '*/__pycache__/*' {then} || true"
        )
        return self._sh(script).splitlines()

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

    def _each(self, scripts: Iterable[str]) -> None:
        """Run them one after the other, as many at a time as a command can hold."""
        lines: list[str] = []
        for script in scripts:
            if sum(map(len, lines)) + len(script) > LONGEST:
                self._sh(" && ".join(lines))
                lines = []
            lines.append(script)
        self._sh(" && ".join(lines or ["true"]))

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


def _linked(source: str, target: str) -> str:
    """A script: a file or folder under another name as well, instead of what is there; copied where links cannot be."""
    one, other = shlex.quote(source), shlex.quote(target)
    copy = f"rm -rf {other}; cp -al {one} {other} 2>/dev/null || cp -a {one} {other}"
    return f"if [ -e {one} ] || [ -L {one} ]; then {copy}; fi"


def _plain(name: str) -> str:
    r"""A name as it is, from sha256sum's: \\ is a backslash, \n a new line."""
    return re.sub(r"\\([\\n])", lambda found: "\n" if found[1] == "n" else "\\", name)


def facts_there(board: Board, folder: str, name: str = MANIFEST) -> Mapping[str, Any]:
    """What the bundle.json of a folder on the board says; {} where there is none."""
    done = board.run(f"cat {shlex.quote(f'{folder}/{name}')}")
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


def texts(value: object) -> list[str]:
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
