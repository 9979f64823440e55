"""ncnn: a model as two files (.param, .bin) with the card in the first; small and fast on ARM processors.

The files are made without ncnn, from the .onnx read back as a Graph: onnxfile/read.py and write.py here. They are
run by runtime/engine/ncnn.py. ncnn knows blobs called in0, in1, … and out0, out1, …; so does the card in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import EngineError
from ...runtime.engine.ncnn_format import CARD
from ...runtime.model.card import Card
from ..base import Engine, Settings, boxes_inside, bytes_inside, installed, only_cpu, zero_points

if TYPE_CHECKING:
    from ...graph.form import Graph
    from ...onnxfile.facts import Facts
    from ...runtime.typed import Session
    from .emitter import NcnnModel

INSTALL = 'pip install "qingzhou[ncnn]"'


def version() -> str | None:
    """The installed version, or None. ncnn itself is not imported."""
    return installed("ncnn")


def open_model(path: Path, settings: Settings) -> Session:
    """A session that computes in float32 on the processor; OptionError for another device."""
    only_cpu("ncnn", settings)
    from ...runtime.engine.ncnn import open_ncnn

    return open_ncnn(path, settings.threads, INSTALL)


def takes(facts: Facts) -> EngineError | None:
    """Why ncnn cannot run a model: boxes, bytes, zero points, or an operation, size or axis that it cannot express."""
    if why := boxes_inside("ncnn", "ncnn", facts) or bytes_inside("ncnn", "ncnn", facts):
        return why
    if facts.zero_points:
        return zero_points("ncnn", facts.path, "ncnn")
    try:
        _emitted(facts.graph, facts.card)
    except EngineError as err:
        return err
    return None


def compile_model(source: Path, card: Card, out: Path, precision: str) -> None:
    """Both files of an ONNX model of ours (FP32, or INT8 without zero points) with its card; weights in FP16 if so
    asked. ncnn takes no part.
    """
    from ...onnxfile.read import read_graph
    from .write import write_ncnn

    graph, model = _emitted(read_graph(source), card)
    write_ncnn(out, out.with_suffix(".bin"), model, precision == "fp16")
    inputs, outputs = ([value.name for value in values] for values in (graph.inputs, graph.outputs))
    with out.open("a", encoding="ascii", newline="\n") as file:
        file.write(f"{CARD}{_renamed(card, inputs, outputs).to_json()}\n")


def _emitted(graph: Graph, card: Card | None) -> tuple[Graph, NcnnModel]:
    """The network without the integers in it, and ncnn's form of both, in the sizes that the card names; EngineError
    names what ncnn cannot express.
    """
    from ...graph.settle import padded_inside, split_apart  # these only here: no answer should wait for them
    from ...onnxfile.integers import set_apart
    from ..sized import sized
    from .write import emit_ncnn

    graph, integers = set_apart(graph)
    graph = split_apart(padded_inside(sized("ncnn", graph, card)))
    foreign = card is None or card.origin.get("container") == "onnx"
    return graph, emit_ncnn(graph, integers, foreign)


def _renamed(card: Card, inputs: Sequence[str], outputs: Sequence[str]) -> Card:
    """The card with ncnn's names of the inputs and outputs."""
    names = {name: f"out{i}" for i, name in enumerate(outputs)}
    decoding, masks = card.decoding, card.output.also.get("masks")
    if decoding and "levels" in decoding:
        levels = [
            {key: names[value] if isinstance(value, str) else value for key, value in level.items()}
            for level in decoding["levels"]
        ]
        decoding = {**decoding, "levels": levels}
    also = {"masks": {**masks, "prototypes": names[masks["prototypes"]]}} if masks else card.output.also
    entry, *others = (replace(one, name=f"in{list(inputs).index(one.name)}") for one in card.inputs)
    output = replace(card.output, name=names[card.output.name], also=also)
    return replace(card, input=entry, others=others, output=output, decoding=decoding)


ENGINE = Engine(
    name="ncnn",
    install=INSTALL,
    opens=(".param",),
    suffix=".ncnn.param",
    beside=(".bin",),
    precisions=("fp32", "fp16"),
    boxes=False,
    int8="ncnn",
    zero_points=False,
    version=version,
    takes=takes,
    compile=compile_model,
    open=open_model,
)
