#!/usr/bin/env bash
# tf2onnx --keras turns the mean and deviation that a Normalization layer has in its settings into inputs of the ONNX file.
#
# Versions: tf2onnx 1.17.0, tensorflow-cpu 2.21.0, keras 3.15.1, onnx 1.23.2, onnxruntime 1.32.0; Python 3.11.
# Seen:     status 0; three inputs, two of which are called .../Sub/y:0 and .../Sqrt/x:0 and have no default
# Expected: one input, as the model has; the numbers are constants of the file.
# Why it matters: the file cannot be run without numbers that are nowhere in it any more, and the tool reports success;
# --saved-model keeps them.
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
import onnxruntime

def converted(how, what):
    done = subprocess.run([sys.executable, "-m", "tf2onnx.convert", how, what, "--output", "m.onnx"], capture_output=True)
    print("status", done.returncode)
    return onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])

x = keras.Input((4,), name="x")
h = keras.layers.Normalization(mean=[1.0, 2, 3, 4], variance=[4.0, 9, 16, 25])(x)
keras.Model(x, keras.layers.Dense(2)(h)).save("m.keras")
session = converted("--keras", "m.keras")
names = [one.name for one in session.get_inputs()]
print("inputs", len(names), names)
PY
env/bin/python try.py 2> errors | tee said || { cat errors; exit 1; }
grep -q 'status 0' said
grep -q '^inputs 3 ' said
