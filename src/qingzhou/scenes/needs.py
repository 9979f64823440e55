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
    whole.py             files that are there whole or not at all
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
    text.py              names and labels as cells of a table; errors.py: as a line
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from importlib.resources import files

from ..runtime.card import Card, Input

# Code as ruff formats it is read by its lines: to parse it would take longer than to convert a small model.
TYPES = re.compile(r"^if TYPE_CHECKING:\n(?: .*\n|\n)+", re.MULTILINE)
# of a class or function of such a name
DOCSTRING = r"""(^\ *(?:class\ %s\w+|def\ %s\w*\((?:[^()]|\([^()]*\))*\))[^\n]*:\n)
                \ +\"{3}(?:[^"]|"(?!""))*\"{3}\n\n?(?=\ )"""
OF_PRIVATE, OF_ALL = (re.compile(DOCSTRING % names, re.MULTILINE | re.VERBOSE) for names in (("_", "_[^_]"), ("", "")))
INNER = frozenset(
    [  # modules that only the others use, but for pictures_of() of read.py
        "card",
        "cv2_linear",
        "decoding",
        "fields",
        "image",
        "kinds",
        "masks",
        "overlap",
        "picture",
        "prepare",
        "quick",
        "read",
        "session",
    ]
)
IMPORT = re.compile(r"^( *)from \.(\w*) import ([^\n(]+|\([^)]*\))", re.MULTILINE)
RUNTIME = "qingzhou_runtime"  # the folder beside the program: a copy of modules of qingzhou/runtime


def needs(texts: Iterable[str], cards: Sequence[Card], engine: str = "onnxruntime") -> frozenset[str]:
    """The modules that programs and scripts with these texts need for these models, run by this engine.

    What they name, what that imports, and so on; and where there is a model, load() and the self-test. What is
    imported inside a function is needed too, unless it is for other models only.
    """
    named = {name for text in texts for name in re.findall(rf"\b{RUNTIME}\.(\w+)", text)}
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
    kinds = {card.input.kind for card in cards}
    boxes, raw = any(card.task == "detection" for card in cards), any(card.decoding is not None for card in cards)
    used = {
        "predict": bool(cards),
        "ncnn": engine == "ncnn",
        "detect": boxes,
        "masks": boxes,
        "decoding": raw,
        "image": "image" in kinds,
        "prepare": "image" in kinds,
        "kinds": "image" in kinds,
        "tables": bool(kinds & {"table", "array"}),
        "words": "tokens" in kinds,
        "place": False,
        "quick": any(_resizes(card.input, "pillow") for card in cards),
        "cv2_linear": any(_resizes(card.input, "cv2") for card in cards),
    }
    return {name for name, is_used in used.items() if not is_used}


def _resizes(entry: Input, interpolation: str) -> bool:
    """Whether pictures are resized so; those that have not the network's size after all steps are, as OpenCV does."""
    ways = {step["interpolation"] for step in entry.steps if step["op"] == "resize"}
    sized = [step for step in entry.steps if step["op"] in ("resize", "pad", "pad_to", "center_crop")]
    fits = bool(sized) and sized[-1].get("size") == entry.shape[2:]
    return entry.kind == "image" and (interpolation in ways or (interpolation == "cv2" and not fits))


@functools.cache
def modules() -> tuple[str, ...]:
    """The names of all modules of the runtime."""
    return tuple(path.name[:-3] for path in (files("qingzhou") / "runtime").iterdir() if path.name.endswith(".py"))


@functools.cache
def module(name: str) -> str:
    """The text of one, as it is copied beside programs: without what only those read who change it, which is types that
    only a checker needs, and docstrings of what no program calls. The rest stays as it is, line by line.
    """
    text = (files("qingzhou") / "runtime" / f"{name}.py").read_text("utf-8")
    return (OF_ALL if name in INNER else OF_PRIVATE).sub(r"\1", TYPES.sub("", text))


def _imports(name: str) -> list[tuple[str, bool]]:
    """The runtime's modules that one of them imports, and whether that may be late, or in vain: it is then indented."""
    found = []
    for indent, source, imported in IMPORT.findall(module(name)):
        names = [source] if source else re.findall(r"\w+", imported)
        found += [(one, bool(indent)) for one in names]
    return found
