"""What can be done for TensorRT without it: the .onnx that it takes, the card beside, the line to build an engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import EngineError, FileMissing, ModelError
from ...runtime.model.card import KEY, Card
from ...runtime.text import escaped
from ..base import boxes_inside, bytes_inside, foreign, unknown_to, zero_points

if TYPE_CHECKING:
    import onnx

    from ...onnxfile.facts import Facts

LARGEST_FACTS, LARGEST_PLAN = 1 << 24, 1 << 32  # bytes
# TensorRT computes in INT8 between QuantizeLinear and DequantizeLinear, and knows none of the older integer operators:
# https://github.com/onnx/onnx-tensorrt/blob/main/docs/operators.md
UNKNOWN = ("ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul")


def prepare(source: Path, card: Card, out: Path, precision: str) -> None:
    """The .onnx that TensorRT can take, for one input at a time, and the card in a .json beside it."""
    import onnx  # here: no answer should wait for it

    model = onnx.load(source, load_external_data=False)
    filled = {tensor.name for tensor in model.graph.initializer}  # which other tools list among the inputs
    inputs = [entry for entry in model.graph.input if entry.name not in filled]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    for entry in (*model.graph.input, *model.graph.output):
        entry.type.tensor_type.shape.dim[0].dim_value = 1
    if precision == "fp16":
        model = _half(model)
    onnx.helper.set_model_props(model, {KEY: card.to_json()})
    onnx.save(model, out)
    write_facts(out.with_suffix(".json"), card, {})


def takes(facts: Facts) -> EngineError | None:
    """Why no engine can be built of a model: boxes, bytes, texts, zero points, operators of ai.onnx.ml or of others."""
    if why := boxes_inside("TensorRT", "tensorrt", facts) or bytes_inside("TensorRT", "tensorrt", facts):
        return why
    if facts.card and facts.card.input.kind == "tokens":
        name = facts.path.name
        return EngineError(
            en=f"{name} generates text word by word, for which an engine of TensorRT is no use. Run the .onnx "
            "with onnxruntime.",
            zh=f"{name} 逐词生成文本，不适合 TensorRT。请用 onnxruntime 运行 .onnx。",
        )
    if facts.zero_points:
        return zero_points("TensorRT", facts.path, "tensorrt")
    unknown = ", ".join(sorted({node.op for node in facts.file.graph.nodes} & set(UNKNOWN)))
    if unknown:
        return unknown_to("TensorRT", facts.path, unknown)
    return foreign("TensorRT", facts, ())


def _half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same in FP16 throughout, but for inputs and outputs."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=True)  # type: ignore[no-any-return]


def write_facts(path: Path, card: Card, built: dict[str, str]) -> None:
    """The card, and what built the engine beside it."""
    facts = {**built, "card": json.loads(card.to_json())}
    path.write_bytes(escaped(json.dumps(facts, ensure_ascii=False, indent=1)).encode())


def trtexec(path: Path) -> str:
    """The line that builds the engine of a prepared model elsewhere, with NVIDIA's own tool."""
    onnx, engine, timing = (f'"{path.with_suffix(suffix).name}"' for suffix in (".onnx", ".engine", ".timing"))
    files = f"--onnx={onnx} --saveEngine={engine} --timingCacheFile={timing}"
    return f"trtexec {files} --stronglyTyped --noTF32 --skipInference"


def read_facts(path: Path) -> dict[str, Any]:
    """What lies beside an engine; FileMissing or ModelError."""
    beside = path.with_suffix(".json")
    for part, most in ((path, LARGEST_PLAN), (beside, LARGEST_FACTS)):
        if not part.is_file():
            raise FileMissing(
                en=f"There is no file {part}; an engine for TensorRT is an .engine and a .json of one name in one "
                "folder. Check the name, or copy both.",
                zh=f"文件 {part} 不存在；TensorRT 引擎由同一文件夹里同名的 .engine 和 .json 组成。"
                "请检查文件名，或复制两个文件。",
            )
        if part.stat().st_size > most:
            raise damaged(path, f"{part.name}: {part.stat().st_size}")
    try:
        facts = json.loads(beside.read_bytes())
    except ValueError as err:
        raise damaged(path, f"{beside.name}: {err}") from None
    except RecursionError:
        raise damaged(path, beside.name) from None
    if not isinstance(facts, dict):
        raise damaged(path, beside.name)
    return facts


def damaged(path: Path, where: str) -> ModelError:
    """The error for files that are not ours, or not whole."""
    return ModelError(
        en=f"{path.name} cannot be opened as an engine for TensorRT: it was not written by Qingzhou, or it or its "
        f".json is damaged ({where}). Export it again, or copy both files again.",
        zh=f"{path.name} 无法作为 TensorRT 引擎打开：不是轻舟生成的，或者它（或它的 .json）已损坏（{where}）。"
        "请重新导出，或重新复制两个文件。",
    )
