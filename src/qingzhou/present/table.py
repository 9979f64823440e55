"""Tables without lines for every kind of screen: rich lays them out, or plain.py, where there is no terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import rich.table


@dataclass
class Column:
    """What is above a column, and how its cells lie in it."""

    head: str
    justify: Literal["left", "right"] = "left"
    no_wrap: bool = False
    min_width: int | None = None


@dataclass
class Table:
    """Cells in rich's markup. `facts`: names and values, without heads."""

    columns: list[Column]
    facts: bool = False
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add_row(self, *cells: str) -> None:
        """Of as many cells as there are columns, or fewer."""
        self.rows.append(cells)

    def __rich__(self) -> rich.table.Table:
        """As rich prints it."""
        from rich.table import Table as Rich

        table = Rich.grid(padding=(0, 2)) if self.facts else Rich(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.header_style = "dim"
        for i, one in enumerate(self.columns):
            names = self.facts and i == 0
            table.add_column(
                one.head,
                style="dim" if names else "",
                overflow="ellipsis" if names else "fold",
                justify=one.justify,
                no_wrap=one.no_wrap,
                min_width=one.min_width,
            )
        for row in self.rows:
            table.add_row(*row)
        return table


def facts(*rows: tuple[str, str]) -> Table:
    """Names and values; empty values are left out."""
    return Table([Column("", no_wrap=True), Column("")], True, [(f"  {name}", value) for name, value in rows if value])


def table_of(*heads: str) -> Table:
    """A table with these heads, and no rows yet."""
    return Table([Column(head) for head in heads])
