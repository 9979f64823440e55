"""Texts behind a network, in an archive that other readers of the file skip: runtime/engine/behind.py reads them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from ..runtime.engine.behind import SUM

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # a file says nothing of when it was made


def append(path: Path, texts: Mapping[str, str], size: int, checksum: int) -> None:
    """Texts by their names, stored as they are, and the bytes and CRC-32 of what the file holds so far."""
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in {**texts, SUM: f"{size} {checksum}\n"}.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), text)
