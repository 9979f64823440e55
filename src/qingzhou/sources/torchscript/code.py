"""The program in a TorchScript archive: a small part of Python, parsed and never run.

Which words there are: https://github.com/pytorch/pytorch/blob/main/torch/csrc/jit/docs/serialization.md
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...files.refusals import damaged, short, unsafe
from ...runtime.text import line

LONGEST = 4 << 20  # bytes of one part
LONGEST_LINE = 200_000
DEEPEST = 40  # brackets inside brackets, and dots after dots
TEXTS = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
# What these programs never have, and what would make a parser go deep: operators, their chains, and chains of calls.
STRANGE = re.compile(
    r"[*+/%&|^~@;\\`]|-\s*-|\bnot\s+not\b|\blambda\b|\bawait\b|\bif\b.*\belse\b|<|(?:\.\w+){40}|(?:[)\]]\s*[(\[]){8}"
)
BRACKETS = str.maketrans("([{)]}", "((()))")


@dataclass(frozen=True)
class Class:
    """One class of the program: its methods, and attributes whose values stand in the code."""

    name: str
    methods: Mapping[str, ast.FunctionDef]
    finals: Mapping[str, ast.expr] = field(default_factory=dict)
    fields: tuple[str, ...] = ()  # of a NamedTuple


@dataclass(frozen=True)
class Part:
    """One file of the program."""

    classes: Mapping[str, Class]
    functions: Mapping[str, ast.FunctionDef]


class Code:
    """All files of a program; each is read when something in it is first used."""

    def __init__(self, names: frozenset[str], read: Callable[[str], bytes]) -> None:
        self.names, self.read = names, read
        self.parts: dict[str, Part] = {}

    def part(self, module: str) -> Part | None:
        """The file of a module such as "__torch__.torch.nn.functional"."""
        name = f"code/{module.replace('.', '/')}.py"
        if name not in self.names:
            return None
        if name not in self.parts:
            self.parts[name] = parsed(self.read(name), name)
        return self.parts[name]

    def of_class(self, name: str) -> Class | None:
        """By its whole name."""
        module, _, own = name.rpartition(".")
        part = self.part(module)
        return None if part is None else part.classes.get(own)

    def function(self, name: str) -> ast.FunctionDef | None:
        """By its whole name."""
        module, _, own = name.rpartition(".")
        part = self.part(module)
        return None if part is None else part.functions.get(own)


def parsed(data: bytes, name: str) -> Part:
    """One file; UnsafeCheckpoint for what no such program has, CheckpointDamaged for what is none."""
    text = data.decode("utf-8", "replace")
    _check(text, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise damaged(f"its program {short(name)} is garbled", f"程序 {short(name)} 混乱") from None
    classes = {one.name: _class(one) for one in body if isinstance(one, ast.ClassDef)}
    functions = {one.name: one for one in body if isinstance(one, ast.FunctionDef)}
    return Part(classes, functions)


def _check(text: str, name: str) -> None:
    for one in text.split("\n"):
        if len(one) > LONGEST_LINE:
            raise _strange(one, name)
        bare = TEXTS.sub('""', one).replace("->", "")
        if STRANGE.search(bare) or _depth(bare) > DEEPEST:
            raise _strange(one, name)


def _depth(text: str) -> int:
    """How many brackets are open at once at most."""
    depth = most = 0
    for mark in re.findall(r"[()]", text.translate(BRACKETS)):
        depth += 1 if mark == "(" else -1
        most = max(most, depth)
    return most


def _strange(text: str, name: str) -> Exception:
    return unsafe(
        f"its program {short(name)} has a line that PyTorch does not write: {line(text.strip())[:60]}",
        f"程序 {short(name)} 中有 PyTorch 不会写出的代码：{line(text.strip())[:60]}",
    )


def _class(node: ast.ClassDef) -> Class:
    methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
    finals = {
        one.target.id: one.value
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is not None
    }
    bases = {one.id for one in node.bases if isinstance(one, ast.Name)}
    names = [one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    return Class(node.name, methods, finals, tuple(names) if "NamedTuple" in bases else ())
