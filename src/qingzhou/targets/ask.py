"""A job in a vendor's environment: limited, listened to, ended; what may go wrong there as plain messages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import outside
from ..errors import EngineError, ExtraMissing, OutputError, QingzhouError, is_of_memory, memory_full, say
from ..files.refusals import short
from ..progress import Tell, silent
from ..whole_file import replacing, scratch
from .home import PYTHON, home
from .target import WORKERS, Target

FILE_SIZE = 4 << 30  # bytes of one file
NO_ROOM = 1 << 20  # bytes left on a disk that is full
KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
STAGES = {
    "reading": ("reading the network", "读取网络"),
    "building": ("building", "编译"),
    "simulating": ("simulating", "模拟"),
}


def probe(target: Target, python: Path) -> dict[str, str]:
    """The versions of what matters in an environment: its compiler is imported there. EngineError where that fails."""
    with scratch() as folder:
        return versions_in(ask(target, python, {"probe": True}, folder, 600.0))


def ask(
    target: Target, python: Path, order: Mapping[str, Any], folder: Path, seconds: float, tell: Tell = silent
) -> dict[str, Any]:
    """The worker's answer; EngineError, MemoryFull, OutputError where there is none. start.py says what both hold.

    folder  where the worker works, and what it writes
    """
    folder = folder.resolve()  # it works there: a relative TMPDIR would be sought within
    command = [str(python), "-I", str(WORKERS / "start.py"), str(target.worker)]
    whole = {**order, "memory": target.memory, "file_size": FILE_SIZE}
    try:
        ended = outside.ask(command, whole, folder, seconds, environment(folder), lambda doing: tell(_stage(doing)))
    except OSError as err:  # PermissionError in a job of the page, which starts no programs
        raise _no_process(target, err) from None
    if ended.late:
        raise _late(target, seconds, folder)
    answer = ended.answer
    if answer is None or "wrong" in answer:
        raise _ended(target, ended, folder, made="probe" not in order)
    if answer.get("full"):
        raise _full(target)
    if "layer" in answer:
        raise _layer(target, answer, folder)
    return answer


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the user's but what the system itself needs; what the vendor keeps goes into the working folder."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        **dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"), str(folder)),
        "PYTHONUTF8": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def versions_in(answer: Mapping[str, Any]) -> dict[str, str]:
    """Of an answer, as text on one line: it comes from another program."""
    found = answer.get("versions")
    return {short(k, 60): short(v, 60) for k, v in found.items()} if isinstance(found, dict) else {}


def facts_in(answer: Mapping[str, Any]) -> dict[str, float]:
    """What else it tells: numbers by name."""
    found = answer.get("facts")
    numbers = found.items() if isinstance(found, dict) else ()
    return {short(k, 60): v for k, v in numbers if isinstance(v, int | float)}


def _stage(doing: str) -> str:
    """ "simulating 3/100" in the language in use."""
    name, _, rest = doing.partition(" ")
    return f"{say(*STAGES.get(name, (name, name)))} {rest}".strip()


# -- what can go wrong ----------------------------------------------------------------------------------------------


def _log(target: Target, folder: Path) -> tuple[str, str]:
    """Where the compiler's own words are kept, in both languages; "" where they cannot be."""
    place = home() / f"{target.name}.log"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as part:
            shutil.copyfile(folder / outside.SAID, part)
    except (OSError, QingzhouError):
        return "", ""
    return f" Its own words: {place}", f"它自己的输出：{place}"


def _late(target: Target, seconds: float, folder: Path) -> EngineError:
    (en, zh), minutes = _log(target, folder), seconds / 60
    return EngineError(
        en=f"{target.english}'s compiler or simulator did not end within {minutes:.3g} minutes and was ended; nothing "
        f"was written. Take a smaller network or fewer pictures.{en}",
        zh=f"{target.chinese}的编译器或模拟器在 {minutes:.3g} 分钟内没有结束，已被终止；没有写出任何文件。"
        f"请换更小的网络或更少的图片。{zh}",
    )


def _ended(target: Target, ended: outside.Ended, folder: Path, made: bool) -> QingzhouError:
    """It crashed, or refused for another reason than a layer. `made`: its environment is there, not just being made."""
    why = short((ended.answer or {}).get("wrong") or ended.last, 250)
    if shutil.disk_usage(folder).free < NO_ROOM:
        return _full(target)
    if (ended.answer is None and ended.memory_full) or is_of_memory(Exception(why)):
        return memory_full()
    (en, zh), how = _log(target, folder), "" if ended.answer else f" ({ended.what})"
    if made and ended.answer and why.startswith(("ModuleNotFoundError:", "ImportError:")):
        return _not_whole(target, why, en, zh)
    return EngineError(
        en=f"{target.english}'s compiler failed{how}: {why or '?'}. An FP32 network of layers that the chip knows was "
        f"expected; nothing was written.{en}",
        zh=f"{target.chinese}的编译器出错{how}：{why or '?'}。应为由这种芯片支持的层组成的 FP32 网络；"
        f"没有写出任何文件。{zh}",
    )


def _not_whole(target: Target, why: str, en: str, zh: str) -> ExtraMissing:
    """The environment is another than is needed, or half of one."""
    variable, install = PYTHON.format(target.name.upper()), f"qingzhou targets install {target.name}"
    return ExtraMissing(
        en=f"The Python of {target.english}'s compiler cannot import what it needs: {why}. Install it: {install}; "
        f"where {variable} is set, it must name the Python of an environment that has the compiler.{en}",
        zh=f"{target.chinese}编译器所在的 Python 无法导入所需的包：{why}。请安装：{install}；如果设置了 {variable}，"
        f"它应指向装有该编译器的环境里的 Python。{zh}",
    )


def _layer(target: Target, answer: Mapping[str, Any], folder: Path) -> EngineError:
    name, why = short(answer["layer"], 60), short(answer.get("why", ""), 200).rstrip(". ")
    en, zh = _log(target, folder)
    return EngineError(
        en=f"{target.english}'s compiler cannot take the layer {name}: {why}. {target.elsewhere[0]}; nothing "
        f"was written.{en}",
        zh=f"{target.chinese}的编译器不支持层 {name}：{why}。{target.elsewhere[1]}；没有写出任何文件。{zh}",
    )


def _full(target: Target) -> OutputError:
    return OutputError(
        en=f"{target.english}'s compiler could not write: the disk is full, or a file would be larger than allowed. "
        "Nothing was left behind. Make room, or choose another place with -o.",
        zh=f"{target.chinese}的编译器无法写入：磁盘已满，或文件超过上限。没有留下不完整的文件。"
        "请清理磁盘，或用 -o 换一个位置。",
    )


def _no_process(target: Target, err: OSError) -> EngineError:
    return EngineError(
        en=f"{target.english}'s compiler cannot be started here: {err.strerror or err}. On a page of the school's "
        "server no program is; on a computer of your own: qingzhou export",
        zh=f"这里无法启动{target.chinese}的编译器：{err.strerror or err}。网页服务不会启动其他程序；"
        "请在自己的电脑上运行 qingzhou export",
    )
