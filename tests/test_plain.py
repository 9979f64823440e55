"""What is printed where there is no terminal: letter by letter what rich prints there, mostly without importing it."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import pytest
import rich.markup
from rich.console import Console, RenderableType

from qingzhou.present import pieces
from qingzhou.present.plain import Plain, escape, unmarked
from qingzhou.present.table import Table, facts, table_of

PLAIN = ["a", "cat", "[bold]网络[/]", "MobileNetV2", "（图片）", "·", "→", "[", "[x", "\\", "\\["]
WORDS = [
    *PLAIN,
    "[/]",
    "[a]",
    "✓",
    "…",
    "预处理方法：",
    "3.14",
    "x" * 40,
    "长" * 30,
    "/tmp/a.onnx",
    "[0]",
    "",
    " ",
    "  ",
]
Shown = Callable[..., str]


@pytest.fixture
def by_rich(capsys: pytest.CaptureFixture[str]) -> Shown:
    def shown(what: RenderableType, width: int, **how: bool) -> str:
        Console(highlight=False, emoji=False, width=width).print(what, **how)  # type: ignore[arg-type]
        return capsys.readouterr().out

    return shown


@pytest.fixture
def by_us(capsys: pytest.CaptureFixture[str]) -> Shown:
    def shown(what: RenderableType, width: int, **how: bool) -> str:
        Plain(width).print(what, **how)
        return capsys.readouterr().out

    return shown


def sentences(seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(PLAIN if plain else WORDS, k=draw.randrange(40))) for plain in (0, 1) * 60]


def safe(text: str) -> str:
    """Tags that close none are a mistake to rich."""
    return rich.markup.escape(text)


@pytest.mark.parametrize("width", [24, 80, 100])
def test_texts(by_rich: Shown, by_us: Shown, width: int) -> None:
    for text in map(safe, sentences(width)):
        for marked in (text, f"[yellow]![/] {text}", f"{text}\n\n[bold red]{text}[/]\n"):
            assert by_us(marked, width) == by_rich(marked, width)
            assert by_us(marked, width, soft_wrap=True) == by_rich(marked, width, soft_wrap=True)
        assert by_us(text, width, markup=False) == by_rich(text, width, markup=False)


def test_markup_is_read_and_written_as_rich_does(by_rich: Shown) -> None:
    for text in sentences(7):
        assert escape(text) == safe(text)
        assert unmarked(safe(text)) + "\n" == by_rich(safe(text), 9000, soft_wrap=True)


def tables(seed: int) -> list[Table]:
    draw = random.Random(seed)
    found = []
    for _ in range(60):
        cells = [safe(" ".join(draw.choices(PLAIN, k=draw.randrange(7)))) for _ in range(12)]
        table = table_of(*cells[:3])
        for row in range(draw.randrange(4)):
            table.add_row(*cells[row * 3 : row * 3 + draw.randrange(1, 4)])
        found += [table, facts(*zip(cells[::2], cells[1::2], strict=True))]
    return found


def test_tables(by_rich: Shown, by_us: Shown) -> None:
    for table in tables(3):
        assert by_us(table, 100) == by_rich(table, 100)
        assert by_us(table, 40) == by_rich(table, 40)


def test_columns_that_lie_otherwise(by_rich: Shown, by_us: Shown) -> None:
    table = table_of("a", "b\nc")
    table.columns[1].justify = "right"
    table.add_row("x", "1234")
    assert by_us(table, 100) == by_rich(table, 100) == "      b\na     c\nx  1234\n"


def test_letters_of_an_unknown_width(by_rich: Shown, by_us: Shown) -> None:
    """Emoji, combining marks, tabs, what is hidden."""
    for text in ("a😀b", "e\u0301" * 60, "a\tb", "\u200bx", "한국어 " * 40, "\x07a"):
        assert by_us(text, 100) == by_rich(text, 100)
        assert by_us(facts(("a", text)), 100) == by_rich(facts(("a", text)), 100)


def test_all_letters_whose_width_is_known() -> None:
    """By rich's own table."""
    from rich.cells import cell_len

    from qingzhou.present.plain import _cells, _is_known

    letters = [chr(n) for n in range(32, sys.maxunicode) if _is_known(chr(n))]
    assert len(letters) > 20_000 and [one for one in letters if _cells(one) != cell_len(one)] == []


def test_a_terminal_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(pieces.console(), Plain) and isinstance(pieces.stderr(), Plain)
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = pieces.console()
    assert isinstance(screen, Console) and screen.is_terminal and screen.width == 100
