"""What a file is by its first bytes, whatever it is called: a picture that can be read, or why it is none."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, Optional

from ..errors import FileMissing, ImageError, spaced
from ..file import open_file

HEAD = 512  # bytes that tell
RESULT = b"Qingzhou result"  # near the beginning of every picture that keep() wrote
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"GIF8", b"II*\0", b"MM\0*")  # of pictures; WebP and PPM: see below


class Kind(NamedTuple):
    """What a file is, in both languages, and what to do with it: "" where there is nothing but to take another."""

    en: str
    zh: str
    todo_en: str = ""
    todo_zh: str = ""


def _archive(name: str) -> Kind:
    return Kind(
        "a %s archive" % name,
        "%s 压缩包" % name,
        "Unpack it, and give the folder or the pictures inside.",
        "请先解压，再使用里面的文件夹或图片。",
    )


def _photo(en: str, zh: str) -> Kind:
    return Kind(en, zh, "Export it as JPEG, on the camera or in a photo program.", "请在相机或看图软件里导出为 JPEG。")


def _drawing(en: str, zh: str) -> Kind:
    return Kind(en, zh, "Export it as PNG in the program that made it.", "请在制作它的软件里导出为 PNG。")


HEIC = Kind(
    "an HEIC photo (iPhone)",
    "HEIC 照片（iPhone 格式）",
    "Save it as JPEG; on the iPhone: Settings, Camera, Formats, Most Compatible.",
    "请另存为 JPEG；iPhone 可在“设置 → 相机 → 格式”里选“兼容性最佳”。",
)
AVIF = Kind("an AVIF picture", "AVIF 图片", "Save it as JPEG or PNG.", "请另存为 JPEG 或 PNG。")
RAW = _photo("a camera's raw photo", "相机的 RAW 原始照片")
VIDEO = Kind(
    "a video", "视频", 'The scene "video" looks at videos, picture by picture.', "视频请用 video 场景逐帧识别。"
)
ARCHIVES = {
    b"PK\3\4": "zip",
    b"PK\5\6": "zip",
    b"Rar!\x1a\x07": "RAR",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"MSCF": "CAB",
}
BRANDS = {  # of ISO media files, ISO/IEC 14496-12 and 23008-12: the major one, or one of those it is compatible with
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), HEIC),
    b"crx ": RAW,
}
STARTS = {
    b"II*\0\x10\0\0\0CR": RAW,
    **dict.fromkeys((b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"\0MRM", b"FOVb"), RAW),
    b"8BPS": _drawing("a Photoshop file (PSD)", "Photoshop 文件（PSD）"),
    b"gimp xcf": _drawing("a GIMP file (XCF)", "GIMP 文件（XCF）"),
    b"%!PS": _drawing("a PostScript drawing", "PostScript 绘图"),
    b"%PDF": _drawing("a PDF document", "PDF 文档"),
    **dict.fromkeys((b"\0\0\0\x0cJXL ", b"\xff\x0a"), _photo("a JPEG XL picture", "JPEG XL 图片")),
    **dict.fromkeys((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), _photo("a JPEG 2000 picture", "JPEG 2000 图片")),
    b"\0\0\1\0": _drawing("an icon (ICO)", "图标（ICO）"),
    **dict.fromkeys((b"\x1a\x45\xdf\xa3", b"FLV\1", b"\0\0\1\xba"), VIDEO),
    b"\x93NUMPY": Kind("a numpy array", "numpy 数组"),
    b"MZ": Kind("a Windows program", "Windows 程序"),
    b"\x7fELF": Kind("a Linux program", "Linux 程序"),
    b"\xd0\xcf\x11\xe0": Kind("an Office document", "Office 文档"),
    b"version https://git-lfs": Kind(
        "a git-lfs pointer, not the file itself",
        "git-lfs 指针，不是文件本身",
        "Run git lfs pull, or download it from its web page.",
        "请运行 git lfs pull，或从网页下载该文件。",
    ),
}
SVG = _drawing("a drawing (SVG)", "矢量图（SVG）")
PAGE = Kind(
    "a web page, often what a failed download leaves",
    "网页，通常是下载失败的结果",
    "Download the picture again, in the browser.",
    "请用浏览器重新下载图片。",
)
WEIGHTS = Kind(
    "a trained model (.pth)",
    "训练保存的权重文件（.pth）",
    "Give a picture; models are converted by qingzhou convert.",
    "请给出图片；转换模型用 qingzhou convert。",
)
EMPTY = Kind("empty (0 bytes)", "空文件（0 字节）", "Copy or download it again.", "请重新复制或下载。")


def looks_like_picture(head: bytes) -> bool:
    """Whether a file begins as a picture of a kind that can be read."""
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    netpbm = head[:1] == b"P" and head[1:2] in (b"1", b"2", b"3", b"4", b"5", b"6") and head[2:3].isspace()
    return (netpbm or head.startswith(MAGIC)) and what(head) is None


def what(head: bytes) -> Optional[Kind]:
    """What a file is whose first bytes are these; None for a picture that can be read, and for what nobody knows."""
    if not head:
        return EMPTY
    if head[4:8] == b"ftyp":
        return _media(head)
    name = archive(head)
    if name == "zip" and b"/data.pkl" in head:  # as torch.save writes them
        return WEIGHTS
    if name:
        return _archive(name)
    found = next((kind for magic, kind in STARTS.items() if head.startswith(magic)), None)
    if found is None and head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return VIDEO
    return found or _text(head)


def archive(head: bytes) -> str:
    """The kind of archive that begins so, such as "RAR"; "" for anything else."""
    found = next((name for magic, name in ARCHIVES.items() if head.startswith(magic)), "")
    return found or ("tar" if head[257:262] == b"ustar" else "")


def _media(head: bytes) -> Kind:
    """Of an ISO media file. What is both is AVIF: mif1 is only the container."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, size, 4))]
    found = [BRANDS[brand] for brand in brands if brand in BRANDS]
    return AVIF if AVIF in found else found[0] if found else VIDEO


def _text(head: bytes) -> Optional[Kind]:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text):
        return SVG
    return PAGE if text.startswith((b"<!doctype html", b"<html", b"<head")) else None


def head_of(source: Any) -> bytes:
    """The first bytes of a file by its path, or of these bytes; b"" for what cannot be read."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source[:HEAD])
    try:
        with open_file(os.fspath(source)) as file:
            return file.read(HEAD)
    except (FileMissing, OSError, TypeError, ValueError):
        return b""


def developed(image: Any) -> bool:
    """False for raw photos that call themselves TIFF (DNG, NEF, ARW): what Pillow shows of them is their thumbnail.

    DNGVersion is 50706 (DNG 1.7); a NewSubfileType (254) with bit 0 is a smaller one of another (TIFF 6.0, section 8).
    """
    tags = getattr(image, "tag_v2", None) or {}
    return image.format != "TIFF" or not (50706 in tags or (330 in tags and int(tags.get(254, 0)) & 1))


def not_a_picture(name: str, found: Optional[Kind]) -> ImageError:
    """What to raise for a file of this kind, or of one that nobody knows."""
    if found is None:
        return ImageError(
            en="%s is no picture that can be read; expected JPEG, PNG, BMP, GIF, WebP or TIFF. Open it in a picture "
            "program and save it as JPEG or PNG." % name,
            zh="%s 不是能读取的图片，应为 JPEG、PNG、BMP、GIF、WebP 或 TIFF 格式。"
            "请用看图软件打开，另存为 JPEG 或 PNG。" % name,
        )
    return ImageError(
        en="%s is %s; expected JPEG, PNG, BMP, GIF, WebP or TIFF. %s"
        % (name, found.en, found.todo_en or "Give a picture."),
        zh="%s 是%s；应为 JPEG、PNG、BMP、GIF、WebP 或 TIFF 格式的图片。%s"
        % (name, spaced(found.zh), found.todo_zh or "请换成图片。"),
    )
