"""Archives that no folder of pictures makes: refused in words, or harmless; and the server goes on with the others'."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from clients import SURE, finished, order, pictures, served_here, upload, zipped

from qingzhou.runtime.read import PICTURES
from qingzhou.web import unzip
from qingzhou.web.problems import Problem
from qingzhou.web.settings import Limits, Settings
from qingzhou.web.unzip import WANTED, unpack

MOST, ENTRIES = 20 << 20, 300
PICTURE = b"picture"


def kind_of(kind: int, name: str, content: bytes) -> bytes:
    """A zip with one entry that is said to be a link, a pipe, a device…"""
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, content)
        archive.writestr("link/b.jpg", PICTURE)
    return packed.getvalue()


def twice(*names: str) -> bytes:
    """Names that are the same, or are once a file and once a folder."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, pytest.warns() if len(set(names)) == 1 else open(os.devnull):
        for name in names:
            archive.writestr(name, PICTURE)
    return packed.getvalue()


def flagged(bit: int) -> bytes:
    """Encrypted, as its headers say."""
    data = bytearray(zipped({"a.jpg": PICTURE}))
    for place in (6, data.index(b"PK\1\2") + 8):
        data[place : place + 2] = struct.pack("<H", 1 << bit)
    return bytes(data)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One file of an archive that is made by hand: its name as it stands there, and its data, deflated."""

    name: bytes
    packed: bytes
    crc: int
    size: int
    extra: bytes = b""

    def _facts(self) -> bytes:
        numbers = (0, 0x21, self.crc, len(self.packed), self.size, len(self.name), len(self.extra))
        return struct.pack("<HHIIIHH", *numbers)

    def local(self) -> bytes:
        return b"PK\3\4" + struct.pack("<HHH", 20, 0, 8) + self._facts() + self.name + self.extra

    def central(self, place: int) -> bytes:
        head = b"PK\1\2" + struct.pack("<HHHH", 20, 20, 0, 8) + self._facts()
        return head + struct.pack("<HHHII", 0, 0, 0, 0, place) + self.name + self.extra


def archive_of(content: bytes, entries: list[tuple[Entry, int]]) -> bytes:
    """The content, and a directory of entries that begin at these places."""
    directory = b"".join(entry.central(place) for entry, place in entries)
    count = len(entries)
    return (
        content + directory + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), len(content), 0)
    )


def deflated(content: bytes) -> bytes:
    squeeze = zlib.compressobj(9, wbits=-15)
    return squeeze.compress(content) + squeeze.flush()


def overlapping(count: int, kernel: int) -> bytes:
    """Each file is the header of the next one, in quotes, and all that this one is (Fifield, WOOT 2019)."""
    inside = bytes(kernel)
    entries = [Entry(b"%03d.jpg" % (count - 1), deflated(inside), zlib.crc32(inside), kernel)]
    content = entries[0].local() + entries[0].packed
    for number in reversed(range(count - 1)):
        head = entries[-1].local()
        inside = head + inside
        quote = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF)
        packed = quote + head + entries[-1].packed
        entries.append(Entry(b"%03d.jpg" % number, packed, zlib.crc32(inside), len(inside)))
        content = entries[-1].local() + quote + content
    places, place = [], 0
    for entry in reversed(entries):
        places.append((entry, place))
        place += len(entry.local()) + 5
    return archive_of(content, places)


def by_hand(name: bytes, unicode_path: str = "") -> bytes:
    """One file whose name is these bytes, in no encoding that is told; or told as Info-ZIP does."""
    path = unicode_path.encode()
    extra = struct.pack("<HHBI", 0x7075, 5 + len(path), 1, zlib.crc32(name)) + path if path else b""
    entry = Entry(name, deflated(PICTURE), zlib.crc32(PICTURE), len(PICTURE), extra)
    return archive_of(entry.local() + entry.packed, [(entry, 0)])


REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a link": ("zip_names", lambda: kind_of(stat.S_IFLNK, "a.jpg", b"/etc/passwd")),
    "a link out and back": ("zip_names", lambda: kind_of(stat.S_IFLNK, "a.jpg", b"../../in/best.pth")),
    "a pipe": ("zip_names", lambda: kind_of(stat.S_IFIFO, "a.jpg", b"")),
    "a device": ("zip_names", lambda: kind_of(stat.S_IFBLK, "a.jpg", b"")),
    "a name twice": ("zip_names", lambda: twice("a.jpg", "a.jpg")),
    "a file that is a folder": ("zip_names", lambda: twice("a.jpg", "a.jpg/b.jpg")),
    "a folder that is a file": ("zip_names", lambda: twice("a.jpg/b.jpg", "a.jpg")),
    "encrypted": ("zip_locked", lambda: flagged(0)),
    "strongly encrypted": ("zip_locked", lambda: flagged(6)),
    "too many": ("zip_many", lambda: zipped({f"{n}.jpg": PICTURE for n in range(ENTRIES + 1)})),
    "too many of no use": ("zip_many", lambda: zipped({f"{n}.exe": b"" for n in range(ENTRIES + 1)})),
    "overlapping": ("zip_large zip_damaged", lambda: overlapping(ENTRIES, 1 << 20)),  # newer Pythons see it themselves
    "a bomb": ("zip_large", lambda: zipped({"a.jpg": bytes(MOST + 1)})),
    "many small bombs": ("zip_large", lambda: zipped({f"{n}.jpg": bytes(1 << 20) for n in range(25)})),
    "absolute": ("zip_names", lambda: zipped({"/evil.jpg": PICTURE})),
    "upwards": ("zip_names", lambda: zipped({"a/../../evil.jpg": PICTURE})),
    "backslashes": ("zip_names", lambda: zipped({"..\\..\\evil.jpg": PICTURE})),
    "a drive": ("zip_names", lambda: zipped({"C:evil.jpg": PICTURE})),
    "another computer": ("zip_names", lambda: zipped({"\\\\server\\share\\evil.jpg": PICTURE})),
    "a stream of Windows": ("zip_names", lambda: zipped({"a.txt:evil.jpg": PICTURE})),
    "a name that steers": ("zip_names", lambda: zipped({"a\x1b[2J.jpg": PICTURE})),
    "deep": ("zip_names", lambda: zipped({"a/" * 9 + "b.jpg": PICTURE})),
    "long": ("zip_names", lambda: zipped({"猫" * 100 + ".jpg": PICTURE})),
    "upwards in GBK": ("zip_names", lambda: by_hand("猫".encode("gb18030") + b"\\..\\..\\evil.jpg")),
    "LZMA": ("zip_method", lambda: zipped({"a.jpg": PICTURE}, zipfile.ZIP_LZMA)),
    "bzip2": ("zip_method", lambda: zipped({"a.jpg": PICTURE}, zipfile.ZIP_BZIP2)),
    "Deflate64": ("zip_method", lambda: zipped({"a.jpg": PICTURE}).replace(b"\0\0\x08\0", b"\0\0\x09\0")),
    "Zstandard": ("zip_method", lambda: zipped({"a.jpg": PICTURE}).replace(b"\0\0\x08\0", b"\0\0\x5d\0")),
    "an unknown method": ("zip_method", lambda: zipped({"a.jpg": PICTURE}).replace(b"\0\0\x08\0", b"\0\0\x61\0")),
    "cut off": ("zip_damaged", lambda: zipped({"a.jpg": os.urandom(5000)})[:-4000]),
    "damaged": ("zip_damaged", lambda: by_hand(b"a.jpg").replace(deflated(PICTURE), b"\xff" * len(deflated(PICTURE)))),
    "RAR": ("no_zip", lambda: b"Rar!\x1a\x07\x01\x00" + bytes(200)),
    "7z": ("no_zip", lambda: b"7z\xbc\xaf\x27\x1c" + bytes(200)),
    "tar": ("no_zip", lambda: bytes(257) + b"ustar\x0000" + bytes(300)),
    "tgz": ("no_zip", lambda: b"\x1f\x8b\x08" + bytes(200)),
    "a picture": ("no_zip zip_damaged", lambda: b"\xff\xd8\xff" + bytes(200)),
    "nothing": ("zip_empty", lambda: zipped({})),
    "HEIC alone": ("zip_empty", lambda: zipped({f"data/{n}.heic": PICTURE for n in range(9)})),
    "answers alone": ("zip_empty", lambda: zipped({"data/classes.txt": b"cat"})),
}
SAYS = {  # what of them is told
    "LZMA": "LZMA",
    "Deflate64": "Deflate64",
    "bzip2": "bzip2",
    "Zstandard": "Zstandard",
    "an unknown method": "97",
    "RAR": "a RAR archive",
    "7z": "a 7z archive",
    "tar": "a tar archive",
    "tgz": "a gzip archive",
    "HEIC alone": ".heic 9",
    "a bomb": "unpacks to more than",
    "too many": str(ENTRIES + 1),
    "a link": "a link",
    "answers alone": ".txt 1",
}
HARMLESS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "a link that is no data": (lambda: kind_of(stat.S_IFLNK, "link", b"/tmp"), {"link/b.jpg"}),
    "programs": (lambda: zipped({"a.jpg": PICTURE, "run.sh": b"x", "a.py": b"x", "b.pth": b"x"}), {"a.jpg"}),
    "what systems add": (
        lambda: zipped({"a.jpg": PICTURE, "__MACOSX/._a.jpg": b"x", ".DS_Store": b"x", ".a.jpg": b"x"}),
        {"a.jpg"},
    ),
    "backslashes between": (lambda: zipped({"cats\\a.jpg": PICTURE}), {"cats/a.jpg"}),
    "a nul": (lambda: by_hand(b"a.jpg\0.exe"), {"a.jpg"}),
    "GBK": (lambda: by_hand("猫/一.jpg".encode("gb18030")), {"猫/一.jpg"}),
    "GBK whose second byte is a backslash": (lambda: by_hand("乗.jpg".encode("gb18030")), {"乗.jpg"}),
    "GBK that is UTF-8 as well": (lambda: by_hand("猫.jpg".encode("gb18030")), {"猫.jpg"}),
    "UTF-8 that nobody told": (lambda: by_hand("猫.jpg".encode()), {"猫.jpg"}),
    "UTF-8 of a Mac that nobody told": (lambda: by_hand("e\u0301.jpg".encode()), {"e\u0301.jpg"}),
    "a name as Info-ZIP says": (lambda: by_hand(b"a.jpg", "猫/一.jpg"), {"a.jpg", "猫/一.jpg"}),
    "another name as Info-ZIP says": (lambda: by_hand("猫.jpg".encode("gb18030"), "猫.jpg"), {"猫.jpg"}),
}


def unpacked(tmp_path: Path, data: bytes) -> set[str]:
    """What is there afterwards; all of it is the picture."""
    (tmp_path / "a.zip").write_bytes(data)
    folder = tmp_path / "job" / "data"
    folder.mkdir(parents=True)
    try:
        unpack(tmp_path / "a.zip", folder, MOST, ENTRIES)
    finally:
        assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "job"}
        assert [path.name for path in (tmp_path / "job").iterdir()] == ["data"]
        found = [path for path in folder.rglob("*") if not path.is_dir()]
        assert not any(path.is_symlink() for path in folder.rglob("*")) and all(path.is_file() for path in found)
        assert sum(path.stat().st_size for path in found) <= MOST
    assert all(path.read_bytes() == PICTURE for path in found)
    return {path.relative_to(folder).as_posix() for path in found}


def test_the_overlapping_one_is_what_it_is_called() -> None:
    data = overlapping(ENTRIES, 1 << 20)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        assert sum(entry.file_size for entry in entries) > 1000 * len(data)
        assert entries[0].header_offset + entries[0].compress_size > entries[1].header_offset
        assert archive.read(entries[-1]) == bytes(1 << 20)


@pytest.mark.parametrize("what", REFUSED)
def test_refused(tmp_path: Path, what: str) -> None:
    """Each with the one thing that is wrong."""
    codes, make = REFUSED[what]
    with pytest.raises(Problem) as found:
        unpacked(tmp_path, make())
    assert found.value.code in codes.split() and SAYS.get(what, "") in found.value.en
    assert "{}" not in found.value.en + found.value.zh and found.value.zh != found.value.en


PICTURE_FILE = (  # the smallest GIF
    b"GIF89a\1\0\1\0\x80\0\0\xff\xff\xff\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """And what has no ending is looked at."""
    names = [*(f"cats/{n}.jfif" for n in range(3)), "cats/a.JPE", "cats/b.mpo", "cats/IMG_0001", "cats/list.txt"]
    left = ["cats/a.heic", "cats/b.HEIC", "c.rar", "cats/README", "Makefile"]
    systems = ["__MACOSX/cats/._0.jfif", "cats/Thumbs.db", "cats/desktop.ini", ".DS_Store", ".git/a.jpg"]
    data = {name: PICTURE_FILE for name in names} | dict.fromkeys([*left, *systems], b"what")
    (tmp_path / "a.zip").write_bytes(zipped(data))
    found = unpack(tmp_path / "a.zip", tmp_path / "data", MOST, ENTRIES)
    paths = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    there = {path.relative_to(tmp_path / "data").as_posix() for path in paths}
    assert there == set(names) and found.left_out == {"": 2, ".heic": 2, ".rar": 1}


def test_one_list_of_endings() -> None:
    """What folders hold, archives and the page take."""
    assert set(PICTURES) | {".csv", ".npz"} <= set(WANTED) and {".jfif", ".jpe", ".jpg", ".mpo"} <= set(PICTURES)
    options = (Path(unzip.__file__).parent / "static" / "options.js").read_text("utf-8")
    assert "dataset.endings" in options and "jpe?g" not in options


@pytest.mark.parametrize("what", HARMLESS)
def test_harmless(tmp_path: Path, what: str) -> None:
    make, names = HARMLESS[what]
    found = unpacked(tmp_path, make())
    assert found and found <= names


def test_a_second_name_that_leads_elsewhere(tmp_path: Path) -> None:
    """Read or not, as Python's version has it."""
    try:
        assert unpacked(tmp_path, by_hand(b"a.jpg", "../../evil.jpg")) == {"a.jpg"}
    except Problem as err:
        assert err.code in ("zip_names", "zip_empty")


@pytest.mark.web
def test_through_the_door(tmp_path: Path) -> None:
    """Each ends with the sentence that says what to do; what was left of it is gone; a good one is done after all."""
    settings = Settings(tmp_path / "data", uploads_per_client=100, limits=Limits(unpacked=MOST, entries=ENTRIES))
    with served_here(settings) as server, httpx.Client(base_url=server, timeout=60) as client:
        model = upload(client).json()["upload"]

        def done(data: bytes) -> dict[str, object]:
            made = order(
                client, model, data=upload(client, data, "a.zip").json()["upload"], precision="int8", max_drop=5
            )
            told = finished(client, made.json()["job"])
            assert client.delete(f"/api/jobs/{told['job']}", headers=SURE).status_code == 204
            return told

        for what, (codes, make) in REFUSED.items():
            if "no_zip" in codes:
                assert upload(client, make(), "a.zip").json()["error"]["code"] in ("no_zip", "zip_damaged"), what
                continue
            told = done(make())
            assert told["error"]["code"] in codes.split(), what  # type: ignore[index]
        for what, (make, _) in HARMLESS.items():
            told = done(make())  # a picture that is none, and no labels
            assert told["state"] == "failed" and told["error"]["code"] in ("DataError", "NothingToJudge"), what
            assert str(tmp_path) not in json.dumps(told), what
        assert done(pictures(20))["state"] == "done"
        end = time.monotonic() + 20
        while list((tmp_path / "data" / "work").iterdir()) and time.monotonic() < end:
            time.sleep(0.05)  # a job is told as done before its folder is gone
        assert not list((tmp_path / "data" / "work").iterdir()) and not list(tmp_path.rglob("evil*"))
