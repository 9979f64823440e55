#!/usr/bin/env bash
# paddle2onnx writes ONNX models that answer otherwise than Paddle does, with status 0 and without a word: LeakyReLU with a
# slope of its own, adaptive average pooling with windows of unequal size, and parameters that were cut in the middle.
#
# Versions: paddle2onnx 2.1.0, paddlepaddle 3.3.1, onnxruntime 1.32.0; Python 3.11.
# Seen:     leaky_relu 0.3: slope 2.5e-43; adaptive 11 to 3: 0.3 and more off; cut parameters: a model
# Expected: the numbers of Paddle, or an error of the tool.
# Why it matters: Paddle 3.3 writes slopes in 64 bits, and its own exporter reads half of each; an exit status of 0 says that the
#           model is good. Such models are put on boards, where nobody has the original to compare with.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check paddlepaddle==3.3.1 paddle2onnx==2.1.0 packaging setuptools \
  onnxruntime==1.32.0 numpy==2.4.6 2> /dev/null
cat > net.py <<'PY'
import sys

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn


class Net(nn.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


paddle.seed(1)
NETS = {
    "leaky_relu": lambda x: F.leaky_relu(x, 0.3),
    "adaptive": lambda x: F.adaptive_avg_pool2d(x, 3),
    "cut": nn.Conv2D(3, 8, 3),
}
name = sys.argv[1]
made = NETS[name]
net = made if isinstance(made, nn.Layer) else Net(made)
net.eval()
x = np.random.default_rng(0).standard_normal((1, 3, 11, 11)).astype("float32")
np.savez(name, x=x, y=net(paddle.to_tensor(x)).numpy())
paddle.jit.save(net, name, input_spec=[paddle.static.InputSpec([1, 3, 11, 11], "float32", "x")])
PY
cat > convert.py <<'PY'
import os
import sys

import paddle2onnx

name = sys.argv[1]
numbers = f"{name}.pdiparams"
paddle2onnx.export(f"{name}.json", numbers if os.path.exists(numbers) else "", f"{name}.onnx", optimize_tool="None")
PY
cat > compare.py <<'PY'
import sys

import numpy as np
import onnxruntime

name, case = sys.argv[1], np.load(f"{sys.argv[1]}.npz")
found = onnxruntime.InferenceSession(f"{name}.onnx", providers=["CPUExecutionProvider"]).run(None, {"x": case["x"]})[0]
print(f"{name}: {np.abs(found - case['y']).max():.3f} off")
PY
quietly() { "$@" > log 2>&1; }
status=0
for name in leaky_relu adaptive cut; do
  quietly env/bin/python net.py "$name" || { cat log; exit 1; }
  [ "$name" = cut ] && truncate -s 500 cut.pdiparams
  if quietly env/bin/python convert.py "$name" && [ -s "$name.onnx" ]; then said="status 0"; else said="fails"; fi
  echo "$name: $said"
  case "$name:$said" in
    leaky_relu:"status 0" | adaptive:"status 0")
      env/bin/python compare.py "$name" | tee told
      awk '{ exit !($2 > 0.05) }' told || status=1 ;;
    cut:"status 0") ;;
    *) status=1 ;;
  esac
done
[ "$status" = 0 ] && echo "as seen" || echo "it is otherwise now"
exit "$status"
