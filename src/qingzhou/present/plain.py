"""What rich prints where there are no colours, without rich, whose import takes longer than converting a small network.

Only texts of plain letters that fit, or break between words, are printed here; all others, and what is no text and no
small table, rich prints as ever. That both print the same is what tests/test_plain.py looks at.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from .table import Table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

TAG = re.compile(r"(\\*)\[([a-z#/@][^[]*?)]")  # rich's markup, with the backslashes that make a text of it
MARKS = frozenset("\n→✓✗·…–—×→←±°µ")  # beside ASCII and Chinese, letters of a known width
WORD = re.compile(r"\s*\S+\s*")
GAP = "  "  # between columns


class Plain:
    """Stdout or stderr that is no terminal, `width` letters wide."""

    def __init__(self, width: int, stderr: bool = False) -> None:
        self.width, self._stderr = width, stderr

    def print(
        self, text: RenderableType = "", *, soft_wrap: bool = False, markup: bool = True, style: str = ""
    ) -> None:
        """As rich's Console, of which `style` is a colour here."""
        lines = self._lines(text, soft_wrap, markup)
        if lines is None:
            self._rich().print(text, soft_wrap=soft_wrap, markup=markup, style=style)
            return
        file = sys.stderr if self._stderr else sys.stdout
        if file is not None:  # pythonw has none
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()

    def _lines(self, text: RenderableType, soft_wrap: bool, markup: bool) -> list[str] | None:
        """None for what only rich can lay out."""
        if isinstance(text, Table):
            return _rows(text, self.width)
        if not isinstance(text, str) or not _is_known(text):
            return None
        lines = (unmarked(text) if markup else text).split("\n")
        return lines if soft_wrap else _wrapped(lines, self.width)

    def _rich(self) -> Console:
        from rich.console import Console

        return Console(stderr=self._stderr, highlight=False, emoji=False, width=self.width)


def escape(text: str) -> str:
    """Text as markup: what looks like a tag in it is none."""
    text = TAG.sub(r"\1\1\\[\2]", text)
    return text + "\\" if text.endswith("\\") and not text.endswith("\\\\") else text


def unmarked(text: str) -> str:
    """Markup without its tags."""
    parts, at = [], 0
    for tag in TAG.finditer(text):
        slashes = len(tag[1])
        kept = f"[{tag[2]}]" if slashes % 2 else ""
        parts += [text[at : tag.start()].replace("\\[", "["), "\\" * (slashes // 2), kept]
        at = tag.end()
    return "".join([*parts, text[at:].replace("\\[", "[")])


def _is_known(text: str) -> bool:
    """Whether it has only letters whose width all terminals agree on; a pattern of these would take ms to compile."""
    return (text.isascii() and text.isprintable()) or all(
        " " <= one <= "~" or one in MARKS or _is_wide(one) for one in text
    )


def _is_wide(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff" or "\u3001" <= letter <= "\u3020" or "\uff01" <= letter <= "\uff5e"


def _cells(text: str) -> int:
    """How many letters wide a known text is: Chinese ones are two."""
    return len(text) if text.isascii() else len(text) + sum(map(_is_wide, text))


def _wrapped(lines: list[str], width: int) -> list[str] | None:
    """Broken between words; None where one is too long for a line."""
    found = []
    for line in lines:
        now, used = "", 0
        for word in WORD.findall(line) if _cells(line) > width else ():
            size = _cells(word.rstrip())
            if size > width:
                return None
            if used + size > width:
                found.append(now)
                now, used = "", 0
            now, used = now + word, used + _cells(word)
        found.append(now or line)
    return [_shortened(line, width) for line in found]


def _shortened(line: str, width: int) -> str:
    """Without the spaces that stand beyond the width."""
    while line.endswith(" ") and _cells(line) > width:
        line = line[:-1]
    return line


def _rows(table: Table, width: int) -> list[str] | None:
    """Columns as wide as their widest cells; None if they do not fit, have several lines, or lie otherwise."""
    heads = [] if table.facts else [tuple(one.head for one in table.columns)]
    count = len(table.columns)
    rows = [(*map(unmarked, row), *[""] * (count - len(row))) for row in (*heads, *table.rows)]
    known = all(_is_known(cell) and "\n" not in cell for row in rows for cell in row)
    if not table.rows or not known or any(one.justify != "left" or one.min_width for one in table.columns):
        return None
    widths = [max(map(_cells, column)) for column in zip(*rows, strict=True)]
    widths[-1] = max(1, widths[-1])  # rich's last column is never without any width
    if sum(widths) + len(GAP) * (count - 1) > width:
        return None
    return [GAP.join(cell + " " * (n - _cells(cell)) for cell, n in zip(row, widths, strict=True)) for row in rows]
