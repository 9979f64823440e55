"""Graph -> .npz: the card, the operators as JSON, and their numbers."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import EngineError
from ...files.protobuf import NAMES
from ...graph.form import ML, Array, Constant, Graph, Node, Raw, Value
from ...onnxfile.read import body_of, read_graph
from ...onnxfile.upgrade import upgraded
from ...runtime.engine.arrays import CARD, FORMAT, GRAPH, KINDS
from ...runtime.engine.operators import OPERATORS
from ...runtime.model.card import Card
from ..base import unknown_to
from .trees import flat

Written = list[Any]  # [operator, inputs, outputs, attributes]
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # a file says nothing of when it was made
# Attributes that change nothing when they have this value
HARMLESS = {"exclusive": 0, "reverse": 0, "allowzero": 0, "select_last_index": 0, "noop_with_empty_axes": 0, "start": 0}


def refused(path: Path, graph: Graph) -> EngineError | None:
    """Why it cannot be written: an operator that is not in the table, by its name."""
    try:
        _Writer(path, graph).written()
    except EngineError as err:
        return err
    return None


def write_arrays(source: Path, card: Card, out: Path) -> None:
    """The .npz of an ONNX model with its card; EngineError."""
    writer = _Writer(source, read_graph(source))
    graph = json.dumps(writer.written(), separators=(",", ":")).encode("utf-8")
    texts = {CARD: card.to_json().encode("utf-8"), GRAPH: graph}
    arrays = {name: np.frombuffer(text, np.uint8) for name, text in texts.items()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in (*arrays.items(), *writer.arrays()):
            with archive.open(zipfile.ZipInfo(f"{name}.npy", LONG_AGO), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


class _Writer:
    """A graph on its way into the file."""

    def __init__(self, path: Path, graph: Graph) -> None:
        self.path, self.graph = path, graph
        self.numbers: dict[str, Constant | Array] = {}

    def written(self) -> dict[str, Any]:
        """As JSON has it; EngineError names what cannot be written."""
        graph = self.graph
        optional = graph.optional  # inputs that are a constant where nothing is fed
        inputs = [self._entry(value) for value in graph.inputs if value.name not in optional]
        nodes = [self._node(node) for node in graph.nodes]
        outputs = [self._entry(value) for value in graph.outputs]
        places = {name: f"c{i}" for i, name in enumerate(self.numbers)}
        return {"format": FORMAT, "inputs": inputs, "outputs": outputs, "nodes": nodes, "numbers": places}

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """The numbers, one after the other."""
        for i, one in enumerate(self.numbers.values()):
            yield f"c{i}", one.load() if isinstance(one, Constant) else one

    def _entry(self, value: Value) -> list[Any]:
        if value.dtype not in KINDS:
            raise self._no(f"values of {value.dtype} ({value.name[:60]})")
        return [value.name, list(value.shape), value.dtype]

    def _node(self, node: Node) -> Written:
        if (node.domain, node.op) == (ML, "TreeEnsembleRegressor"):
            return self._trees(node)
        if node.domain or (node.op not in OPERATORS and node.op != "Loop") or node.op == "Trees":
            raise self._no(f"{node.domain}.{node.op}".strip("."))
        self._keep(node.inputs)
        if node.op == "Loop":
            return self._loop(node)
        attrs = {name: value for name, value in node.attrs.items() if HARMLESS.get(name) != value}
        for name in attrs:
            if name not in OPERATORS[node.op][1]:
                raise self._no(f"{node.op} with {name}")
        return [node.op, list(node.inputs), list(node.outputs), self._attrs(node.op, attrs)]

    def _attrs(self, op: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
        if op != "Cast":
            return {name: list(one) if isinstance(one, tuple) else one for name, one in attrs.items()}
        kind = NAMES.get(attrs["to"], "?")
        if kind not in KINDS:
            raise self._no(f"Cast to {kind}")
        return {"to": kind}

    def _keep(self, names: tuple[str, ...]) -> None:
        for name in names:
            found = self.graph.constants.get(name)
            if found is not None and name not in self.numbers:
                if found.dtype not in KINDS:
                    raise self._no(f"numbers of {found.dtype} ({name[:60]})")
                self.numbers[name] = found

    def _loop(self, node: Node) -> Written:
        body = node.attrs.get("body")
        if not isinstance(body, Raw):
            raise self._no("Loop without a body")
        inner = body_of(self.path, body)
        simple = not inner.constants and all(one.op != "Loop" for one in inner.nodes)
        if not simple or len(inner.outputs) != len(node.outputs) + 1:
            raise self._no("Loop with numbers or Loops inside, or that collects what each round gives")
        self._keep(body.reads)
        nodes = [self._node(one) for one in upgraded(Graph(**{**vars(inner), "opsets": self.graph.opsets})).nodes]
        names = [[value.name for value in side] for side in (inner.inputs, inner.outputs)]
        return ["Loop", list(node.inputs), list(node.outputs), {"body": [names[0], nodes, names[1]]}]

    def _trees(self, node: Node) -> Written:
        """All nodes of all trees as tables."""
        found = flat(node)
        if isinstance(found, str):
            raise self._no(f"TreeEnsembleRegressor with {found}")
        names = [f"{node.outputs[0]}/{name}" for name in found.tables]
        self.numbers |= dict(zip(names, found.tables.values(), strict=True))
        return ["Trees", [node.inputs[0], *names], list(node.outputs), {"depth": found.depth}]

    def _no(self, what: str) -> EngineError:
        return unknown_to("numpy", self.path, what)
