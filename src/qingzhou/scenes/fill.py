"""A program with other values for the constants at its top."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ..errors import OptionError
from ..runtime.text import escaped


def fill(code: str, constants: Mapping[str, object]) -> str:
    """The program with `NAME = …` for each constant; the comment behind it stays, and everything else.

    Values are texts, numbers, True, False, None and lists of texts. LookupError (an OptionError) for a constant that
    the program does not have; SyntaxError if it is none.
    """
    lines = code.split("\n")
    places = constants_of(code)
    missing = sorted(set(constants) - set(places))
    if missing:
        raise ConstantMissing(missing[0], sorted(places))
    for name, (first, last) in sorted(places.items(), key=lambda item: -item[1][0]):
        if name in constants:
            comment = _comment(lines[first - 1])
            lines[first - 1 : last] = _assignment(name, constants[name], comment)
    return "\n".join(lines)


class ConstantMissing(OptionError, LookupError):
    """A constant that the program does not have."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            en=f"The program has no constant {name}; it has {', '.join(known)}. Choose one of these.",
            zh=f"程序里没有常量 {name}，有的是 {'、'.join(known)}。请从中选择。",
        )


def constants_of(code: str) -> dict[str, tuple[int, int]]:
    """NAME -> its first and last line, counted from 1, of every constant with a plain value."""
    found = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_plain(node.value):
            found[node.targets[0].id] = node.lineno, node.end_lineno or node.lineno
    return found


def _is_plain(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def _comment(line: str) -> str:
    """The comment behind a constant's first line, with the two spaces before it. No value of ours holds "  # "."""
    return line[line.rindex("  # ") :] if "  # " in line else ""


def _assignment(name: str, value: object, comment: str) -> list[str]:
    """The lines of a constant: a list of texts has a line for each, so that a pupil can add one."""
    if isinstance(value, (list, tuple)) and value:
        return [f"{name} = [{comment}", *(f"    {literal(item)}," for item in value), "]"]
    return [f"{name} = {literal(value)}{comment}"]


def literal(value: object) -> str:
    """A value as it stands in a program: texts in double quotes, or in single ones where they hold double ones."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(literal, value))}]"
    if not isinstance(value, str):
        return repr(value)
    mark = "'" if '"' in value and "'" not in value else '"'
    text = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return escaped(mark + text.replace(mark, "\\" + mark) + mark)
