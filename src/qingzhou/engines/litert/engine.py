"""LiteRT, once TensorFlow Lite: a model as one .tflite, for phones, small boards and microcontrollers.

The file is made without TensorFlow, from the .onnx read back as a Graph: onnxfile/read.py and write.py here. It is run
by runtime/engine/litert.py. Pictures have their channels last in it, and so they have in the card that it carries.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import EngineError
from ...runtime.model.card import Card, Input
from ..base import Engine, Settings, boxes_inside, bytes_inside, foreign, installed, only_cpu

if TYPE_CHECKING:
    from ...graph.form import Graph
    from ...onnxfile.facts import Facts
    from ...runtime.typed import Session
    from .form import Network

INSTALL = 'pip install "qingzhou[litert]"'
TITLE = "LiteRT"


def version() -> str | None:
    """The installed version, or None. LiteRT itself is not imported."""
    return installed("ai-edge-litert")


def open_model(path: Path, settings: Settings) -> Session:
    """A session on the processor; OptionError for another device."""
    only_cpu("LiteRT", settings)
    from ...runtime.engine.litert import open_litert

    return open_litert(path, settings.threads, INSTALL)


def own(path: Path) -> bool:
    """Whether a .tflite carries a card: any other is a model that is still to be converted."""
    from ...runtime.engine.behind import is_ours

    return is_ours(path)


def advice(path: Path) -> tuple[str, ...]:
    """What a microcontroller would need for it, where that can be asked."""
    from .micro import advice as of_micro

    return of_micro(path)


def takes(facts: Facts) -> EngineError | None:
    """Why LiteRT cannot run a model: boxes, bytes, or an operation that is not written, by its name."""
    if why := boxes_inside(TITLE, "litert", facts) or bytes_inside(TITLE, "litert", facts):
        return why
    if why := foreign(TITLE, facts, ()):
        return why
    try:
        emitted(facts.graph, facts.card, half=False)
    except EngineError as err:
        return err
    return None


def compile_model(source: Path, card: Card, out: Path, precision: str) -> None:
    """The .tflite of an ONNX model (FP32, or INT8 as quantize writes it) with its card; weights in FP16 if so asked.
    LiteRT takes no part.
    """
    from ...onnxfile.read import read_graph
    from ...runtime.engine.behind import CARD
    from .metadata import metadata, texts
    from .write import write_tflite

    graph, network = emitted(read_graph(source), card, precision == "fp16")
    names = [value.name for value in graph.inputs], [value.name for value in graph.outputs]
    inside = replace(card, input=_turned(card.input), others=[_turned(entry) for entry in card.others])
    write_tflite(out, network, names, metadata(inside), {**texts(inside), CARD: inside.to_json()})


def emitted(graph: Graph, card: Card | None, half: bool) -> tuple[Graph, Network]:
    """The network without the integers in it, and LiteRT's form of both; EngineError names what cannot be written."""
    from ...onnxfile.integers import set_apart  # these only here: no answer should wait for them
    from ..sized import sized
    from .write import emit_litert

    graph, integers = set_apart(graph)
    graph = sized(TITLE, graph, card)
    pictures = {entry.name for entry in card.inputs if _turns(entry)} if card else set()
    return graph, emit_litert(graph, integers, frozenset(pictures), half)


def _turns(entry: Input) -> bool:
    return entry.kind == "image" and entry.layout == "NCHW"


def _turned(entry: Input) -> Input:
    """The same with channels last."""
    if not _turns(entry):
        return entry
    n, c, h, w = entry.shape
    return replace(entry, shape=[n, h, w, c], layout="NHWC")


ENGINE = Engine(
    name="litert",
    install=INSTALL,
    opens=(".tflite",),
    suffix=".litert.tflite",
    beside=(),
    precisions=("fp32", "fp16"),
    boxes=False,
    int8="litert",
    version=version,
    takes=takes,
    compile=compile_model,
    open=open_model,
    own=own,
    advice=advice,
    arithmetic=TITLE,
)
