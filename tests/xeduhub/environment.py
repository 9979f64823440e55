"""An environment with the original XEduHub (xedu-python), made once: `python environment.py` prints its Python.

It lives in $QINGZHOU_XEDUHUB_HOME, else ~/.cache/qingzhou-xeduhub; about 415 MB and a minute to make.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HUB = "xedu-python==0.2.3"
# What the hub imports for the tasks mmedu and basenn. It asks for opencv-python, which needs a screen's libraries.
NEEDS = (
    "numpy==1.26.4",
    "onnxruntime==1.15.1",
    "opencv-python-headless==4.11.0.86",
    "pillow==9.5.0",
    "matplotlib>=3.7",
    "six",
    "ftfy",
    "regex",
    "requests",
    "tqdm",
)
VERSIONS = ("3.10", "3.9", "3.11")  # onnxruntime 1.15.1 has wheels for these, and numpy 1.26 too


def hub_python() -> Path:
    """The Python of the environment, which is made first if it is not there; RuntimeError says what is missing."""
    import fcntl

    home = Path(os.environ.get("QINGZHOU_XEDUHUB_HOME") or Path.home() / ".cache/qingzhou-xeduhub")
    home.mkdir(parents=True, exist_ok=True)
    python, recipe = home / "env/bin/python", home / "recipe"
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers make it once
        if not recipe.exists() or recipe.read_text() != repr((HUB, NEEDS)):
            _make(home / "env", python)
            recipe.write_text(repr((HUB, NEEDS)))
    return python


def _make(folder: Path, python: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _call(old_python(), "-m", "venv", folder)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _call(*pip, *NEEDS)
    _call(*pip, "--no-deps", HUB)


def _call(*argv: str | Path) -> None:
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))} ended with status {done.returncode}:\n{done.stderr[-2000:]}")


def old_python() -> str:
    """A Python that the hub runs on. Each is tried: a version manager's shim may be there and refuse to work."""
    for python in _candidates():
        probe = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([python, "-c", probe], capture_output=True, text=True, cwd=tempfile.gettempdir())
        if done.returncode == 0 and done.stdout.strip() in VERSIONS:
            return python
    raise RuntimeError(f"XEduHub 0.2.3 needs Python {', '.join(VERSIONS)}, and none is here. Install one of them.")


def _candidates() -> Iterator[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    uv = Path.home() / ".local/share/uv/python"
    for version in VERSIONS:
        for path in (*pyenv.glob(f"versions/{version}.*"), *uv.glob(f"cpython-{version}.*")):
            yield from (str(python) for python in [path / "bin" / f"python{version}"] if python.exists())
        if found := shutil.which(f"python{version}"):
            yield found
    yield sys.executable


if __name__ == "__main__":
    print(hub_python())
