#!/usr/bin/env bash
# A convolution whose weights are float, and stand as float in the file, is computed in INT8 by onnxruntime all the same,
# if the activations before and behind it are rounded (DequantizeLinear, Conv, QuantizeLinear): its weights are rounded
# when the model is loaded, with one scale for all output channels, at every optimisation level but "disable all".
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6; Python 3.11 or later.
# Seen:     its weights rounded at level basic, QLinearConv above; answers off by 15 to 17 steps where channels differ in size
# Expected: a float convolution stays float, as the file says; or its channels get a scale each.
# Why it matters: whoever keeps a sensitive layer in float for the sake of accuracy (mixed precision) gets the coarsest INT8
# of all in its place, without a word. A layer that is to stay float must read what was not rounded.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$work/try.py" <<'PY'
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

rng = np.random.default_rng(0)
w = rng.normal(size=(4, 3, 3, 3)).astype(np.float32)
w[0] *= 20  # one channel is larger than the others
parts = {"s": np.float32(1 / 255), "z": np.uint8(0), "w": w, "ys": np.float32(0.05), "yz": np.uint8(128)}
nodes = [("QuantizeLinear", "x s z", "q"), ("DequantizeLinear", "q s z", "d"), ("Conv", "d w", "c"),
         ("QuantizeLinear", "c ys yz", "e"), ("DequantizeLinear", "e ys yz", "y")]
graph = helper.make_graph(
    [helper.make_node(op, inputs.split(), [output]) for op, inputs, output in nodes], "g",
    [helper.make_tensor_value_info("x", 1, [1, 3, 8, 8])], [helper.make_tensor_value_info("y", 1, [1, 4, 6, 6])],
    [numpy_helper.from_array(np.asarray(a), n) for n, a in parts.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
x = rng.random((1, 3, 8, 8), np.float32)
answers = []
for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_ALL"):
    options = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    options.optimized_model_filepath = sys.argv[1]
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    answers.append(session.run(None, {"x": x})[0])
    kinds = {node.op_type for node in onnx.load(sys.argv[1]).graph.node}
    steps = abs(answers[-1] - answers[0]).max() / 0.05
    print(level, "QLinearConv" if "QLinearConv" in kinds else "Conv", "off by", round(float(steps)), "steps")
PY
"$work/env/bin/python" "$work/try.py" "$work/optimised.onnx" 2> /dev/null | tee "$work/said"
grep -q '^ORT_DISABLE_ALL Conv off by 0 steps$' "$work/said"
grep -qE '^ORT_ENABLE_BASIC Conv off by [1-9][0-9]* steps$' "$work/said"
grep -qE '^ORT_ENABLE_ALL QLinearConv off by [1-9][0-9]* steps$' "$work/said"
