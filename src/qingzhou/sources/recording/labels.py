"""Labels as Teachable Machine writes them, whatever kind of model lies beside."""

from __future__ import annotations


def numbered(text: str) -> list[str]:
    """The classes' names: "0 Name" in each line, whose number goes where it is the line's own."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    parts = [line.split(" ", 1) for line in lines]
    fits = all(len(part) == 2 and part[0] == str(i) for i, part in enumerate(parts))
    return [part[1].strip() for part in parts] if fits else lines
