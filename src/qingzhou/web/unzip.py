"""A zip of pictures from somebody unknown, into a folder: no name leads out of it, and no bomb goes off."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..runtime.errors import spaced
from ..runtime.model.kinds import HEAD, looks_like_picture, what
from ..runtime.read import ANSWERS, NUMBERS, PICTURES, as_words, counted, is_systems
from ..sources.table import is_model_zip
from .problems import Problem

DATA = (*PICTURES, *NUMBERS)  # of which there must be some
WANTED = (*DATA, *ANSWERS)
PIECE = 1 << 20
DEEPEST, LONGEST, UTF8, ENCRYPTED = 8, 200, 0x800, 0x41
# As systems pack folders. The others Python unpacks without a measure, or not at all: APPNOTE 6.3.10, 4.4.5
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 20: "Zstandard", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
TAIL = 64 << 10
LISTED = re.compile(rb"PK\x01\x02.{24}(..).{16}", re.DOTALL)  # an entry up to its name, with that one's length: 4.3.12
CHINESE = "\u0800"  # from here on UTF-8 has three bytes for a letter
RATIO, FREE = 200, 10 << 20  # unpacked may be so many times the packed size, beyond what is free


class Unpacked(NamedTuple):
    """The folder to judge by: if all lies in one folder, that one; and how many files were left out, by ending."""

    folder: Path
    left_out: Mapping[str, int]


def unpack(source: Path, folder: Path, unpacked: int, entries: int) -> Unpacked:
    """Everything that can be data. Problem, of which each says one thing."""
    allowed = least = min(unpacked, RATIO * source.stat().st_size + FREE)
    there, left = [], []
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if len(members) > entries:
                raise Problem("zip_many", str(len(members)))
            encoding = _encoding(members)
            for member in members:
                parts = _parts(_name(member, encoding))
                if member.is_dir() or not parts:
                    continue
                if not _wanted(archive, member, parts[-1]):
                    left.append(parts[-1])
                    continue
                there.append(parts[-1])
                allowed -= _one(archive, member, folder.joinpath(*parts), allowed, least)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError) as err:
        raise _damaged(source) from err  # besides BadZipFile: a version of its own, a damaged stream
    if not any(_is_data(name) for name in there):
        raise _empty([*there, *left])
    return Unpacked(_inner(folder), counted(left))


def is_model(file: BinaryIO) -> bool:
    """Whether a zip holds one model and no pictures, by the names that its end lists: it is not opened for that here.

    A model's parts are few, and all of them are listed in its last bytes.
    """
    file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
    tail, names = file.read(TAIL), []
    for entry in LISTED.finditer(tail):
        end = entry.end() + int.from_bytes(entry[1], "little")
        names.append(tail[entry.end() : end].decode("utf-8", "replace"))
    return is_model_zip(names) and not any(name.lower().endswith(PICTURES) for name in names)


def _is_data(name: str) -> bool:
    return name.lower().endswith(DATA) or not name.lower().endswith(WANTED)  # of those only pictures are unpacked


def _wanted(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bool:
    """Whether it is called like data; or like nothing, and begins as a picture."""
    if name.lower().endswith(WANTED):
        return True
    if "." in name or not member.file_size or member.flag_bits & ENCRYPTED or member.compress_type not in PLAIN:
        return False
    with archive.open(member) as packed:
        return looks_like_picture(packed.read(HEAD))


def _one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, allowed: int, least: int) -> int:
    """One member; the bytes that it took, counted as they come and not as they are declared."""
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise Problem("zip_names", "a link or device", "链接或设备文件")
    if member.flag_bits & ENCRYPTED:
        raise Problem("zip_locked")
    if member.compress_type not in PLAIN:
        raise Problem("zip_method", METHODS.get(member.compress_type, str(member.compress_type)))
    taken = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")  # "x": a name that comes twice is a trick
    except FileExistsError:
        raise Problem("zip_names", "a name twice", "重复的文件名") from None
    except NotADirectoryError:
        raise Problem("zip_names", "a file inside a file", "文件里的文件") from None
    with file, archive.open(member) as packed:
        while piece := packed.read(PIECE):
            taken += len(piece)
            if taken > allowed:
                raise Problem("zip_large", str(least >> 20))
            file.write(piece)
    return taken


def _damaged(source: Path) -> Problem:
    """Of a file that is no zip, or no whole one."""
    with source.open("rb") as file:
        head = file.read(HEAD)
    found = what(head)
    if found is None or head.startswith(b"PK"):
        return Problem("zip_damaged")
    return Problem("no_zip", found.en, spaced(found.zh))


def _empty(names: list[str]) -> Problem:
    if not names:
        return Problem("zip_empty", "nothing", "什么也没有")
    return Problem("zip_empty", as_words(counted(names), "no ending"), as_words(counted(names), "无后缀"))


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
    if any(part in ("", ".", "..") for part in parts) or ":" in name:
        raise Problem("zip_names", "names that lead out of it", "指向压缩包之外的文件名")
    if any(ord(letter) < 32 for letter in name):
        raise Problem("zip_names", "names with control characters", "含有控制字符的文件名")
    if len(parts) > DEEPEST or any(len(part.encode()) > LONGEST for part in parts):
        raise Problem("zip_names", "names that are too long, or folders too deep", "过长的文件名或过深的文件夹")
    return [] if any(map(is_systems, parts)) else parts


def _inner(folder: Path) -> Path:
    """Past folders that hold nothing but one folder, unless that is the only class of all."""
    inside = list(folder.iterdir())
    while len(inside) == 1 and inside[0].is_dir() and any(path.is_dir() for path in inside[0].iterdir()):
        folder = inside[0]
        inside = list(folder.iterdir())
    return folder
