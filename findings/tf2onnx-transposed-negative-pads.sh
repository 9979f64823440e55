#!/usr/bin/env bash
# tf2onnx writes a transposed convolution whose kernel is smaller than its stride with negative pads, which ONNX forbids,
# and ends with status 0.
#
# Versions: tf2onnx 1.17.0, tensorflow-cpu 2.21.0, keras 3.15.1, onnx 1.23.2, onnxruntime 1.32.0; Python 3.11.
# Seen:     status 0; onnxruntime: ShapeInferenceError, the attribute pads of ConvTranspose
# Expected: output_padding, or a Pad behind it, or an error of the tool.
# Why it matters: Conv2DTranspose(filters, 2, strides=3) is a layer like any other; the exit status says that the file is good.
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
from keras import layers

def converted(how, what):
    done = subprocess.run([sys.executable, "-m", "tf2onnx.convert", how, what, "--output", "m.onnx"], capture_output=True)
    print("status", done.returncode)
    return onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])

def opened(model):
    model.export("saved", verbose=False)
    try:
        converted("--saved-model", "saved")
        print("opens")
    except Exception as err:
        print(type(err).__name__, str(err)[:400])

x = keras.Input((8, 8, 2))
opened(keras.Model(x, layers.Conv2DTranspose(3, 2, strides=3)(x)))
PY
env/bin/python try.py 2> errors | tee said || { cat errors; exit 1; }
grep -q 'status 0' said
grep -q '^Fail.*ConvTranspose.*ShapeInferenceError' said
