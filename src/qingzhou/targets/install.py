"""An environment of a vendor's compiler: made whole or not at all, and removed."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import EngineError, OutputError, QingzhouError, say
from ..progress import Tell, silent
from ..whole_file import folder_beside, only_one
from .ask import probe
from .home import RECIPE, as_text, place_of, python_in
from .target import Target

PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
VERSION = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"


def install(target: Target, python: str = "", tell: Tell = silent) -> dict[str, str]:
    """Make the environment of a target, in the place of an older one; the versions that are in it then.

    python  to make it with, by name or path; by default the first of the versions that will do

    Nothing is left of one that could not be finished. EngineError where no Python will do or pip fails, OutputError
    where there is no room. Whoever calls this has asked the user.
    """
    _check_system(target)
    maker, folder = _python_for(target, python), place_of(target).folder
    _make_home(folder.parent)
    _check_room(target, folder.parent)
    with only_one(folder), folder_beside(folder) as work:
        made = work / "env"
        tell(say("making the environment", "建立环境"))
        _run([maker, "-m", "venv", str(made)], target)
        inside = str(python_in(made))
        tell(say("installing", "安装"))
        if target.recipe.packages:
            _run([inside, *PIP, *target.recipe.packages], target)
        if target.recipe.bare:
            _run([inside, *PIP, "--no-deps", *target.recipe.bare], target)
        tell(say("trying it", "试运行"))
        versions = probe(target, python_in(made))
        (made / RECIPE).write_text(as_text(target.recipe), "utf-8")
        if folder.exists():
            os.replace(folder, work / "old")
        os.replace(made, folder)
    return versions


def remove(target: Target) -> bool:
    """Remove a target's environment; whether there was one. OutputError where it cannot be."""
    folder = place_of(target).folder
    if not folder.is_dir():
        return False
    with only_one(folder), folder_beside(folder) as work:
        try:
            os.replace(folder, work / "old")
        except OSError as err:
            raise OutputError(
                en=f"Cannot remove {folder}: {err.strerror}. Close the programs that use it.",
                zh=f"无法删除 {folder}：{err.strerror}。请关闭正在使用它的程序。",
            ) from None
    return True


def _check_system(target: Target) -> None:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    here = f"{sys.platform}-{machine}"
    if here in target.recipe.systems:
        return
    wanted = ", ".join(target.recipe.systems)
    raise EngineError(
        en=f"{target.english}'s compiler runs on {wanted} only, and this is {here}. Take such a computer (on Windows "
        "also WSL 2), and copy what it makes to the board.",
        zh=f"{target.chinese}的编译器只能在 {wanted} 上运行，而这里是 {here}。请换一台这样的电脑"
        "（Windows 上也可以用 WSL 2），再把生成的文件复制到板子上。",
    )


def _python_for(target: Target, asked: str) -> str:
    """A Python of one of the versions; each is tried, since a version manager's shim may be there and refuse."""
    wanted = target.recipe.pythons
    found = []
    for python in [asked] if asked else _candidates(wanted):
        version = _version(python)
        if version in wanted:
            return python
        found.append(f"{python} ({version or say('does not run, or has no venv', '无法运行，或缺少 venv')})")
    names = " / ".join(f"python{one}" for one in wanted)
    raise EngineError(
        en=f"{target.english}'s compiler needs Python {', '.join(wanted)}; found: {', '.join(found[:4]) or 'none'}. "
        f"Install one beside yours ({names}; Debian and Ubuntu: with {names.split()[0]}-venv), or name it: qingzhou "
        f"targets install {target.name} --python PATH",
        zh=f"{target.chinese}的编译器需要 Python {'、'.join(wanted)}，找到的是：{'、'.join(found[:4]) or '无'}。"
        f"请另外安装一个（{names}；Debian 和 Ubuntu 还需要 {names.split()[0]}-venv），或指定："
        f"qingzhou targets install {target.name} --python 路径",
    )


def _version(python: str) -> str:
    try:
        done = subprocess.run([python, "-I", "-c", VERSION], capture_output=True, text=True, timeout=60)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _candidates(versions: Sequence[str]) -> Iterator[str]:
    """This one, then those of the system and of the usual version managers."""
    yield sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    uv = Path.home() / ".local/share/uv/python"
    for version in versions:
        if found := shutil.which(f"python{version}"):
            yield found
        for folder in (*sorted(pyenv.glob(f"versions/{version}.*")), *sorted(uv.glob(f"cpython-{version}.*"))):
            yield str(folder / "bin" / f"python{version}")


def _make_home(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise OutputError(
            en=f"Cannot make the folder {folder}: {err.strerror}. Name another one: QINGZHOU_TARGETS=FOLDER",
            zh=f"无法建立文件夹 {folder}：{err.strerror}。请指定另一个：QINGZHOU_TARGETS=文件夹",
        ) from None


def _check_room(target: Target, folder: Path) -> None:
    free, wanted = shutil.disk_usage(folder).free / 1e6, 1.2 * target.recipe.megabytes
    if free < wanted:
        raise OutputError(
            en=f"{target.english}'s compiler takes {wanted:.0f} MB, and {folder} has {free:.0f} MB left. Make room, or "
            "name a folder on another disk: QINGZHOU_TARGETS=FOLDER",
            zh=f"{target.chinese}的编译器需要 {wanted:.0f} MB，而 {folder} 只剩 {free:.0f} MB。请清理磁盘，"
            "或指定另一个磁盘上的文件夹：QINGZHOU_TARGETS=文件夹",
        )


def _run(command: Sequence[str], target: Target) -> None:
    """EngineError with the last of what it printed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        failed, said = done.returncode != 0, (done.stderr.strip() or done.stdout.strip())
    except OSError as err:
        failed, said = True, str(err)
    if failed:
        raise not_installed(target, said)


def not_installed(target: Target, said: str) -> QingzhouError:
    """Why an environment could not be finished, in the words of whoever failed."""
    last = next((one.strip() for one in reversed(said.splitlines()) if one.strip()), "?")[:300]
    if "No space left" in said:
        return OutputError(
            en=f"The disk is full; nothing was left of {target.english}'s compiler. Make room, or name a folder on "
            "another disk: QINGZHOU_TARGETS=FOLDER",
            zh=f"磁盘已满，{target.chinese}的编译器没有留下任何内容。请清理磁盘，或指定另一个磁盘上的文件夹："
            "QINGZHOU_TARGETS=文件夹",
        )
    return EngineError(
        en=f"{target.english}'s compiler could not be installed, and nothing was left of it: {last}. See that the "
        "network and pip's index can be reached, then try again.",
        zh=f"{target.chinese}的编译器没有装成，没有留下任何内容：{last}。请检查网络和 pip 的软件源，然后再试一次。",
    )
