"""The demo: what a user does with a model of his own, done with a small real checkpoint that the package carries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from ..conversion import Conversion, run_conversion
from ..errors import OutputError
from ..whole_file import replacing

CHECKPOINT, PICTURE = "lenet_digits.pth", "digit.png"
LONGEST = 60  # seconds; far more than any machine needs


@dataclass(frozen=True)
class Demo:
    """What the demo did: the conversion, the picture, and what the generated program printed about it."""

    conversion: Conversion
    picture: Path
    command: tuple[str, ...]
    printed: str


def run_demo(folder: Path | None) -> Demo:
    """Convert the carried checkpoint in `folder` (a new temporary one if None), and run the program that comes out."""
    folder = _folder(folder)
    for name in (CHECKPOINT, PICTURE):
        with as_file(files(__name__) / name) as source:
            _copy(source, folder / name)
    conversion = run_conversion(folder / CHECKPOINT)
    command = (sys.executable, str(conversion.program), str(folder / PICTURE))
    done = subprocess.run(command, capture_output=True, timeout=LONGEST, env=_environment(), check=False)
    if done.returncode:
        raise _failed(done.stderr.decode("utf-8", "replace"))
    return Demo(conversion, folder / PICTURE, command, done.stdout.decode("utf-8", "replace").strip())


def _folder(folder: Path | None) -> Path:
    return Path(tempfile.mkdtemp(prefix="qingzhou-demo-")) if folder is None else folder


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target, follow=False) as part:
            shutil.copyfile(source, part)
    except OSError as err:
        raise OutputError(
            en=f"Cannot write {target}: {err.strerror}. Choose another folder with -o.",
            zh=f"无法写入 {target}：{err.strerror}。请用 -o 换一个文件夹。",
        ) from None


def _environment() -> dict[str, str]:
    """Ours, with output in UTF-8 also where the console's encoding is another."""
    return {**os.environ, "PYTHONIOENCODING": "utf-8"}


def _failed(message: str) -> OutputError:
    last = message.strip().splitlines()[-1:] or ["?"]
    return OutputError(
        en=f"The generated program did not run: {last[0][:300]}. Please report this.",
        zh=f"生成的程序没有运行成功：{last[0][:300]}。请把这个问题告诉我们。",
    )
