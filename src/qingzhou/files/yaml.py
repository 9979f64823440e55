"""YAML as tools dump it: blocks, lists, flow collections, quoted and folded texts, anchors. Plain values come out.

Of YAML 1.2 (https://yaml.org/spec/1.2.2/) only what needs no trust: no tags, which name classes, and no merge keys, by
which a hundred lines may become a milliard entries. An alias is the same object again, and never one that it lies in.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import CheckpointDamaged
from .refusals import damaged, short, unsafe

LARGEST = 4 << 20  # characters
DEEPEST = 40
KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#&*!|>%@`"'\[\]{},-][^:#]*?|-[^\s:][^:#]*?)\s*:(?=\s|$)\s*"""
)
INT, REAL = re.compile(r"[-+]?(0|[1-9]\d{0,17})"), re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?", re.IGNORECASE)
WORDS: dict[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False, ".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan"),
}  # fmt: skip
Line = tuple[int, str]  # how far it is indented, and what it says


def read_yaml(text: str) -> Any:
    """Dicts, lists, texts, numbers, truths and None; CheckpointDamaged, UnsafeCheckpoint."""
    if len(text) > LARGEST:
        raise unsafe(f"a YAML text has {len(text)} characters", f"YAML 文本有 {len(text)} 个字符")
    reader = _Reader(_lines(text))
    found = reader.block(-1, 0)
    if reader.at < len(reader.lines):
        raise reader.wrong()
    return found


def _lines(text: str) -> list[Line]:
    """Without comments and empty lines; these are kept in no text here."""
    found: list[Line] = []
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#") or (bare == "---" and not found):
            continue
        if bare in ("---", "..."):
            break
        indent = len(line) - len(line.lstrip(" "))
        if line[indent] == "\t":
            raise damaged("a line of its YAML begins with a tab", "YAML 中有以制表符开头的行")
        found.append((indent, _without_comment(bare)))
    return found


def _without_comment(line: str) -> str:
    """Up to a # that stands behind a space, outside of quotes."""
    quote = ""
    for i, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote and (quote == "'" or line[i - 1] != "\\") else quote
        elif letter in "\"'" and (i == 0 or line[i - 1] in " [{,:"):
            quote = letter
        elif letter == "#" and line[i - 1] == " ":
            return line[:i].rstrip()
    return line


class _Reader:
    """The lines so far."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines, self.at = lines, 0
        self.anchors: dict[str, Any] = {}

    def wrong(self) -> CheckpointDamaged:
        """What cannot be read."""
        line = self.lines[min(self.at, len(self.lines) - 1)][1] if self.lines else ""
        return damaged(f"its YAML cannot be read at “{short(line, 40)}”", f"YAML 在“{short(line, 40)}”处无法读取")

    def block(self, parent: int, depth: int) -> Any:
        """What is indented more than its parent."""
        if self.at >= len(self.lines) or self.lines[self.at][0] <= parent:
            return None
        if depth > DEEPEST:
            raise unsafe("its YAML is nested very deep", "YAML 嵌套过深")
        indent, line = self.lines[self.at]
        if line == "-" or line.startswith("- "):
            return self.row(indent, depth)
        return self.entries(indent, depth) if KEY.match(line) else self.single(parent, depth)

    def row(self, indent: int, depth: int) -> list[Any]:
        """Lines that begin with "-"."""
        found = []
        while (
            self.at < len(self.lines) and self.lines[self.at][0] == indent and self.lines[self.at][1][:2] in ("-", "- ")
        ):
            rest = self.lines[self.at][1][1:]
            inner = indent + 1 + len(rest) - len(rest.lstrip())
            found.append(self.value(rest.strip(), indent, inner, depth + 1))
        return found

    def entries(self, indent: int, depth: int) -> dict[Any, Any]:
        """Lines of "key: value"."""
        found: dict[Any, Any] = {}
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            line = self.lines[self.at][1]
            key = KEY.match(line)
            if key is None:
                raise self.wrong()
            name = _scalar(key[1])
            if name == "<<" or name in found:
                raise self.wrong()
            # a list may stand below its key without being indented
            listed = self._is_list_below(indent) if not line[key.end() :].strip() else False
            found[name] = self.value(line[key.end() :].strip(), indent - listed, -1, depth + 1)
        return found

    def _is_list_below(self, indent: int) -> bool:
        after = self.lines[self.at + 1] if self.at + 1 < len(self.lines) else (-1, "")
        return after[0] == indent and after[1][:2] in ("-", "- ")

    def value(self, rest: str, indent: int, inner: int, depth: int) -> Any:
        """What follows "- " or "key: " on its line, or stands below. inner: where a block may begin on this line."""
        anchor = re.match(r"&([\w-]{1,64})(\s+|$)", rest)
        if anchor:
            found = self.value(rest[anchor.end() :], indent, inner + anchor.end() if inner >= 0 else -1, depth)
            self.anchors[anchor[1]] = found
            return found
        if rest.startswith("!"):
            raise damaged(f"its YAML has a tag, {short(rest, 40)}", f"YAML 中有标签 {short(rest, 40)}")
        if rest.startswith("*"):
            self.at += 1
            if rest[1:] not in self.anchors:
                raise damaged("its YAML points to nothing", "YAML 中的引用没有目标")
            return self.anchors[rest[1:]]
        if not rest:
            self.at += 1
            return self.block(indent, depth)
        if re.fullmatch(r"[|>][-+]?", rest):
            return self.text(rest, indent)
        if inner >= 0 and (rest == "-" or rest.startswith("- ") or (KEY.match(rest) and rest[0] not in "[{")):
            self.lines[self.at] = (inner, rest)
            return self.block(indent, depth)
        self.lines[self.at] = (indent + 1, rest)
        return self.single(indent, depth)

    def single(self, parent: int, depth: int) -> Any:
        """A text or a flow collection, over as many lines as are indented more."""
        parts = [self.lines[self.at][1]]
        self.at += 1
        flow = parts[0][0] in "[{"
        open_ = flow or parts[0][0] in "\"'"
        while self.at < len(self.lines) and (self.lines[self.at][0] > parent or (open_ and not _closed(parts))):
            if not open_ and KEY.match(self.lines[self.at][1]):
                raise self.wrong()
            parts.append(self.lines[self.at][1])
            self.at += 1
        text = _joined(parts) if parts[0][0] == '"' else " ".join(parts)
        return _Flow(text, self.anchors).whole(depth) if flow else _scalar(text)

    def text(self, style: str, indent: int) -> str:
        """A text in a block, whose lines stay or are folded."""
        self.at += 1
        parts = []
        while self.at < len(self.lines) and self.lines[self.at][0] > indent:
            parts.append(self.lines[self.at][1])
            self.at += 1
        return ("\n" if style[0] == "|" else " ").join(parts)


def _joined(parts: list[str]) -> str:
    """Lines of a text in double quotes: a break after a backslash is none."""
    ends = [part[:-1] if part.endswith("\\") and not part.endswith("\\\\") else part + " " for part in parts]
    return "".join(ends).strip()


def _closed(parts: list[str]) -> bool:
    """Whether a quoted text, or a flow collection, has come to its end."""
    first, last = parts[0][0], parts[-1]
    if first in "\"'":
        return last.endswith(first) and (len(parts) > 1 or len(last) > 1)
    return last.endswith({"[": "]", "{": "}"}[first])


def _scalar(text: str) -> Any:
    """A word, a number, or a text."""
    text = text.strip()
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == '"':
        try:
            return str(json.loads(re.sub(r"\\x(?=[0-9a-fA-F]{2})", r"\\u00", text.replace("\\ ", " "))))
        except ValueError:
            raise damaged(f"its YAML has a broken text, {short(text, 40)}", "YAML 中有损坏的文本") from None
    if text[:1] == "'":
        raise damaged(f"its YAML has a broken text, {short(text, 40)}", "YAML 中有损坏的文本")
    if text in WORDS:
        return WORDS[text]
    if INT.fullmatch(text):
        return int(text)
    return float(text) if REAL.fullmatch(text) and len(text) < 40 else text


class _Flow:
    """[a, b: c] and {a: 1}."""

    PART = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[\[\]{},]|:(?=\s|$|[\[{"'])|(?:[^\[\]{},:]|:(?=\S))+)""")

    def __init__(self, text: str, anchors: dict[str, Any]) -> None:
        self.parts: list[str] = [part.strip() for part in self.PART.findall(text)]
        self.anchors, self.at = anchors, 0

    def whole(self, depth: int) -> Any:
        """All of it."""
        found = self.value(depth)
        if self.at != len(self.parts):
            raise self.wrong()
        return found

    def wrong(self) -> CheckpointDamaged:
        """What cannot be read."""
        return damaged("a list or a dict of its YAML is broken", "YAML 中的列表或字典已损坏")

    def next(self) -> str:
        """One part."""
        if self.at >= len(self.parts):
            raise self.wrong()
        self.at += 1
        return self.parts[self.at - 1]

    def value(self, depth: int) -> Any:
        """One value."""
        if depth > DEEPEST:
            raise unsafe("its YAML is nested very deep", "YAML 嵌套过深")
        part = self.next()
        if part in "[{" and part:
            return self.row(depth) if part == "[" else self.entries(depth)
        if part.startswith("*") and part[1:] in self.anchors:
            return self.anchors[part[1:]]
        if part in ("]", "}", ",", ":") or part[:1] in "&!*":
            raise self.wrong()
        return _scalar(part)

    def row(self, depth: int) -> list[Any]:
        """Up to "]"."""
        found: list[Any] = []
        while self._more("]"):
            found.append(self.value(depth + 1))
        return found

    def entries(self, depth: int) -> dict[Any, Any]:
        """Up to "}"."""
        found: dict[Any, Any] = {}
        while self._more("}"):
            key = _scalar(self.next())
            has = self.at < len(self.parts) and self.parts[self.at] == ":"
            if has:
                self.at += 1
            if key in found or key == "<<":
                raise self.wrong()
            found[key] = self.value(depth + 1) if has else None
        return found

    def _more(self, end: str) -> bool:
        """Whether another value comes."""
        if self.at < len(self.parts) and self.parts[self.at] == ",":
            self.at += 1
        if self.at < len(self.parts) and self.parts[self.at] == end:
            self.at += 1
            return False
        return True
