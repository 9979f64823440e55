#!/usr/bin/env bash
# With ceil_mode=1 onnx's shape inference counts a window of MaxPool and AveragePool that would begin in the padding at
# the end; onnxruntime, like torch, does not compute it. A value is then declared larger than it is.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6; Python 3.11 or later.
# Seen:     MaxPool of 3 numbers, kernel 2, stride 2, pads 1 and 1: onnx 3, onnxruntime 2 (with a warning in its log)
# Expected: the same size from both.
# Why it matters: whoever sizes buffers, reshapes or another engine's layers by onnx.shape_inference gets a network that
# does not fit together, or one with an invented last row; a checker that compares both refuses good files.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$work/try.py" <<'PY'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

onnxruntime.set_default_logger_severity(3)
for op in ("MaxPool", "AveragePool"):
    node = helper.make_node(op, ["x"], ["y"], kernel_shape=[2], strides=[2], pads=[1, 1], ceil_mode=1)
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 3]), helper.make_empty_tensor_value_info("y")]
    ends[1].type.tensor_type.elem_type = TensorProto.FLOAT
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.output[0]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"x": np.ones((1, 1, 3), np.float32)})[0]
    print(op, "onnx", inferred.type.tensor_type.shape.dim[2].dim_value, "onnxruntime", found.shape[2])
PY
"$work/env/bin/python" "$work/try.py" | tee "$work/said"
grep -q '^MaxPool onnx 3 onnxruntime 2$' "$work/said"
grep -q '^AveragePool onnx 3 onnxruntime 2$' "$work/said"
