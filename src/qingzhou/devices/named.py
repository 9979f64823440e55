"""Devices by the names that people give them, in Chinese and English; and what a name that is none may have meant."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher

from ..errors import OptionError
from ..runtime.text import line
from .profile import Device
from .read import all_devices

ALIKE = 0.6  # of SequenceMatcher's ratio, from which on a name may be meant; as difflib has it
MOST = 3  # that are suggested


def load(name: str) -> Device:
    """The device of this name, also in Chinese; OptionError, which names those that may be meant, and all there are."""
    devices = all_devices()
    for device in devices:
        if _plain(name) in _called(device):
            return device
    meant = meant_by(name)
    en, zh = ", ".join(one.name for one in meant), "、".join(f"{one.names[0]}（{one.name}）" for one in meant)
    raise OptionError(
        en=f"There is no device {line(name)[:60]}.{f' Did you mean {en}?' if en else ''} There are "
        f"{', '.join(one.name for one in devices)}. See qingzhou devices.",
        zh=f"没有设备 {line(name)[:60]}。{f'是指 {zh} 吗？' if zh else ''}可选的有："
        f"{'、'.join(f'{one.name}（{one.names[0]}）' for one in devices)}。请用 qingzhou devices 查看。",
    )


def meant_by(name: str) -> list[Device]:
    """The devices that a name which is none may have meant, the likeliest first; few, or none."""
    given = _plain(name)[:60]
    likely = sorted(((_likeness(given, device), device) for device in all_devices()), key=lambda pair: -pair[0])
    return [device for share, device in likely if share >= ALIKE][:MOST]


def _likeness(given: str, device: Device) -> float:
    """0 to 1; a part of a name, as 树莓派 is, is more like it than any letters in common are."""
    return max(
        0.9 if len(given) > 1 and (given in name or name in given) else SequenceMatcher(None, given, name).ratio()
        for name in _called(device)
    )


def _called(device: Device) -> list[str]:
    return [_plain(name) for name in (device.name, *device.names, *device.title.values())]


def _plain(name: str) -> str:
    """A name as people mean it: without spaces, in small letters, ASCII where a Chinese keyboard wrote wide ones."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).lower() if c.isprintable() and not c.isspace())
