"""The small files of a bundle, as they are written: scripts and README, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..devices import Device
from ..runtime.text import code

SELFTEST = '''"""{about}"""

import sys

from qingzhou_runtime.bundle.selftest import main

sys.exit(main())
'''
BENCH = '''"""{about}"""

import sys

from qingzhou_runtime.bundle.measure import main

sys.exit(main(sys.argv[1:]))
'''
ABOUT = {
    "selftest": {
        "en": "Does everything work on this device? Run: python selftest.py",
        "zh": "检查这台设备上一切是否正常。运行：python selftest.py",
    },
    "bench": {
        "en": "How fast is the model on this device? Run: python bench.py [seconds]; writes report.json",
        "zh": "测量模型在这台设备上的速度。运行：python bench.py [秒数]，结果写入 report.json",
    },
}
INSTALL_SH = """#!/bin/sh
# {about}
cd "$(dirname "$0")" || exit 1
export QINGZHOU_LANG="${{QINGZHOU_LANG:-{language}}}"
for python in "$PYTHON" python3 {names} python; do
  [ -n "$python" ] || continue
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
  case " {versions} " in
    *" $version "*) PYTHON=$python; export PYTHON; exec "$python" -m qingzhou_runtime.bundle.install ;;
  esac
  found="$found $version"
done
echo "{wrong}" >&2
exit 1
"""
# Each is tried, not looked for: a Windows without Python has a python.exe that only opens the store.
INSTALL_BAT = """@echo off\r
rem {about}\r
chcp 65001 >nul\r
cd /d "%~dp0"\r
set PYTHONUTF8=1\r
set PYTHON=\r
set QINGZHOU_RUN=\r
if "%QINGZHOU_LANG%"=="" set QINGZHOU_LANG={language}\r
for %%p in ({launchers} python) do call :try %%~p\r
if "%QINGZHOU_RUN%"=="" (\r
  echo {missing}\r
  pause\r
  exit /b 1\r
)\r
%QINGZHOU_RUN% -m qingzhou_runtime.bundle.install\r
set STATUS=%ERRORLEVEL%\r
pause\r
exit /b %STATUS%\r
\r
:try\r
if not "%QINGZHOU_RUN%"=="" goto :eof\r
%* -c "import sys; sys.exit(sys.version_info[:2] not in [{versions}])" >nul 2>nul\r
if "%ERRORLEVEL%"=="0" set QINGZHOU_RUN=%*\r
goto :eof\r
"""
INSTALL_ABOUT = {
    "en": "Installs what main.py needs into the folder packages/ here; nothing else on the board is changed.",
    "zh": "把 main.py 需要的软件包装到这里的 packages/ 文件夹，不改动板子上的其他东西。",
}
WRONG_PYTHON = {
    "en": "This bundle needs Python {versions}; found:${{found:- none}}. Install it, or name it: PYTHON=python3.x sh "
    "install.sh",
    "zh": "这个包需要 Python {versions}，找到的是：${{found:- 无}}。请安装，或指定：PYTHON=python3.x sh install.sh",
}

_ON_WINDOWS = {
    "en": "On Windows open `install.bat` instead of `sh install.sh`, and write `py` where `python3` stands.",
    "zh": "在 Windows 上：双击 `install.bat` 代替 `sh install.sh`，并把 `python3` 换成 `py`。",
}


def install_sh(device: Device, pythons: Sequence[str], language: str) -> str:
    """install.sh: finds a Python that the bundle is for, or says which is needed."""
    wrong = WRONG_PYTHON[language].format(versions=" / ".join(pythons))
    names = " ".join(f"python{name}" for name in reversed(pythons))
    return INSTALL_SH.format(
        about=INSTALL_ABOUT[language], language=language, names=names, versions=" ".join(pythons), wrong=wrong
    )


def install_bat(pythons: Sequence[str], language: str) -> str:
    """install.bat, for computers with Windows: as install.sh, with the newest Python that will do."""
    missing = {
        "en": f"This bundle needs Python {' / '.join(pythons)}, which was not found. Install it from python.org.",
        "zh": f"这个包需要 Python {' / '.join(pythons)}，但没有找到。请从 python.org 安装。",
    }
    return INSTALL_BAT.format(
        about=INSTALL_ABOUT[language],
        language=language,
        missing=missing[language],
        launchers=" ".join(f'"py -{name}"' for name in reversed(pythons)),
        versions=", ".join(f"({name.replace('.', ', ')})" for name in pythons),
    )


@dataclass(frozen=True)
class Facts:
    """What the README tells of a bundle, as it stands there: in Markdown, and `words` for a shell."""

    title: str
    device: Device
    scene: str  # in half a line
    network: str
    engine: str  # "" where another machine runs the model
    precision: str
    size: str
    speed: str
    words: str  # behind main.py
    offline: bool
    answer: str  # what selftest.py should show for the sample
    picture: bool
    rules: Sequence[str]
    notes: Sequence[str]


def readme(facts: Facts, language: str) -> str:
    """README.md, with three steps."""
    return _README[language](facts)


def _english(facts: Facts) -> str:
    steps = [
        f"1. **Copy** this folder to the {facts.device.title['en']}: with a USB stick or the file manager, or from the "
        "computer with `qingzhou push`.",
        f"2. **Install**, once, in this folder on the device{' (no internet needed)' if facts.offline else ''}:\n\n"
        f"   ```\n   sh install.sh\n   ```\n\n   Then `python3 selftest.py` says whether everything works"
        f"{f'; the sample should give: {facts.answer}' if facts.engine else ''}.",
        f"3. **Run**:\n\n   ```\n   python3 main.py{facts.words}\n   ```",
    ]
    return _page(
        f"# {facts.title}",
        f"{facts.scene[:1].upper()}{facts.scene[1:]}, on: {facts.device.title['en']}. Network: {facts.network}, "
        f"{_form(facts) or 'on the other machine'}, {facts.size}. {facts.speed}",
        "## Three steps",
        *steps,
        "" if facts.device.machine else _ON_WINDOWS["en"],
        _picture(facts, "What the model says of the sample picture"),
        _rules(facts, "What it does (change it at the top of main.py):"),
        "No board at hand? `python main.py --sim` shows on any computer what it would do.",
        "`python3 bench.py` measures the speed and writes `report.json`; `qingzhou report` puts those of a class into "
        "one table."
        if facts.engine
        else "The model is not in here. On the stronger machine: `qingzhou bundle best.pth --device pc --scene "
        "api` makes "
        "the program that answers. Run it there, and write the address that it prints as `SERVER` at the top of "
        "main.py.",
        _list("## To be known", facts.notes),
    )


def _chinese(facts: Facts) -> str:
    steps = [
        f"1. **复制**：把这个文件夹复制到{facts.device.title['zh']}上（U 盘、文件管理器，"
        "或在电脑上用 `qingzhou push`）。",
        f"2. **安装**（只需一次{'，不用联网' if facts.offline else ''}），在设备上的这个文件夹里运行：\n\n"
        f"   ```\n   sh install.sh\n   ```\n\n"
        "   然后用 `python3 selftest.py` 检查是否一切正常"
        f"{f'，示例的结果应为：{facts.answer}' if facts.engine else ''}。",
        f"3. **运行**：\n\n   ```\n   python3 main.py{facts.words}\n   ```",
    ]
    return _page(
        f"# {facts.title}",
        f"{facts.scene}，用于{facts.device.title['zh']}。网络：{facts.network}，"
        f"{_form(facts) or '在另一台机器上'}，{facts.size}。{facts.speed}",
        "## 三个步骤",
        *steps,
        "" if facts.device.machine else _ON_WINDOWS["zh"],
        _picture(facts, "模型对示例图片的回答"),
        _rules(facts, "它会做什么（可在 main.py 开头修改）："),
        "手边没有板子？在任何电脑上运行 `python main.py --sim` 就能看到它会做什么。",
        "`python3 bench.py` 测量速度并写入 `report.json`；`qingzhou report` 可以把全班的结果合成一张表。"
        if facts.engine
        else "模型不在这个包里。在更强的机器上用 `qingzhou bundle best.pth --device pc --scene api` "
        "做出负责识别的程序，运行它，再把它显示的地址写到 main.py 开头的 `SERVER`。",
        _list("## 说明", facts.notes),
    )


_README = {"en": _english, "zh": _chinese}


def _page(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _form(facts: Facts) -> str:
    """ "ncnn INT8"; "" where another machine runs the model."""
    return f"{facts.engine} {facts.precision.upper()}".strip()


def _picture(facts: Facts, words: str) -> str:
    return f"![{words}](readme/result.png)" if facts.picture else ""


def _rules(facts: Facts, words: str) -> str:
    return f"{words}\n\n" + "\n".join(f"- {code(rule)}" for rule in facts.rules) if facts.rules else ""


def _list(title: str, lines: Sequence[str]) -> str:
    return f"{title}\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def script(kind: str, language: str) -> str:
    """selftest.py or bench.py."""
    texts: Mapping[str, str] = {"selftest": SELFTEST, "bench": BENCH}
    return texts[kind].format(about=ABOUT[kind][language])
