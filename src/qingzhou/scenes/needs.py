"""Which modules of the runtime a program needs, so that it gets these and no others: read from their imports.

The runtime is one folder, of which each program gets a part:

    card.py, fields.py   what the model needs, parsed from an untrusted file
    image.py, picture.py pictures; prepare.py: made what the network takes, as in training
    quick.py             where Pillow resized in training, the same in one go; cv2_linear.py: where OpenCV did
    decoding.py          how a detector's raw outputs become boxes, in a card
    detect.py            boxes from a detector's outputs; overlap.py: one box for each thing; masks.py
    tables.py, words.py  tables (rows.py), arrays and texts; read.py: the pictures in a folder
    session.py           opening a model file: with onnxruntime, or with ncnn.py, which reads it through before
    predict.py           load() and Predictor: all of it together; answers.py: what comes out
    place.py             a bundle's machine, Python and packages; install.py, selftest.py, measure.py run there
    draw.py              the answer on the picture
    sample.py            the picture for the self-test

For the programs of the scenes:
    start.py             words of the command line, mistakes told in plain words; sim.py: the simulator
    camera.py            the newest picture, from whichever of sources.py is there; jpeg.py: streams of them
    screen.py            a window, or lines; stream.py, pages.py, plain.py: the board on the network; remote.py asks it
    listen.py            the microphone, and sounds as pictures
    rules.py             what happens when: rule_text.py reads a rule, facts.py what an answer says, sensors.py the rest
    act.py               the actions: voice.py, pins.py, wires.py (serial, MQTT, HTTP); worker.py does the slow ones
    optional.py          packages that only some programs need
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from ..runtime.card import Card, Input

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
    boxes, raw = any(card.task == "detection" for card in cards), any(card.decoding is not None for card in cards)
    used = {
        "predict": bool(cards), "ncnn": engine == "ncnn", "detect": boxes, "masks": boxes, "decoding": raw,
        "image": "image" in kinds, "prepare": "image" in kinds, "kinds": "image" in kinds,
        "tables": bool(kinds & {"table", "array"}),
        "words": "tokens" in kinds, "place": False,
        "quick": any(_resizes(card.input, "pillow") for card in cards),
        "cv2_linear": any(_resizes(card.input, "cv2") for card in cards),
    }  # fmt: skip
    return {name for name, is_used in used.items() if not is_used}


def _resizes(entry: Input, interpolation: str) -> bool:
    """Whether pictures are resized so; those that have not the network's size after all steps are, as OpenCV does."""
    ways = {step["interpolation"] for step in entry.steps if step["op"] == "resize"}
    sized = [step for step in entry.steps if step["op"] in ("resize", "pad", "pad_to", "center_crop")]
    fits = bool(sized) and sized[-1].get("size") == entry.shape[2:]
    return entry.kind == "image" and (interpolation in ways or (interpolation == "cv2" and not fits))


@functools.cache
def modules() -> dict[str, str]:
    """Name -> text of every module of the runtime, as it is copied beside programs."""
    place = files("qingzhou") / "runtime"
    return {path.name[:-3]: lean(path.read_text("utf-8")) for path in place.iterdir() if path.name.endswith(".py")}


def lean(code: str) -> str:
    """A module without what only those read who change it: docstrings of what no program calls, and types that only a
    checker needs. The rest stays as it is, line by line.
    """
    dropped = {line for first, last in _unread(ast.parse(code)) for line in range(first, last + 1)}
    return "\n".join(line for number, line in enumerate(code.split("\n"), start=1) if number not in dropped)


def _unread(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """The first and last lines, counted from 1, of such docstrings and types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _is_for_checkers(node):
            yield node.lineno, node.end_lineno or node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and _is_private(node) and len(node.body) > 1:
            yield node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno


def _is_private(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it is for its module alone, and says what it does."""
    return re.match("_[^_]", node.name) is not None and ast.get_docstring(node) is not None


def _is_for_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@functools.cache
def _imports(name: str) -> tuple[tuple[str, bool], ...]:
    """The runtime's modules that one of them imports, and whether that may be late, or in vain."""
    return tuple(dict.fromkeys(_imported(ast.parse(modules()[name]).body, False)))


def _imported(body: Iterable[ast.AST], late: bool) -> Iterator[tuple[str, bool]]:
    for node in body:
        if _is_for_checkers(node):
            continue
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((one.partition(".")[0], late) for one in names)
        else:
            inside = late or isinstance(node, (ast.FunctionDef, ast.Try))
            yield from _imported(ast.iter_child_nodes(node), inside)
