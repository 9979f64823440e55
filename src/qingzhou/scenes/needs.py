"""Which modules of the runtime a program needs, so that it gets these and no others: read from their imports.

Modules are called as they are imported, without the package: "draw", "model.card". At the door lies what programs
import, and what all rooms rest upon:

    predict.py           load() and Predictor: a model with its card
    errors.py            what can be wrong, as a sentence; file.py, read.py: files, and their names; memory.py: how much
    whole.py             files that are there whole or not at all; address.py, text.py: addresses, texts for any place
    draw.py              the answer on the picture
    start.py             words of the command line, mistakes told in plain words
    camera.py            the newest picture; screen.py: a window, or lines; listen.py: the microphone
    rules.py, act.py     what happens when, and the actions; sensors.py: what is measured
    stream.py            the board on the network; remote.py asks it

Below it four rooms, of which a program gets the modules that it needs:

    model/    card, fields, steps, decoding, also: what the model needs, parsed from an untrusted file; image, picture,
              kinds, prepare, letterbox, quick, cv2_linear: pictures made what the network takes; tables, rows, words:
              other data; several, together: more than one at once; answers, detection, detect, levels, ultralytics,
              overlap, masks, marks: what comes out; sample, noise: what the self-test is made with;
              rowwise, columns, cells, counted: rows of tables, whose columns may have names
    engine/   session: opening a model file, with onnxruntime, or with ncnn, which reads it through before; behind: of
              litert and mnn
    parts/    sources, jpeg: pictures from cameras; rule_text, facts: rules; pins, wires, voice: what actions use;
              worker: the slow ones; optional: packages that only some programs need; sim: the simulator; pages,
              plain: of the network
    bundle/   place: a bundle's machine, Python and packages; given: the answer for a file that
              is named; install, selftest, measure run there
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..runtime.model.card import Card, Input

# Code as ruff formats it is read by its lines: to parse it would take longer than to convert a small model.
# An expression that begins with letters of its own is searched for quickly, one with ^ at each place: it takes no less.
TYPES = re.compile(r"\nif TYPE_CHECKING:\n(?: .*\n|\n)+")
# of a class or function of such a name
DOCSTRING = r"""(^\ *(?:class\ %s\w+|def\ %s\w*\([^()]*(?:\([^()]*\)[^()]*)*\))[^\n]*:\n)
                \ +\"{3}[^"]*(?:"(?!"")[^"]*)*\"{3}\n\n?(?=\ )"""
OF_PRIVATE, OF_ALL = (re.compile(DOCSTRING % names, re.MULTILINE | re.VERBOSE) for names in (("_", "_[^_]"), ("", "")))
OF_FUNCTIONS = re.compile(
    (DOCSTRING % ("_", "")).replace(r"(^\ *", "(^", 1), re.MULTILINE | re.VERBOSE
)  # not of methods
LINE = re.compile(r"\n *#[^\n]*")  # that is a comment
COMMENT = re.compile(r"  # (?<=\S  # )[^\"'\n]*(?=\n|\Z)")
MORE = re.compile(r'\A("{3}[^\n"]+(?:\n[^\n"]+)*)\n\n(?:[^"]|"(?!""))*"{3}')  # of a module's docstring
RULE = re.compile(r"\n *# -- .*\n\n?")  # between the parts of a module
# Modules that only the others use, but for pictures_of() of read.py; a program is given the classes of answers.py.
INNER = re.compile(r"(?:model|engine)\.|(?:file|memory|read)$")
GIVEN = "model.answers"
TOP = Path(__file__).parents[1] / "runtime"
TYPED = "typed"  # it holds types only
ROOMS = ("model", "engine", "parts", "bundle")
IMPORT = re.compile(r"\n( *)from (\.+)([\w.]*) import ([^\n(]+|\([^)]*\))")
RUNTIME = "qingzhou_runtime"  # the folder beside the program: a copy of modules of qingzhou/runtime, in the same rooms


def needs(texts: Iterable[str], cards: Sequence[Card], engine: str = "onnxruntime") -> frozenset[str]:
    """The modules that programs and scripts with these texts need for these models, run by this engine.

    What they name, what that imports, and so on; and where there is a model, load() and the self-test. What is
    imported inside a function is needed too, unless it is for other models only.
    """
    named = {name for text in texts for name in re.findall(rf"\b{RUNTIME}\.(\w+(?:\.\w+)?)", text)}
    left = ["__init__", *(["__main__"] if cards else []), *(named & set(modules()))]
    other, found = _for_others(cards, engine), set[str]()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [module for module, late in _imports(name) if not (late and module in other)]
    return frozenset(found)


def _for_others(cards: Sequence[Card], engine: str) -> set[str]:
    """The modules that are imported late and by none of these models; place.py comes with the scripts of a bundle."""
    kinds = {entry.kind for card in cards for entry in card.inputs}
    boxes = any(card.task == "detection" for card in cards)
    several = any(card.others for card in cards)
    used = {
        "predict": bool(cards),
        "engine.other": engine != "onnxruntime",
        "engine.ncnn": engine == "ncnn",
        "engine.litert": engine == "litert",
        "engine.mnn": engine == "mnn",
        "engine.arrays": engine == "numpy",
        "engine.rknn": engine == "rknn",
        "model.detect": boxes,
        "model.masks": boxes,
        "model.marks": boxes or not cards,  # a program without a model asks another's, which may find things
        "model.decoding": any(card.decoding is not None for card in cards),
        "model.levels": any("levels" in (card.decoding or {}) for card in cards),
        "model.also": any(card.output.also or _is_ultralytics(card) for card in cards),
        "model.ultralytics": any(map(_is_ultralytics, cards)),
        "model.image": "image" in kinds,
        "model.steps": "image" in kinds,
        "model.several": several,
        "model.together": any((one or 1) > 1 for card in cards for one in card.input.shape[:1]),
        "model.prepare": "image" in kinds,
        "model.kinds": "image" in kinds,
        "model.columns": any(one.columns for card in cards for one in card.inputs),
        "model.counted": any("counts" in named for card in cards for one in card.inputs for named in one.columns),
        "model.cells": any(one.columns for card in cards for one in card.inputs),
        "model.tables": bool(kinds & {"table", "array"}),
        "model.rowwise": bool(kinds & {"table", "array"}),
        "model.noise": any(card.sample and card.sample.input["encoding"] == "noise" for card in cards),
        "model.words": "tokens" in kinds,
        "bundle.place": False,
        "model.written": False,
        "model.letterbox": any("letterbox" in step for card in cards for one in card.inputs for step in one.steps),
        "model.quick": any(_resizes(entry, "pillow") for card in cards for entry in card.inputs),
        "model.cv2_linear": any(_resizes(entry, "cv2") for card in cards for entry in card.inputs),
    }
    return {name for name, is_used in used.items() if not is_used}


def _is_ultralytics(card: Card) -> bool:
    return card.output.scores == "rows" or (card.decoding or {}).get("kind") == "ultralytics"


def _resizes(entry: Input, interpolation: str) -> bool:
    """Whether pictures are resized so; those that have not the network's size after all steps are, as OpenCV does."""
    ways = {step["interpolation"] for step in entry.steps if step["op"] == "resize"}
    sized = [step for step in entry.steps if step["op"] in ("resize", "pad", "pad_to", "center_crop")]
    fits = bool(sized) and sized[-1].get("size") == [*entry.sides()]
    return entry.kind == "image" and (interpolation in ways or (interpolation == "cv2" and not fits))


@functools.cache
def modules() -> tuple[str, ...]:
    """The names of all modules of the runtime. That a folder is a room needs no file beside a program, nor do types."""
    door = [path.stem for path in TOP.glob("*.py")]
    names = [f"{room}.{path.stem}" for room in ROOMS for path in (TOP / room).glob("*.py")]
    return (*(name for name in door if name != TYPED), *(name for name in names if not name.endswith(".__init__")))


def file_of(name: str) -> str:
    """Where a module lies in the runtime's folder, with /."""
    return name.replace(".", "/") + ".py"


@functools.cache
def module(name: str) -> str:
    """The text of one, as it is copied beside programs: without what only those read who change it. That is types for
    a checker, and docstrings of what no program calls; where nothing is for programs also comments, and what a module
    says of itself after its first lines. The rest stays as it is, line by line.
    """
    text = (TOP / file_of(name)).read_text("utf-8")
    text = RULE.sub("\n", TYPES.sub("\n", text))
    if not INNER.match(name):
        return OF_PRIVATE.sub(r"\1", text)
    docstrings = OF_FUNCTIONS if name == GIVEN else OF_ALL
    return COMMENT.sub("", LINE.sub("", MORE.sub(r'\1"""', docstrings.sub(r"\1", text))))


def _imports(name: str) -> list[tuple[str, bool]]:
    """The runtime's modules that one of them imports, and whether that may be late, or in vain: it is then indented."""
    found = []
    for indent, dots, source, imported in IMPORT.findall(module(name)):
        place = [*name.split(".")[: -len(dots)], *filter(None, source.split("."))]
        whole = ".".join(place) in modules()
        names = [".".join(place)] if whole else [".".join([*place, one]) for one in re.findall(r"\w+", imported)]
        found += [(one, bool(indent)) for one in names]
    return found
