#!/usr/bin/env bash
# A Slice that goes backwards and ends at INT_MAX is empty by ONNX's text, in onnx's reference and in its shape
# inference: the end is brought into the axis, behind the start. onnxruntime takes INT_MAX for "as far as it goes" in
# either direction and gives everything down to the first number.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6; Python 3.11 or later.
# Seen:     [0 1 2 3 4] from 4 to INT64_MAX by -1: onnx infers 0, its reference gives [], onnxruntime [4 3 2 1 0]
#           from 4 to 5 by -1: all three give none
# Expected: one answer. (To go backwards to the end, ONNX says INT_MIN.)
# Why it matters: exporters that write INT_MAX for an open end give files that work in onnxruntime and nowhere else, and
# a tool that folds constants or infers shapes by the text turns such a file's flipped pictures into nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cat > "$work/try.py" <<'PY'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(3)
x = np.arange(5, dtype=np.float32)
for end in (2**63 - 1, 5):
    rows = {"start": 4, "end": end, "axis": 0, "step": -1}
    constants = [numpy_helper.from_array(np.array([number], np.int64), name) for name, number in rows.items()]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [5]), helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph([helper.make_node("Slice", ["x", *rows], ["y"])], "g", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph.output[0]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    print(end, "inferred", inferred.type.tensor_type.shape.dim[0].dim_value,
          "reference", len(ReferenceEvaluator(model).run(None, {"x": x})[0]), "onnxruntime", len(session.run(None, {"x": x})[0]))
PY
"$work/env/bin/python" "$work/try.py" | tee "$work/said"
grep -q '^9223372036854775807 inferred 0 reference 0 onnxruntime 5$' "$work/said"
grep -q '^5 inferred 0 reference 0 onnxruntime 0$' "$work/said"
