#!/usr/bin/env bash
# tf2onnx --keras gives the outputs of a model in the order of their layers' names, not in the model's own.
#
# Versions: tf2onnx 1.17.0, tensorflow-cpu 2.21.0, keras 3.15.1, onnx 1.23.2, onnxruntime 1.32.0; Python 3.11.
# Seen:     status 0; the first output of the ONNX file is the model's second; both are called Identity
# Expected: the model's own order: its first output is the layer "zebra", its second "ant".
# Why it matters: two outputs of one shape (two heads, angle and speed) change places, and nothing fails; --saved-model
# keeps the order.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 \
  onnxruntime==1.32.0 numpy==2.4.6
export TF_CPP_MIN_LOG_LEVEL=3 KERAS_BACKEND=tensorflow
cat > try.py <<'PY'
import subprocess
import sys

import keras
import numpy as np
import onnxruntime

def converted(how, what):
    done = subprocess.run([sys.executable, "-m", "tf2onnx.convert", how, what, "--output", "m.onnx"], capture_output=True)
    print("status", done.returncode)
    return onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])

keras.utils.set_random_seed(0)
x = keras.Input((4,))
model = keras.Model(x, [keras.layers.Dense(2, name="zebra")(x), keras.layers.Dense(2, name="ant")(x)])
model.save("m.keras")
given = np.ones((1, 4), np.float32)
session = converted("--keras", "m.keras")
got = session.run(None, {session.get_inputs()[0].name: given})
want = [np.asarray(y) for y in model(given)]
print("names", [one.name for one in session.get_outputs()])
print("as the model", all(np.allclose(a, b, atol=1e-5) for a, b in zip(got, want)))
print("exchanged", all(np.allclose(a, b, atol=1e-5) for a, b in zip(got[::-1], want)))
PY
env/bin/python try.py 2> errors | tee said || { cat errors; exit 1; }
grep -q 'status 0' said
grep -q 'as the model False' said
grep -q 'exchanged True' said
