"""One line of a .param file: a layer's kind, the blobs that it reads and makes, and its parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Set, Tuple

LONGEST_NAME = 255  # letters; ncnn's buffer has one more
NUMBER = re.compile(r"-?\d{1,10}(\.\d{1,9})?(e[+-]?\d{1,3})?", re.ASCII)
LONGEST_NUMBER = 15


class Damaged(Exception):
    """What is wrong: a line of the .param, or the .bin."""


@dataclass
class Row:
    """One layer's line. Every parameter must be asked for once."""

    kind: str
    sources: List[str]
    results: List[str]
    params: Dict[int, List[float]]
    lists: Set[int]

    def whole(self, key: int, low: int, high: int, default: Optional[int] = None) -> int:
        """A whole number in a range."""
        if key not in self.params and default is not None:
            return default
        value = self.real(key)
        need(isinstance(value, int) and low <= value <= high)
        return int(value)

    def real(self, key: int) -> float:
        """Any number."""
        need(key in self.params and key not in self.lists)
        return self.params.pop(key)[0]

    def items(self, key: int, count: int) -> List[float]:
        """A list of just so many."""
        need(count == 0 or (key in self.lists and len(self.params[key]) == count))
        return self.params.pop(key) if count else []


def need(condition: bool) -> None:
    """Damaged, which parse() completes, unless it holds."""
    if not condition:
        raise Damaged


def read_row(line: str) -> Row:
    """Kind, name, how many blobs it reads and makes, those, then parameters."""
    words = line.split(" ")
    need(len(words) >= 4 and all(0 < len(word) <= LONGEST_NAME and word.isprintable() for word in words))
    need(all(re.fullmatch(r"\d{1,4}", word, re.ASCII) for word in words[2:4]))
    reads, makes = int(words[2]), int(words[3])
    need(len(words) >= 4 + reads + makes)
    names, settings = words[4 : 4 + reads + makes], words[4 + reads + makes :]
    params: Dict[int, List[float]] = {}
    lists: Set[int] = set()
    for word in settings:
        key, values, is_list = _setting(word)
        need(key not in params)
        params[key] = values
        lists |= {key} if is_list else set()
    return Row(words[0], names[:reads], names[reads:], params, lists)


def _setting(word: str) -> Tuple[int, List[float], bool]:
    """0=3, or -23300=2,1.0,6.0: a list's key is that much lower, and its length comes first."""
    key, _, text = word.partition("=")
    need(re.fullmatch(r"\d{1,2}|-233\d\d", key, re.ASCII) is not None)
    values = [_number(part) for part in text.split(",")]
    if not key.startswith("-"):
        need(len(values) == 1)
        return int(key), values, False
    need(len(values) <= 16 and values[0] == len(values) - 1)
    return -23300 - int(key), values[1:], True


def _number(text: str) -> float:
    need(len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text) is not None)
    value = float(text) if "." in text or "e" in text else int(text)
    need(abs(value) < 1 << 31)
    return value
