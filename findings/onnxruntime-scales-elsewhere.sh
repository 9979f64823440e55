#!/usr/bin/env bash
# onnxruntime opens no model whose Resize has its scales in another file, as ONNX allows for every tensor: what it infers
# shapes with reads no external data. onnx finds the same file valid.
#
# Versions: onnxruntime 1.32.0, onnx 1.23.2, numpy 2.4.6; Python 3.11 or later.
# Seen:     "Cannot parse data from external tensors. Please load external data into raw data for tensor: scales"
# Expected: the model opens
# Why it matters: who splits a model into a small file and a large one, by writing every tensor elsewhere
# (onnx.save(..., save_as_external_data=True, size_threshold=0)), gets a file that does not open.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cat > "$work/try.py" <<'PY'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 8, 8])
scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest")
graph = helper.make_graph([node], "g", [x], [y], [scales])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def opens(name, **how):
    onnx.save(model, name, **how)
    onnx.checker.check_model(name, full_check=False)
    try:
        onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])
    except Exception as err:
        return str(err)
    return "opens"


inside = opens(sys.argv[1] + "/inside.onnx")
elsewhere = opens(sys.argv[1] + "/elsewhere.onnx", save_as_external_data=True, size_threshold=0, location="data")
print("scales inside:   ", inside)
print("scales elsewhere:", elsewhere)
assert inside == "opens" and "external" in elsewhere
PY
"$work/env/bin/python" "$work/try.py" "$work"
