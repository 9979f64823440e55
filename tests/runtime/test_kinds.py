"""Files that are no picture, or are not called like one: by their content, alone and in folders."""

from __future__ import annotations

import io
import json
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image, TiffImagePlugin

from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.errors import DataError, ImageError, InputError, use_language
from qingzhou.evaluate.data import read_data
from qingzhou.runtime.model.image import read_image
from qingzhou.runtime.model.kinds import looks_like_picture
from qingzhou.runtime.read import PICTURES, pictures_in

DIGITS = Path(__file__).parents[1] / "oracle" / "digits"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


def media(*brands: bytes) -> bytes:
    """The first box of an ISO media file."""
    return struct.pack(">I", 12 + 4 * len(brands)) + b"ftyp" + brands[0] + b"\0\0\0\0" + b"".join(brands[1:])


def tiff(**tags: int) -> bytes:
    """A TIFF whose first picture is a thumbnail, with these tags: t254, t330 …"""
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for name, value in tags.items():
        info[int(name[1:])] = value
        info.tagtype[int(name[1:])] = 4
    file = io.BytesIO()
    Image.new("RGB", (16, 12)).save(file, "TIFF", tiffinfo=info)
    return file.getvalue()


KINDS = [  # what the message says, and a file
    ("a RAR archive", b"Rar!\x1a\x07\x01\x00"), ("a RAR archive", b"Rar!\x1a\x07\x00"), ("a zip archive", b"PK\3\4"),
    ("a trained model", b"PK\3\4" + bytes(26) + b"best/data.pkl"),
    ("a 7z archive", b"7z\xbc\xaf\x27\x1c"), ("a gzip archive", b"\x1f\x8b\x08"),
    ("a tar archive", bytes(257) + b"ustar\0"),
    ("HEIC", media(b"heic", b"mif1", b"heic")), ("HEIC", media(b"mif1", b"mif1", b"heic")),
    ("AVIF", media(b"avif", b"mif1")), ("AVIF", media(b"mif1", b"avif", b"mif1")),
    ("raw photo", media(b"crx ", b"crx ")), ("raw photo", b"II*\0\x10\0\0\0CR\2\0"),
    ("raw photo", b"FUJIFILMCCD-RAW 0201"), ("raw photo", b"IIRO\x08\0\0\0"),
    ("raw photo", tiff(t50706=0x01040000)), ("raw photo", tiff(t254=1, t330=8)),
    ("Photoshop", b"8BPS\0\1"), ("PDF", b"%PDF-1.7"), ("an icon", b"\0\0\1\0\1\0"), ("numpy", b"\x93NUMPY\1\0"),
    ("a video", media(b"isom", b"mp42")), ("a video", b"\x1a\x45\xdf\xa3"), ("a video", b"RIFF\0\0\0\0AVI "),
    ("JPEG XL", b"\xff\x0a\0"), ("JPEG 2000", b"\0\0\0\x0cjP  \r\n"),
    ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("SVG", b'\xef\xbb\xbf<?xml version="1.0"?>\n<SVG >'),
    ("a web page", b"\n<!DOCTYPE html><html>"), ("git-lfs", b"version https://git-lfs.github.com/spec/v1"),
    ("empty (0 bytes)", b""), ("is no picture", b"what nobody knows"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "data"), KINDS)
@pytest.mark.parametrize("name", ["a.jpg", "a.heic", "图片"])
def test_what_it_is(said: str, data: bytes, name: str, tmp_path: Path) -> None:
    """By its content, also when the ending lies; the name and what to do are in the message."""
    (tmp_path / name).write_bytes(data + bytes(64) if data else data)
    for source, called in ((tmp_path / name, name), (data + bytes(64) if data else data, "<bytes>")):
        with pytest.raises(ImageError) as caught:
            read_image(source, "RGB")
        assert said in caught.value.en and called in caught.value.en and called in caught.value.zh
        assert caught.value.en.count(". ") == 1 and caught.value.en.endswith(".")
    assert not looks_like_picture(data) or said == "raw photo"  # of a TIFF only Pillow knows


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM"])
@pytest.mark.parametrize("ending", [*PICTURES, ".JFIF", ".Jpe", ".1", "", ".heic"])
def test_whatever_it_is_called(kind: str, ending: str, tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (250, 10, 30)).save(file, kind)
    (tmp_path / f"a{ending}").write_bytes(file.getvalue())
    assert looks_like_picture(file.getvalue()[:512])
    assert read_image(tmp_path / f"a{ending}", "RGB").shape == (6, 8, 3)
    assert pictures_in(tmp_path) == [str(tmp_path / f"a{ending}")]


def folder_of_files(folder: Path) -> Path:
    """Nine digits as people have them, and what else lies there."""
    for label in "012":
        (folder / label).mkdir(parents=True)
        source = sorted((DIGITS / "test" / label).iterdir())[0]
        image = Image.open(source)
        for ending in (".jfif", ".jpe", ".JPEG"):
            image.save(folder / label / f"a{ending}", "JPEG")
        image.save(folder / label / "IMG_0001", "PNG")
        for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "notes.txt", "list.json"):
            (folder / label / name).write_bytes(b"x")
    (folder / "__MACOSX" / "0").mkdir(parents=True)
    (folder / "__MACOSX" / "0" / "._a.jpg").write_bytes(b"x")
    (folder / "__MACOSX" / "0" / "a.jpg").write_bytes(b"x")
    return folder


def test_a_folder_is_run_and_judged_alike(tmp_path: Path) -> None:
    """What is left out is said; what cannot be read is named; nothing is passed over in silence."""
    model = run_conversion(DIGITS / "basenn.pth", tmp_path / "m.onnx").model.path
    data = folder_of_files(tmp_path / "data")
    done = CliRunner().invoke(main, ["run", str(model), str(data), "--json", "--lang", "en"])
    results = json.loads(done.stdout)["results"]
    assert done.exit_code == 0 and len(results) == 12
    assert ".json 3, .txt 3" in done.stderr and "Thumbs" not in done.stderr
    found = read_data(data)
    assert len(list(found.cases())) == 12 and any(".json 3, .txt 3" in note for note in found.notes)
    (data / "0" / "b.heic").write_bytes(media(b"heic"))
    (data / "0" / "b.rar").write_bytes(b"Rar!\x1a\x07\x01\x00")
    done = CliRunner().invoke(main, ["run", str(model), str(data), "--json", "--lang", "en"])
    assert done.exit_code == 1 and "HEIC" in done.stdout and "RAR" in done.stdout
    assert len(list(read_data(data).cases())) == 14


def test_a_folder_without_pictures_says_what_it_holds(tmp_path: Path) -> None:
    for name in ("a.heic", "b.HEIC", "c.txt"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=r"\.heic 2, \.txt 1"):
        pictures_in(tmp_path)


@pytest.mark.parametrize("kind", ["zip", "RAR", "7z", "tar", "gzip"])
def test_an_archive_is_no_data(kind: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(DIGITS / "test" / "0" / sorted((DIGITS / "test" / "0").iterdir())[0].name, tmp_path / "data")
    place = tmp_path / "pictures.zip"
    if kind in ("zip", "tar"):
        place = Path(shutil.make_archive(str(tmp_path / "pictures"), kind, tmp_path / "data"))
    else:
        place.write_bytes(dict(KINDS)[f"a {kind} archive"] + bytes(100))
    with pytest.raises(DataError, match=f"is a {kind} archive"):
        read_data(place)
