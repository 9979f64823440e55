"""The settings that mmcv and mmengine write into a checkpoint as Python source: read as data, never run.

Only what such a text is made of counts: `name = value`, where a value is made of literals, lists, tuples, dicts,
dict(…), names assigned earlier and sums of numbers. Anything else inside a value becomes UNKNOWN; any other statement,
or a text that is larger or deeper than a config ever is, makes the whole text unreadable.
"""

from __future__ import annotations

import ast
import io
import keyword
import operator
import tokenize
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

LONGEST = 1 << 18  # characters; the class names of large data sets take tens of thousands
LONGEST_LINE = 20_000  # Python 3.12's tokenizer takes the square of a line's length in time; the tools write 79
DEEPEST = 200  # what may be open at once: brackets, and operators that wait for their right side
MOST_TOKENS = 20_000  # the classes of LVIS, four times over, take half of them
MOST_VALUES = 100_000
LARGEST = 1 << 53  # numbers beyond are not settings

OPERATORS: dict[type[ast.operator], Callable[[object, object], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
VALUES = ("None", "True", "False")


class Unknown:
    """What a text says and we do not read; there is one, UNKNOWN."""


UNKNOWN = Unknown()


class Unreadable(Exception):
    """The text is not a config as it is written into checkpoints."""


def parse(text: object) -> dict[str, object]:
    """Name -> value of every assignment, the last one of each; Unreadable, also for what is no text."""
    if not isinstance(text, str) or len(text) > LONGEST or max(map(len, text.split("\n"))) > LONGEST_LINE:
        raise Unreadable
    try:
        _check_tokens(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in strings
            statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as err:
        raise Unreadable from err
    reader = _Reader()
    for statement in statements:
        reader.read(statement)
    return reader.names


def _check_tokens(text: str) -> None:
    """Unreadable for what could exhaust ast's stack: it goes one deeper for each bracket and each operator in a row.

    Keywords count as operators (`not not …`); a comma ends all operators of its bracket, a new line those of all.
    """
    open_operators, deep = [0], 0  # deep: their sum
    for count, token in enumerate(tokenize.generate_tokens(io.StringIO(text).readline)):
        kind, word = token.type, token.string
        if kind in (tokenize.INDENT, tokenize.ERRORTOKEN) or (kind == tokenize.STRING and "f" in _prefix(word)):
            raise Unreadable
        if count > MOST_TOKENS or tokenize.tok_name[kind].startswith(("FSTRING", "TSTRING")):
            raise Unreadable
        if kind == tokenize.NEWLINE:
            open_operators, deep = [0], 0
        elif kind == tokenize.OP and word == ",":
            deep -= open_operators[-1]
            open_operators[-1] = 0
        elif kind == tokenize.OP and word in ")]}":
            deep -= open_operators.pop()
            open_operators = open_operators or [0]
        elif kind == tokenize.OP or (kind == tokenize.NAME and keyword.iskeyword(word) and word not in VALUES):
            open_operators[-1] += 1
            deep += 1
            open_operators += [0] if word in ("(", "[", "{") else []
        if deep > DEEPEST:
            raise Unreadable


def _prefix(string: str) -> str:
    """The letters before the quote."""
    return string[: min(string.find(quote) % (len(string) + 1) for quote in "'\"")].lower()


@dataclass
class _Reader:
    names: dict[str, object] = field(default_factory=dict)
    values: int = 0

    def read(self, statement: ast.stmt) -> None:
        """One assignment; texts about the file and imports mean nothing."""
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=node):
                self.names[name] = self.value(node)
            case ast.Import(names=found) | ast.ImportFrom(names=found):
                self.names |= {(alias.asname or alias.name).partition(".")[0]: UNKNOWN for alias in found}
            case ast.Expr(value=ast.Constant()):
                pass
            case _:
                raise Unreadable

    def value(self, node: ast.expr) -> object:
        """What an expression says, or UNKNOWN."""
        self.count(1)
        match node:
            case ast.Constant(value=value):
                return _plain(value)
            case ast.Name(id=name):
                return self.names.get(name, UNKNOWN)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return tuple(self.value(item) for item in items)
            case ast.Dict(keys=keys, values=values):
                return self.table([key if key is None else self.key(key) for key in keys], values)
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=words) if "dict" not in self.names:
                return self.table([word.arg for word in words], [word.value for word in words])
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return _computed(operator.neg, self.value(inner))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return _computed(OPERATORS[type(op)], self.value(left), self.value(right))
        return UNKNOWN

    def table(self, keys: Iterable[object], nodes: Iterable[ast.expr]) -> object:
        """A dict; the key None takes in all of another one (`**other`)."""
        found: dict[object, object] = {}
        for key, node in zip(keys, nodes, strict=True):
            value = self.value(node)
            if key is None and isinstance(value, dict):
                self.count(len(value))
                found |= value
            elif isinstance(key, (str, int)):
                found[key] = value
            else:
                return UNKNOWN
        return found

    def key(self, node: ast.expr) -> object:
        """A key of a dict; None stands for something else there."""
        key = self.value(node)
        return UNKNOWN if key is None else key

    def count(self, more: int) -> None:
        """Unreadable once there are too many values."""
        self.values += more
        if self.values > MOST_VALUES:
            raise Unreadable


def _plain(value: object) -> object:
    """Text, truth, None and ordinary numbers."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value if abs(value) <= LARGEST else UNKNOWN  # which no NaN is
    return value if value is None or isinstance(value, (str, bool)) else UNKNOWN


def _computed(how: Callable[..., object], *numbers: object) -> object:
    """A sum of plain numbers."""
    if any(type(number) not in (int, float) for number in numbers):
        return UNKNOWN
    try:
        return _plain(how(*numbers))
    except (ArithmeticError, ValueError):
        return UNKNOWN
