"""Which modules of the runtime a program needs, so that it gets these and no others: read from their imports."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from ..runtime.card import Card

RUNTIME = "qingzhou_runtime"  # the folder beside the program: a copy of modules of qingzhou/runtime


def needs(texts: Iterable[str], cards: Sequence[Card], engine: str = "onnxruntime") -> frozenset[str]:
    """The modules that programs and scripts with these texts need for these models, run by this engine.

    What they name, what that imports, and so on; and where there is a model, load() and the self-test. What is
    imported inside a function is needed too, unless it is for other models only.
    """
    named = {name for text in texts for name in re.findall(rf"\b{RUNTIME}\.(\w+)", text)}
    left = ["__init__", *(["__main__"] if cards else []), *(named & modules().keys())]
    other, found = _for_others(cards, engine), set[str]()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [module for module, late in _imports(name) if not (late and module in other)]
    return frozenset(found)


def _for_others(cards: Sequence[Card], engine: str) -> set[str]:
    """The modules that are imported late and by none of these models; place.py comes with the scripts of a bundle."""
    kinds = {card.input.kind for card in cards}
    boxes = any(card.task == "detection" for card in cards)
    used = {
        "predict": bool(cards), "ncnn": engine == "ncnn", "detect": boxes, "masks": boxes,
        "image": "image" in kinds, "prepare": "image" in kinds, "kinds": "image" in kinds,
        "tables": bool(kinds & {"table", "array"}),
        "words": "tokens" in kinds, "place": False,
    }  # fmt: skip
    return {name for name, is_used in used.items() if not is_used}


@functools.cache
def modules() -> dict[str, str]:
    """Name -> text of every module of the runtime."""
    place = files("qingzhou") / "runtime"
    return {path.name[:-3]: path.read_text("utf-8") for path in place.iterdir() if path.name.endswith(".py")}


@functools.cache
def _imports(name: str) -> tuple[tuple[str, bool], ...]:
    """The runtime's modules that one of them imports, and whether that may be late, or in vain."""
    return tuple(dict.fromkeys(_imported(ast.parse(modules()[name]).body, False)))


def _imported(body: Iterable[ast.AST], late: bool) -> Iterator[tuple[str, bool]]:
    for node in body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((one.partition(".")[0], late) for one in names)
        else:
            inside = late or isinstance(node, (ast.FunctionDef, ast.Try))
            yield from _imported(ast.iter_child_nodes(node), inside)
