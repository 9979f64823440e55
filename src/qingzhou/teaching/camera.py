"""Pictures of each class from a camera, into the folder that is taught from: shown, not collected."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from ..errors import DeviceError, OptionError, say
from ..runtime.camera import Camera
from ..runtime.text import line
from ..whole_file import replacing

APART = 0.15  # seconds between two pictures of a camera: nearer ones are the same
DARK = 5  # the first pictures of a camera, while it finds its exposure
MOST_EACH = 1000
QUALITY = 92  # of JPEG


def take(
    folder: Path,
    classes: Sequence[str],
    source: str,
    each: int,
    ready: Callable[[str], None],
    tell: Callable[[str], None],
) -> None:
    """Take `each` pictures of every class, and add them to FOLDER/class; OptionError, DeviceError.

    ready   told the class before its pictures are taken; returns when the thing is before the camera
    """
    refuse_wrong(classes, each)
    live = not Path(source).exists()  # else files in the place of a camera, of which none is left out
    with Camera(source) as camera:
        for name in classes:
            ready(name)
            place = folder / name
            place.mkdir(parents=True, exist_ok=True)
            number = _next(place)
            for count in range(each):
                tell(f"{name} {count + 1}/{each}")
                _one(camera, place / f"{number + count:04}.jpg", source, DARK if live and count == 0 else 0)
                time.sleep(APART if live else 0)


def refuse_wrong(classes: Sequence[str], each: int) -> None:
    """OptionError for names that are no names of folders, and for counts that cannot be."""
    bad = [name for name in classes if name != name.strip(" .") or set(name) & set('/\\:*?"<>|') or line(name) != name]
    if not classes or bad or len(set(classes)) != len(classes):
        raise OptionError(
            en=f"--classes needs names that a folder can have, each once: --classes cup,pen. Found: {list(classes)}",
            zh=f"--classes 需要可以作文件夹名的名称，不能重复，例如 --classes 杯子,笔。现在是：{list(classes)}",
        )
    if not 2 <= each <= MOST_EACH:
        raise OptionError(
            en=f"--each is {each}; it can be 2 to {MOST_EACH} pictures of a class.",
            zh=f"--each 是 {each}，应为每类 2 到 {MOST_EACH} 张。",
        )


def _next(place: Path) -> int:
    """The number after the last picture that is there."""
    numbers = [int(file.stem) for file in place.iterdir() if file.stem.isdigit()]
    return max(numbers, default=0) + 1


def _one(camera: Camera, path: Path, source: str, skipped: int) -> None:
    picture = None
    for _ in range(skipped + 1):
        picture = camera.read()
    if picture is None:
        raise DeviceError(
            en=f"The camera {source} gave no more pictures. What was taken is kept in {path.parent}; look at the "
            "cable, and start again.",
            zh=f"摄像头 {source} 不再给出画面。已拍的图片保存在 {path.parent}；请检查连接后重新开始。",
        )
    with replacing(path) as part:
        Image.fromarray(picture).save(part, "JPEG", quality=QUALITY)


def shown(name: str) -> str:
    """What to say before the pictures of a class."""
    return say(f"Show {name}, and press Enter", f"请把“{name}”放到摄像头前，按回车开始")
