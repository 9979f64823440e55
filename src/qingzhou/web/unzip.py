"""A zip of pictures from somebody unknown, into a folder: no name leads out of it, and no bomb goes off."""

from __future__ import annotations

import contextlib
import os
import stat
import zipfile
import zlib
from pathlib import Path

from .problems import Problem

WANTED = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".csv", ".npz", ".npy", ".txt", ".json",
          ".xml", ".yaml")  # fmt: skip
PIECE = 1 << 20
DEEPEST, LONGEST, UTF8, ENCRYPTED = 8, 200, 0x800, 1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # as systems pack folders; the others unpack without a measure
CHINESE = "\u0800"  # from here on UTF-8 has three bytes for a letter
RATIO, FREE = 200, 10 << 20  # unpacked may be so many times the packed size, beyond what is free


def unpack(source: Path, folder: Path, unpacked: int, entries: int) -> Path:
    """Everything that can be data; the folder to judge by: if all lies in one folder, that one. Problem."""
    allowed = min(unpacked, RATIO * source.stat().st_size + FREE)
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if len(members) > entries:
                raise Problem("unsafe_zip")
            encoding = _encoding(members)
            for member in members:
                allowed -= _one(archive, member, _parts(_name(member, encoding)), folder, allowed)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError) as err:
        raise Problem("unsafe_zip") from err  # besides BadZipFile: encrypted, a version of its own, a damaged stream
    return _inner(folder)


def _one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, parts: list[str], folder: Path, allowed: int) -> int:
    """One member, if it is of use; the bytes that it took, counted as they come and not as they are declared."""
    if member.is_dir() or not parts or not parts[-1].lower().endswith(WANTED):
        return 0
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or member.flag_bits & ENCRYPTED or member.compress_type not in METHODS:
        raise Problem("unsafe_zip")
    target, taken = folder.joinpath(*parts), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as packed, target.open("xb") as file:  # "x": a name that comes twice is a trick
        while piece := packed.read(PIECE):
            taken += len(piece)
            if taken > allowed:
                raise Problem("unsafe_zip")
            file.write(piece)
    return taken


def _encoding(members: list[zipfile.ZipInfo]) -> str:
    """Of the names that do not say it: Windows in Chinese packs them in GBK, macOS in UTF-8."""
    names = b"/".join(_raw(member) for member in members if not _told(member))
    with contextlib.suppress(UnicodeDecodeError):
        if max(names.decode("utf-8"), default="") >= CHINESE:
            return "utf-8"
        names.decode("gb2312")  # what is GBK for a cat, C3 A8, is an è in UTF-8
        return "gb18030"
    with contextlib.suppress(UnicodeDecodeError):
        names.decode("utf-8")
        return "utf-8"
    return "gb18030"


def _told(member: zipfile.ZipInfo) -> bool:
    """Whether it is known how its name is written: by the flag, or in a field that Python 3.12 and later read."""
    as_it_came = member.orig_filename.partition("\0")[0].replace(os.sep, "/")
    return bool(member.flag_bits & UTF8) or member.filename != as_it_came


def _raw(member: zipfile.ZipInfo) -> bytes:
    return member.orig_filename.partition("\0")[0].encode("cp437")


def _name(member: zipfile.ZipInfo, encoding: str) -> str:
    """As it was meant."""
    return member.filename if _told(member) else _raw(member).decode(encoding)


def _parts(name: str) -> list[str]:
    """The folders and the file of a name; none for what macOS and Windows add. Problem for one that leads elsewhere."""
    parts = name.replace("\\", "/").rstrip("/").split("/")
    odd = any(part in ("", ".", "..") or len(part.encode()) > LONGEST for part in parts)
    if odd or len(parts) > DEEPEST or any(ord(letter) < 32 or letter == ":" for letter in name):
        raise Problem("unsafe_zip")
    return [] if parts[0] == "__MACOSX" or parts[-1].startswith(".") else parts


def _inner(folder: Path) -> Path:
    """Past folders that hold nothing but one folder, unless that is the only class of all."""
    inside = list(folder.iterdir())
    while len(inside) == 1 and inside[0].is_dir() and any(path.is_dir() for path in inside[0].iterdir()):
        folder = inside[0]
        inside = list(folder.iterdir())
    return folder
