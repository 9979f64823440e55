"""The text in a file as people have them: UTF-8 with and without a mark, UTF-16, UTF-32, GBK of Chinese Windows."""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

from ..errors import LabelError
from ..runtime.file import open_file

LARGEST = 1 << 27  # bytes
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# A Chinese character between Latin letters is no Chinese, but an accent of Western Windows ("Müll" as "M黮l").
ACCENT = re.compile(r"[A-Za-z][^\x00-\x7f][a-z]")
RARE = 4  # at most one Chinese character in so many may be of those that GB2312 has not


def read_text(path: Path) -> str:
    """The text of a file; LabelError where it is too large, or no text."""
    with open_file(path) as file:
        data, size = file.read(LARGEST + 1), path.stat().st_size
    if len(data) > LARGEST:
        raise LabelError(
            en=f"{path} is {size >> 20} MB; expected a list of names of at most {LARGEST >> 20} MB. Split it, or name "
            "another file.",
            zh=f"{path} 有 {size >> 20} MB，应为名称列表，最多 {LARGEST >> 20} MB。请拆分，或指定其他文件。",
        )
    return decode(data, str(path))


def decode(data: bytes, name: str = "") -> str:
    """The text that was written; LabelError rather than a guess that leaves garbled letters. `name` is for messages."""
    text = _decoded(data)
    if text is None or "\0" in text.rstrip("\0"):
        raise LabelError(
            en=f"{name or 'A text'} is neither UTF-8, UTF-16 nor GBK text. Save it as UTF-8 (in Windows' Notepad: Save "
            "as, Encoding).",
            zh=f"{name or '文本'} 不是 UTF-8、UTF-16 或 GBK 编码的文本。请另存为 UTF-8（记事本：另存为 → 编码）。",
        )
    return text


def _decoded(data: bytes) -> str | None:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _strictly(data, encoding)
    if 0 in data:
        found = [_strictly(data, encoding) for encoding in ("utf-16-le", "utf-16-be", "utf-8")]
        return next((text for text in found if text is not None and _is_usual(text)), None)
    text = _strictly(data, "utf-8")
    if text is None:
        text = _strictly(data, "gb18030")  # nearly any bytes can be read as it
        return text if text is not None and not ACCENT.search(text) and _is_usual(text) else None
    return (_strictly(data, "gb2312") if _mixes_scripts(text) else None) or text


def _mixes_scripts(text: str) -> bool:
    """Whether words are made of letters of several scripts, none of them ASCII's: some Chinese in GBK, such as the
    bytes of 石头, happens to be UTF-8 for such ("ʯͷ").
    """
    words = [word for word in re.findall(r"\w+", text) if not word.isascii()]
    letters = set("".join(words))
    if any(letter.isascii() and letter.isalpha() for letter in letters) or max(letters, default="") > "\u07ff":
        return False
    return len({unicodedata.name(letter, "?").split()[0] for letter in letters if letter > "\x7f"}) > 1


def _is_usual(text: str) -> bool:
    """Whether a text that was guessed at is one: no control characters, hardly any letters that GB2312 has not."""
    letters = [letter for letter in text.rstrip("\0") if not letter.isspace()]
    rare = sum(letter > "\x7f" and _encoded(letter) is None for letter in letters)
    others = sum(letter > "\x7f" for letter in letters)
    return all(letter >= " " and letter != "\x7f" for letter in letters) and rare * RARE <= others


def _encoded(letter: str) -> bytes | None:
    try:
        return letter.encode("gb2312")
    except UnicodeEncodeError:
        return None


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
