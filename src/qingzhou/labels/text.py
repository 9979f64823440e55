"""A text that names classes: JSON, a Python list or dict, YAML, a label map, or lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from ..errors import UnsafeCheckpoint
from ..files.keys import Keys
from ..files.limits import Limits
from ..runtime.model.fields import loads
from .words import SHOWN, label_error, unique
from .yaml import yaml_value

ENDS = re.compile(r"\r\n|[\r\n\u2028\u2029]")  # of lines; str.splitlines() knows stranger ones
COMMAS = re.compile(r"[,，、;；\t]")
NUMBER_FIRST = re.compile(
    r"\"?([0-9０-９]{1,6})\"?(?:\s*[:：,，;\t=)、]\s*|\.?\s+)(\S.*)"
)  # "0 paper", "0: paper", "0,paper"
NUMBER_LAST = re.compile(r"\"?([0-9０-９]{1,6})\"?$")  # "paper 0", "paper,0"
SEPARATORS = ":：,，;="
IN_QUOTES = re.compile(r"""(['"])([^'"]+)\1""")
HEAD = re.compile(r"[^0-9,，;；\t]+[,，;；\t][^0-9,，;；\t]+")  # "id,name"
ASSIGNED = re.compile(r"\w+\s*=\s*(?=[\[({])")  # "classes = [...]", copied out of a program
BULLET = re.compile(r"[-*•·]\s+(?=\S)")
ITEM = re.compile(r"^[^\S\n]*item\s*\{", re.MULTILINE)  # of TensorFlow's label maps (.pbtxt)
FIELD = re.compile(r"""\b(\w+)\s*:\s*(?:"([^"]*)"|'([^']*)'|([0-9]+))""")  # of an item
LONGEST_LINE = 1000  # characters with a number in front or behind
LONGEST_LITERAL = 1 << 20  # characters; Python's parser takes far more memory than JSON's


def parse(text: str, yaml: bool = False) -> object:
    """What a text says: a list of names, or a dict of names and numbers. LabelError where it is broken.

    One line of names with commas is as good as one name a line; "0 paper" and "paper 0" are numbers with names where
    the numbers of all lines count from 0 (or 1).
    """
    text = text.strip().strip("\ufeff")
    text = text[assigned.end() :] if (assigned := ASSIGNED.match(text)) else text
    if text in ("[]", "()", "null"):
        return []
    if text[:1] == "{" or (text[:1] in ("[", "(") and re.search(r"[,'\"]", text)):
        return _literal(text)
    if yaml or re.search(r"^(names|nc)\s*:", text, re.MULTILINE):
        found = yaml_value(text)
        if found is not None or yaml:
            return found
    items = [inside for part in ITEM.split(text)[1:] for inside, end, _ in [part.partition("}")] if end]
    return [_item(item) for item in items] if items else lines([line.strip() for line in ENDS.split(text)])


def lines(found: Sequence[str]) -> object:
    """The same of a list's lines; empty ones and comments do not count."""
    found = [line for line in found if line and not line.startswith("# ")]
    if len(found) > 1 and all(map(BULLET.match, found)):
        found = [BULLET.sub("", line, count=1) for line in found]
    if len(found) == 1:
        found = [part.strip() for part in COMMAS.split(found[0]) if part.strip()]
    found = [_bare(line) for line in found]
    for some in (found, found[1:] if HEAD.fullmatch(found[0] if found else "") else []):
        numbered = _numbered(some)
        if numbered is not None:
            return numbered
    return found


def _bare(line: str) -> str:
    """A line without the comma at its end and the quotes around it, as of a list that was copied out of a program."""
    line = line.removesuffix(",").strip()
    quoted = IN_QUOTES.fullmatch(line) if line[:1] in ("'", '"') else None
    return quoted[2] if quoted else line


def _numbered(found: Sequence[str]) -> dict[Any, Any] | None:
    """Numbers and names where all lines have both; None where the numbers belong to the names ("1 yuan", "5 yuan")."""
    if any(len(line) > LONGEST_LINE for line in found):
        return None
    first = [pair.groups() for pair in takewhile(bool, map(NUMBER_FIRST.fullmatch, found)) if pair]
    if len(first) == len(found) and _counts([(int(number), name) for number, name in first], (0, 1)):
        return unique([(int(number), _bare(name)) for number, name in first])
    last = [parts for parts in takewhile(bool, map(_name_first, found)) if parts]
    if len(last) < len(found):
        return None
    starts = (0, 1) if all(between.strip() for _, between, _ in last) else (0,)  # "cat 1" may well be a name
    if _counts([(int(number), name) for name, _, number in last], starts):
        return unique([(_bare(name), int(number)) for name, _, number in last])
    return None


def _name_first(line: str) -> tuple[str, str, str] | None:
    """The name, what stands between, and the number behind it."""
    number = NUMBER_LAST.search(line)
    before = line[: number.start()] if number else ""
    name = before.rstrip()
    name = name[:-1].rstrip() if name[-1:] and name[-1] in SEPARATORS else name
    return (name, before[len(name) :], number[1]) if number and name and name != before else None


def _counts(pairs: Sequence[tuple[int, str]], starts: Sequence[int]) -> bool:
    """Whether the numbers are meant to number the names: near to counting, and the names differ without them.

    A gap or a number that stands twice is for the reader of dicts to refuse.
    """
    numbers, names = [number for number, _ in pairs], {name for _, name in pairs}
    return bool(pairs) and len(names) == len(pairs) and min(numbers) in starts and max(numbers) < 2 * len(pairs)


def _literal(text: str) -> Any:
    """JSON, or a list or dict as Python writes it."""
    try:
        return loads(text, unique)
    except (ValueError, RecursionError):
        pass
    try:
        if len(text) <= LONGEST_LITERAL:
            return ast.literal_eval(_with_few_keys(ast.parse(text, mode="eval")))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        pass
    raise label_error(
        en=f"The class names begin with {text[:SHOWN]!r}, but are no complete list or JSON. Correct it, or write "
        "one name a line.",
        zh=f"类别名称以 {text[:SHOWN]!r} 开头，但不是完整的列表或 JSON。请改正，或每行写一个名称。",
    )


def _with_few_keys(tree: ast.Expression) -> ast.Expression:
    """The same; ValueError where dicts have other keys than texts and numbers, or too many numbers."""
    keys = Keys(Limits())
    for node in ast.walk(tree):
        found = node.keys if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Set) else []
        if not all(isinstance(key, ast.Constant) for key in found):
            raise ValueError
        try:
            keys.set_of(key.value for key in found if isinstance(key, ast.Constant))
        except UnsafeCheckpoint as err:
            raise ValueError from err
    return tree


def _item(text: str) -> dict[str, str]:
    """The fields of one item of a label map."""
    fields = FIELD.findall(text)
    return {name: double or single or number for name, double, single, number in fields}
