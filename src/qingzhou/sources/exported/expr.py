"""Sizes as `.pt2` files spell them: the text of sympy's srepr, such as "Mul(Integer(2), Symbol('s77', integer=True))".

A small grammar of names, numbers, texts and calls; nothing is evaluated but arithmetic, and nothing looked up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..aten.refuse import garbled

TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>-?\d{1,18})|(?P<text>'[\w.]{1,60}')|(?P<mark>[(),=]))")
LONGEST = 4096  # characters of one size
DEEPEST = 40
MOST = 1 << 62


@dataclass(frozen=True)
class Expr:
    """op: "int", "symbol", or what sympy calls an operation."""

    op: str
    args: tuple[Expr, ...] = ()
    value: int = 0
    name: str = ""


def parsed(text: str) -> Expr:
    """The size in a text; CheckpointDamaged where it is none."""
    if len(text) > LONGEST:
        raise garbled("a size is described in too many words", "一个尺寸的描述过长")
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = TOKEN.match(text, place)
        if match is None:
            raise _no_size(text)
        tokens.append(match[match.lastgroup or 0].strip())
        place = match.end()
    found, end = _expr(tokens, 0, 0, text)
    if end != len(tokens):
        raise _no_size(text)
    return found


def _no_size(text: str) -> Exception:
    return garbled(f"a size is described as {text[:60]!r}", f"一个尺寸的描述是 {text[:60]!r}")


def _expr(tokens: Sequence[str], at: int, depth: int, text: str) -> tuple[Expr, int]:
    """One term, and where the next begins."""
    if depth > DEEPEST or at >= len(tokens):
        raise _no_size(text)
    token = tokens[at]
    if re.fullmatch(r"-?\d+", token):
        return Expr("int", value=int(token)), at + 1
    if token.startswith("'"):
        return Expr("text", name=token.strip("'")), at + 1
    if at + 1 < len(tokens) and tokens[at + 1] == "(":
        args, at = _args(tokens, at + 2, depth, text)
        return _call(token, args, text), at
    return Expr("word", name=token), at + 1


def _args(tokens: Sequence[str], at: int, depth: int, text: str) -> tuple[list[Expr], int]:
    """Up to the bracket that closes; what is named (positive=True) says nothing that is needed."""
    found: list[Expr] = []
    while at < len(tokens) and tokens[at] != ")":
        named = at + 1 < len(tokens) and tokens[at + 1] == "="
        one, at = _expr(tokens, at + 2 if named else at, depth + 1, text)
        found += [] if named else [one]
        if at < len(tokens) and tokens[at] == ",":
            at += 1
        elif at >= len(tokens) or tokens[at] != ")":
            raise _no_size(text)
    if at >= len(tokens):
        raise _no_size(text)
    return found, at + 1


def _call(name: str, args: list[Expr], text: str) -> Expr:
    if name == "Symbol" and len(args) == 1 and args[0].op == "text":
        return Expr("symbol", name=args[0].name)
    if name == "Integer" and len(args) == 1 and args[0].op == "int":
        return args[0]
    if not all(one.op not in ("text", "word") for one in args):
        raise _no_size(text)
    return Expr(name, tuple(args))


def shown(expr: Expr, names: Mapping[str, str]) -> int | str:
    """As a number or a short text, such as "2*batch"; symbols by the names that they are given."""
    if expr.op == "int":
        return expr.value
    if expr.op == "symbol":
        return names.get(expr.name, expr.name)
    parts = [shown(one, names) for one in expr.args]
    mark = {"Add": "+", "Mul": "*"}.get(expr.op)
    if mark and all(isinstance(one, int) for one in parts):
        total = 0 if mark == "+" else 1
        for one in parts:
            total = total + int(one) if mark == "+" else total * int(one)
        return total if abs(total) < MOST else "?"
    text = mark.join(map(str, parts)) if mark else f"{expr.op.lower()}({','.join(map(str, parts))})"
    return f"({text})" if mark == "+" else text


def symbols(expr: Expr) -> set[str]:
    """The symbols in it."""
    return {expr.name} if expr.op == "symbol" else {name for one in expr.args for name in symbols(one)}
