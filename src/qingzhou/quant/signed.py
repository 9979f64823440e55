"""uint8 activations as int8: the same numbers, 128 lower, which some ARM processors multiply faster.

Counted for MobileNetV2 (benchmarks/board.py): onnxruntime 1.13.1 on a Cortex-A35 121 -> 108 million instructions,
1.32 on a Cortex-A76 64 -> 60; but on a Cortex-A72 119 -> 129.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

SHIFT = 128


def signed(model: ModelProto) -> ModelProto:
    """The same QDQ model with int8 zero points instead of uint8; its scales, and so its answers, stay as they are."""
    made = ModelProto()
    made.CopyFrom(model)
    constants = {tensor.name for tensor in made.graph.initializer}
    pairs = [node for node in made.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    rounded = {node.output[0] for node in pairs if node.op_type == "QuantizeLinear"}
    rounded |= {node.output[0] for node in made.graph.node if node.op_type == "Pad" and node.input[0] in rounded}
    # The zero points of activations; constants that are stored as uint8, and bytes that come in, keep theirs.
    given = [node for node in pairs if node.op_type == "DequantizeLinear" and node.input[0] not in rounded]
    fixed = {name for node in (*given, *(n for n in pairs if n.input[0] in constants)) for name in node.input}
    zeros = {node.input[2] for node in pairs if len(node.input) > 2} - fixed
    for tensor in made.graph.initializer:
        if tensor.name in zeros and tensor.data_type == TensorProto.UINT8:
            lower = (numpy_helper.to_array(tensor).astype(np.int16) - SHIFT).astype(np.int8)
            tensor.CopyFrom(numpy_helper.from_array(lower, tensor.name))
    for value in made.graph.value_info:
        if value.type.tensor_type.elem_type == TensorProto.UINT8:
            value.type.tensor_type.elem_type = TensorProto.INT8
    return made
