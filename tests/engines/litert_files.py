"""A Graph as a .tflite, asked in LiteRT and in our own reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_ncnn_layers import LAYERS

import qingzhou
from qingzhou.engines.litert.write import emit_litert, write_tflite
from qingzhou.graph.form import Graph
from qingzhou.graph.infer import inferred

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


def layer_names() -> list[str]:
    """The networks of torch_modules."""
    return sorted({key[:-2] for key in LAYERS.files if key.endswith(".y")})


def one_at_a_time(graph: Graph, batch: int = 1) -> Graph:
    """A free batch becomes so many."""
    return inferred(graph, {value.shape[0]: batch for value in graph.inputs if isinstance(value.shape[0], str)})


class Net:
    """A Graph in LiteRT, for so many inputs at once, by its reference kernels if so asked."""

    def __init__(
        self, graph: Graph, folder: Path, batch: int = 1, pictures: frozenset[str] = frozenset(), half: bool = False
    ) -> None:
        self.graph = graph = one_at_a_time(graph, batch)
        self.path, self.network = folder / "m.tflite", emit_litert(graph, pictures=pictures, half=half)
        ends = [value.name for value in graph.inputs], [value.name for value in graph.outputs]
        write_tflite(self.path, self.network, ends, b"", {})

    def run(self, x: np.ndarray, reference: bool = False) -> list[Any]:
        """All outputs, of inputs that are as many as one file takes, or several times so many."""
        kind = interpreter.OpResolverType.BUILTIN_REF if reference else interpreter.OpResolverType.AUTO
        found = interpreter.Interpreter(str(self.path), experimental_op_resolver_type=kind)
        found.allocate_tensors()
        return asked(found, x)

    def read_back(self, x: np.ndarray) -> list[Any]:
        """What our own reader makes of the file, in onnxruntime."""
        model = qingzhou.convert(self.path, self.path.with_name("back.onnx"))
        (entry,) = model.predictor.session.get_inputs()
        count = entry.shape[0] if isinstance(entry.shape[0], int) else len(x)
        rows = [model.predictor.run({entry.name: x[i : i + count]}) for i in range(0, len(x), count)]
        return [np.concatenate(parts) for parts in zip(*rows, strict=True)]


def asked(found: Any, x: np.ndarray) -> list[Any]:
    """All outputs of an Interpreter, of each part of the input that it takes."""
    (entry,) = found.get_input_details()
    count, rows = int(entry["shape"][0]), []
    for i in range(0, len(x), count):
        found.set_tensor(entry["index"], np.ascontiguousarray(x[i : i + count]))
        found.invoke()
        rows.append([found.get_tensor(one["index"]) for one in found.get_output_details()])
    return [np.concatenate(parts) for parts in zip(*rows, strict=True)]
