"""MNN: a model as one .mnn, for phones and 64-bit boards; the cheapest in FP32 on old processors.

The file is made by MNN's own converter, in a process of its own (convert.py), and run by runtime/engine/mnn.py. There
is no INT8: MNN's own takes no fewer instructions than its FP32 on processors without a dot product, and as many as its
FP16 on those with one.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import EngineError
from ...runtime.model.card import Card
from ..base import Engine, Settings, boxes_inside, bytes_inside, cannot_run, foreign, installed, only_cpu, unknown_to

if TYPE_CHECKING:
    from ...onnxfile.facts import Facts
    from ...runtime.typed import Session

INSTALL = 'pip install "qingzhou[mnn]"'
TITLE = "MNN"
# What its converter ended its process over, or what its sessions then refused, where it was tried
UNKNOWN = {"DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "LSTM", "GRU", "RNN"}


def version() -> str | None:
    """The installed version, or None. MNN itself is not imported, which prints."""
    return installed("MNN")


def open_model(path: Path, settings: Settings) -> Session:
    """A session on the processor; OptionError for another device."""
    only_cpu("MNN", settings)
    from ...runtime.engine.mnn import open_mnn

    return open_mnn(path, settings.threads, INSTALL)


def takes(facts: Facts) -> EngineError | None:
    """Why MNN cannot run a model: boxes, bytes, INT8, texts and free sizes, or an operation that it does not know."""
    if why := boxes_inside(TITLE, "mnn", facts) or bytes_inside(TITLE, "mnn", facts) or foreign(TITLE, facts, ()):
        return why
    if facts.quantized:
        return _rounded(facts.path)
    unknown = next((node.op for node in facts.file.graph.nodes if node.op in UNKNOWN), "")
    if unknown:
        return unknown_to(TITLE, facts.path, unknown)
    for value in facts.file.graph.inputs:
        if value.dtype != "float32":
            return cannot_run(TITLE, facts.path, ValueError(f"{value.name[:60]} is {value.dtype}, not float32"))
        if any(not isinstance(n, int) or n < 1 for n in value.shape[1:]):
            return cannot_run(TITLE, facts.path, ValueError(f"{value.name[:60]} has a free size: {value.shape}"))
    return None


def compile_model(source: Path, card: Card, out: Path, precision: str) -> None:
    """The .mnn of an ONNX model with its card; EngineError where MNN's converter fails, ExtraMissing without it."""
    from ...runtime.engine.behind import CARD
    from ...runtime.engine.mnn import OUTPUTS, PRECISION, PRECISIONS
    from ..behind import append
    from .convert import convert

    names = convert(source, out, precision == "fp16", INSTALL)
    data = out.read_bytes()
    texts = {CARD: card.to_json(), OUTPUTS: "\n".join(names), PRECISION: PRECISIONS[precision == "fp16"]}
    append(out, texts, len(data), zlib.crc32(data))


def _rounded(path: Path) -> EngineError:
    return EngineError(
        en=f"{path.name} is INT8, which MNN is not given: its own INT8 is no cheaper than its FP32 and FP16. Give the "
        "model before that, with --precision fp32 or fp16.",
        zh=f"{path.name} 是 INT8 模型，MNN 不支持：MNN 自己的 INT8 并不比它的 FP32 和 FP16 省。"
        "请使用量化前的模型，并用 --precision fp32 或 fp16。",
    )


ENGINE = Engine(
    name="mnn",
    install=INSTALL,
    opens=(".mnn",),
    suffix=".mnn",
    beside=(),
    precisions=("fp32", "fp16"),
    boxes=False,
    int8="",
    offered=False,  # until a board's own figures say that it is faster
    version=version,
    takes=takes,
    compile=compile_model,
    open=open_model,
)
