"""What is said of somebody's own files where a bundle is made again: a line for each, and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..errors import say
from ..runtime.text import line
from .contents import sha256_of
from .renew import LONGEST, PROGRAM, Before

LIST, PACKAGES = "requirements.txt", "packages"


def said_of_kept(before: Before | None, kept: Mapping[str, str], program: str, files: Collection[str]) -> list[str]:
    """kept: name -> the name now; program: the new one's; files: of the new bundle."""
    told = [_said(line(name), line(now), program) for name, now in kept.items()]
    return told if before is None else [*told, *_of_the_model(before, kept, program, files), *_of_packages(before)]


def _said(name: str, now: str, program: str) -> str:
    if name == now == PROGRAM:
        return say(
            f"{name} was changed by somebody: it stays, and is what runs. The new program is beside it: {program}",
            f"{name} 被修改过：保留原样，运行的仍然是它。新的程序在旁边：{program}",
        )
    if name == now:
        return say(
            f"{name} was changed by somebody and stays; the new bundle has no such file.",
            f"{name} 被修改过，予以保留；新的包里没有这个文件。",
        )
    return say(
        f"{name} was somebody's own: it is {now} now, and {name} is the new one.",
        f"{name} 不是轻舟写的或被修改过：现在改名为 {now}，{name} 是新的。",
    )


def _of_the_model(before: Before, kept: Mapping[str, str], program: str, files: Collection[str]) -> list[str]:
    """The program that stays, if it names a model that is there no longer."""
    old = before.facts.get("model")
    if kept.get(PROGRAM) != PROGRAM or not isinstance(old, str) or not old or old in files:
        return []
    try:
        text = (before.folder / PROGRAM).read_bytes()[:LONGEST].decode("utf-8", "replace")
    except OSError:
        return []
    new = next((name for name in files if name.startswith("model.") and not name.endswith(".bin")), "")
    if old not in text or not new:
        return []
    return [
        say(
            f'{PROGRAM} names {line(old)}, which is {new} now: write MODEL = "{new}" at its top, as in {program}.',
            f'{PROGRAM} 里写的是 {line(old)}，现在的模型是 {new}：请把开头改为 MODEL = "{new}"（见 {program}）。',
        )
    ]


def _of_packages(before: Before) -> list[str]:
    """What install.sh has put there, if the list is another now."""
    new = before.folder / LIST
    if not (before.folder / PACKAGES).is_dir() or not new.is_file():
        return []
    if sha256_of(new) in before.digests.get(LIST, frozenset()):
        return []
    return [
        say(
            f"{LIST} has changed: install again (install.sh, or install.bat on Windows).",
            f"{LIST} 有变化：请重新安装（install.sh，Windows 上用 install.bat）。",
        )
    ]
