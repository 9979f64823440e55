"""What a phone has to load to open the page, and what it would be with smaller weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import onnx

from ..quant.storage import is_large

WORTH = 5e5  # bytes: what saves less is not worth a word


@dataclass(frozen=True)
class Download:
    """Bytes: of the engine packed by gzip, of a second one for graphics processors (0 without), and of the model.

    half, eighth  the model's with its weights as FP16 and as int8, by its large tensors (quant/storage.py)
    """

    engine: int
    graphics: int
    model: int
    half: int
    eighth: int

    def said(self, language: str, name: str = "") -> str:
        """In words; with the command that makes it smaller where the model's name is given."""
        engine, model, half, eighth, graphics = (
            _mb(n) for n in (self.engine, self.model, self.half, self.eighth, self.graphics)
        )
        en = f"To load once: {_mb(self.engine + self.model)} MB (engine {engine}, packed; model {model})."
        zh = f"首次需要下载 {_mb(self.engine + self.model)} MB（推理引擎压缩后 {engine}，模型 {model}）。"
        if self.graphics:
            en += f" Where a graphics processor may be faster: {graphics} MB more."
            zh += f"图形处理器可能更快的设备再加 {graphics} MB。"
        if self.model - self.half > WORTH:
            en += f" Weights as FP16 would make the model {half} MB, as INT8 {eighth} MB"
            zh += f"权重存成 FP16 时模型为 {half} MB，存成 INT8 为 {eighth} MB"
            en += f": qingzhou quantize {name} --precision fp16 (or int8-weights --data FOLDER)." if name else "."
            zh += f"：qingzhou quantize {name} --precision fp16（或 int8-weights --data 文件夹）。" if name else "。"
        return zh if language == "zh" else en


def download_of(model: Path, engine: Mapping[str, Any], graphics: bool) -> Download:
    """Of an .onnx and the engine's vendored files (name -> {"gzip": bytes})."""
    size = model.stat().st_size
    proto = onnx.load(str(model), load_external_data=False)
    large = 4 * sum(prod(tensor.dims) for tensor in proto.graph.initializer if is_large(tensor))
    second = engine["ort_gpu.js"]["gzip"] + engine["ort_gpu.wasm"]["gzip"] if graphics else 0
    first = engine["ort.js"]["gzip"] + engine["ort.wasm"]["gzip"]
    return Download(first, second, size, size - large // 2, size - 3 * large // 4)


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"
