#!/usr/bin/env bash
# MNN's commands (mnnconvert, mnnquant, mnn) install a package when they are started: they call `pip install -U
# aliyun-log-python-sdk`, with whichever pip comes first in PATH, which need not be that of their own environment.
#
# Versions: MNN 3.6.1 (PyPI), numpy 2.4.6, onnx 1.19.1; Python 3.11.
# Seen:     converting a network runs that line; a pip that stands first in PATH is called, here one that only writes down
#           how. Without it, aliyun-log-python-sdk with elasticsearch, protobuf below 6 and others is installed, and what is
#           there of these is replaced. The package is for reporting what was converted (MNN/tools/utils/log.py).
# Expected: a converter changes no environment; the documentation of the command says nothing of it, and the package's
#           metadata do not name the dependency.
# Why it matters: in a virtual environment that is not activated (env/bin/mnnconvert) it is the system's Python, or pyenv's,
# whose packages are replaced. The in-process call of the same converter, `_tools.mnnconvert([...])`, does none of this.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check MNN==3.6.1 numpy==2.4.6 onnx==1.19.1
env/bin/python - <<'PY'
import onnx
from onnx import TensorProto, helper

ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "m.onnx")
PY
mkdir first
printf '#!/bin/sh\necho "$@" >> "%s/called"\n' "$work" > first/pip
chmod +x first/pip

PATH="$work/first:$PATH" env/bin/python -c "import _tools; _tools.mnnconvert(['MNNConvert', '-f', 'ONNX', '--modelFile', 'm.onnx',
  '--MNNModel', 'in_process.mnn', '--bizCode', 'x'])" > /dev/null
test -s in_process.mnn
test ! -e called || { echo "the in-process call uses pip, too"; exit 1; }

PATH="$work/first:$PATH" env/bin/mnnconvert -f ONNX --modelFile m.onnx --MNNModel m.mnn --bizCode x > /dev/null
test -s m.mnn
grep -q "install -U aliyun-log-python-sdk" called || { echo "no longer so: mnnconvert called no pip"; exit 1; }
echo "as described: mnnconvert ran: pip $(head -1 called)"
