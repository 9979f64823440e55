"""Whether a model fits into a board's memory and flash, before anything is copied there."""

from __future__ import annotations

from ..devices import Device
from ..errors import BundleError, say

MIB = 1 << 20
PROGRAM = 3 * MIB // 2  # of flash: ESP-IDF, ESP-DL and the camera's driver, as their examples are built
FRAMES = 2 * 320 * 240 * 2  # bytes of the camera's pictures
TIGHT = 0.75


def needed(size: int, working: int) -> tuple[int, int]:
    """Bytes of flash and of memory at the least: the file lies in flash and is copied, layers hand on `working`."""
    return size + PROGRAM, size + working + FRAMES


def check_fits(device: Device, name: str, size: int, working: int) -> list[str]:
    """What is to be said of it; BundleError for a model that cannot fit. Boards that run Linux are not asked."""
    if not device.flash_mb:
        return []
    flash, memory = needed(size, working)
    for en, zh, wanted, there in (
        ("flash", "闪存", flash, device.flash_mb * MIB),
        ("memory (PSRAM)", "内存（PSRAM）", memory, device.memory_mb * MIB),
    ):
        if wanted > there:
            raise BundleError(
                en=f"{name} does not fit into {device.title['en']}: it takes {_mb(wanted)} MB of {en} at the least, "
                f"and the board has {_mb(there)} MB. Train a smaller network or one for smaller pictures (MobileNetV2 "
                "0.35, 96 x 96).",
                zh=f"{name} 放不进{device.title['zh']}：至少需要 {_mb(wanted)} MB {zh}，而板子只有 {_mb(there)} MB。"
                "请训练更小的网络，或用更小的图片（如 MobileNetV2 0.35、96 x 96）。",
            )
    told = say(
        f"It takes at the least {_mb(memory)} of {device.memory_mb} MB of memory and {_mb(flash)} of "
        f"{device.flash_mb} MB of flash: counted from the file and the layers, not on a board.",
        f"至少占用 {_mb(memory)} / {device.memory_mb} MB 内存、{_mb(flash)} / {device.flash_mb} MB 闪存："
        "按文件和各层计算得出，没有在板子上测。",
    )
    tight = say(
        "That is tight: what else the program keeps may not fit beside it.", "空间很紧：程序的其他数据可能放不下。"
    )
    return [told, *([tight] if memory > TIGHT * device.memory_mb * MIB else [])]


def _mb(count: int) -> str:
    return f"{count / MIB:.2f}" if count < MIB else f"{count / MIB:.1f}"
