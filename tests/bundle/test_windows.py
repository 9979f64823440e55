"""install.bat, by Wine's cmd.exe; Python itself is a stand-in there, which prints what it is asked.

The stand-ins are the launchers that pip makes of scripts on Windows: each runs the command in its last bytes.
"""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pip
import pytest

from qingzhou.bundle.texts import install_bat

pytestmark = pytest.mark.scene
LAUNCHER = Path(pip.__file__).parent / "_vendor/distlib/t64.exe"
PYTHONS = ["3.11", "3.12", "3.13"]
# Their words begin behind the name of the launcher's own file.
PY = """@echo off
for %%v in ({versions}) do if "%2"=="-%%v" goto there
exit /b 103
:there
if "%3"=="-m" echo asked py %2 %3 %4 in %CD% with PYTHON=%PYTHON%
if "%3"=="-m" exit /b {status}
exit /b 0
"""
PYTHON = """@echo off
if "%2"=="-m" echo asked python %2 %3
if "%2"=="-m" exit /b {status}
set WANTED=%~3
if "%WANTED:({version})=%"=="%WANTED%" exit /b 1
exit /b 0
"""
STORE = (
    "@echo off\necho Python was not found; run without arguments to install from the Microsoft Store\nexit /b 9009\n"
)


class Done(NamedTuple):
    """What install.bat ended with, printed, and asked of the Pythons."""

    status: int
    printed: str
    asked: list[str]


Install = Callable[..., Done]


@pytest.fixture(scope="session")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Windows of its own."""
    return tmp_path_factory.mktemp("wine")


@pytest.fixture
def install(prefix: Path, tmp_path: Path) -> Install:
    """Runs install.bat where these programs are: name -> the batch file that stands for it."""

    def run(programs: dict[str, str], language: str = "en", status: int = 0) -> Done:
        folder, path = tmp_path / "my 包", tmp_path / "bin"
        folder.mkdir()
        path.mkdir()
        (folder / "install.bat").write_bytes(install_bat(PYTHONS, language).encode("utf-8"))
        for name, text in programs.items():
            stand_in(path / name, text.replace("{status}", str(status)))
        env = {
            **os.environ,
            "WINEPREFIX": str(prefix),
            "WINEDEBUG": "-all",
            "WINEPATH": windows(path),
            "PYTHON": "another.exe",
        }
        command = ["wine", "cmd", "/c", windows(folder / "install.bat")]
        done = subprocess.run(command, input=b"\r\n", capture_output=True, env=env, timeout=120)
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        return Done(done.returncode, "\n".join(lines), [line for line in lines if line.startswith("asked ")])

    return run


def windows(path: Path) -> str:
    """A path as Wine names it."""
    return "Z:" + str(path).replace("/", "\\")


def stand_in(program: Path, text: str) -> None:
    """program.exe, which runs a batch file beside it."""
    batch = program.with_name(f"{program.name}_.bat")
    batch.write_bytes(text.replace("\n", "\r\n").encode("utf-8"))
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as script:
        script.writestr("__main__.py", "")
    first = f"#!C:\\windows\\system32\\cmd.exe /c {windows(batch)}\r\n".encode()
    program.with_suffix(".exe").write_bytes(LAUNCHER.read_bytes() + first + archive.getvalue())


def py(versions: Sequence[str]) -> str:
    """The launcher `py`, which has these Pythons."""
    return PY.replace("{versions}", " ".join(versions))


def test_the_newest_that_will_do(install: Install) -> None:
    """In the bundle's folder, and with a pip of its own."""
    done = install({"py": py(["3.9", "3.11", "3.12", "3.14"]), "python": STORE})
    assert done.status == 0 and len(done.asked) == 1, done
    assert done.asked[0].startswith("asked py -3.12 -m qingzhou_runtime.bundle.install in Z:\\")
    assert "\\my " in done.asked[0] and done.asked[0].rstrip().endswith("with PYTHON=")


def test_without_the_launcher(install: Install) -> None:
    done = install({"python": PYTHON.replace("{version}", "3, 11")})
    assert done.status == 0 and done.asked == ["asked python -m qingzhou_runtime.bundle.install"], done


@pytest.mark.parametrize(
    "programs", [{}, {"python": STORE}, {"py": py(["3.9"]), "python": PYTHON.replace("{version}", "3, 14")}]
)
@pytest.mark.parametrize("language", ["en", "zh"])  # Chinese itself needs a console
def test_no_python_that_will_do(programs: dict[str, str], language: str, install: Install) -> None:
    done = install(programs, language)
    assert done.status == 1 and "Python 3.11 / 3.12 / 3.13" in done.printed and not done.asked, done


def test_a_failure_is_passed_on(install: Install) -> None:
    assert install({"py": py(["3.13"])}, status=1).status == 1
