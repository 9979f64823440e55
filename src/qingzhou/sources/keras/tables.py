"""Layers that prepare the columns of a table: numbers in bins, whole numbers as rows of 0 and 1.

https://github.com/keras-team/keras/blob/v3.15.0/keras/src/utils/numerical_utils.py (encode_categorical_inputs)
"""

from __future__ import annotations

import numpy as np

from ...graph.form import Value
from .layer import KerasNet, Kind, Layer
from .moves import reshaped

MOST_BINS = 10_000
INT64, FLOAT = 7, 1  # TensorProto.DataType of a Cast


def discretization(t: KerasNet, layer: Layer, x: Value) -> Value:
    """How many of the limits are at most x."""
    limits = layer.get("bin_boundaries")
    fine = isinstance(limits, list) and 0 < len(limits) <= MOST_BINS
    if not isinstance(limits, list) or not fine or not all(isinstance(n, (int, float)) for n in limits):
        raise layer.refuse(
            "its file names no limits of bins: it was not adapted",
            "文件中没有分箱边界：该层没有经过 adapt",
            "Call adapt() or give bin_boundaries, and save the model again",
            "请调用 adapt() 或给出 bin_boundaries，再重新保存",
        )
    below = t.emit("Less", [t.emit("Unsqueeze", [x, t.whole(-1)]), t.array(np.array(limits, np.float32))])
    reached = t.emit("Cast", [t.emit("Not", [below])], to=INT64)
    found = t.emit("ReduceSum", [reached, t.whole(-1)], keepdims=0)
    return _encoded(t, layer, found, len(limits) + 1, layer.text("output_mode", "int"))


def category_encoding(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Whole numbers below num_tokens."""
    if "count_weights" in layer.call:
        raise layer.refuse("it is called with weights (count_weights)", "调用时带有权重（count_weights）")
    ids = x if x.dtype == "int64" else t.emit("Cast", [x], to=INT64)
    return _encoded(t, layer, ids, layer.whole("num_tokens"), layer.text("output_mode", "multi_hot"))


def _encoded(t: KerasNet, layer: Layer, x: Value, depth: int, mode: str) -> Value:
    """Whole numbers (N, …) as they are; each as a row of 0 and 1; or how often each is in a sample, or whether."""
    if mode == "int":
        return x
    if layer.flag("sparse") or mode not in ("one_hot", "multi_hot", "count") or depth > MOST_BINS:
        raise layer.refuse(f"its output_mode {mode[:20]} is not known here", f"这里不支持 output_mode {mode[:20]}")
    if mode == "one_hot":
        row = reshaped(t, x, x.shape[:-1]) if len(x.shape) > 1 and x.shape[-1] == 1 else x
        return _rows(t, row, depth)
    if len(x.shape) != 2:
        raise layer.refuse(
            f"it would count in {list(x.shape)} together: samples of a batch, or several axes",
            f"它会把 {list(x.shape)} 合在一起统计：跨越了批次中的样本或多个轴",
        )
    rows = _rows(t, x, depth)
    if mode == "count":
        return t.emit("ReduceSum", [rows, t.whole(1)], keepdims=0)
    return t.emit("ReduceMax", [rows], axes=(1,), keepdims=0)


def _rows(t: KerasNet, x: Value, depth: int) -> Value:
    """(…) -> (…, depth): 1 at each number, all 0 for one that is none of them."""
    numbers = t.array(np.arange(depth, dtype=np.int64))
    return t.emit("Cast", [t.emit("Equal", [t.emit("Unsqueeze", [x, t.whole(-1)]), numbers])], to=FLOAT)


TABLES: dict[str, Kind] = {
    "Discretization": Kind(discretization, "drop"),
    "CategoryEncoding": Kind(category_encoding, "drop"),
}
