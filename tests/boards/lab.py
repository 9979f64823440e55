"""An emulated board as a person finds it: a shell whose python3 is the board's, and nothing else of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

LAB = Path(__file__).with_name("boardlab.py")
LONGEST = 900  # seconds of one command: other tests may want the processor too
BOARDS = ("unihiker", "pi4-32", "pi4-64", "pi5")
PYTHON = """#!/bin/sh
exec '{host}' '{lab}' run {board} --env "PYTHONPATH={path}" --env "PYTHON=$PYTHON" --env "QINGZHOU_SIM=$QINGZHOU_SIM" \\
  --env "QINGZHOU_LANG=$QINGZHOU_LANG" --env QINGZHOU_EMULATED=1 --env OMP_NUM_THREADS=2 -- "$@"
"""
HIDDEN = (
    "numpy",
    "PIL",
    "onnxruntime",
    "ncnn",
    "ai_edge_litert",
)  # packages that the lab has, and a bare board has not


@dataclass(frozen=True)
class Shell:
    """Runs command lines in a folder, where python3 is the board's."""

    board: str
    folder: Path

    def __call__(self, line: str, cwd: Path, sim: bool = True) -> subprocess.CompletedProcess[str]:
        """The finished command, whatever its status."""
        env = {"PATH": f"{self.folder}:/usr/bin:/bin", "HOME": str(self.folder), "QINGZHOU_SIM": "1" if sim else ""}
        env |= {key: value for key, value in os.environ.items() if key.startswith("BOARDLAB")}
        env["BOARDLAB_HOME"] = os.environ.get("BOARDLAB_HOME", str(Path.home() / ".cache/boardlab"))
        return subprocess.run(
            ["sh", "-c", line],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=LONGEST,
        )

    def ok(self, line: str, cwd: Path, sim: bool = True) -> str:
        """What a command prints that must succeed."""
        done = self(line, cwd, sim)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        return done.stdout


def up(board: str) -> None:
    """Build the board's lab, if it is not there."""
    done = subprocess.run([sys.executable, LAB, "up", board], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def shell(board: str, folder: Path, pip: Path | None = None) -> Shell:
    """The board's shell; with `pip` (a folder with pip in it) of a bare board: no numpy, no engine, but pip."""
    folder.mkdir(parents=True)
    if pip is not None:
        for name in HIDDEN:
            (pip / f"{name}.py").write_text("raise ImportError('a bare board')\n")
    script = folder / "python3"
    script.write_text(PYTHON.format(host=sys.executable, lab=LAB, board=board, path=pip or ""))
    script.chmod(0o755)
    return Shell(board, folder)


def unpack(archive: Path, folder: Path) -> Path:
    """Unzip a bundle as a person would; the folder in it."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    (found,) = (path for path in folder.iterdir() if (path / "bundle.json").is_file())
    return found
