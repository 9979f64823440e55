"""The classes in a YAML file, in the ways that annotation and training tools write them; no other YAML is read.

names: [a, 'b']    names: {0: a, 1: b}    names: and lines "- a"    names: and lines "0: a"    a file of lines "- a"
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ..spelling import class_names
from .words import label_error, unique

ENTRIES = ("names", "classes", "CLASSES", "class_names", "labels", "categories")
# As YAML quotes, within a line: 'it''s' is two of them side by side. Of what opens, only the last of a line can fail.
QUOTED = r"""'[^'\n]*'|(?<!\\)"(?:[^"\\\n]|\\.)*\""""
INLINE = re.compile(rf"[\[{{]((?:[^\]}}'\"]|{QUOTED})*)[\]}}]")
PART = re.compile(rf"(?:[^,'\"]|{QUOTED})+")
COMMENT = re.compile(rf"({QUOTED})|(?:^|(?<=\s))#.*$", re.MULTILINE)
PAIR = re.compile(rf"((?:{QUOTED})+\s*|[^'\":\s][^:]*):(?:\s+(.*))?$", re.DOTALL)

Value = list[str] | dict[str, str]


def yaml_value(text: str) -> object:
    """What a YAML text says of its classes, a list or a dict; None if it has no entry for them. LabelError."""
    text = _plain(text)
    for entry in ENTRIES:
        value = _entry(text, entry)
        if value is not None:
            _check_elsewhere(value)
            _check_count(len(value), text)
            return value or None
    return _block(text) if re.match(r"(---)?\s*- ", text) else _counted(text)


def _counted(text: str) -> Value | None:
    """A file of nothing but "0: a" or "a: 0"."""
    found = _items(text.split("\n")) if not re.search(r"^[\s-]+\S", text, re.MULTILINE) else []
    sides = (found.keys(), found.values()) if isinstance(found, dict) else ()
    return found if any(all(one.isdecimal() for one in side) for side in sides) else None


def yaml_entry(text: str, name: str) -> Value | None:
    """One entry at the left margin, a single value as a list of one; None if it is not there."""
    return _entry(_plain(text), name)


def _plain(text: str) -> str:
    """Without comments and white space at the ends of lines."""
    return "\n".join(line.rstrip() for line in COMMENT.sub(lambda found: found[1] or "", text).splitlines())


def _entry(text: str, name: str) -> Value | None:
    found = re.search(rf"^[\"']?{name}[\"']?\s*:[ \t]*(.*)$", text, re.MULTILINE)
    return _value(found[1].strip(), text[found.end() :]) if found else None


def _check_elsewhere(value: Value) -> None:
    """LabelError if the names stand somewhere else: in another file, or where YAML's marks point."""
    only = value[0] if isinstance(value, list) and len(value) == 1 else ""
    if only.startswith(("*", "&", "!", "|", ">")) or only.lower().endswith((".txt", ".names", ".yaml", ".json")):
        raise label_error(
            en=f"The names stand elsewhere: {only}. Give that file itself, or the names: {class_names('cat', 'dog')}",
            zh=f"名称在别的地方：{only}。请直接指定那个文件，或写出名称：{class_names('cat', 'dog')}",
        )


def _check_count(count: int, text: str) -> None:
    """LabelError if the entry nc says another number."""
    told = re.search(r"^nc\s*:\s*(\d{1,9})\b", text, re.MULTILINE)
    if told and int(told[1]) != count:
        raise label_error(
            en=f"There are {count} names, but nc: {told[1]}. Correct the one that is wrong.",
            zh=f"有 {count} 个名称，但 nc 是 {told[1]}。请改正其中错误的一个。",
        )


def _value(inline: str, rest: str) -> Value:
    """What stands behind "names:"; a list, a dict, or one text."""
    if inline[:1] in ("[", "{"):
        body = INLINE.match(inline + rest)
        return _items(PART.findall(body[1].replace("\n", " ")) if body else [])
    return _block(rest) if not inline else [_unquoted(inline)]


def _block(text: str) -> Value:
    """The lines that are indented, or begin with "-", up to the first that is neither."""
    lines = []
    for line in text.split("\n"):
        if line.strip() in ("", "---"):
            continue
        if not re.match(r"\s+\S|-\s", line):
            break
        lines.append(re.sub(r"^\s*-\s+", "", line))
    return _items(lines)


def _items(parts: Sequence[str]) -> Value:
    """A dict where every part is "0: a" or "a: 0", else a list."""
    parts = [part.strip() for part in parts if part.strip()]
    pairs = [PAIR.match(part) for part in parts]
    if parts and all(pair and pair[2] is not None for pair in pairs):
        return unique([(_unquoted(pair[1].strip()), _unquoted(pair[2].strip())) for pair in pairs if pair])
    return [_unquoted(part) for part in parts]


def _unquoted(text: str) -> str:
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    try:
        return str(json.loads(text)) if text[:1] == '"' else text
    except ValueError:
        return text.strip('"')
