#!/usr/bin/env bash
# tf2onnx writes the exact gelu of Keras as an operator Erfc, which ONNX does not have, and ends with status 0.
#
# Versions: tf2onnx 1.17.0, tensorflow-cpu 2.21.0, keras 3.15.1, onnx 1.23.2, onnxruntime 1.32.0; Python 3.11.
# Seen:     status 0; onnxruntime: InvalidGraph, no op registered for Erfc
# Expected: Erf (erfc(x) is 1 - erf(x)), or an error of the tool.
# Why it matters: gelu is what transformers have; the exit status says that the file is good, and no runtime opens it.
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

x = keras.Input((4,))
opened(keras.Model(x, layers.Activation("gelu")(layers.Dense(3)(x))))
PY
env/bin/python try.py 2> errors | tee said || { cat errors; exit 1; }
grep -q 'status 0' said
grep -q 'InvalidGraph.*Erfc' said
