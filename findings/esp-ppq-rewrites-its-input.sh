#!/usr/bin/env bash
# Espressif's quantiser esp-ppq overwrites the .onnx that it is asked to read: espdl_quantize_onnx(onnx_import_file="model.onnx", …)
# simplifies the network and saves it under the same name, before it quantises. The original is gone, also where quantising
# then fails.
#
# Versions: esp-ppq 1.3.12, onnxsim 0.7.3, torch 2.13.0, onnx 1.19.1, numpy 2.4.6; Python 3.11.
# Seen:     the file has other bytes after the call: of two Transposes in a row one is left
# Expected: an argument called onnx_import_file is read. The documentation ("onnx model file path") says nothing else.
# Why it matters: a model that lies in a read-only folder cannot be quantised, one in a repository or under a digest is changed
# silently, and two calls at the same time (esp32s3 and esp32p4) write into the file that the other is reading.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check esp-ppq==1.3.12 onnxsim==0.7.3 torch==2.13.0 onnx==1.19.1 numpy==2.4.6
cat > try.py <<'PY'
import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch
from esp_ppq.api import espdl_quantize_onnx
from onnx import TensorProto, helper, numpy_helper

weight = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w")
nodes = [
    helper.make_node("Transpose", ["x"], ["a"], perm=[0, 2, 3, 1]),
    helper.make_node("Transpose", ["a"], ["b"], perm=[0, 3, 1, 2]),
    helper.make_node("Conv", ["b", "w"], ["y"]),
]
graph = helper.make_graph(
    nodes,
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6])],
    [weight],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "model.onnx")
before = hashlib.sha256(Path("model.onnx").read_bytes()).hexdigest()
espdl_quantize_onnx(
    onnx_import_file="model.onnx",
    espdl_export_file="model.espdl",
    calib_dataloader=[torch.ones(1, 3, 8, 8)] * 4,
    calib_steps=4,
    input_shape=[1, 3, 8, 8],
    target="esp32s3",
    collate_fn=lambda batch: batch,
    error_report=False,
)
after = hashlib.sha256(Path("model.onnx").read_bytes()).hexdigest()
print("same bytes" if before == after else "other bytes", [node.op_type for node in onnx.load("model.onnx").graph.node])
PY
env/bin/python try.py > said 2> errors || { tail -5 errors; exit 1; }
tail -1 said
grep -q "^other bytes \['Transpose', 'Conv'\]$" said
