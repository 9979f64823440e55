"""How an option is called where it is read: `--input-size 6,12` on the command line, `input_size=(6, 12)` in Python.

Messages of the core name the option of convert() that they are about, and leave the rest to this.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

# That are not called as in Python
OTHERWISE = {"xeduhub": "--xeduhub-input", "input_type": "--input", "details": "--set"}
_on_command_line = False


@contextlib.contextmanager
def as_on_command_line() -> Iterator[None]:
    """Spell them so until the end of the block: a verb, or the job of a page, whose reader never saw Python's names."""
    global _on_command_line
    before, _on_command_line = _on_command_line, True
    try:
        yield
    finally:
        _on_command_line = before


def option(name: str, value: str = "") -> str:
    """An option of convert(), and a value as people write it: "6,12"."""
    if _on_command_line:
        return f"{OTHERWISE.get(name, '--' + name.replace('_', '-'))} {value}".rstrip()
    several = f"({value.replace(',', ', ')})" if "," in value else value
    return f"{name}={several}" if value else name


def class_names(*names: str) -> str:
    """Names of classes as they are given there: `--labels cat,dog`, `labels=["cat", "dog"]`."""
    if _on_command_line:
        return f"--labels {','.join(names)}"
    return "labels=[{}]".format(", ".join(f'"{name}"' for name in names))
