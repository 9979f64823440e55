"""numpy as an engine: a network without pictures as one .npz, its numbers and its operators one after the other.

Python 3.7; copied to boards. It needs nothing but numpy, so it runs wherever that does. In the file are the card, the
graph as JSON and its numbers, c0, c1, …; all of it can be looked at with numpy.load.
"""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Sequence, Set, Tuple

import numpy as np

from ..errors import FileMissing, InputError, ModelError
from ..file import is_file
from ..model.card import KEY, LONGEST
from ..model.tables import read_arrays
from .as_onnxruntime import EngineSession, Entry
from .operators import OPERATORS

if TYPE_CHECKING:
    from ..typed import Array, FilePath

CARD, GRAPH = "card", "graph"  # texts, as bytes
FORMAT = 1
MOST_NODES = 1 << 16
MOST_STEPS = 1 << 22  # of a Loop
KINDS = {"float32": "float", "float64": "double", "int64": "int64", "int32": "int32", "uint8": "uint8", "bool": "bool"}


class Step(NamedTuple):
    """One operator. body: of a Loop its inputs, steps and outputs; done: values that nobody asks for afterwards."""

    op: str
    inputs: List[str]
    outputs: List[str]
    attrs: Dict[str, Any]
    body: Tuple[List[str], List["Step"], List[str]]
    done: List[str]


class ArraysSession(EngineSession):
    """A network that is asked as an onnxruntime session is."""

    def __init__(self, entries: Tuple[List[Entry], List[Entry]], steps: List[Step], known: Dict[str, Any], card: str):
        super().__init__(entries[0], entries[1], {KEY: card} if card else {})
        self._steps, self._known = steps, known

    def run(self, names: None, feed: Dict[str, Array]) -> List[Array]:
        """All outputs; ValueError for an input of another shape."""
        for entry in self._inputs:
            found = np.shape(feed[entry.name])
            if len(found) != len(entry.shape) or any(type(n) is int and n != m for n, m in zip(entry.shape, found)):
                raise ValueError("%s: %s, not %s" % (entry.name, list(found), entry.shape))
        values = {"": None, **self._known, **{entry.name: np.asarray(feed[entry.name]) for entry in self._inputs}}
        with np.errstate(all="ignore"):
            go_through(self._steps, values)
        return [np.asarray(values[entry.name]) for entry in self._outputs]


def go_through(steps: Sequence[Step], values: Dict[str, Any]) -> None:
    """Adds what each operator gives to the values."""
    for step in steps:
        if step.op == "Loop":
            found = _looped(step, values)
        else:
            made = OPERATORS[step.op][0](*[values[name] for name in step.inputs], **step.attrs)
            found = made if isinstance(made, tuple) else (made,)
        values.update(zip(step.outputs, found))
        for name in step.done:
            del values[name]


def _looped(step: Step, values: Dict[str, Any]) -> Sequence[Any]:
    """https://onnx.ai/onnx/operators/onnx__Loop.html, without what is collected round by round."""
    most, go_on, *state = [values[name] for name in step.inputs]
    inputs, steps, outputs = step.body
    for count in range(min(int(np.ravel(most)[0]), MOST_STEPS // (len(steps) or 1))):
        if not np.all(go_on):
            break
        inner = {**values, **dict(zip(inputs, [np.int64(count), go_on, *state]))}
        go_through(steps, inner)
        go_on, *state = [inner[name] for name in outputs]
    return state


def open_arrays(path: FilePath) -> ArraysSession:
    """A session; FileMissing, ModelError."""
    name = os.path.basename(str(path))
    if not is_file(path):
        raise FileMissing(
            en="There is no file %s. Check the name and the folder." % (path,),
            zh="文件 %s 不存在。请检查文件名和所在的文件夹。" % (path,),
        )
    try:
        arrays = read_arrays(path)
        card, graph = (arrays.pop(key).tobytes() for key in (CARD, GRAPH))
        if len(card) > LONGEST:
            raise ValueError("card")
        return _session(json.loads(graph.decode("utf-8")), arrays, card.decode("utf-8"))
    except (InputError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as err:
        raise damaged(name, str(err)[:100]) from None


def _session(graph: Dict[str, Any], arrays: Dict[str, Any], card: str) -> ArraysSession:
    """LookupError, ValueError, TypeError where it does not fit together."""
    if graph["format"] != FORMAT:
        raise ValueError("format %r" % graph["format"])
    entries = [
        [Entry(str(n), list(shape), "tensor(%s)" % KINDS[kind]) for n, shape, kind in graph[side]]
        for side in ("inputs", "outputs")
    ]
    known = {str(name): arrays[member] for name, member in graph["numbers"].items()}
    kept = {one.name for one in entries[1]} | set(known)
    steps = _steps(graph["nodes"], {"", *known, *(one.name for one in entries[0])}, kept)
    return ArraysSession((entries[0], entries[1]), steps, known, card)


def _steps(nodes: List[Any], there: Set[str], kept: Set[str], outer: bool = True) -> List[Step]:
    """Checked: every operator is known, and what it takes is there; no Loop is inside another. kept: values that are
    wanted at the end.
    """
    if len(nodes) > MOST_NODES:
        raise ValueError("%d nodes" % len(nodes))
    found, there = [], set(there)
    for op, inputs, outputs, attrs in nodes:
        body: Tuple[List[str], List[Step], List[str]] = ([], [], [])
        if op == "Loop" and outer:
            takes, inner, gives = attrs["body"]
            body = (takes, _steps(inner, there | set(takes), there | set(takes) | set(gives), outer=False), gives)
        elif not set(attrs) <= set(OPERATORS[op][1]):
            raise ValueError("%s with %s" % (op, sorted(attrs)))
        if not set(inputs) <= there:
            raise ValueError("%s of %s" % (op, inputs))
        there |= set(outputs)
        found.append(Step(op, inputs, outputs, {} if op == "Loop" else attrs, body, []))
    return _forgetting(found, kept)


def _forgetting(steps: List[Step], kept: Set[str]) -> List[Step]:
    """With what is needed no longer after each: memory for the values to come."""
    wanted, found = set(kept), []
    for step in reversed(steps):
        done = [name for name in dict.fromkeys([*step.outputs, *_reads(step)]) if name and name not in wanted]
        wanted |= set(done)
        found.append(step._replace(done=done))
    return found[::-1]


def _reads(step: Step) -> Set[str]:
    inside = {name for one in step.body[1] for name in _reads(one)} | set(step.body[2])
    made = {name for one in step.body[1] for name in one.outputs} | set(step.body[0])
    return set(step.inputs) | (inside - made)


def is_ours(path: FilePath) -> bool:
    """Whether an .npz is a model: any other holds data."""
    try:
        if not os.path.isfile(str(path)):  # a pipe would keep whoever asks waiting
            return False
        with zipfile.ZipFile(str(path)) as archive:
            return {CARD + ".npy", GRAPH + ".npy"} <= set(archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def damaged(name: str, why: str) -> ModelError:
    """The error for a file that is not what export wrote."""
    return ModelError(
        en="%s is no .npz that qingzhou export wrote, or it is damaged (%s). Copy it again, or export the model again: "
        "qingzhou export best.onnx --engine numpy" % (name, why),
        zh="%s 不是 qingzhou export 生成的 .npz，或者已损坏（%s）。请重新复制，或重新导出："
        "qingzhou export best.onnx --engine numpy" % (name, why),
    )
