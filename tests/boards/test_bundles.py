"""Bundles run on emulated boards as they are: from the zip, by the commands of their own README, in the simulator.

Every scene on every board, with real Python 3.7, 3.11 and 3.13 and the board's real packages; the hardware around them
is the simulator's. What is installed is installed for real, by pip and from the wheels in the bundle, once a board.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from lab import BOARDS, Shell, shell, unpack, up

from passengers import ORACLE, SOUND, WORDS, basenn, spectrograms, spoken
from qingzhou.bundle.build import build
from qingzhou.scenes import SCENES

pytestmark = pytest.mark.board
LENET = ORACLE / "trained/lenet_digits.pth"
DETECTOR = ORACLE / "trained_ssd/checkpoint.pth"
STEP = re.compile(r"```\n\s*(.+?)\n\s*```", re.S)
MODELS = {"sensor": basenn("tab_iris"), "cascade": DETECTOR}  # for a scene; LeNet for the others
ACTIONS = {"basic": [], "web": ["print"], "api": ["print"], "sensor": ["print"]}  # else it speaks and sets a pin


@pytest.fixture(scope="session")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pip in it: the boards have one, the labs do not."""
    place = tmp_path_factory.mktemp("pip")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", place / "wheel", "pip==24.0"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    shutil.unpack_archive(next((place / "wheel").glob("*.whl")), place / "site", "zip")
    return place / "site"


@pytest.fixture(scope="session", params=BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    """A board whose lab is there."""
    up(request.param)
    return str(request.param)


@pytest.fixture(scope="session")
def installed(board: str, pip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, dict[str, Path]]:
    """The shell of a bare board, and for each engine that it may get unasked the packages/ that install.sh made there
    without internet.
    """
    work = tmp_path_factory.mktemp(board)
    hidden = work / "site"
    shutil.copytree(pip, hidden)
    bare, found = shell(board, work / "bin", hidden), {}
    if board == "pi4-32":  # its packages are the system's own, which apt has installed
        return shell(board, work / "system"), {}
    for engine in ("ncnn", "onnxruntime", *(["litert"] if board == "pi5" else [])):
        made = build(LENET, board, engine=engine, offline=True, out=work / f"{engine}.zip", lang="en")
        folder = unpack(made.path, work / engine)
        bare.ok(steps(folder)[0], folder, sim=False)
        assert "OK" in bare.ok("python3 selftest.py", folder, sim=False)
        found[engine] = folder / "packages"
    return bare, found


def steps(folder: Path) -> list[str]:
    """The commands of the README, in order: install, run."""
    return [command.strip() for command in STEP.findall((folder / "README.md").read_text("utf-8"))]


def ready(made: Path, folder: Path, packages: dict[str, Path]) -> Path:
    """A bundle unpacked where the board's packages were installed before."""
    place = unpack(made, folder)
    engine = json.loads((place / "bundle.json").read_text("utf-8"))["engine"] or "onnxruntime"  # any has what it needs
    if engine in packages:
        (place / "packages").symlink_to(packages[engine])
    return place


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A stronger machine on the loopback, this one: it answers pictures, as the scene "api" does."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = build(LENET, "pc", "api", engine="onnxruntime", constants={"PORT": port}, out=folder / "server", lang="en")
    server = subprocess.Popen([sys.executable, made.path / "main.py"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None and "http" in server.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_scene(scene: str, board: str, installed: tuple[Shell, dict[str, Path]], tmp_path: Path) -> None:
    """Its README's commands work, its self-test passes, and main.py answers what it sees or hears."""
    run, packages = installed
    with served(tmp_path) if scene == "ask" else nullcontext("") as server:
        made = build(
            MODELS.get(scene, LENET),
            board,
            scene,
            actions=ACTIONS.get(scene, ["speak", "pin:24"]),
            lang="zh",
            out=tmp_path / "bundle.zip",
            constants={"SERVER": server} if server else None,
            second=LENET if scene == "cascade" else None,
        )
        folder = ready(made.path, tmp_path / "there", packages)
        install, start = steps(folder)
        assert "已全部安装好" in run.ok(install, folder)
        assert run.ok("python3 selftest.py", folder).count("通过") == (1 if scene == "ask" else 3)
        said = run.ok(start, folder)
    assert "Traceback" not in said and said.strip()
    if scene == "basic":
        assert bench(run, folder)["rows"][0]["device"] == board
    else:
        assert "[sim]" in said


def test_spoken_words(board: str, installed: tuple[Shell, dict[str, Path]], tmp_path: Path) -> None:
    """A network that was trained on sounds names the words of an unheard voice, and acts; INT8 where that is best."""
    run, packages = installed
    made = build(
        SOUND / "basenn.pth",
        board,
        "listen",
        data=spectrograms(tmp_path / "pictures"),
        lang="zh",
        actions=["speak", "停=pin:24"],
        out=tmp_path / "bundle.zip",
    )
    folder = ready(made.path, tmp_path / "there", packages)
    assert "通过" in run.ok("python3 selftest.py", folder)
    (folder / "sim").mkdir()
    spoken(WORDS, folder / "sim" / "sound.wav")
    said = run.ok(steps(folder)[1], folder)
    assert re.findall(r"\[sim\] speak: (.*)", said) == list(WORDS)
    assert "[sim] pin 24 on" in said


def bench(run: Shell, folder: Path) -> dict[str, Any]:
    """What bench.py measures; wall time under emulation means nothing, but it works."""
    run.ok("python3 bench.py 1", folder)
    found = json.loads((folder / "report.json").read_text("utf-8"))
    assert found["format"] == "qingzhou.report" and found["source"] == "emulated"
    return found  # type: ignore[no-any-return]
