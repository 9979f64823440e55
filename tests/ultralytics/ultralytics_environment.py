"""An environment with Ultralytics itself, made once: `python ultralytics_environment.py` prints its Python.

It lives in $QINGZHOU_ULTRALYTICS_HOME, else ~/.cache/qingzhou-ultralytics; about 1.5 GB and some minutes to make.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

TOOL = ("ultralytics==8.4.190", "ultralytics-thop==2.2.3", "torchvision==0.28.0")
# What it imports to predict. It asks for opencv-python, which needs a screen's libraries.
NEEDS = (
    "torch==2.13.0",
    "numpy>=2",
    "onnxruntime>=1.20",
    "opencv-python-headless",
    "pillow",
    "pyyaml",
    "requests",
    "psutil",
    "polars",
    "matplotlib",
    "scipy",
)


def ultralytics_python() -> Path:
    """The Python of the environment, which is made first if it is not there; RuntimeError says what failed."""
    home = Path(os.environ.get("QINGZHOU_ULTRALYTICS_HOME") or Path.home() / ".cache/qingzhou-ultralytics")
    home.mkdir(parents=True, exist_ok=True)
    python, recipe = home / "env/bin/python", home / "recipe"
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers make it once
        if not recipe.exists() or recipe.read_text() != repr((TOOL, NEEDS)):
            shutil.rmtree(home / "env", ignore_errors=True)
            _call(sys.executable, "-m", "venv", home / "env")
            pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            _call(*pip, *NEEDS)
            _call(*pip, "--no-deps", *TOOL)
            recipe.write_text(repr((TOOL, NEEDS)))
    return python


def _call(*argv: str | Path) -> None:
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))} ended with status {done.returncode}:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    print(ultralytics_python())
