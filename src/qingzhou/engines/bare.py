"""A model of another tool, without a card: what it can be asked all the same. Numbers go in and numbers come out.

Its sample is drawn with a seed, so engines can be compared, and timed, though nobody says what the numbers mean.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import EngineError, ModelError
from ..graph.settle import with_channels
from ..onnxfile.noise import noise
from ..onnxfile.read import OnnxFile, read_onnx
from ..runtime.engine.session import open_session
from ..runtime.model.card import MOST_INPUTS, RANKS, Card, Input, Output, Sample
from ..runtime.predict import Predictor
from ..runtime.typed import Entry, Session

KINDS = {"float": "float32", "double": "float64", "string": "str"}  # onnxruntime's names of types that numpy has not
NUMBERS = ("float", "int", "uint", "bool")  # how types of arrays begin


def bare_predictor(path: Path, session: Session) -> Predictor:
    """A model that can be asked; EngineError where its inputs or outputs are no arrays of numbers."""
    return Predictor(path, card=bare_card(read_onnx(path)), session=session)


def bare_card(file: OnnxFile) -> Card:
    """A card that says only what the file does: arrays of these names, types and sizes, and a sample drawn for them."""
    graph = with_channels(file.graph)
    inputs = [value for value in graph.inputs if value.name not in graph.optional]
    wrong = [value.name for value in inputs if not value.dtype.startswith(NUMBERS) or value.name in file.types]
    if wrong or not 0 < len(inputs) <= MOST_INPUTS or any(len(v.shape) not in RANKS["array"] for v in inputs):
        raise _no_arrays(file.path.name, ", ".join(wrong[:4]) or f"{len(inputs)}")
    output = next((value.name for value in file.graph.outputs if value.dtype.startswith(NUMBERS)), None)
    if output is None:
        raise _no_arrays(file.path.name, file.graph.outputs[0].name)
    feed = noise(open_session(file.path, once=True), file.graph)
    entries = [
        Input(value.name, "array", [n if isinstance(n, int) and n > 0 else None for n in value.shape])
        for value in inputs
    ]
    first, *rest = (
        {"encoding": "noise", "data": [feed[value.name].dtype.name, *feed[value.name].shape]} for value in inputs
    )
    sample = Sample(first, [], others=rest)
    return Card(
        "values", "ONNX", file.producer[:60] or "ONNX", entries[0], Output(output, "values"), sample=sample,
        others=entries[1:], origin={"file": file.path.name, "container": "onnx", "training": {}},
    )  # fmt: skip


def in_words(entry: Entry) -> str:
    """ "float32 [N, 3, 224, 224]"."""
    kind = entry.type[7:-1] if entry.type.startswith("tensor(") else entry.type
    sizes = ", ".join(str(n) if isinstance(n, int) else "N" for n in entry.shape)
    return f"{KINDS.get(kind, kind)} [{sizes}]"


def check_ort(path: Path) -> ModelError:
    """Why no .ort is made of it: that form is for programs, which need to know how the model is used."""
    return ModelError(
        en=f"{path.name} has no card, and an .ort is only of use with one. Let Qingzhou write it first: qingzhou "
        f"convert {path.name}. onnxruntime itself opens the .onnx as it is.",
        zh=f"{path.name} 没有说明卡，而 .ort 要有说明卡才有用。请先补上：qingzhou convert {path.name}。"
        "onnxruntime 本身可以直接打开 .onnx。",
    )


def _no_arrays(name: str, what: str) -> EngineError:
    return EngineError(
        en=f"{name} takes or gives something that is no array of numbers ({what[:80]}): texts, sequences or tables. "
        "Such a model runs in onnxruntime only: qingzhou run, with an .npz of its inputs.",
        zh=f"{name} 的输入或输出不是数字数组（{what[:80]}），而是文本、序列或表。"
        "这样的模型只能在 onnxruntime 中运行：qingzhou run，输入写成 .npz。",
    )
