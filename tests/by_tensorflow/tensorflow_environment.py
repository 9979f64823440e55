"""An environment with TensorFlow, Keras and tf2onnx, made once: `python tensorflow_environment.py` prints its Python.

It lives in $QINGZHOU_TENSORFLOW_HOME, else ~/.cache/qingzhou-tensorflow; about 2 GB and two minutes to make.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NEEDS = ("tensorflow-cpu==2.21.0", "keras==3.15.1", "tf-keras==2.21.0", "tf2onnx==1.17.0", "onnxruntime>=1.20")
OURS = ("onnx", "Pillow", "click", "rich", "jinja2", "pyfive>=1.0,<1.2")


def tensorflow_python() -> Path:
    """The Python of the environment, which is made first if it is not there; RuntimeError says what failed."""
    import fcntl

    home = Path(os.environ.get("QINGZHOU_TENSORFLOW_HOME") or Path.home() / ".cache/qingzhou-tensorflow")
    home.mkdir(parents=True, exist_ok=True)
    python, recipe = home / "env/bin/python", home / "recipe"
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers make it once
        if not recipe.exists() or recipe.read_text() != repr((NEEDS, OURS)):
            shutil.rmtree(home / "env", ignore_errors=True)
            _call(sys.executable, "-m", "venv", home / "env")
            _call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *NEEDS, *OURS)
            recipe.write_text(repr((NEEDS, OURS)))
    return python


def _call(*argv: str | Path) -> None:
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))} ended with status {done.returncode}:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    print(tensorflow_python())
